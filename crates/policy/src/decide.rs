//! The decision: pure and total.

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

/// What somebody wants to do. Emergency calls are not here: the `lifeline` crate answers for them before
/// any rule is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A call comes in.
    Ring(Caller),
    /// The child calls a number.
    Dial(E164),
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
}

impl Reason {
    /// The word in the diary and on the bus.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownNumber => "unknown-number",
            Self::Withheld => "withheld",
            Self::UnreadableNumber => "unreadable-number",
            Self::NotThisContact => "not-this-contact",
        }
    }
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Allow,
    /// No, and why.
    Deny(Reason),
}

impl Verdict {
    /// Whether it is `Allow`.
    pub fn is_allow(self) -> bool {
        self == Self::Allow
    }
}

/// Decides one action under one policy. Nothing unknown is allowed; a guardian is never turned away.
pub fn decide(policy: &Policy, action: &Action) -> Verdict {
    let (number, incoming) = match action {
        Action::Ring(Caller::Withheld) => return Verdict::Deny(Reason::Withheld),
        Action::Ring(Caller::Unreadable) => return Verdict::Deny(Reason::UnreadableNumber),
        Action::Ring(Caller::Number(number)) => (*number, true),
        Action::Dial(number) => (*number, false),
    };
    match policy.contact_of(number) {
        None => Verdict::Deny(Reason::UnknownNumber),
        Some(contact) if contact.kind == Kind::Guardian => Verdict::Allow,
        Some(contact) if incoming && contact.may.ring => Verdict::Allow,
        Some(contact) if !incoming && contact.may.be_called => Verdict::Allow,
        Some(_) => Verdict::Deny(Reason::NotThisContact),
    }
}
