//! The soak's books (`benches/soak`), which must not balance by themselves.

#![allow(clippy::unwrap_used, dead_code, reason = "the soak uses more of it")]

#[path = "../benches/soak/ledger.rs"]
mod ledger;

use ledger::{Ended, Ledger, Outcome, Place, Seen, Told, Who};

fn seen(who: Who, rang: bool, ended: Option<Ended>) -> Seen {
    let (label, place) = ("…66".into(), Place::First);
    Seen { who, label, rang, ended, in_haste: false, place, faults: vec![] }
}

fn mum() -> Who {
    Who::Contact("mum".into())
}

#[test]
fn every_call_has_one_outcome_and_what_cannot_be_has_none() {
    use Ended::{ByRemote, ByWatch, Unreachable, WithNetwork};
    let wrong = vec!["hung"];
    for (seen, outcome) in [
        (seen(mum(), true, Some(ByRemote)), Some(Outcome::Rang)),
        (seen(mum(), true, Some(ByWatch)), Some(Outcome::Rang)),
        (seen(mum(), true, None), None),
        (seen(mum(), false, Some(ByWatch)), None),
        (seen(mum(), false, Some(ByRemote)), None),
        (Seen { in_haste: true, ..seen(mum(), false, Some(ByRemote)) }, Some(Outcome::GaveUp)),
        (Seen { place: Place::Busy, ..seen(mum(), false, Some(ByWatch)) }, Some(Outcome::TurnedAway)),
        (Seen { place: Place::Busy, ..seen(mum(), true, Some(ByRemote)) }, None),
        (Seen { place: Place::Busy, ..seen(mum(), false, Some(ByRemote)) }, None),
        (Seen { place: Place::Waits, ..seen(mum(), false, Some(ByWatch)) }, None),
        (Seen { place: Place::Waits, ..seen(mum(), true, Some(ByRemote)) }, Some(Outcome::Rang)),
        (Seen { place: Place::Waits, ..seen(mum(), false, Some(ByRemote)) }, Some(Outcome::Waited)),
        (Seen { place: Place::Waits, ..seen(Who::Stranger, true, Some(ByRemote)) }, None),
        (seen(Who::Stranger, false, Some(ByWatch)), Some(Outcome::TurnedAway)),
        (seen(Who::Stranger, true, Some(ByWatch)), None),
        (seen(Who::Stranger, false, Some(ByRemote)), None),
        (seen(Who::Stranger, false, Some(Unreachable)), None),
        (seen(Who::Stranger, false, Some(WithNetwork)), None),
        (Seen { faults: wrong.clone(), ..seen(Who::Stranger, true, Some(ByWatch)) }, None),
        (
            Seen { faults: wrong.clone(), ..seen(mum(), false, Some(Unreachable)) },
            Some(Outcome::Lost("hung")),
        ),
        (
            Seen { faults: wrong.clone(), ..seen(Who::Stranger, false, Some(ByRemote)) },
            Some(Outcome::Lost("hung")),
        ),
        (
            Seen { faults: wrong.clone(), ..seen(mum(), false, Some(Ended::ByProbe)) },
            Some(Outcome::Lost("hung")),
        ),
        (seen(mum(), false, Some(Ended::ByProbe)), None),
        (Seen { faults: wrong, ..seen(Who::Stranger, false, None) }, None),
    ] {
        assert_eq!(seen.outcome().ok(), outcome, "{seen:?}");
    }
}

fn told(lines: &[(&str, &[(&str, &'static str)])]) -> Told {
    let mut told = Told::default();
    for (kind, details) in lines {
        told.line(kind, |name| details.iter().find(|(key, _)| *key == name).map(|(_, value)| *value));
    }
    told
}

#[test]
fn a_diary_with_a_line_too_few_or_too_many_is_wrong() {
    let refused = ("call-refused", &[("caller", "…66")][..]);
    let more = ("call-refused", &[("caller", "…66"), ("count", "2")][..]);
    let missed = ("call-missed", &[("contact", "mum")][..]);
    let dialled = ("call-dialled", &[("contact", "mum")][..]);
    for (lines, right) in [
        (vec![refused, more, missed, dialled], true),
        (vec![refused, refused, refused, missed, dialled], true),
        (vec![refused, missed, dialled], false),
        (vec![more, more, missed, dialled], false),
        (vec![refused, more, dialled], false),
        (vec![refused, more, missed, missed, dialled], false),
        (vec![refused, more, missed], false),
        (vec![missed, dialled], false),
        (vec![refused, more, missed, dialled, ("call-refused", &[("caller", "withheld")][..])], false),
    ] {
        let mut ledger = Ledger::default();
        for _ in 0..3 {
            ledger.incoming(&seen(Who::Stranger, false, Some(Ended::ByWatch)));
        }
        ledger.incoming(&seen(mum(), true, Some(Ended::ByRemote)));
        ledger.outgoing("mum", true, None);
        assert_eq!((ledger.calls, &ledger.wrong), (5, &vec![]));
        ledger.close(&told(&lines));
        assert_eq!(ledger.wrong.is_empty(), right, "{lines:?} {:?}", ledger.wrong);
    }
}

#[test]
fn who_waited_in_vain_is_in_the_diary_as_missed() {
    for (times, right) in [(0, false), (1, true), (2, false)] {
        let mut ledger = Ledger::default();
        ledger.incoming(&Seen { place: Place::Waits, ..seen(mum(), false, Some(Ended::ByRemote)) });
        assert_eq!((ledger.waited, &ledger.wrong), (1, &vec![]));
        ledger.close(&told(&vec![("call-missed", &[("contact", "mum")][..]); times]));
        assert_eq!(ledger.wrong.is_empty(), right, "{times}");
    }
}

#[test]
fn who_gave_up_may_be_in_the_diary_once() {
    for (times, right) in [(0, true), (1, true), (2, false)] {
        let mut ledger = Ledger::default();
        let hasty = Seen { in_haste: true, ..seen(Who::Stranger, false, Some(Ended::ByRemote)) };
        ledger.incoming(&hasty);
        ledger.close(&told(&vec![("call-refused", &[("caller", "…66")][..]); times]));
        assert_eq!(ledger.wrong.is_empty(), right, "{times}");
    }
}
