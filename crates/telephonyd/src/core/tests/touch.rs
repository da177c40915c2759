//! A touch means the call that was on the screen, and no other.

use super::*;

#[test]
fn a06_a_touch_on_a_call_that_is_over_does_nothing_to_the_next() {
    let mut watch = Watch::new();
    watch.incoming("a", AUNT);
    let old = watch.core.shown.id;
    watch.gone("a");
    watch.incoming("b", MUM);
    watch.wait(2000);
    assert!(watch.core.shown.id > old);
    for touch in [
        Request::Accept(old),
        Request::HangUp(old),
        Request::Mute(old),
        Request::Tone(old, "1".into()),
        Request::Accept(0),
    ] {
        let ticket = watch.request(touch);
        assert_eq!(watch.answer(ticket), Some(Err(Refused::NotFound)));
    }
    assert_eq!((watch.state(), watch.hang_ups("b"), watch.core.shown.muted), (CallState::Ringing, 0, false));
    assert!(!watch.effects.iter().any(|effect| matches!(effect, Effect::Accept(..) | Effect::Tone(..))));
}

#[test]
fn a06_a_touch_from_before_a_restart_does_not_mean_a_call_after_it() {
    let mut watch = Watch::new();
    watch.incoming("a", AUNT);
    let mut restarted = Watch::blank();
    restarted.now = watch.now + Duration::from_millis(1);
    restarted.rules(family(), false);
    restarted.incoming("b", MUM);
    assert_ne!(restarted.core.shown.id, watch.core.shown.id);
}

#[test]
fn who_waits_is_on_the_screen_by_name() {
    let mut watch = Watch::new();
    watch.incoming("a", AUNT);
    let id = watch.core.shown.id;
    watch.incoming("b", MUM);
    assert_eq!((watch.core.shown.waiting.as_str(), watch.core.shown.id), ("MUM", id));
    watch.gone("b");
    assert_eq!(watch.core.shown.waiting, "");
}

#[test]
fn a_ring_is_muted_and_the_next_is_not() {
    let mut watch = Watch::new();
    watch.incoming("a", AUNT);
    let ticket = watch.request(Request::Mute(watch.core.shown.id));
    assert_eq!((watch.answer(ticket), watch.state()), (Some(Ok(())), CallState::Ringing));
    assert!(watch.core.shown.muted);
    watch.gone("a");
    watch.incoming("b", AUNT);
    assert!(!watch.core.shown.muted);
    watch.gone("b");
    watch.talk_to_mum();
    let ticket = watch.request(Request::Mute(watch.core.shown.id));
    assert_eq!(watch.answer(ticket), Some(Err(Refused::NotFound)), "nothing rings");
}

#[test]
fn a10_a_tone_is_one_key_of_a_telephone_in_a_call_that_is_active() {
    let mut watch = Watch::new();
    watch.incoming("a", MUM);
    let ticket = watch.request(Request::Tone(watch.core.shown.id, "1".into()));
    assert_eq!(watch.answer(ticket), Some(Err(Refused::NotFound)), "it only rings");
    watch.gone("a");
    watch.talk_to_mum();
    for key in ["", "12", "A", "+", ";", "1;", "AT", "w", "\u{0661}", "*#06#"] {
        let ticket = watch.request(Request::Tone(watch.core.shown.id, key.into()));
        assert_eq!(watch.answer(ticket), Some(Err(Refused::Malformed)), "{key}");
    }
    for key in "0123456789*#".chars() {
        let ticket = watch.request(Request::Tone(watch.core.shown.id, key.into()));
        assert!(watch.effects.contains(&Effect::Tone(ticket, CallId("mum".into()), key)));
        let second = watch.request(Request::Tone(watch.core.shown.id, "1".into()));
        assert_eq!(watch.answer(second), Some(Err(Refused::Busy)), "one at a time");
        watch.event(Event::Toned(ticket, true));
        assert_eq!(watch.answer(ticket), Some(Ok(())));
    }
}

#[test]
fn a10_the_tones_of_a_call_are_counted() {
    let mut watch = Watch::new();
    watch.talk_to_mum();
    for sent in 0..120 {
        let ticket = watch.request(Request::Tone(watch.core.shown.id, "1".into()));
        watch.event(Event::Toned(ticket, true));
        assert_eq!(watch.answer(ticket).unwrap().is_ok(), sent < 100);
    }
}

#[test]
fn a_tone_whose_call_ends_is_answered_once() {
    let mut watch = Watch::new();
    watch.talk_to_mum();
    let ticket = watch.request(Request::Tone(watch.core.shown.id, "1".into()));
    watch.gone("mum");
    watch.event(Event::Toned(ticket, true));
    assert_eq!(watch.answer(ticket), Some(Err(Refused::NotFound)));
}
