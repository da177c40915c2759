//! The decision: pure and total, and nothing is allocated.

use crate::contact::Kind;
use crate::moment::Moment;
use crate::number::E164;
use crate::rules::Policy;
use crate::standing::Rulebook;
use crate::verdict::{Action, Caller, Reason, Verdict};

const YES: Verdict = Verdict::Allow { until: None };

const fn no(reason: Reason) -> Verdict {
    Verdict::Deny { reason, until: None }
}

/// Decides one action under one policy at one moment. Nothing unknown is allowed; a guardian is never turned away.
pub fn decide(rules: &Rulebook, moment: &Moment<'_>, action: &Action<'_>) -> Verdict {
    let policy = &rules.policy;
    match action {
        Action::Ring(Caller::Withheld) | Action::Receive(Caller::Withheld) => no(Reason::Withheld),
        Action::Ring(Caller::Unreadable) | Action::Receive(Caller::Unreadable) => {
            no(Reason::UnreadableNumber)
        }
        Action::Ring(Caller::Number(number)) => call(policy, *number, true),
        Action::Dial(number) => call(policy, *number, false),
        Action::Open(app) => open(policy, moment, app.id),
        Action::Alarm => YES,
        Action::Helpline(_) => no(Reason::NotAHelpline),
        Action::Receive(Caller::Number(_)) | Action::Write(_) => no(Reason::NotThisFeature),
        Action::Use { .. } => no(Reason::NoPermission),
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

fn open(policy: &Policy, moment: &Moment<'_>, app: &str) -> Verdict {
    match policy.grant_of(app) {
        None => no(Reason::NotGranted),
        Some(grant) if grant.until.is_some_and(|until| moment.unix >= until) => no(Reason::TimeUp),
        Some(grant) => Verdict::Allow { until: grant.until },
    }
}
