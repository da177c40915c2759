//! A call while there is one, and calls that an hour ends.

use policy::{Reach, Schedule, ScheduleKind, Window};

use super::*;

/// Class from a minute after [`MORNING`] on; guardians alone get through.
fn family_in_class() -> Policy {
    let window =
        Window { days: policy::Days::ALL, from: "06:01".parse().unwrap(), to: "12:00".parse().unwrap() };
    let class = Schedule {
        id: "class".into(),
        name: "Class".into(),
        kind: ScheduleKind::Class,
        windows: vec![window],
        calls: Reach::Guardians,
        apps: false,
    };
    Policy { schedules: vec![class], ..family() }
}

/// The family has a second guardian, who calls now.
fn dad_calls(watch: &mut Watch) {
    let mut policy = family();
    policy.contacts.push(contact("dad", Kind::Guardian, "+358405550009", true, true));
    watch.rules(policy, false);
    watch.incoming("b", "+358405550009");
}

#[test]
fn t9_a_ring_ends_when_class_begins_and_a_call_that_is_active_or_a_guardians_goes_on() {
    let mut watch = Watch::new();
    watch.rules(family_in_class(), false);
    watch.incoming("a", AUNT);
    watch.wait(49_999);
    assert_eq!((watch.state(), watch.hang_ups("a")), (CallState::Ringing, 0));
    watch.wait(1);
    assert_eq!((watch.state(), watch.hang_ups("a")), (CallState::None, 1));
    assert_eq!(watch.diary(), ["call-refused caller=…02 reason=not-in-class"]);

    for (number, active) in [(MUM, false), (AUNT, true)] {
        let mut watch = Watch::new();
        watch.rules(family_in_class(), false);
        watch.incoming("a", number);
        watch.wait(2000);
        if active {
            let ticket = watch.request(Request::Accept(watch.core.shown.id));
            watch.event(Event::Accepted(ticket, true));
            watch.seen("a", Direction::Incoming, Progress::Active, number);
        }
        let state = watch.state();
        watch.wait(600_000);
        assert_eq!((watch.state(), watch.hang_ups("a")), (state, 0), "{active}");
    }
}

#[test]
fn t9_a_caller_who_waits_is_judged_again_too() {
    let mut watch = Watch::new();
    watch.talk_to_mum();
    dad_calls(&mut watch);
    watch.wait(5000);
    watch.rules(family(), false);
    assert_eq!((watch.hang_ups("b"), watch.hang_ups("mum")), (1, 0));
    watch.seen("mum", Direction::Incoming, Progress::Over, MUM);
    assert_eq!(watch.state(), CallState::None, "he is not offered");
}

#[test]
fn a_second_known_caller_who_is_no_guardian_is_told_busy() {
    let mut watch = Watch::new();
    watch.incoming("a", MUM);
    watch.incoming("b", AUNT);
    assert_eq!(watch.shows(), [CallState::Ringing]);
    assert_eq!(watch.core.shown.contact, "mum");
    assert_eq!(watch.diary(), ["call-refused caller=…02 reason=busy"]);
    watch.gone("a");
    assert_eq!(watch.hang_ups("b"), 1, "alone, it can be ended at once");
}

#[test]
fn a_guardian_waits_and_rings_when_the_first_call_ends_with_two_seconds_of_her_own() {
    let mut watch = Watch::new();
    watch.incoming("a", AUNT);
    watch.wait(2000);
    let ticket = watch.request(Request::Accept(watch.core.shown.id));
    watch.event(Event::Accepted(ticket, true));
    watch.seen("a", Direction::Incoming, Progress::Active, AUNT);
    watch.incoming("b", MUM);
    watch.wait(10_000);
    assert_eq!((watch.hang_ups("a"), watch.hang_ups("b")), (0, 0));
    assert_eq!(watch.core.shown.contact, "aunt");
    watch.request(Request::HangUp(watch.core.shown.id));
    assert_eq!(watch.hang_ups("a"), 1, "at once: its index is long known");
    watch.gone("a");
    assert_eq!((watch.state(), watch.core.shown.contact.as_str()), (CallState::Ringing, "mum"));
    let early = watch.request(Request::Accept(watch.core.shown.id));
    assert_eq!(watch.answer(early), Some(Err(Refused::TooEarly)));
    watch.wait(2000);
    let ticket = watch.request(Request::Accept(watch.core.shown.id));
    assert!(watch.effects.contains(&Effect::Accept(ticket, CallId("b".into()))));
}

#[test]
fn a_guardian_who_gives_up_waiting_was_missed() {
    let mut watch = Watch::new();
    watch.incoming("a", AUNT);
    watch.incoming("b", MUM);
    watch.gone("b");
    assert_eq!(watch.diary(), ["call-missed contact=mum"]);
    assert_eq!(watch.core.shown.contact, "aunt");
}

#[test]
fn a06_a_call_that_waits_and_is_answered_by_the_modem_is_cut() {
    let mut watch = Watch::new();
    watch.incoming("a", AUNT);
    watch.incoming("b", MUM);
    watch.wait(5000);
    watch.seen("b", Direction::Incoming, Progress::Active, MUM);
    assert_eq!((watch.hang_ups("a"), watch.hang_ups("b")), (0, 1));
    assert_eq!(watch.diary(), ["call-refused caller=…01 reason=not-accepted"]);
}

#[test]
fn a_restart_with_a_call_that_is_active_and_one_that_waits_keeps_both_in_either_order() {
    let seen: [fn(&mut Watch); 2] = [
        |watch| watch.seen("a", Direction::Incoming, Progress::Active, AUNT),
        |watch| watch.incoming("b", MUM),
    ];
    for order in [[0, 1], [1, 0]] {
        let mut watch = Watch::new();
        for at in order {
            seen[at](&mut watch);
        }
        assert_eq!(
            (watch.state(), watch.core.shown.contact.as_str()),
            (CallState::Active, "aunt"),
            "{order:?}"
        );
        watch.gone("a");
        assert_eq!(
            (watch.state(), watch.core.shown.contact.as_str()),
            (CallState::Ringing, "mum"),
            "{order:?}"
        );
    }
}

#[test]
fn t8_a_restart_during_an_emergency_call_keeps_it_whoever_is_seen_first() {
    let mut watch = Watch::new();
    watch.incoming("b", MUM);
    watch.outgoing("a", Progress::Active, "112");
    assert_eq!((watch.core.shown.name.as_str(), watch.hang_ups("a"), watch.hang_ups("b")), ("112", 0, 0));
    watch.gone("a");
    assert_eq!(watch.core.shown.contact, "mum");
}

#[test]
fn a_guardian_who_calls_during_an_emergency_call_waits() {
    let mut watch = Watch::new();
    watch.dial_emergency("112");
    watch.outgoing("a", Progress::Active, "112");
    watch.incoming("b", MUM);
    watch.wait(10_000);
    assert_eq!(watch.core.shown.name, "112");
    assert_eq!((watch.hang_ups("a"), watch.hang_ups("b")), (0, 0));
}

#[test]
fn an_emergency_call_ends_what_waits_as_well() {
    let mut watch = Watch::new();
    watch.talk_to_mum();
    dad_calls(&mut watch);
    let ticket = watch.dial_emergency("112");
    assert_eq!((watch.hang_ups("mum"), watch.hang_ups("b")), (1, 1));
    watch.gone("b");
    watch.gone("mum");
    assert_eq!(watch.dialled(), [(ticket, "112")]);
}

#[test]
fn a04_two_strangers_at_once_are_both_ended() {
    let mut watch = Watch::new();
    watch.incoming("a", STRANGER);
    watch.incoming("b", "+358405550777");
    assert_eq!((watch.hang_ups("a"), watch.hang_ups("b")), (1, 1));
    assert_eq!(watch.diary().len(), 2);
    assert!(watch.shows().is_empty());
}
