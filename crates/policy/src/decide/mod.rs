//! The decision: pure and total, and nothing is allocated.
//!
//! What no clock changes is asked first, then what a clock opens and closes ([`gates`]). Floors of the region hold for
//! everyone, guardians too.

mod apps;
mod gates;
mod meter;

use gates::{Gates, Who};

use crate::contact::{Contact, Kind, May};
use crate::moment::{Moment, Usage};
use crate::number::E164;
use crate::region::Rule;
use crate::rules::known;
use crate::standing::Rulebook;
use crate::verdict::{Action, Caller, Reason, Verdict};

/// A yes that no clock ends.
const YES: Verdict = Verdict::Allow { until: None };

/// A no that no clock ends.
const fn no(reason: Reason) -> Verdict {
    Verdict::Deny { reason, until: None }
}

/// Decides one action under these rules at one moment.
///
/// Nothing unknown is allowed. A guardian is turned away, and an alarm is silent, by a clause of the region alone.
/// Texts with anyone but a guardian need [`Features::messages`](crate::Features) and the contact's `may`; nobody reads
/// what a child writes (L63), so nothing here asks for it.
pub fn decide(rules: &Rulebook, moment: &Moment<'_>, action: &Action<'_>) -> Verdict {
    let now = Now::of(moment);
    match action {
        Action::Helpline(digits) => helpline(rules, digits),
        Action::Ring(caller) => from(rules, now, *caller, |may| may.ring, false),
        Action::Dial(number) => contact(rules, now, *number, |may| may.be_called, false),
        Action::Receive(caller) => from(rules, now, *caller, |may| may.write, true),
        Action::Write(number) => contact(rules, now, *number, |may| may.be_written, true),
        _ if charging(rules, now) => no(Reason::Charging),
        Action::Open(app) => apps::open(rules, now, app),
        Action::Use { app, permission } => apps::uses(rules, now, app, *permission),
        Action::Alarm => YES,
    }
}

/// A moment, within the years the rules know.
#[derive(Clone, Copy)]
struct Now<'a> {
    unix: i64,
    /// The highest time ever seen, and not before `unix`. The day that usage is counted for never goes back, nor does
    /// the end of a grant.
    latest: i64,
    charging: bool,
    usage: Option<&'a Usage>,
}

impl<'a> Now<'a> {
    fn of(moment: &Moment<'a>) -> Self {
        Self {
            unix: known(moment.unix),
            latest: known(moment.latest.max(moment.unix)),
            charging: moment.charging,
            usage: moment.usage,
        }
    }
}

fn charging(rules: &Rulebook, now: Now<'_>) -> bool {
    now.charging && rules.policy.region.clauses().iter().any(|clause| clause.rule == Rule::Charging)
}

fn helpline(rules: &Rulebook, digits: &str) -> Verdict {
    if rules.policy.region.helplines().contains(&digits) { YES } else { no(Reason::NotAHelpline) }
}

fn from(rules: &Rulebook, now: Now<'_>, caller: Caller, right: fn(&May) -> bool, text: bool) -> Verdict {
    match caller {
        Caller::Number(number) => contact(rules, now, number, right, text),
        Caller::Withheld => no(Reason::Withheld),
        Caller::Unreadable => no(Reason::UnreadableNumber),
    }
}

fn contact(rules: &Rulebook, now: Now<'_>, number: E164, right: fn(&May) -> bool, text: bool) -> Verdict {
    let Some(Contact { kind, may, .. }) = rules.policy.contact_of(number) else {
        return no(Reason::UnknownNumber);
    };
    if charging(rules, now) {
        return no(Reason::Charging);
    }
    if *kind == Kind::Guardian {
        return YES;
    }
    if !right(may) {
        return no(Reason::NotThisContact);
    }
    if text && !rules.policy.features.messages {
        return no(Reason::NotThisFeature);
    }
    if rules.standing.lost && *kind != Kind::Emergency {
        return no(Reason::Lost);
    }
    Gates::new(rules, now, Who::Contact(*kind)).verdict()
}
