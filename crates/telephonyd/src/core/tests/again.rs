//! ModemManager takes who calls within two seconds of a call's end for the one before.

use super::*;

/// With a modem whose calls ModemManager can join.
fn watch() -> Watch {
    let mut watch = Watch::new();
    watch.event(Event::Modem(ModemView { joins_calls: true, ..modem(ModemState::Registered) }));
    watch.effects.clear();
    watch
}

fn asks(watch: &Watch) -> Vec<&str> {
    let effects = watch.effects.iter();
    effects
        .filter_map(|effect| if let Effect::AskAgain(id) = effect { Some(id.0.as_str()) } else { None })
        .collect()
}

fn accepts(watch: &Watch) -> Vec<(Ticket, &str)> {
    let effects = watch.effects.iter();
    effects
        .filter_map(|effect| match effect {
            Effect::Accept(ticket, id) => Some((*ticket, id.0.as_str())),
            _ => None,
        })
        .collect()
}

fn touch(watch: &mut Watch) -> Ticket {
    watch.request(Request::Accept(watch.core.shown.id))
}

#[test]
fn a04_who_was_joined_with_mums_call_is_never_accepted_and_turned_away_when_it_rings_again() {
    let mut watch = watch();
    watch.incoming("a", MUM);
    watch.wait(2000);
    let ticket = touch(&mut watch);
    assert_eq!((asks(&watch), accepts(&watch)), (vec!["a"], vec![]), "who rings now is not known yet");
    watch.gone("a");
    assert_eq!(watch.state(), CallState::Ringing, "ModemManager was made to forget it");
    watch.incoming("b", "");
    watch.incoming("b", STRANGER);
    assert_eq!((watch.answer(ticket), accepts(&watch)), (Some(Err(Refused::NotFound)), vec![]));
    assert_eq!((watch.state(), watch.hang_ups("b")), (CallState::None, 1));
    assert_eq!(watch.diary(), ["call-missed contact=mum", "call-refused caller=…66 reason=unknown-number"]);
}

#[test]
fn a_touch_takes_the_call_when_it_has_rung_again() {
    let mut watch = watch();
    watch.incoming("a", MUM);
    let shown = watch.core.shown.clone();
    watch.wait(2000);
    let ticket = touch(&mut watch);
    watch.gone("a");
    let second = touch(&mut watch);
    assert_eq!(watch.answer(second), Some(Err(Refused::Busy)));
    watch.incoming("b", "");
    assert_eq!(accepts(&watch), [], "it may be anybody");
    // As another network writes it.
    watch.incoming("b", "0405550001");
    assert_eq!((accepts(&watch), asks(&watch).len()), (vec![(ticket, "b")], 1));
    watch.event(Event::Accepted(ticket, true));
    watch.seen("b", Direction::Incoming, Progress::Active, MUM);
    assert_eq!((watch.state(), watch.core.shown.id), (CallState::Active, shown.id));
    watch.wait(60_000);
    watch.gone("b");
    assert_eq!((watch.diary(), asks(&watch).len()), (vec!["call-answered contact=mum".to_owned()], 1));
}

#[test]
fn a04_a_ring_is_asked_about_every_few_seconds_and_stays_the_same_ring() {
    let mut watch = watch();
    watch.incoming("0", MUM);
    let shown = watch.core.shown.clone();
    for at in 0..5 {
        watch.wait(5999);
        assert_eq!(asks(&watch).len(), at);
        watch.wait(1);
        assert_eq!(asks(&watch).last(), Some(&at.to_string().as_str()));
        watch.gone(&at.to_string());
        watch.wait(3000);
        watch.incoming(&(at + 1).to_string(), MUM);
    }
    assert_eq!((watch.core.shown.clone(), watch.diary()), (shown, vec![]));
    watch.incoming("5", MUM);
    watch.wait(6000);
    watch.incoming("b", STRANGER);
    assert_eq!((watch.state(), watch.hang_ups("b")), (CallState::None, 1));
}

#[test]
fn what_does_not_ring_again_is_over() {
    for (touched, line) in [(false, "call-missed contact=mum"), (true, "call-declined contact=mum")] {
        let mut watch = watch();
        watch.incoming("a", MUM);
        watch.wait(6000);
        watch.gone("a");
        if touched {
            watch.request(Request::HangUp(watch.core.shown.id));
        }
        watch.wait(6999);
        assert_eq!(watch.state(), CallState::Ringing);
        watch.wait(1);
        assert_eq!((watch.state(), watch.diary()), (CallState::None, vec![line.to_owned()]));
        assert_eq!(watch.hang_ups("a"), 0, "nobody has such a call");
    }
    let mut watch = watch();
    watch.incoming("a", MUM);
    watch.wait(2000);
    let ticket = touch(&mut watch);
    watch.seen("a", Direction::Incoming, Progress::Over, MUM);
    assert_eq!((watch.answer(ticket), watch.state()), (Some(Err(Refused::NotFound)), CallState::None));
}

#[test]
fn a_call_turned_away_while_it_is_asked_about_is_ended_when_it_rings_again() {
    let mut watch = watch();
    watch.incoming("a", MUM);
    watch.wait(6000);
    let ticket = watch.request(Request::HangUp(watch.core.shown.id));
    watch.gone("a");
    watch.incoming("b", MUM);
    assert_eq!((watch.answer(ticket), watch.hang_ups("b")), (Some(Ok(())), 1));
    watch.gone("b");
    assert_eq!(watch.diary(), ["call-declined contact=mum"]);
}

#[test]
fn a04_other_rules_are_for_whoever_rings_again() {
    let mut watch = watch();
    watch.incoming("a", AUNT);
    watch.wait(6000);
    watch.rules(without("aunt"), false);
    assert_eq!(watch.state(), CallState::None);
    watch.gone("a");
    watch.incoming("b", AUNT);
    assert_eq!((watch.state(), watch.hang_ups("b")), (CallState::None, 1));
}

#[test]
fn a06_a_modem_that_answers_while_it_is_asked_is_cut_also_after_a_touch() {
    let mut watch = watch();
    watch.incoming("a", MUM);
    watch.wait(2000);
    let ticket = touch(&mut watch);
    watch.seen("a", Direction::Incoming, Progress::Active, MUM);
    assert_eq!((watch.answer(ticket), watch.state()), (Some(Err(Refused::NotFound)), CallState::None));
    assert_eq!(watch.hang_ups("a"), 1);
    watch.gone("a");
    watch.wait(3000);
    assert!(watch.effects.contains(&Effect::CloseLine), "the modem may hold it yet");
    assert!(!watch.shows().contains(&CallState::Active));
}

#[test]
fn who_waits_is_not_the_one_that_is_asked_about() {
    let mut watch = watch();
    watch.incoming("a", AUNT);
    watch.wait(6000);
    watch.gone("a");
    watch.seen("b", Direction::Incoming, Progress::Waiting, MUM);
    watch.seen("c", Direction::Incoming, Progress::Waiting, STRANGER);
    assert_eq!((watch.state(), watch.core.shown.waiting.as_str()), (CallState::Ringing, "MUM"));
    assert_eq!(watch.hang_ups("c"), 0, "it would end all: its index is not known yet");
    watch.incoming("d", AUNT);
    watch.gone("d");
    assert_eq!(watch.core.shown.contact, "mum", "her turn");
    assert_eq!(watch.diary()[1..], ["call-missed contact=aunt"]);
}

#[test]
fn help_is_called_also_while_a_call_is_asked_about() {
    let mut watch = watch();
    watch.incoming("a", MUM);
    watch.wait(6000);
    watch.gone("a");
    let ticket = watch.dial_emergency("112");
    assert!(watch.effects.contains(&Effect::CloseLine), "the modem rings yet");
    assert_eq!(watch.dialled(), []);
    watch.wait(1000);
    assert_eq!(watch.dialled(), [(ticket, "112")]);
    assert_eq!(watch.diary(), ["emergency-call number=112", "call-declined contact=mum"]);
}

#[test]
fn a06_a_modem_that_answers_where_nobody_sees_it_is_told_to_end_it_and_before_help_is_dialled() {
    let mut watch = watch();
    watch.incoming("a", MUM);
    watch.wait(6000);
    watch.gone("a");
    watch.wait(7000);
    assert_eq!(watch.state(), CallState::None);
    let closes = |watch: &Watch| watch.effects.iter().filter(|effect| **effect == Effect::CloseLine).count();
    assert_eq!(closes(&watch), 0);
    let mut helped = watch;
    let ticket = helped.dial_emergency("112");
    assert_eq!((closes(&helped), helped.dialled()), (1, vec![(ticket, "112")]));
    let mut watch = self::watch();
    watch.incoming("a", AUNT);
    watch.wait(6000);
    watch.rules(without("aunt"), false);
    watch.wait(3000);
    assert_eq!(closes(&watch), 1, "it rings on at the modem, and the line is closed");
}

#[test]
fn a_call_is_not_forgotten_while_the_modem_takes_it() {
    let mut watch = watch();
    watch.incoming("a", MUM);
    watch.wait(2000);
    let ticket = touch(&mut watch);
    watch.gone("a");
    watch.incoming("b", MUM);
    watch.wait(30_000);
    assert_eq!((asks(&watch), accepts(&watch)), (vec!["a"], vec![(ticket, "b")]));
    watch.event(Event::Accepted(ticket, false));
    watch.wait(1);
    assert_eq!(asks(&watch), ["a", "b"], "it rings yet");
}

#[test]
fn who_waited_is_asked_about_when_it_has_rung_for_a_while_and_not_before_it_rings() {
    let mut watch = watch();
    watch.incoming("a", AUNT);
    watch.seen("b", Direction::Incoming, Progress::Waiting, MUM);
    watch.wait(5000);
    watch.seen("a", Direction::Incoming, Progress::Over, AUNT);
    assert_eq!(watch.core.shown.contact, "mum");
    watch.wait(1500);
    watch.incoming("b", MUM);
    watch.wait(4499);
    assert_eq!(asks(&watch), [] as [&str; 0]);
    watch.wait(1);
    assert_eq!(asks(&watch), ["b"]);
}

#[test]
fn a_number_that_is_late_is_waited_for_also_after_the_time_for_a_ring() {
    let mut watch = watch();
    watch.incoming("a", MUM);
    watch.wait(6000);
    watch.gone("a");
    watch.wait(6900);
    watch.incoming("b", "");
    watch.wait(1000);
    assert_eq!(watch.state(), CallState::Ringing);
    watch.incoming("b", MUM);
    assert_eq!((watch.state(), watch.diary()), (CallState::Ringing, vec![]));
}

#[test]
fn where_it_cannot_be_asked_the_call_rings_on_and_a_touch_may_be_tried_again() {
    let mut watch = watch();
    watch.incoming("a", MUM);
    watch.wait(2000);
    let ticket = touch(&mut watch);
    watch.event(Event::NotAsked(CallId("a".into())));
    assert_eq!((watch.answer(ticket), watch.state()), (Some(Err(Refused::Failed)), CallState::Ringing));
    watch.wait(5999);
    assert_eq!(asks(&watch), ["a"]);
    watch.wait(1);
    assert_eq!(asks(&watch), ["a", "a"]);
    watch.request(Request::HangUp(watch.core.shown.id));
    watch.event(Event::NotAsked(CallId("a".into())));
    assert_eq!(watch.hang_ups("a"), 1);
}

#[test]
fn where_calls_have_names_of_their_own_nothing_is_asked() {
    let mut watch = Watch::new();
    watch.incoming("a", MUM);
    watch.wait(20_000);
    let ticket = touch(&mut watch);
    assert_eq!((asks(&watch), accepts(&watch)), (vec![], vec![(ticket, "a")]));
}
