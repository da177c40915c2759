//! The decision: pure and total, and nothing is allocated.

use crate::contact::Kind;
use crate::number::E164;
use crate::rules::Policy;

/// Who is calling, after the network's text was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// A number in one spelling.
    Number(E164),
    /// The caller hides it.
    Withheld,
    /// The network sent a text that is nobody's number.
    Unreadable,
}

/// When something is decided: the watch's trusted wall clock.
///
/// Only grants look at it yet. Schedules and allowances of a day, which come later, need the local time and what
/// was used, and will stand here too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Seconds since 1970, UTC.
    pub unix: i64,
}

/// What somebody wants to do. Emergency calls are not here: the `lifeline` crate answers for them before
/// any rule is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<'a> {
    /// A call comes in.
    Ring(Caller),
    /// The child calls a number.
    Dial(E164),
    /// The child opens an app, or an app that is open goes on.
    Open(&'a str),
}

/// Why not. The name is what the diary keeps and what a screen translates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The number is nobody's the family knows.
    UnknownNumber,
    /// The caller hides the number.
    Withheld,
    /// The network's text is no number.
    UnreadableNumber,
    /// A known contact that may not do this.
    NotThisContact,
    /// No guardian granted the app.
    NotGranted,
    /// The grant is over.
    TimeUp,
}

impl Reason {
    /// The word in the diary and on the bus.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownNumber => "unknown-number",
            Self::Withheld => "withheld",
            Self::UnreadableNumber => "unreadable-number",
            Self::NotThisContact => "not-this-contact",
            Self::NotGranted => "not-granted",
            Self::TimeUp => "time-up",
        }
    }
}

/// The answer, and how long it holds while the policy stays as it is. Times are seconds since 1970, UTC, on the clock of
/// [`Moment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Allow {
        /// From this second on it is no longer allowed; `None`: no end.
        until: Option<i64>,
    },
    /// No, and why.
    Deny {
        /// Why not.
        reason: Reason,
        /// From this second on the answer may be another one; `None`: only another policy changes it.
        until: Option<i64>,
    },
}

impl Verdict {
    /// Whether it is `Allow`.
    pub fn is_allow(self) -> bool {
        matches!(self, Self::Allow { .. })
    }
}

/// A yes that no clock ends.
const YES: Verdict = Verdict::Allow { until: None };

/// A no that only another policy changes.
const fn no(reason: Reason) -> Verdict {
    Verdict::Deny { reason, until: None }
}

/// Decides one action under one policy at one moment. Nothing unknown is allowed; a guardian is never turned away.
pub fn decide(policy: &Policy, moment: &Moment, action: &Action<'_>) -> Verdict {
    match action {
        Action::Ring(Caller::Withheld) => no(Reason::Withheld),
        Action::Ring(Caller::Unreadable) => no(Reason::UnreadableNumber),
        Action::Ring(Caller::Number(number)) => call(policy, *number, true),
        Action::Dial(number) => call(policy, *number, false),
        Action::Open(app) => open(policy, *moment, app),
    }
}

fn call(policy: &Policy, number: E164, incoming: bool) -> Verdict {
    match policy.contact_of(number) {
        None => no(Reason::UnknownNumber),
        Some(contact) if contact.kind == Kind::Guardian => YES,
        Some(contact) if incoming && contact.may.ring => YES,
        Some(contact) if !incoming && contact.may.be_called => YES,
        Some(_) => no(Reason::NotThisContact),
    }
}

fn open(policy: &Policy, moment: Moment, app: &str) -> Verdict {
    match policy.grant_of(app) {
        None => no(Reason::NotGranted),
        Some(grant) if grant.until.is_some_and(|until| moment.unix >= until) => no(Reason::TimeUp),
        Some(grant) => Verdict::Allow { until: grant.until },
    }
}
