//! The state machine without a screen.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use ipc::{
    App, AppSession, AppState, Call, CallState, Contact, Look, Looked, Missed, ModemState, PastCall,
    PolicyState, Search,
};
use nestling_shell::model::{Command, Enrol, Event, Hint, Model, OnCall, Screen, Touch};
use proptest::prelude::*;

const NOW: Duration = Duration::from_secs(1_000);

fn call(state: CallState, since: Duration) -> Call {
    Call {
        state,
        contact: "mum".into(),
        name: "Mum".into(),
        picture: "face:mum".into(),
        id: 5,
        since_ms: since.as_millis() as u64,
        ..Call::none()
    }
}

fn snapshot(call: Call, people: usize) -> Event {
    let contacts = (0..people).map(|n| Contact {
        id: format!("c{n}"),
        name: format!("Friend {n}"),
        picture: String::new(),
        kind: "friend".into(),
    });
    Event::Telephony {
        call,
        contacts: contacts.collect(),
        modem: ModemState::Registered,
        emergency: "112".into(),
    }
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

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

#[test]
fn the_emergency_number_is_the_last_of_the_people() {
    for people in 0..12 {
        let mut model = Model::default();
        model.handle(snapshot(Call::none(), people), NOW);
        model.handle(Event::Touch(Touch::Contacts), NOW);
        let mut seen = Vec::new();
        loop {
            let Screen::Contacts { people, after, .. } = model.screen(NOW) else { panic!() };
            assert!((1..=4).contains(&people.len()));
            seen.extend(people);
            if !after {
                break;
            }
            model.handle(Event::Touch(Touch::Turn(1)), NOW);
        }
        assert_eq!(seen.len(), people + 1);
        assert_eq!(seen.last().map(|p| (p.id.as_str(), p.name.as_str())), Some(("", "112")));
    }
}

#[test]
fn contacts_nobody_touches_go_back_to_the_time_after_fifteen_seconds() {
    let mut model = Model::default();
    model.handle(snapshot(Call::none(), 9), NOW);
    model.handle(Event::Touch(Touch::Contacts), NOW);
    model.handle(Event::Touch(Touch::Turn(1)), NOW + secs(14));
    assert_eq!(model.next_change(NOW + secs(14)), Some(NOW + secs(29)));
    model.handle(Event::Tick, NOW + secs(28));
    assert!(matches!(model.screen(NOW + secs(28)), Screen::Contacts { .. }));
    model.handle(Event::Tick, NOW + secs(29));
    assert!(matches!(model.screen(NOW + secs(29)), Screen::Face(_)));
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

fn any_event() -> impl Strategy<Value = Event> {
    let state = prop_oneof![
        Just(CallState::None),
        Just(CallState::Ringing),
        Just(CallState::Dialling),
        Just(CallState::Active)
    ];
    let any_call = (state, any::<u64>())
        .prop_map(|(state, since)| Call { since_ms: since, ..call(state, Duration::ZERO) });
    let touch = prop_oneof![
        Just(Touch::Contacts),
        Just(Touch::Looked),
        Just(Touch::Calls),
        "c?[0-9]?".prop_map(Touch::Person),
        Just(Touch::Ask),
        Just(Touch::Close),
        any::<i32>().prop_map(Touch::Turn),
        "c?[0-9]?".prop_map(Touch::Dial),
        Just(Touch::Answer),
        Just(Touch::HangUp),
        any::<bool>().prop_map(Touch::Keypad),
        "[0-9*#]".prop_map(Touch::Tone),
        Just(Touch::Help),
        Just(Touch::Found),
        Just(Touch::Mistake),
        Just(Touch::Apps),
        "[ab]".prop_map(Touch::Open),
        Just(Touch::Home),
    ];
    let app_state = prop_oneof![
        Just(AppState::None),
        Just(AppState::Starting),
        Just(AppState::Running),
        Just(AppState::Frozen)
    ];
    let reason = prop_oneof![Just(""), Just("hidden"), Just("time-up"), Just("not-signed"), Just("flood")];
    let session = (app_state, 0u64..4, "[ab]", any::<u64>(), reason).prop_map(
        |(state, session, app, until_ms, reason)| {
            let name = app.to_uppercase();
            Event::Session(AppSession { state, session, app, name, until_ms, reason: reason.into() })
        },
    );
    let apps = prop_oneof![
        session,
        (0usize..100).prop_map(|n| {
            let app = |n| App { id: format!("a{n}"), name: "A".into(), reason: String::new() };
            Event::Apps((0..n).map(app).collect())
        }),
        Just(Event::AppsGone),
        (0u64..4).prop_map(Event::Framed),
        (0u64..4).prop_map(|session| Event::Unseated(session, "flood")),
    ];
    prop_oneof![
        any_call.clone().prop_map(Event::Call),
        (any_call, 0usize..200).prop_map(|(call, people)| snapshot(call, people)),
        Just(Event::TelephonyGone),
        prop_oneof![Just(PolicyState::Unbound), Just(PolicyState::Bound), Just(PolicyState::Sealed)]
            .prop_map(Event::Policy),
        proptest::option::of((any::<String>(), any::<u32>()))
            .prop_map(|code| Event::Code(code.map(|(code, left)| (code, secs(left.into()))))),
        proptest::collection::vec((any::<String>(), any::<u64>(), 0_u64..2_000_000), 0..20).prop_map(
            |looks| {
                let look =
                    |(name, since_ms, until_ms)| Look { guardian: "mum".into(), name, since_ms, until_ms };
                Event::Looks(looks.into_iter().map(look).collect(), 3)
            }
        ),
        (0_usize..30).prop_map(looked),
        (0_usize..90).prop_map(calls),
        any::<bool>().prop_map(Event::Lost),
        (0_u64..4, 900_u64..1_300).prop_map(|(id, from)| search(id, secs(from))),
        Just(Event::Refused),
        apps,
        touch.prop_map(Event::Touch),
        Just(Event::Tick),
    ]
}

#[test]
fn t16_a_look_ends_where_policyd_is_gone() {
    let mut model = Model::default();
    let look = |name: &str, until: u64| Look {
        guardian: name.to_lowercase(),
        name: name.into(),
        since_ms: 1_000_000,
        until_ms: 1_000_000 + until,
    };
    model.handle(Event::Looks(vec![look("Mum", 120_000), look("Dad", 60_000)], 4), NOW);
    assert_eq!(model.looking(NOW + Duration::from_millis(59_999)), ["Mum", "Dad"]);
    assert_eq!(model.next_change(NOW), Some(NOW + secs(60)));
    assert_eq!(model.looking(NOW + secs(60)), ["Mum"]);
    assert_eq!(model.looking(NOW + secs(120)), Vec::<&str>::new());
    assert_eq!((model.next_change(NOW + secs(120)), model.looks_today()), (None, 4));
}

fn search(id: u64, from: Duration) -> Event {
    let since_ms = from.as_millis() as u64;
    let (guardian, name) = ("mum".into(), "Mum".into());
    let search = Search { id, guardian, name, since_ms, until_ms: since_ms + 60_000, ..Search::none() };
    Event::Search(search)
}

#[test]
fn t15_a_search_is_said_to_be_seen_once_and_only_while_it_is() {
    let mut model = Model::default();
    assert_eq!(model.search_seen(NOW), None);
    model.handle(search(7, NOW), NOW);
    let Screen::Search { person, .. } = model.screen(NOW) else { panic!() };
    assert_eq!((person.id.as_str(), person.name.as_str()), ("mum", "Mum"));
    assert_eq!(model.search_seen(NOW), Some(Command::ShowsSearch(7)));
    // As policyd tells it again with the screen's name.
    model.handle(search(7, NOW), NOW);
    assert_eq!(model.search_seen(NOW), None);
    assert_eq!(model.next_change(NOW), Some(NOW + Duration::from_millis(200)));
    assert_eq!(model.screen(NOW + secs(60)), Screen::Face(Hint::None));
    assert_eq!((model.search_seen(NOW + secs(60)), model.next_change(NOW + secs(60))), (None, None));
    // A touch ends it at once, and it does not come back.
    model.handle(search(8, NOW), NOW);
    assert_eq!(model.search_seen(NOW), Some(Command::ShowsSearch(8)));
    assert_eq!(model.handle(Event::Touch(Touch::Found), NOW), Some(Command::StopSearch(8)));
    model.handle(search(8, NOW), NOW);
    assert_eq!((model.screen(NOW), model.search_seen(NOW)), (Screen::Face(Hint::None), None));
    assert_eq!(model.handle(Event::Touch(Touch::Found), NOW), None);
    // Nor does one of a policyd that is gone stay.
    model.handle(search(9, NOW), NOW);
    model.handle(Event::Search(Search::none()), NOW);
    assert_eq!((model.screen(NOW), model.search_seen(NOW)), (Screen::Face(Hint::None), None));
}

#[test]
fn t15_a_call_and_help_are_above_a_search_and_end_it() {
    for early in [true, false] {
        let mut model = Model::default();
        model.handle(snapshot(Call::none(), 3), NOW);
        if early {
            model.handle(search(7, NOW), NOW);
            assert_eq!(model.search_seen(NOW), Some(Command::ShowsSearch(7)));
        }
        model.handle(Event::Call(call(CallState::Ringing, NOW)), NOW);
        model.handle(search(7, NOW), NOW);
        assert!(matches!(model.screen(NOW), Screen::Call(_)));
        assert_eq!(model.search_seen(NOW), Some(Command::StopSearch(7)));
        assert_eq!(model.search_seen(NOW), None);
        model.handle(Event::Call(Call::none()), NOW);
        assert_eq!((model.screen(NOW), model.search_seen(NOW)), (Screen::Face(Hint::None), None));
    }
    let mut model = Model::default();
    model.handle(Event::Touch(Touch::Help), NOW);
    model.handle(search(7, NOW), NOW);
    assert!(matches!(model.screen(NOW), Screen::Emergency { .. }));
    assert_eq!(model.search_seen(NOW), Some(Command::StopSearch(7)));
    assert_eq!(model.handle(Event::Tick, NOW + secs(3)), Some(Command::DialEmergency("112".into())));
}

#[test]
fn a_search_is_above_every_page_of_a_lost_and_of_a_new_watch() {
    for event in [Event::Lost(true), Event::Policy(PolicyState::Unbound), Event::Touch(Touch::Contacts)] {
        let mut model = Model::default();
        model.handle(snapshot(Call::none(), 3), NOW);
        model.handle(event, NOW);
        model.handle(search(7, NOW), NOW);
        assert!(matches!(model.screen(NOW), Screen::Search { .. }));
    }
}

fn calls(count: usize) -> Event {
    let call = |n| PastCall {
        contact: if n % 5 == 4 { String::new() } else { format!("c{n}") },
        name: format!("Friend {n}"),
        picture: String::new(),
        incoming: true,
        outcome: "answered".into(),
        unix_time: 1_000 - n as i64,
        seconds: 9,
    };
    Event::Calls((0..count).map(call).collect())
}

#[test]
fn the_list_of_calls_calls_nobody_by_itself() {
    let mut model = Model::default();
    model.handle(snapshot(Call::none(), 3), NOW);
    model.handle(Event::Touch(Touch::Calls), NOW);
    assert_eq!(model.screen(NOW), Screen::Face(Hint::None), "there are none");
    model.handle(calls(200), NOW);
    assert_eq!(model.handle(Event::Touch(Touch::Calls), NOW), None);
    let mut seen = Vec::new();
    loop {
        let Screen::Calls { calls, before, after } = model.screen(NOW) else { panic!() };
        assert!((1..=3).contains(&calls.len()) && before != seen.is_empty());
        seen.extend(calls);
        if !after {
            break;
        }
        model.handle(Event::Touch(Touch::Turn(1)), NOW);
    }
    assert_eq!(seen.len(), 60);
    let may_call: Vec<_> =
        seen.iter().filter(|(_, may)| *may).map(|(call, _)| call.contact.as_str()).collect();
    assert_eq!(may_call, ["c0", "c1", "c2"], "neither the emergency number nor who may not be called");
    for id in ["", "c7"] {
        assert_eq!(model.handle(Event::Touch(Touch::Person(id.into())), NOW), None);
        assert!(matches!(model.screen(NOW), Screen::Calls { .. }));
    }
    assert_eq!(model.handle(Event::Touch(Touch::Person("c1".into())), NOW), None);
    let Screen::Person(person) = model.screen(NOW) else { panic!() };
    assert_eq!((person.id.as_str(), person.name.as_str()), ("c1", "Friend 1"));
    assert_eq!(model.next_change(NOW), Some(NOW + secs(15)));
    assert_eq!(model.handle(Event::Touch(Touch::Dial("c1".into())), NOW), Some(Command::Dial("c1".into())));
    // Somebody who is taken away has no page any more.
    model.handle(snapshot(Call::none(), 1), NOW);
    assert_eq!(model.screen(NOW), Screen::Face(Hint::None));
}

#[test]
fn who_looks_at_the_calls_has_seen_what_was_missed() {
    let mut model = Model::default();
    model.handle(calls(1), NOW);
    let missed =
        Missed { contact: "c0".into(), name: "C".into(), picture: String::new(), count: 1, newest: 4 };
    model.handle(Event::Missed(vec![missed]), NOW);
    assert_eq!(model.handle(Event::Touch(Touch::Calls), NOW), Some(Command::SawMissed(4)));
    model.handle(Event::Policy(PolicyState::Sealed), NOW);
    assert_eq!(model.screen(NOW), Screen::Locked("112".into()));
}

fn looked(count: usize) -> Event {
    let look = |n| Looked {
        guardian: format!("g{n}"),
        name: format!("G{n}"),
        picture: String::new(),
        unix_time: 1_000 - n as i64,
    };
    Event::Looked((0..count).map(look).collect())
}

#[test]
fn t25_who_looked_is_told_the_newest_first_three_on_a_page_until_the_day_is_over() {
    let mut model = Model::default();
    model.handle(looked(20), NOW);
    model.handle(Event::Touch(Touch::Looked), NOW);
    let mut seen = Vec::new();
    loop {
        let Screen::Looked { looks, after, before } = model.screen(NOW) else { panic!() };
        assert!((1..=3).contains(&looks.len()) && before != seen.is_empty());
        seen.extend(looks.into_iter().map(|look| look.name));
        if !after {
            break;
        }
        model.handle(Event::Touch(Touch::Turn(1)), NOW);
    }
    assert_eq!(seen, (0..16).map(|n| format!("G{n}")).collect::<Vec<_>>());
    assert_eq!(model.next_change(NOW), Some(NOW + secs(15)), "a page nobody touches goes back to the time");
    model.handle(looked(0), NOW);
    assert_eq!(model.screen(NOW), Screen::Face(Hint::None));
    model.handle(Event::Touch(Touch::Looked), NOW);
    assert_eq!(model.screen(NOW), Screen::Face(Hint::None));
    // A watch that is sealed under it says nothing of it any more.
    model.handle(looked(1), NOW);
    model.handle(Event::Touch(Touch::Looked), NOW);
    model.handle(Event::Policy(PolicyState::Sealed), NOW);
    assert_eq!(model.screen(NOW), Screen::Locked("112".into()));
}

proptest! {
    #[test]
    fn any_run_of_events_ends_on_a_screen_and_commands_follow_touches(
        events in proptest::collection::vec((any_event(), 0u64..20_000), 0..60)
    ) {
        let mut model = Model::default();
        let mut now = NOW;
        let (mut touched, mut opened) = (false, false);
        for (event, wait) in events {
            now += Duration::from_millis(wait);
            touched |= matches!(event, Event::Touch(_));
            opened |= matches!(event, Event::Touch(Touch::Open(_)));
            let command = model.handle(event, now);
            let broke = matches!(command, Some(Command::EndApp(_, "flood")));
            prop_assert!(command.is_none() || touched || broke);
            let seen = model.app_seen(now);
            prop_assert!(model.app_seen(now).is_none(), "appd is told once");
            let on_screen = matches!(model.screen(now), Screen::App { .. });
            prop_assert!(!matches!(seen, Some(Command::ShowApp(_))) || on_screen);
            prop_assert!(!matches!(seen, Some(Command::HideApp(_))) || !on_screen);
            prop_assert!(model.live_app(now).is_none() || (on_screen && opened));
            let shows = matches!(model.search_seen(now), Some(Command::ShowsSearch(_)));
            let is_seen = matches!(model.screen(now), Screen::Search { .. });
            prop_assert!(!shows || is_seen);
            prop_assert!(model.search_seen(now).is_none(), "policyd is told once");
            if let Some(at) = model.next_change(now) {
                prop_assert!(at > now, "a timer in the past would spin");
            }
            if let Screen::Contacts { people, .. } = model.screen(now) {
                prop_assert!((1..=4).contains(&people.len()));
            }
            if let Screen::Apps { apps, .. } = model.screen(now) {
                prop_assert!(apps.len() <= 4);
            }
        }
    }
}
