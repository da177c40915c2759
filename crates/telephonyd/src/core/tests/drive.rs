//! Ring and audio path follow the screen.

use super::*;

/// `ring`, `silent`, `open` and `closed`, in their order.
fn driven(watch: &Watch) -> Vec<&'static str> {
    let word = |effect: &Effect| match effect {
        Effect::Ring(rings) => Some(if *rings { "ring" } else { "silent" }),
        Effect::Audio(open) => Some(if *open { "open" } else { "closed" }),
        _ => None,
    };
    watch.effects.iter().filter_map(word).collect()
}

#[test]
fn t15_it_rings_before_anything_opens_and_closes_when_the_call_ends() {
    let mut watch = Watch::new();
    watch.incoming("a", MUM);
    watch.wait(2000);
    assert_eq!(driven(&watch), ["ring"]);
    let ticket = watch.request(Request::Accept(watch.core.shown.id));
    assert_eq!(driven(&watch), ["ring", "silent"], "a touch is enough to silence it");
    watch.event(Event::Accepted(ticket, true));
    watch.seen("a", Direction::Incoming, Progress::Active, MUM);
    watch.gone("a");
    assert_eq!(driven(&watch), ["ring", "silent", "open", "closed"]);
}

#[test]
fn t15_nothing_opens_for_whoever_was_turned_away_or_answered_by_the_modem() {
    for number in [STRANGER, "", MUM] {
        let mut watch = Watch::new();
        watch.incoming("a", number);
        watch.seen("a", Direction::Incoming, Progress::Active, number);
        watch.wait(2000);
        watch.gone("a");
        assert!(!driven(&watch).contains(&"open"), "{number}");
    }
    let mut watch = Watch::new();
    watch.incoming("a", STRANGER);
    watch.wait(2000);
    assert!(driven(&watch).is_empty(), "not even a ring");
}

#[test]
fn t15_a_call_out_opens_when_the_other_side_answers_and_a_modem_that_goes_closes() {
    let mut watch = Watch::new();
    watch.request(Request::Dial("aunt".into()));
    watch.outgoing("a", Progress::Dialling, AUNT);
    assert!(driven(&watch).is_empty());
    watch.outgoing("a", Progress::Active, AUNT);
    watch.modem(ModemState::Absent);
    assert_eq!(driven(&watch), ["open", "closed"]);
}

#[test]
fn a_ring_falls_silent_when_muted_declined_or_given_up_and_one_that_waits_makes_no_sound() {
    for touch in [Request::Mute, Request::HangUp] {
        let mut watch = Watch::new();
        watch.incoming("a", MUM);
        watch.request(touch(watch.core.shown.id));
        assert_eq!(driven(&watch), ["ring", "silent"]);
    }
    let mut watch = Watch::new();
    watch.incoming("a", AUNT);
    watch.gone("a");
    assert_eq!(driven(&watch), ["ring", "silent"]);
    watch.talk_to_mum();
    watch.effects.clear();
    watch.incoming("b", MUM);
    assert!(driven(&watch).is_empty());
}

#[test]
fn an_accept_the_modem_did_not_do_rings_on() {
    let mut watch = Watch::new();
    watch.incoming("a", MUM);
    watch.wait(2000);
    let ticket = watch.request(Request::Accept(watch.core.shown.id));
    watch.event(Event::Accepted(ticket, false));
    assert_eq!(driven(&watch), ["ring", "silent", "ring"]);
}

fn closed(watch: &mut Watch) -> usize {
    let effects = std::mem::take(&mut watch.effects);
    effects.iter().filter(|effect| **effect == Effect::CloseLine).count()
}

#[test]
fn a07_after_a_call_with_sound_the_line_is_closed_once_and_never_after_a_ring() {
    let mut watch = Watch::new();
    watch.incoming("a", MUM);
    watch.wait(5000);
    watch.gone("a");
    watch.incoming("b", STRANGER);
    watch.gone("b");
    assert_eq!(closed(&mut watch), 0, "whoever rings just then would be turned away");
    watch.talk_to_mum();
    watch.incoming("b", STRANGER);
    watch.seen("mum", Direction::Incoming, Progress::Over, MUM);
    watch.wait(3000);
    assert_eq!(closed(&mut watch), 0, "the other is not over");
    watch.gone("b");
    watch.wait(2000);
    watch.incoming("b", MUM);
    watch.wait(4000);
    assert_eq!(closed(&mut watch), 0, "she calls again");
    watch.gone("b");
    watch.wait(3000);
    assert_eq!(closed(&mut watch), 1);
    watch.wait(60_000);
    watch.incoming("c", STRANGER);
    watch.gone("c");
    assert_eq!(closed(&mut watch), 0);
}

#[test]
fn a07_what_was_dialled_leaves_no_open_line_however_it_ended() {
    let mut watch = Watch::new();
    let ticket = watch.request(Request::Dial("aunt".into()));
    watch.event(Event::Dialled(ticket, None));
    watch.wait(3000);
    assert_eq!(closed(&mut watch), 1);
    let ticket = watch.request(Request::Dial("aunt".into()));
    watch.event(Event::Dialled(ticket, Some(CallId("a".into()))));
    watch.outgoing("a", Progress::Dialling, AUNT);
    watch.gone("a");
    watch.wait(3000);
    assert_eq!(closed(&mut watch), 1);
}

#[test]
fn a07_a_modem_that_comes_back_is_told_that_nobody_speaks() {
    let mut watch = Watch::new();
    watch.talk_to_mum();
    watch.modem(ModemState::Absent);
    watch.wait(10_000);
    assert_eq!(closed(&mut watch), 0, "there is nobody to tell");
    watch.modem(ModemState::Searching);
    watch.wait(3000);
    assert_eq!(closed(&mut watch), 1);
    watch.modem(ModemState::Registered);
    watch.wait(10_000);
    assert_eq!(closed(&mut watch), 0);
}

#[test]
fn an_emergency_call_is_not_in_the_way_of_itself() {
    let mut watch = Watch::new();
    watch.talk_to_mum();
    let ticket = watch.dial_emergency("112");
    watch.gone("mum");
    assert_eq!(watch.dialled(), [(ticket, "112")]);
    assert_eq!(closed(&mut watch), 0);
}
