//! Calls that come in.

use super::*;

#[test]
fn a04_who_is_not_allowed_is_ended_at_once_and_nothing_is_shown() {
    for (number, line) in [
        (STRANGER, "call-refused caller=…66 reason=unknown-number"),
        ("+3584055500010", "call-refused caller=…10 reason=unknown-number"),
        ("anonymous", "call-refused caller=withheld reason=withheld"),
        ("MUM", "call-refused caller=unreadable reason=unreadable-number"),
        ("112", "call-refused caller=unreadable reason=unreadable-number"),
        ("18100", "call-refused caller=unreadable reason=unreadable-number"),
        ("*#21#", "call-refused caller=unreadable reason=unreadable-number"),
    ] {
        let mut watch = Watch::new();
        watch.incoming("a", number);
        assert_eq!(watch.hang_ups("a"), 1, "{number}");
        assert_eq!(watch.diary(), [line], "{number}");
        watch.wait(30_000);
        assert!(watch.shows().is_empty(), "{number}");
    }
}

#[test]
fn a04_every_spelling_of_a_known_number_rings() {
    for number in
        [MUM, "00358405550001", "0405550001", "358405550001", " +358 40 555 0001", "00 358 (40) 555-0001"]
    {
        let mut watch = Watch::new();
        watch.incoming("a", number);
        assert_eq!(watch.state(), CallState::Ringing, "{number}");
        assert_eq!((watch.core.shown.contact.as_str(), watch.core.shown.name.as_str()), ("mum", "MUM"));
        assert_eq!(watch.hang_ups("a"), 0);
    }
}

#[test]
fn a04_a_contact_who_may_not_ring_does_not() {
    let mut watch = Watch::new();
    let mut policy = family();
    policy.contacts[1].may.ring = false;
    watch.rules(policy, false);
    watch.incoming("a", AUNT);
    assert_eq!(watch.diary(), ["call-refused caller=…02 reason=not-this-contact"]);
    assert!(watch.shows().is_empty());
}

#[test]
fn nothing_rings_before_the_number_is_there() {
    let mut watch = Watch::new();
    watch.incoming("a", "");
    watch.wait(1400);
    assert!(watch.effects.is_empty());
    watch.incoming("a", MUM);
    assert_eq!(watch.shows(), [CallState::Ringing]);
}

#[test]
fn a04_withheld_caller_never_rings() {
    let mut watch = Watch::new();
    watch.incoming("a", "");
    watch.wait(1500);
    assert_eq!(watch.hang_ups("a"), 1);
    assert_eq!(watch.diary(), ["call-refused caller=withheld reason=withheld"]);
    watch.incoming("a", MUM);
    assert!(watch.shows().is_empty(), "a number that comes after the verdict changes nothing");
}

#[test]
fn an_aunt_taken_from_the_policy_is_turned_away_also_while_she_rings() {
    let mut watch = Watch::new();
    watch.incoming("a", AUNT);
    assert_eq!(watch.state(), CallState::Ringing);
    watch.rules(without("aunt"), false);
    assert_eq!(watch.shows(), [CallState::Ringing, CallState::None]);
    watch.gone("a");
    watch.incoming("b", AUNT);
    assert_eq!((watch.hang_ups("a"), watch.hang_ups("b")), (1, 1));
    assert_eq!(
        watch.diary(),
        ["call-refused caller=…02 reason=unknown-number"],
        "the second is counted later"
    );
}

#[test]
fn a_call_that_is_active_goes_on_when_the_rules_change() {
    let mut watch = Watch::new();
    watch.talk_to_mum();
    watch.rules(without("mum"), false);
    assert_eq!((watch.hang_ups("mum"), watch.state()), (0, CallState::Active));
}

#[test]
fn sealed_a_guardian_of_the_last_good_list_rings_and_a_stranger_does_not() {
    let mut watch = Watch::sealed(vec![contact("mum", Kind::Guardian, MUM, true, true)]);
    for number in [STRANGER, AUNT] {
        watch.incoming("a", number);
        assert_eq!(watch.hang_ups("a"), 1);
        watch.gone("a");
        watch.effects.clear();
    }
    watch.incoming("a", MUM);
    assert_eq!(watch.state(), CallState::Ringing);
}

#[test]
fn without_rules_and_without_a_list_nobody_rings() {
    let mut watch = Watch::blank();
    watch.modem(ModemState::Registered);
    watch.incoming("a", MUM);
    assert_eq!(watch.hang_ups("a"), 1);
    assert_eq!(watch.diary(), ["call-refused caller=…01 reason=sealed"]);
}

#[test]
fn a06_accept_in_the_first_two_seconds_is_refused() {
    let mut watch = Watch::new();
    watch.incoming("a", MUM);
    for _ in 0..2 {
        let ticket = watch.request(Request::Accept(watch.core.shown.id));
        assert_eq!(watch.answer(ticket), Some(Err(Refused::TooEarly)));
        watch.wait(999);
    }
    watch.wait(2);
    let ticket = watch.request(Request::Accept(watch.core.shown.id));
    assert_eq!(watch.answer(ticket), None, "the modem has not said yet");
    assert!(watch.effects.contains(&Effect::Accept(ticket, CallId("a".into()))));
    watch.event(Event::Accepted(ticket, true));
    assert_eq!(watch.answer(ticket), Some(Ok(())));
}

#[test]
fn a06_a_call_the_modem_answers_by_itself_is_cut() {
    for first in [MUM, ""] {
        let mut watch = Watch::new();
        watch.incoming("a", first);
        watch.wait(1000);
        watch.seen("a", Direction::Incoming, Progress::Active, MUM);
        assert_eq!(watch.hang_ups("a"), 1);
        assert_eq!(watch.diary(), ["call-refused caller=…01 reason=not-accepted"]);
        assert_eq!(watch.state(), CallState::None);
    }
}

/// A caller's number is whatever the network was told.
#[test]
fn a05_a_number_that_says_it_is_mums_rings_and_gets_nothing_else() {
    let mut watch = Watch::new();
    watch.incoming("a", MUM);
    assert_eq!(watch.state(), CallState::Ringing);
    let ticket = watch.request(Request::Accept(watch.core.shown.id));
    assert_eq!(watch.answer(ticket), Some(Err(Refused::TooEarly)), "nobody is put through faster");
    watch.wait(3_600_000);
    let only_rings = |effect: &Effect| {
        matches!(effect, Effect::Show(_) | Effect::Ring(_) | Effect::Answer(..) | Effect::Record(_))
    };
    assert!(watch.effects.iter().all(only_rings), "{:?}", watch.effects);
}

#[test]
fn a06_nothing_but_a_touch_accepts() {
    let mut watch = Watch::new();
    watch.incoming("a", MUM);
    watch.wait(3_600_000);
    assert!(!watch.effects.iter().any(|effect| matches!(effect, Effect::Accept(..))));
}

#[test]
fn a_second_touch_while_the_modem_answers_does_nothing_and_a_failure_can_be_tried_again() {
    let mut watch = Watch::new();
    watch.incoming("a", MUM);
    watch.wait(2000);
    let first = watch.request(Request::Accept(watch.core.shown.id));
    let second = watch.request(Request::Accept(watch.core.shown.id));
    assert_eq!(watch.answer(second), Some(Err(Refused::Busy)));
    watch.event(Event::Accepted(first, false));
    assert_eq!(watch.answer(first), Some(Err(Refused::Failed)));
    let third = watch.request(Request::Accept(watch.core.shown.id));
    watch.gone("a");
    assert_eq!(watch.answer(third), Some(Err(Refused::NotFound)));
    watch.event(Event::Accepted(third, true));
    assert_eq!(watch.answer(third), Some(Err(Refused::NotFound)), "answered once");
}

#[test]
fn the_diary_tells_how_a_call_ended() {
    let mut missed = Watch::new();
    missed.incoming("a", AUNT);
    missed.gone("a");
    assert_eq!(missed.diary(), ["call-missed contact=aunt"]);

    let mut declined = Watch::new();
    declined.incoming("a", AUNT);
    let ticket = declined.request(Request::HangUp(declined.core.shown.id));
    assert_eq!((declined.answer(ticket), declined.hang_ups("a")), (Some(Ok(())), 1));
    declined.seen("a", Direction::Incoming, Progress::Over, AUNT);
    assert_eq!(declined.diary(), ["call-declined contact=aunt"]);
    assert!(declined.effects.contains(&Effect::Forget(CallId("a".into()))));

    let mut answered = Watch::new();
    answered.talk_to_mum();
    answered.seen("mum", Direction::Incoming, Progress::Over, MUM);
    assert_eq!(answered.diary(), ["call-answered contact=mum"]);
    assert_eq!(answered.shows(), [CallState::None]);
}

#[test]
fn a_flood_from_one_caller_is_a_line_and_a_count_each_minute() {
    let mut watch = Watch::new();
    for at in 0..40 {
        let id = format!("{at}");
        watch.incoming(&id, STRANGER);
        assert_eq!(watch.hang_ups(&id), 1);
        watch.gone(&id);
        watch.wait(1000);
    }
    assert_eq!(watch.diary(), ["call-refused caller=…66 reason=unknown-number"]);
    watch.wait(60_000);
    assert_eq!(watch.diary()[1..], ["call-refused caller=…66 reason=unknown-number count=39"]);
    assert_eq!(watch.core.deadline(), None, "and then the watch sleeps");
}

#[test]
fn a_flood_from_many_callers_is_bounded_and_told_when_the_daemon_ends() {
    let mut watch = Watch::new();
    for at in 0..500 {
        watch.incoming("a", &format!("+3584056{at:05}"));
        watch.gone("a");
    }
    assert_eq!(watch.diary().len(), 32);
    watch.event(Event::Stopping);
    assert_eq!(watch.diary()[32..], ["call-refused caller=several reason=unknown-number count=468"]);
}

#[test]
fn an_unknown_second_call_never_disturbs_the_first() {
    let mut watch = Watch::new();
    watch.talk_to_mum();
    watch.incoming("b", STRANGER);
    assert_eq!(watch.hang_ups("b"), 0, "AT+CHUP would end both: its index is not known yet");
    watch.wait(4000);
    assert_eq!((watch.hang_ups("b"), watch.hang_ups("mum")), (1, 0));
    assert!(watch.shows().is_empty());
    assert_eq!(watch.diary(), ["call-refused caller=…66 reason=unknown-number"]);
}

#[test]
fn a_call_that_is_not_ended_is_ended_again() {
    let mut watch = Watch::new();
    watch.incoming("a", STRANGER);
    for pause in [200, 400, 800] {
        watch.event(Event::HangUpFailed(CallId("a".into())));
        let before = watch.hang_ups("a");
        watch.wait(pause - 1);
        assert_eq!(watch.hang_ups("a"), before);
        watch.wait(1);
        assert_eq!(watch.hang_ups("a"), before + 1);
    }
    watch.wait(6000);
    assert_eq!(watch.hang_ups("a"), 5, "the modem said yes and did nothing");
    watch.gone("a");
    watch.wait(60_000);
    assert_eq!(watch.hang_ups("a"), 5);
}

#[test]
fn a_restart_during_a_ring_rings_on_and_two_seconds_begin_again() {
    let mut watch = Watch::new();
    watch.incoming("a", MUM);
    watch.wait(5000);
    let mut restarted = Watch::blank();
    restarted.now = watch.now;
    restarted.rules(family(), false);
    restarted.modem(ModemState::Registered);
    restarted.incoming("a", MUM);
    assert_eq!(restarted.state(), CallState::Ringing);
    let ticket = restarted.request(Request::Accept(restarted.core.shown.id));
    assert_eq!(restarted.answer(ticket), Some(Err(Refused::TooEarly)));
}

#[test]
fn a_restart_during_a_call_keeps_it_and_one_with_a_stranger_is_ended() {
    let mut watch = Watch::new();
    watch.seen("a", Direction::Incoming, Progress::Active, MUM);
    assert_eq!(watch.state(), CallState::Active);
    let mut watch = Watch::new();
    watch.seen("a", Direction::Incoming, Progress::Active, STRANGER);
    assert_eq!((watch.hang_ups("a"), watch.state()), (1, CallState::None));
}

#[test]
fn a_modem_that_goes_takes_the_call_from_the_screen() {
    let mut watch = Watch::new();
    watch.incoming("a", MUM);
    watch.modem(ModemState::Absent);
    assert_eq!(watch.state(), CallState::None);
    watch.modem(ModemState::Registered);
    watch.incoming("a", MUM);
    assert_eq!(watch.state(), CallState::Ringing, "ModemManager is back and the call still there");
}

#[test]
fn the_lines_of_the_diary_hold_no_full_number() {
    let mut watch = Watch::new();
    for (at, number) in [STRANGER, "0405550666", "+86 138 0013 8000", "0405550666x"].iter().enumerate() {
        watch.incoming(&at.to_string(), number);
    }
    for line in watch.diary() {
        let digits = line.bytes().filter(u8::is_ascii_digit).count();
        assert!(digits <= 2, "{line}");
    }
}
