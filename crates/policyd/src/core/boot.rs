//! The boot rule: does the log fit what the anchor remembers?
//!
//! The log is written first and the anchor raised after it, so a power cut between the two leaves the log
//! one order ahead. Nothing else is accepted: a shorter log was rolled back, a longer one was made
//! elsewhere, a missing one was wiped to enrol afresh. Only a guardian's own order releases a watch, and what the anchor
//! remembers then is that it is free from this epoch on.

use serde::{Deserialize, Serialize};

/// What an anchor remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchored {
    /// Goes up by one with every order, and never down, whatever becomes of the watch.
    pub epoch: u64,
    /// Whose the watch is.
    pub bound: Bound,
}

/// Whose the watch is, as far as the anchor knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bound {
    /// A family's: the hash over its keyring and all its orders.
    To([u8; 32]),
    /// Nobody's again: its family wiped it.
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
    /// Every order was verified again.
    Verified(LogRead),
    /// A link, a signature or the file itself is wrong.
    Damaged,
    /// There is none, though the anchor knows a family.
    Missing,
}

/// A log that holds together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogRead {
    /// The anchor's epoch before the first order.
    pub origin: u64,
    /// One hash over keyring and orders after each order, oldest first.
    pub heads: Vec<[u8; 32]>,
    /// The log was migrated: how many orders came over, and the hash the older format had for all of them.
    pub migrated: Option<(u64, [u8; 32])>,
    /// Its last order wipes the watch.
    pub wiped: bool,
}

impl LogRead {
    /// The epoch of an anchor that knows all of it.
    fn epoch(&self) -> u64 {
        self.origin.saturating_add(u64::try_from(self.heads.len()).unwrap_or(u64::MAX))
    }

    /// What an anchor of this epoch holds.
    fn head_at(&self, epoch: u64) -> Option<[u8; 32]> {
        let place = usize::try_from(epoch.checked_sub(self.origin)?.checked_sub(1)?).ok()?;
        self.heads.get(place).copied()
    }

    /// Whether an anchor of this epoch that holds `head` fits: the log's own head then, or that of the older format where
    /// no order was taken since.
    fn fits(&self, epoch: u64, head: [u8; 32]) -> bool {
        let before_migration = self.migrated.is_some_and(|(count, old)| {
            let migrated = self.origin.saturating_add(count);
            old == head && epoch.checked_add(1) == Some(migrated) && self.epoch() == migrated
        });
        before_migration || self.head_at(epoch) == Some(head)
    }
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
    /// A guardian wiped the watch: its storage is erased at the restart.
    Erasing,
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
            Self::Erasing => "erasing",
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
    /// The last order wipes the watch, and a power cut kept that from being done. What is left goes.
    Erase {
        /// The anchor does not know yet.
        raise: Option<Anchored>,
    },
    /// Only the lifeline is left.
    Sealed(Seal),
}

/// The rule.
pub fn judge(anchor: AnchorFound, log: &LogFound) -> Boot {
    let log = match log {
        LogFound::Verified(log) => log,
        LogFound::Damaged => return Boot::Sealed(Seal::LogDamaged),
        LogFound::Missing => return Boot::Sealed(Seal::LogRolledBack),
    };
    let (epoch, bound) = match anchor {
        AnchorFound::Unreadable => return Boot::Sealed(Seal::AnchorUnreadable),
        AnchorFound::Empty => (0, None),
        AnchorFound::Held(anchored) => (anchored.epoch, Some(anchored.bound)),
    };
    let length = log.epoch();
    if bound == Some(Bound::Released) && log.wiped && length == epoch {
        return Boot::Erase { raise: None };
    }
    if length < epoch {
        return Boot::Sealed(Seal::LogRolledBack);
    }
    if length > epoch.saturating_add(1) {
        return Boot::Sealed(Seal::LogAhead);
    }
    let fits = match bound {
        Some(Bound::To(head)) => log.fits(epoch, head),
        // A fresh log begins where the anchor stands.
        Some(Bound::Released) | None => log.origin == epoch,
    };
    if !fits {
        return Boot::Sealed(Seal::OtherLog);
    }
    let behind = length > epoch;
    match log.heads.last() {
        None => Boot::Unbound,
        Some(_) if log.wiped => {
            Boot::Erase { raise: behind.then_some(Anchored { epoch: length, bound: Bound::Released }) }
        }
        Some(head) => {
            Boot::Bound { raise: behind.then_some(Anchored { epoch: length, bound: Bound::To(*head) }) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [u8; 32] = [1; 32];
    const B: [u8; 32] = [2; 32];
    const OLD: [u8; 32] = [9; 32];

    fn held(bound: [u8; 32], epoch: u64) -> AnchorFound {
        AnchorFound::Held(Anchored { epoch, bound: Bound::To(bound) })
    }

    fn released(epoch: u64) -> AnchorFound {
        AnchorFound::Held(Anchored { epoch, bound: Bound::Released })
    }

    fn read(origin: u64, heads: &[[u8; 32]]) -> LogRead {
        LogRead { origin, heads: heads.to_vec(), ..LogRead::default() }
    }

    fn log(heads: &[[u8; 32]]) -> LogFound {
        LogFound::Verified(read(0, heads))
    }

    fn later(origin: u64, heads: &[[u8; 32]]) -> LogFound {
        LogFound::Verified(read(origin, heads))
    }

    fn wiped(heads: &[[u8; 32]]) -> LogFound {
        LogFound::Verified(LogRead { wiped: true, ..read(0, heads) })
    }

    /// Two orders of the older format, and those taken since.
    fn migrated(since: &[[u8; 32]]) -> LogFound {
        let heads: Vec<_> = [A, A].iter().chain(since).copied().collect();
        LogFound::Verified(LogRead { migrated: Some((2, OLD)), ..read(1, &heads) })
    }

    fn raised(bound: [u8; 32], epoch: u64) -> Boot {
        Boot::Bound { raise: Some(Anchored { epoch, bound: Bound::To(bound) }) }
    }

    const AS_LEFT: Boot = Boot::Bound { raise: None };

    #[test]
    fn a31_only_the_log_the_watch_left_is_trusted() {
        let rows = [
            ("first run", AnchorFound::Empty, log(&[]), Boot::Unbound),
            ("cut after the first enrolment", AnchorFound::Empty, log(&[A]), raised(A, 1)),
            ("anchor wiped", AnchorFound::Empty, log(&[A, A]), Boot::Sealed(Seal::LogAhead)),
            (
                "anchor wiped, log of a later life",
                AnchorFound::Empty,
                later(1, &[]),
                Boot::Sealed(Seal::OtherLog),
            ),
            ("as left", held(A, 2), log(&[A, A]), AS_LEFT),
            ("cut before the anchor was raised", held(A, 2), log(&[A, A, B]), raised(B, 3)),
            ("rolled back", held(A, 3), log(&[A, A]), Boot::Sealed(Seal::LogRolledBack)),
            ("wiped to enrol afresh", held(A, 3), LogFound::Missing, Boot::Sealed(Seal::LogRolledBack)),
            ("emptied to enrol afresh", held(A, 3), log(&[]), Boot::Sealed(Seal::LogRolledBack)),
            ("emptied, with another origin", held(A, 3), later(3, &[]), Boot::Sealed(Seal::OtherLog)),
            ("made elsewhere", held(A, 1), log(&[A, A, A]), Boot::Sealed(Seal::LogAhead)),
            ("somebody else's log", held(A, 2), log(&[B, B]), Boot::Sealed(Seal::OtherLog)),
            ("somebody else's, one ahead", held(A, 2), log(&[B, B, A]), Boot::Sealed(Seal::OtherLog)),
            ("damaged", held(A, 2), LogFound::Damaged, Boot::Sealed(Seal::LogDamaged)),
            ("damaged before binding", AnchorFound::Empty, LogFound::Damaged, Boot::Sealed(Seal::LogDamaged)),
            ("anchor damaged", AnchorFound::Unreadable, log(&[A]), Boot::Sealed(Seal::AnchorUnreadable)),
            ("an anchor at zero", held(A, 0), log(&[]), Boot::Sealed(Seal::OtherLog)),
        ];
        for (name, anchor, log, expected) in rows {
            assert_eq!(judge(anchor, &log), expected, "{name}");
        }
    }

    #[test]
    fn a33_a_released_watch_is_free_and_its_old_log_is_worth_nothing() {
        let erase = |raise| Boot::Erase { raise };
        let to_raise = Anchored { epoch: 3, bound: Bound::Released };
        let rows = [
            ("cut before the anchor knew", held(A, 2), wiped(&[A, A, B]), erase(Some(to_raise))),
            ("cut before the files were gone", released(3), wiped(&[A, A, B]), erase(None)),
            ("free", released(3), later(3, &[]), Boot::Unbound),
            ("cut after the next enrolment", released(3), later(3, &[B]), raised(B, 4)),
            ("the next family's", held(B, 4), later(3, &[B]), AS_LEFT),
            ("the old log without its end", released(3), log(&[A, A]), Boot::Sealed(Seal::LogRolledBack)),
            ("an old log, longer", released(3), log(&[A, A, A]), Boot::Sealed(Seal::OtherLog)),
            (
                "the old log under the next family",
                held(B, 4),
                wiped(&[A, A, B]),
                Boot::Sealed(Seal::LogRolledBack),
            ),
            ("a wipe the anchor took for an order", held(B, 3), log(&[A, A, B]), AS_LEFT),
            ("a log of another life", released(3), later(2, &[A]), Boot::Sealed(Seal::OtherLog)),
        ];
        for (name, anchor, log, expected) in rows {
            assert_eq!(judge(anchor, &log), expected, "{name}");
        }
    }

    #[test]
    fn a19_a_migrated_log_fits_the_anchor_from_before_and_no_older_one() {
        let rows = [
            ("before the anchor was raised", held(OLD, 2), migrated(&[]), raised(A, 3)),
            ("after it", held(A, 3), migrated(&[]), AS_LEFT),
            ("cut at the next order", held(A, 3), migrated(&[B]), raised(B, 4)),
            ("the old head after another order", held(OLD, 2), migrated(&[B]), Boot::Sealed(Seal::LogAhead)),
            ("the old head at another epoch", held(OLD, 3), migrated(&[]), Boot::Sealed(Seal::OtherLog)),
            ("another head", held(B, 2), migrated(&[]), Boot::Sealed(Seal::OtherLog)),
        ];
        for (name, anchor, log, expected) in rows {
            assert_eq!(judge(anchor, &log), expected, "{name}");
        }
    }
}
