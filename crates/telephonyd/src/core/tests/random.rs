//! Whatever happens in whatever order: the invariants of the core hold.

use std::collections::BTreeSet;

use super::*;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Happens {
    Seen { call: u8, incoming: bool, progress: Progress, number: &'static str },
    Gone(u8),
    HangUpFailed(u8),
    Request(Request),
    Answer { ticket: u64, call: Option<u8> },
    Rules { aunt: bool, sealed: bool },
    Modem(ModemState, bool),
    Wait(u64),
}

fn progress() -> impl Strategy<Value = Progress> {
    prop_oneof![
        1 => Just(Progress::Created),
        1 => Just(Progress::Dialling),
        4 => Just(Progress::Ringing),
        1 => Just(Progress::Waiting),
        2 => Just(Progress::Active),
        1 => Just(Progress::Over),
    ]
}

fn happens() -> impl Strategy<Value = Happens> {
    let number = prop::sample::select(vec![MUM, AUNT, FRIEND, STRANGER, "", "112", "anonymous"]);
    let request = prop_oneof![
        4 => Just(Request::Accept(0)),
        1 => Just(Request::HangUp(0)),
        1 => Just(Request::Mute(0)),
        1 => Just(Request::SawMissed(3)),
        1 => Just(Request::Tone(0, "5".into())),
        1 => prop::sample::select(vec!["mum", "aunt", "friend", "x"]).prop_map(|id| Request::Dial(id.into())),
        1 => prop::sample::select(vec!["112", STRANGER]).prop_map(|n| Request::DialEmergency(Private(n.into()))),
    ];
    let state = prop::sample::select(vec![
        ModemState::Absent,
        ModemState::Emergency,
        ModemState::Searching,
        ModemState::Registered,
    ]);
    prop_oneof![
        6 => (0..4_u8, any::<bool>(), progress(), number)
            .prop_map(|(call, incoming, progress, number)| Happens::Seen { call, incoming, progress, number }),
        2 => (0..4_u8).prop_map(Happens::Gone),
        1 => (0..4_u8).prop_map(Happens::HangUpFailed),
        4 => request.prop_map(Happens::Request),
        2 => (0..12_u64, prop::option::of(0..4_u8)).prop_map(|(ticket, call)| Happens::Answer { ticket, call }),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(aunt, sealed)| Happens::Rules { aunt, sealed }),
        1 => (state, any::<bool>()).prop_map(|(state, joins)| Happens::Modem(state, joins)),
        4 => prop::sample::select(vec![1, 100, 1500, 2000, 5000, 70_000]).prop_map(Happens::Wait),
    ]
}

fn id(call: u8) -> CallId {
    CallId(call.to_string())
}

fn play(watch: &mut Watch, happens: Happens, asked: &mut Vec<Ticket>) {
    match happens {
        Happens::Seen { call, incoming, progress, number } => {
            let direction = if incoming { Direction::Incoming } else { Direction::Outgoing };
            watch.seen(&call.to_string(), direction, progress, number);
        }
        Happens::Gone(call) => watch.event(Event::Gone(id(call))),
        Happens::HangUpFailed(call) => watch.event(Event::HangUpFailed(id(call))),
        Happens::Request(mut request) => {
            // As the screen does: the call it was shown last.
            if let Request::Accept(call)
            | Request::HangUp(call)
            | Request::Mute(call)
            | Request::Tone(call, _) = &mut request
            {
                *call = watch.core.shown.id;
            }
            asked.push(watch.request(request));
        }
        Happens::Answer { ticket, call } => {
            // Only what the core has asked for can be answered, and once.
            let asked = watch.effects.iter().rev().find_map(|effect| match effect {
                Effect::Accept(Ticket(t), _) if *t == ticket => {
                    Some(Event::Accepted(Ticket(*t), call.is_some()))
                }
                Effect::Tone(Ticket(t), ..) if *t == ticket => Some(Event::Toned(Ticket(*t), call.is_some())),
                Effect::Dial(Ticket(t), _) if *t == ticket => Some(Event::Dialled(Ticket(*t), call.map(id))),
                _ => None,
            });
            if let Some(event) = asked.filter(|_| watch.answer(Ticket(ticket)).is_none()) {
                watch.event(event);
            }
        }
        Happens::Rules { aunt, sealed } => {
            watch.rules(if aunt { family() } else { without("aunt") }, sealed);
        }
        Happens::Modem(state, joins) => {
            watch.event(Event::Modem(ModemView { joins_calls: joins, ..modem(state) }));
        }
        Happens::Wait(time) => watch.wait(time),
    }
}

proptest! {
    #[test]
    fn a04_a06_no_order_of_events_shows_a_stranger_or_accepts_without_a_touch(
        story in prop::collection::vec(happens(), 1..60)
    ) {
        let mut watch = Watch::new();
        let (mut asked, mut touched) = (Vec::new(), Vec::new());
        for happening in story {
            if matches!(happening, Happens::Request(Request::Accept(_))) {
                touched.push((Ticket(watch.tickets + 1), watch.core.shown.id));
            }
            let ringing_since = watch.core.shown.since_ms;
            let before = watch.effects.len();
            play(&mut watch, happening, &mut asked);
            for effect in &watch.effects[before..] {
                match effect {
                    Effect::Accept(ticket, _) => {
                        prop_assert!(touched.contains(&(*ticket, watch.core.shown.id)), "another call was touched");
                        prop_assert_eq!(watch.answer(*ticket), None);
                        prop_assert!(watch.now.as_millis() as u64 >= ringing_since + 2000);
                    }
                    Effect::Show(call) => {
                        prop_assert!(["", "mum", "aunt", "friend"].contains(&call.contact.as_str()));
                        let named = call.state == CallState::None || !call.name.is_empty();
                        prop_assert!(named, "{call:?}");
                        // A stranger rings only after a call for help.
                        let helped = watch.diary().iter().any(|line| line.starts_with("emergency-window"));
                        prop_assert!(call.state != CallState::Ringing || !call.contact.is_empty() || helped);
                    }
                    Effect::Dial(_, number) => prop_assert!([MUM, AUNT, "112"].contains(&number.0.as_str())),
                    _ => {}
                }
            }
        }
        // Every request is answered once the modem is gone and time has passed.
        watch.modem(ModemState::Absent);
        let dials: BTreeSet<u64> = watch.dialled().iter().map(|(ticket, _)| ticket.0).collect();
        for ticket in dials {
            if watch.answer(Ticket(ticket)).is_none() {
                watch.event(Event::Dialled(Ticket(ticket), None));
            }
        }
        watch.wait(200_000);
        for ticket in asked {
            prop_assert!(watch.answer(ticket).is_some(), "{ticket:?}");
        }
        prop_assert_eq!(watch.state(), CallState::None);
        // Then it sleeps until a call is to go from the list.
        prop_assert!(watch.core.deadline().is_none_or(|at| at > watch.now + Duration::from_hours(24)));
    }
}
