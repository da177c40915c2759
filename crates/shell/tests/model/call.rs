//! Calls: they ring, are answered by a touch, and end.

use super::*;

#[test]
fn a_shell_that_starts_during_a_call_shows_it() {
    let mut model = Model::default();
    model.handle(snapshot(call(CallState::Active, secs(900)), 3), NOW);
    let Screen::Call(OnCall { state: CallState::Active, seconds, person, .. }) = model.screen(NOW) else {
        panic!()
    };
    assert_eq!((seconds, person.name.as_str()), (100, "Mum"));
}

#[test]
fn without_an_event_nothing_rings() {
    let mut model = Model::default();
    model.handle(snapshot(Call::none(), 3), NOW);
    model.handle(Event::Policy(PolicyState::Bound), NOW);
    for second in 0..600 {
        assert_eq!(model.handle(Event::Tick, NOW + secs(second)), None);
        assert_eq!(model.screen(NOW + secs(second)), Screen::Face(Hint::None));
    }
}

#[test]
fn a06_a_ringing_call_is_never_answered_without_a_touch() {
    let mut model = Model::default();
    model.handle(Event::Call(call(CallState::Ringing, NOW)), NOW);
    for tenth in 0..3_000 {
        assert_eq!(model.handle(Event::Tick, NOW + Duration::from_millis(tenth * 100)), None);
    }
}

#[test]
fn a_touch_in_the_first_two_seconds_does_not_answer() {
    let mut model = Model::default();
    model.handle(Event::Call(call(CallState::Ringing, NOW)), NOW);
    let early = NOW + Duration::from_millis(1_999);
    assert_eq!(model.handle(Event::Touch(Touch::Answer), early), None);
    assert_eq!(model.handle(Event::Touch(Touch::Answer), NOW + secs(2)), Some(Command::Accept(5)));
}

#[test]
fn a_touch_that_answers_is_seen_at_once_and_counts_once() {
    let mut model = Model::default();
    let answering = |model: &Model, now| match model.screen(now) {
        Screen::Call(OnCall { answering, .. }) => answering,
        _ => false,
    };
    model.handle(Event::Call(call(CallState::Ringing, NOW)), NOW);
    let touched = NOW + secs(2);
    assert!(!answering(&model, touched));
    assert_eq!(model.handle(Event::Touch(Touch::Answer), touched), Some(Command::Accept(5)));
    assert!(answering(&model, touched));
    assert_eq!(model.handle(Event::Touch(Touch::Answer), touched + secs(3)), None);
    assert_eq!(model.handle(Event::Touch(Touch::HangUp), touched + secs(3)), Some(Command::HangUp(5)));
    model.handle(Event::NotAnswered, touched + secs(4));
    assert_eq!(model.handle(Event::Touch(Touch::Answer), touched + secs(5)), Some(Command::Accept(5)));
    assert!(!answering(&model, touched + secs(15)), "nobody says what became of it");
    model.handle(Event::Touch(Touch::Answer), touched + secs(16));
    model.handle(Event::Call(Call { id: 6, ..call(CallState::Ringing, touched) }), touched + secs(17));
    assert!(!answering(&model, touched + secs(17)), "it is another call");
}

#[test]
fn a_ring_is_silenced_once_and_goes_on() {
    let mut model = Model::default();
    model.handle(Event::Call(call(CallState::Ringing, NOW)), NOW);
    assert_eq!(model.handle(Event::Touch(Touch::Mute), NOW), Some(Command::Mute(5)));
    let muted = Call { muted: true, ..call(CallState::Ringing, NOW) };
    model.handle(Event::Call(muted), NOW);
    assert_eq!(model.handle(Event::Touch(Touch::Mute), NOW), None);
    let Screen::Call(OnCall { rings: 0, muted: true, .. }) = model.screen(NOW + secs(1)) else { panic!() };
    model.handle(Event::Call(call(CallState::Active, NOW)), NOW);
    assert_eq!(model.handle(Event::Touch(Touch::Mute), NOW), None, "a call that is on has no ring");
}

#[test]
fn a10_keys_send_tones_into_an_active_call_alone_and_not_more_than_a_hundred() {
    let mut model = Model::default();
    let tone = |key: &str| Event::Touch(Touch::Tone(key.into()));
    let shown = |model: &Model| match model.screen(NOW) {
        Screen::Call(OnCall { keypad, .. }) => keypad,
        _ => None,
    };
    model.handle(Event::Call(call(CallState::Ringing, NOW)), NOW);
    model.handle(Event::Touch(Touch::Keypad(true)), NOW);
    assert_eq!((shown(&model), model.handle(tone("1"), NOW)), (None, None), "it rings");
    model.handle(Event::Call(call(CallState::Active, NOW)), NOW);
    assert_eq!((shown(&model), model.handle(tone("1"), NOW)), (None, None), "no keys were shown");
    model.handle(Event::Touch(Touch::Keypad(true)), NOW);
    for n in 0..100 {
        assert_eq!(model.handle(tone("7"), NOW), Some(Command::Tone(5, "7".into())), "{n}");
    }
    assert_eq!(model.handle(tone("7"), NOW), None);
    assert_eq!(shown(&model), Some("7".repeat(100)));
    // Who waits changes nothing, another call everything.
    model.handle(Event::Call(Call { waiting: "Dad".into(), ..call(CallState::Active, NOW) }), NOW);
    assert!(shown(&model).is_some());
    model.handle(Event::Call(Call { id: 6, ..call(CallState::Active, NOW) }), NOW);
    assert_eq!((shown(&model), model.handle(tone("1"), NOW)), (None, None));
    model.handle(Event::Touch(Touch::Keypad(true)), NOW);
    model.handle(Event::Touch(Touch::Keypad(false)), NOW);
    assert_eq!((shown(&model), model.handle(tone("1"), NOW)), (None, None));
    model.handle(Event::Touch(Touch::Keypad(true)), NOW);
    model.handle(Event::Call(Call::none()), NOW);
    assert_eq!((model.screen(NOW), model.handle(tone("1"), NOW)), (Screen::Face(Hint::None), None));
}

#[test]
fn who_waits_is_named_under_the_call() {
    let mut model = Model::default();
    let waiting = Call { waiting: "Mum".into(), ..call(CallState::Active, NOW) };
    model.handle(Event::Call(waiting), NOW);
    let Screen::Call(OnCall { waiting, .. }) = model.screen(NOW) else { panic!() };
    assert_eq!(waiting, "Mum");
}

#[test]
fn a_missed_call_is_named_until_the_child_looks_and_then_comes_first() {
    let mut model = Model::default();
    model.handle(snapshot(Call::none(), 6), NOW);
    let missed = |id: &str, newest| Missed {
        contact: id.into(),
        name: format!("Friend {id}"),
        picture: String::new(),
        count: 2,
        newest,
    };
    model.handle(Event::Missed(vec![missed("c5", 9), missed("c3", 8)]), NOW);
    assert_eq!(model.screen(NOW), Screen::Face(Hint::Missed));
    assert_eq!(model.missed(), Some(("Friend c5", 4)));
    assert_eq!(model.handle(Event::Touch(Touch::Contacts), NOW), Some(Command::SawMissed(9)));
    model.handle(Event::Missed(vec![]), NOW);
    let ids = |model: &Model| match model.screen(NOW) {
        Screen::Contacts { people, .. } => people.into_iter().map(|person| person.id).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(ids(&model), ["c5", "c3", "c0", "c1"]);
    model.handle(Event::Touch(Touch::Close), NOW);
    assert_eq!(model.screen(NOW), Screen::Face(Hint::None));
    assert_eq!(model.handle(Event::Touch(Touch::Contacts), NOW), None);
    assert_eq!(ids(&model), ["c0", "c1", "c2", "c3"]);
}

#[test]
fn the_face_comes_back_when_the_other_side_hangs_up() {
    let mut model = Model::default();
    model.handle(snapshot(Call::none(), 3), NOW);
    model.handle(Event::Touch(Touch::Contacts), NOW);
    model.handle(Event::Call(call(CallState::Active, NOW)), NOW);
    model.handle(Event::Call(Call::none()), NOW + secs(9));
    assert_eq!(model.screen(NOW + secs(9)), Screen::Face(Hint::None));
}

#[test]
fn a_ring_outlives_a_telephonyd_that_is_back_within_two_seconds() {
    let mut model = Model::default();
    model.handle(snapshot(call(CallState::Ringing, NOW), 3), NOW);
    model.handle(Event::TelephonyGone, NOW + secs(4));
    assert!(matches!(model.screen(NOW + secs(5)), Screen::Call(_)));
    model.handle(snapshot(call(CallState::Ringing, NOW + secs(6)), 3), NOW + secs(6));
    model.handle(Event::Tick, NOW + secs(30));
    assert!(matches!(model.screen(NOW + secs(30)), Screen::Call(OnCall { state: CallState::Ringing, .. })));
}

#[test]
fn a_call_of_a_telephonyd_that_stays_away_leaves_the_screen() {
    let mut model = Model::default();
    model.handle(snapshot(call(CallState::Ringing, NOW), 3), NOW);
    model.handle(Event::TelephonyGone, NOW);
    assert_eq!(model.next_change(NOW + secs(4)).map(|at| at <= NOW + secs(5)), Some(true));
    model.handle(Event::Tick, NOW + secs(5));
    assert_eq!(model.screen(NOW + secs(5)), Screen::Face(Hint::Signal));
}

#[test]
fn a_call_that_is_turned_down_says_so_for_a_moment() {
    let mut model = Model::default();
    model.handle(snapshot(Call::none(), 2), NOW);
    model.handle(Event::Touch(Touch::Contacts), NOW);
    model.handle(Event::Refused, NOW);
    assert_eq!(model.screen(NOW), Screen::Face(Hint::NotNow));
    model.handle(Event::Tick, NOW + secs(4));
    assert_eq!(model.screen(NOW + secs(4)), Screen::Face(Hint::None));
}
