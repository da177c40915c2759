//! Calls the child makes.

use super::*;

#[test]
fn a_contact_is_dialled_and_the_screen_follows() {
    let mut watch = Watch::new();
    let ticket = watch.request(Request::Dial("aunt".into()));
    assert_eq!(watch.dialled(), [(ticket, AUNT)]);
    assert_eq!(watch.core.shown.contact, "aunt");
    watch.outgoing("a", Progress::Created, AUNT);
    watch.event(Event::Dialled(ticket, Some(CallId("a".into()))));
    assert_eq!(watch.answer(ticket), Some(Ok(())));
    watch.outgoing("a", Progress::Dialling, AUNT);
    watch.wait(3000);
    watch.outgoing("a", Progress::Active, AUNT);
    watch.outgoing("a", Progress::Over, AUNT);
    assert_eq!(watch.shows(), [CallState::Dialling, CallState::Active, CallState::None]);
    assert_eq!(watch.diary(), ["call-dialled contact=aunt answered=yes"]);
    assert_eq!(watch.hang_ups("a"), 0);
}

#[test]
fn a_call_that_is_seen_only_after_the_answer_is_the_same_call() {
    let mut watch = Watch::new();
    let ticket = watch.request(Request::Dial("aunt".into()));
    watch.event(Event::Dialled(ticket, Some(CallId("a".into()))));
    watch.outgoing("a", Progress::Dialling, AUNT);
    watch.wait(10_000);
    assert_eq!((watch.hang_ups("a"), watch.state()), (0, CallState::Dialling));
    watch.outgoing("a", Progress::Over, AUNT);
    assert_eq!(watch.diary(), ["call-dialled contact=aunt answered=no"]);
}

#[test]
fn a09_only_whom_the_policy_lets_be_called_is_dialled() {
    for (contact, why) in [
        ("friend", Refused::Denied("not-this-contact")),
        ("nobody", Refused::NotFound),
        (STRANGER, Refused::NotFound),
        ("112", Refused::NotFound),
    ] {
        let mut watch = Watch::new();
        let ticket = watch.request(Request::Dial(contact.into()));
        assert_eq!(watch.answer(ticket), Some(Err(why)), "{contact}");
        assert!(watch.dialled().is_empty());
    }
    let mut watch = Watch::new();
    watch.request(Request::Dial("mum".into()));
    assert_eq!(watch.dialled().len(), 1, "a guardian can be called whatever the switches say");
}

#[test]
fn sealed_only_a_guardian_can_be_called() {
    let mut watch = Watch::sealed(vec![contact("mum", Kind::Guardian, MUM, true, true)]);
    let aunt = watch.request(Request::Dial("aunt".into()));
    assert_eq!(watch.answer(aunt), Some(Err(Refused::NotFound)));
    watch.request(Request::Dial("mum".into()));
    assert_eq!(watch.dialled().len(), 1);
}

#[test]
fn a_dial_waits_for_nothing_a_screen_is_busy_with() {
    let mut watch = Watch::new();
    watch.incoming("a", MUM);
    let ticket = watch.request(Request::Dial("aunt".into()));
    assert_eq!(watch.answer(ticket), Some(Err(Refused::Busy)));
    for state in [ModemState::Absent, ModemState::Searching, ModemState::Emergency] {
        let mut watch = Watch::new();
        watch.modem(state);
        let ticket = watch.request(Request::Dial("aunt".into()));
        assert_eq!(watch.answer(ticket), Some(Err(Refused::NoNetwork)), "{state:?}");
    }
}

#[test]
fn a_modem_that_cannot_dial_clears_the_screen() {
    let mut watch = Watch::new();
    let ticket = watch.request(Request::Dial("aunt".into()));
    watch.event(Event::Dialled(ticket, None));
    assert_eq!(watch.answer(ticket), Some(Err(Refused::Failed)));
    assert_eq!(watch.shows(), [CallState::Dialling, CallState::None]);
}

#[test]
fn hanging_up_before_the_modem_has_dialled_ends_the_call_when_it_appears() {
    let mut watch = Watch::new();
    let dial = watch.request(Request::Dial("aunt".into()));
    watch.request(Request::HangUp(watch.core.shown.id));
    watch.event(Event::Dialled(dial, Some(CallId("a".into()))));
    watch.outgoing("a", Progress::Dialling, AUNT);
    assert_eq!(watch.hang_ups("a"), 1);
    watch.outgoing("a", Progress::Over, AUNT);
    assert_eq!(watch.state(), CallState::None);
}

#[test]
fn t8_emergency_numbers_dial_with_no_rules_no_sim_and_no_network_of_ones_own() {
    for state in [ModemState::Emergency, ModemState::Searching, ModemState::Registered] {
        for number in ["112", "911", "999", "116117"] {
            let mut watch = Watch::blank();
            watch.modem(state);
            let ticket = watch.dial_emergency(number);
            assert_eq!(watch.dialled(), [(ticket, number)], "{state:?}");
            assert_eq!(watch.diary(), [format!("emergency-call number={number}")]);
            assert_eq!((watch.core.shown.contact.as_str(), watch.core.shown.name.as_str()), ("", number));
        }
    }
}

#[test]
fn t8_whoever_calls_for_help_is_looked_for_and_nobody_else_is() {
    let located = |watch: &Watch| watch.effects.iter().filter(|effect| **effect == Effect::Locate).count();
    let mut watch = Watch::new();
    watch.request(Request::Dial("aunt".into()));
    watch.dial_emergency(STRANGER);
    assert_eq!(located(&watch), 0);
    watch.dial_emergency("112");
    watch.dial_emergency("112");
    assert_eq!(located(&watch), 1);
    // Nobody can be called.
    let mut watch = Watch::blank();
    watch.modem(ModemState::Absent);
    watch.dial_emergency("112");
    assert_eq!(located(&watch), 1);
}

#[test]
fn a09_what_is_no_emergency_number_does_not_dial_as_one() {
    for number in ["", "1", "1120", "+112", "112;", "*#06#", MUM, "0900123456", "116118"] {
        let mut watch = Watch::new();
        let ticket = watch.dial_emergency(number);
        assert_eq!(watch.answer(ticket), Some(Err(Refused::Denied("no-emergency-number"))), "{number}");
        assert!(watch.dialled().is_empty() && watch.diary().is_empty());
    }
}

#[test]
fn without_a_modem_an_emergency_call_says_so_and_is_in_the_diary() {
    let mut watch = Watch::blank();
    let ticket = watch.dial_emergency("112");
    assert_eq!(watch.answer(ticket), Some(Err(Refused::NoNetwork)));
    assert_eq!(watch.diary(), ["emergency-call number=112"]);
}

#[test]
fn an_emergency_call_ends_the_call_in_its_way_first() {
    let mut watch = Watch::new();
    watch.talk_to_mum();
    let ticket = watch.dial_emergency("112");
    assert_eq!(watch.hang_ups("mum"), 1);
    assert!(watch.dialled().is_empty(), "a hang-up without an index would end the emergency call too");
    watch.gone("mum");
    assert_eq!(watch.dialled(), [(ticket, "112")]);
    assert_eq!(watch.core.shown.name, "112");
}

#[test]
fn an_emergency_call_waits_no_longer_than_three_seconds() {
    let mut watch = Watch::new();
    watch.talk_to_mum();
    let ticket = watch.dial_emergency("112");
    watch.wait(3000);
    assert_eq!(watch.dialled(), [(ticket, "112")]);
    watch.gone("mum");
    assert_eq!(watch.core.shown.name, "112", "the end of the other call changes nothing");
}

#[test]
fn an_emergency_call_takes_the_place_of_a_dial_the_modem_is_slow_with() {
    let mut watch = Watch::new();
    let slow = watch.request(Request::Dial("aunt".into()));
    let emergency = watch.dial_emergency("112");
    watch.wait(3000);
    assert_eq!(watch.dialled(), [(slow, AUNT), (emergency, "112")]);
    watch.event(Event::Dialled(slow, Some(CallId("slow".into()))));
    watch.outgoing("slow", Progress::Dialling, AUNT);
    watch.outgoing("help", Progress::Dialling, "112");
    watch.event(Event::Dialled(emergency, Some(CallId("help".into()))));
    watch.wait(10_000);
    assert!(watch.hang_ups("slow") >= 1);
    assert_eq!((watch.hang_ups("help"), watch.core.shown.name.as_str()), (0, "112"));
}

#[test]
fn a11_a_second_emergency_call_does_not_end_the_first() {
    let mut watch = Watch::new();
    let first = watch.dial_emergency("112");
    watch.outgoing("a", Progress::Active, "112");
    for _ in 0..100 {
        let again = watch.dial_emergency("112");
        assert_eq!(watch.answer(again), Some(Err(Refused::Busy)));
    }
    assert_eq!(watch.dialled(), [(first, "112")]);
    assert_eq!(watch.hang_ups("a"), 0);
}

#[test]
fn a_restart_during_a_call_out_keeps_it_if_the_rules_would() {
    for (number, name) in [(AUNT, "AUNT"), ("112", "112"), ("0405550001", "MUM")] {
        let mut watch = Watch::new();
        watch.outgoing("a", Progress::Active, number);
        assert_eq!((watch.core.shown.name.as_str(), watch.hang_ups("a")), (name, 0));
    }
    for number in [STRANGER, FRIEND, "*100#"] {
        let mut watch = Watch::new();
        watch.outgoing("a", Progress::Active, number);
        assert_eq!((watch.state(), watch.hang_ups("a")), (CallState::None, 1), "{number}");
    }
}

#[test]
fn contacts_and_the_emergency_number_follow_rules_and_sim() {
    let mut watch = Watch::new();
    let ids = |watch: &Watch| -> Vec<String> {
        watch.core.surroundings().contacts.into_iter().map(|contact| contact.id).collect()
    };
    assert_eq!(ids(&watch), ["mum", "aunt"], "the friend may not be called");
    watch.rules(without("aunt"), false);
    assert!(matches!(watch.effects.as_slice(), [Effect::Changed(_)]));
    assert_eq!(ids(&watch), ["mum"]);
    watch.effects.clear();
    watch.rules(without("aunt"), false);
    assert!(watch.effects.is_empty(), "the same again is no news");
    watch.event(Event::Modem(ModemView {
        imsi: Private("310260000000000".into()),
        ..modem(ModemState::Registered)
    }));
    assert_eq!(watch.core.surroundings().emergency_number, "911");
}
