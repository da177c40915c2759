//! The boot rule: does the log fit what the anchor remembers?
//!
//! The log is written first and the anchor raised after it, so a power cut between the two leaves the log
//! one order ahead. Nothing else is accepted: a shorter log was rolled back, a longer one was made
//! elsewhere, a missing one was wiped to enrol afresh.

use serde::{Deserialize, Serialize};

/// What the anchor holds once a guardian was enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchored {
    /// Number of orders, as far as the anchor knows.
    pub epoch: u64,
    /// What they made of the watch.
    pub bound: Bound,
}

/// Whether the watch belongs to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bound {
    /// To the log with this hash over the keyring and all orders up to number `epoch`.
    To([u8; 32]),
    /// A guardian wiped the watch, and it is free again.
    Released,
}

/// What was found in the anchor's home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnchorFound {
    /// No guardian was ever enrolled.
    Empty,
    /// A guardian was.
    Held(Anchored),
    /// There is something that cannot be read.
    Unreadable,
}

/// What reading the whole log gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFound {
    /// Every order was verified again. One hash over keyring and orders after each, oldest first.
    Verified(Vec<[u8; 32]>),
    /// A link, a signature or the file itself is wrong.
    Damaged,
}

/// Why a watch is sealed. The word is what the diary keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// The log cannot be read or verified.
    LogDamaged,
    /// The log has fewer orders than the anchor remembers.
    LogRolledBack,
    /// The log has more orders than one power cut explains.
    LogAhead,
    /// The keyring or the orders are others.
    OtherLog,
    /// The anchor cannot be read.
    AnchorUnreadable,
    /// The disk is gone: `/var` lies in memory.
    NoStorage,
    /// The device key cannot be read, or is gone though the watch was bound.
    NoDeviceKey,
}

impl Seal {
    /// The word in the diary.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LogDamaged => "log-damaged",
            Self::LogRolledBack => "log-rolled-back",
            Self::LogAhead => "log-ahead",
            Self::OtherLog => "other-log",
            Self::AnchorUnreadable => "anchor-unreadable",
            Self::NoStorage => "no-storage",
            Self::NoDeviceKey => "no-device-key",
        }
    }
}

/// How the watch starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boot {
    /// First run: nobody was enrolled.
    Unbound,
    /// The log is trusted.
    Bound {
        /// The anchor is one order behind and has to be raised to this.
        raise: Option<Anchored>,
    },
    /// Only the lifeline is left.
    Sealed(Seal),
}

/// The rule.
pub fn judge(anchor: AnchorFound, log: &LogFound) -> Boot {
    let LogFound::Verified(heads) = log else {
        return Boot::Sealed(Seal::LogDamaged);
    };
    let Ok(length) = u64::try_from(heads.len()) else { return Boot::Sealed(Seal::LogDamaged) };
    let (bound, epoch) = match anchor {
        AnchorFound::Unreadable => return Boot::Sealed(Seal::AnchorUnreadable),
        AnchorFound::Empty => (None, 0),
        AnchorFound::Held(Anchored { bound: Bound::Released, .. }) if length == 0 => return Boot::Unbound,
        AnchorFound::Held(Anchored { bound: Bound::Released, .. }) => return Boot::Sealed(Seal::OtherLog),
        AnchorFound::Held(Anchored { bound: Bound::To(head), epoch }) => (Some(head), epoch),
    };
    if length < epoch {
        return Boot::Sealed(Seal::LogRolledBack);
    }
    if length > epoch + 1 {
        return Boot::Sealed(Seal::LogAhead);
    }
    let head_at = |count: u64| {
        usize::try_from(count).ok().and_then(|count| count.checked_sub(1)).and_then(|index| heads.get(index))
    };
    if bound.is_some_and(|bound| head_at(epoch) != Some(&bound)) {
        return Boot::Sealed(Seal::OtherLog);
    }
    match (head_at(length), length > epoch) {
        (None, _) => Boot::Unbound,
        (Some(_), false) => Boot::Bound { raise: None },
        (Some(last), true) => {
            Boot::Bound { raise: Some(Anchored { bound: Bound::To(*last), epoch: length }) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [u8; 32] = [1; 32];
    const B: [u8; 32] = [2; 32];

    fn anchored(bound: [u8; 32], epoch: u64) -> AnchorFound {
        AnchorFound::Held(Anchored { bound: Bound::To(bound), epoch })
    }

    #[test]
    fn a31_only_the_log_the_watch_left_is_trusted() {
        let log = |heads: &[[u8; 32]]| LogFound::Verified(heads.to_vec());
        let released = AnchorFound::Held(Anchored { epoch: 2, bound: Bound::Released });
        let rows = [
            ("first run", AnchorFound::Empty, log(&[]), Boot::Unbound),
            (
                "cut after the first enrolment",
                AnchorFound::Empty,
                log(&[A]),
                Boot::Bound { raise: Some(Anchored { bound: Bound::To(A), epoch: 1 }) },
            ),
            ("anchor wiped", AnchorFound::Empty, log(&[A, A]), Boot::Sealed(Seal::LogAhead)),
            ("as left", anchored(A, 2), log(&[A, A]), Boot::Bound { raise: None }),
            (
                "cut before the anchor was raised",
                anchored(A, 2),
                log(&[A, A, B]),
                Boot::Bound { raise: Some(Anchored { bound: Bound::To(B), epoch: 3 }) },
            ),
            ("rolled back", anchored(A, 3), log(&[A, A]), Boot::Sealed(Seal::LogRolledBack)),
            ("wiped to enrol afresh", anchored(A, 3), log(&[]), Boot::Sealed(Seal::LogRolledBack)),
            ("made elsewhere", anchored(A, 1), log(&[A, A, A]), Boot::Sealed(Seal::LogAhead)),
            ("somebody else's log", anchored(A, 2), log(&[B, B]), Boot::Sealed(Seal::OtherLog)),
            ("damaged", anchored(A, 2), LogFound::Damaged, Boot::Sealed(Seal::LogDamaged)),
            ("damaged before binding", AnchorFound::Empty, LogFound::Damaged, Boot::Sealed(Seal::LogDamaged)),
            ("anchor damaged", AnchorFound::Unreadable, log(&[A]), Boot::Sealed(Seal::AnchorUnreadable)),
            ("wiped by a guardian", released, log(&[]), Boot::Unbound),
            ("an old log after the wipe", released, log(&[A, A]), Boot::Sealed(Seal::OtherLog)),
            ("an anchor at zero", anchored(A, 0), log(&[]), Boot::Sealed(Seal::OtherLog)),
        ];
        for (name, anchor, log, expected) in rows {
            assert_eq!(judge(anchor, &log), expected, "{name}");
        }
    }
}
