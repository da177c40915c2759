//! Whatever comes.

use proptest::prelude::*;

use super::*;

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
