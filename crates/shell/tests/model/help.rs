//! Help, and what is left on a sealed, a lost and a new watch.

use super::*;

#[test]
fn the_emergency_button_dials_after_three_seconds_unless_it_is_taken_back() {
    let mut model = Model::default();
    model.handle(Event::Policy(PolicyState::Sealed), NOW);
    assert_eq!(model.handle(Event::Touch(Touch::Help), NOW), None);
    assert_eq!(model.handle(Event::Touch(Touch::Mistake), NOW + secs(2)), None);
    assert_eq!(model.handle(Event::Tick, NOW + secs(4)), None);
    model.handle(Event::Touch(Touch::Help), NOW + secs(5));
    assert_eq!(model.handle(Event::Tick, NOW + secs(8)), Some(Command::DialEmergency("112".into())));
    assert_eq!(model.handle(Event::Tick, NOW + secs(9)), None, "once is enough");
    assert!(
        matches!(model.screen(NOW + secs(9)), Screen::Emergency { seconds: 0, .. }),
        "until it is answered for"
    );
    model.handle(Event::Tick, NOW + secs(23));
    assert_eq!(model.screen(NOW + secs(23)), Screen::Locked("112".into()));
}

#[test]
fn t8_nobody_who_rings_takes_help_away() {
    let mut model = Model::default();
    model.handle(snapshot(Call::none(), 3), NOW);
    model.handle(Event::Touch(Touch::Help), NOW);
    model.handle(Event::Call(call(CallState::Ringing, NOW + secs(1))), NOW + secs(1));
    model.handle(Event::Refused, NOW + secs(2));
    assert!(matches!(model.screen(NOW + secs(2)), Screen::Emergency { .. }));
    assert_eq!(model.handle(Event::Tick, NOW + secs(3)), Some(Command::DialEmergency("112".into())));

    // It can still be taken back, and then whoever rings is seen.
    let mut model = Model::default();
    model.handle(snapshot(Call::none(), 3), NOW);
    model.handle(Event::Touch(Touch::Help), NOW);
    model.handle(Event::Call(call(CallState::Ringing, NOW + secs(1))), NOW + secs(1));
    model.handle(Event::Touch(Touch::Mistake), NOW + secs(2));
    assert!(matches!(model.screen(NOW + secs(2)), Screen::Call(OnCall { state: CallState::Ringing, .. })));
    assert_eq!(model.handle(Event::Tick, NOW + secs(9)), None);
}

#[test]
fn t8_the_emergency_number_is_there_without_any_daemon() {
    let mut model = Model::default();
    model.handle(Event::Touch(Touch::Dial(String::new())), NOW);
    assert_eq!(model.handle(Event::Tick, NOW + secs(3)), Some(Command::DialEmergency("112".into())));
}

#[test]
fn sealed_leaves_the_lifeline_and_nothing_else() {
    let mut model = Model::default();
    model.handle(snapshot(Call::none(), 2), NOW);
    model.handle(Event::Policy(PolicyState::Sealed), NOW);
    assert_eq!(model.screen(NOW), Screen::Locked("112".into()));
    assert_eq!(model.handle(Event::Touch(Touch::Ask), NOW), None, "sealed is not first run");
    assert_eq!(model.handle(Event::Touch(Touch::Dial("c0".into())), NOW), Some(Command::Dial("c0".into())));
}

#[test]
fn lost_leaves_help_and_one_guardian_after_the_other() {
    let mut model = Model::default();
    let mut contacts = Vec::new();
    for (id, kind) in [("gran", "family"), ("mum", "guardian"), ("dad", "guardian")] {
        contacts.push(Contact { id: id.into(), name: id.into(), picture: String::new(), kind: kind.into() });
    }
    model.handle(
        Event::Telephony {
            call: Call::none(),
            contacts,
            modem: ModemState::Registered,
            emergency: "112".into(),
        },
        NOW,
    );
    model.handle(looked(3), NOW);
    model.handle(calls(3), NOW);
    model.handle(Event::Apps(vec![App { id: "a".into(), name: "A".into(), reason: String::new() }]), NOW);
    model.handle(Event::Touch(Touch::Contacts), NOW);
    model.handle(Event::Lost(true), NOW);
    let guardian = |model: &Model| match model.screen(NOW) {
        Screen::Lost { guardian, .. } => guardian.map(|guardian| guardian.id),
        other => panic!("{other:?}"),
    };
    assert_eq!(guardian(&model).as_deref(), Some("mum"), "whatever page there was");
    for touch in [
        Touch::Contacts,
        Touch::Looked,
        Touch::Calls,
        Touch::Person("gran".into()),
        Touch::Apps,
        Touch::Open("a".into()),
        Touch::Ask,
        Touch::Dial("gran".into()),
        Touch::Dial("dad".into()),
    ] {
        assert_eq!(model.handle(Event::Touch(touch), NOW), None);
        assert_eq!(guardian(&model).as_deref(), Some("mum"));
    }
    for id in ["mum", "dad", "mum"] {
        assert_eq!(guardian(&model).as_deref(), Some(id));
        assert_eq!(model.handle(Event::Touch(Touch::Dial(id.into())), NOW), Some(Command::Dial(id.into())));
    }
    // Told again, it is not lost anew.
    model.handle(Event::Lost(true), NOW);
    assert_eq!(guardian(&model).as_deref(), Some("dad"));
    model.handle(Event::Refused, NOW);
    assert!(matches!(model.screen(NOW), Screen::Lost { not_now: true, .. }));
    model.handle(Event::Touch(Touch::Help), NOW);
    assert!(matches!(model.screen(NOW), Screen::Emergency { .. }));
    model.handle(Event::Lost(false), NOW);
    model.handle(Event::Lost(true), NOW);
    assert!(matches!(model.screen(NOW), Screen::Emergency { .. }), "help goes on");
    assert_eq!(model.handle(Event::Tick, NOW + secs(3)), Some(Command::DialEmergency("112".into())));
    // A sealed watch is sealed first.
    model.handle(Event::Tick, NOW + secs(60));
    model.handle(Event::Policy(PolicyState::Sealed), NOW + secs(60));
    assert_eq!(model.screen(NOW + secs(60)), Screen::Locked("112".into()));
}

#[test]
fn the_enrolment_code_is_asked_for_by_a_touch_and_leaves_after_its_time() {
    let mut model = Model::default();
    model.handle(Event::Policy(PolicyState::Unbound), NOW);
    assert_eq!(model.screen(NOW), Screen::Face(Hint::Ask));
    assert_eq!(model.handle(Event::Touch(Touch::Ask), NOW), Some(Command::OpenEnrolment));
    model.handle(Event::Code(Some(("1234".into(), secs(600)))), NOW);
    assert_eq!(model.screen(NOW + secs(300)), Screen::Enrol(Enrol::Code("1234".into(), 50)));
    model.handle(Event::Tick, NOW + secs(599));
    assert!(matches!(model.screen(NOW + secs(599)), Screen::Enrol(_)));
    model.handle(Event::Tick, NOW + secs(600));
    assert_eq!(model.screen(NOW + secs(600)), Screen::Face(Hint::Ask));
}

#[test]
fn the_code_leaves_when_the_watch_is_bound() {
    let mut model = Model::default();
    model.handle(Event::Policy(PolicyState::Unbound), NOW);
    model.handle(Event::Touch(Touch::Ask), NOW);
    model.handle(Event::Code(Some(("1234".into(), secs(600)))), NOW);
    model.handle(Event::Policy(PolicyState::Bound), NOW);
    assert_eq!(model.screen(NOW), Screen::Face(Hint::None));
}
