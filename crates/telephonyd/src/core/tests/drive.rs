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
