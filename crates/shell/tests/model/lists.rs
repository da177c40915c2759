//! People, past calls, and who looked.

use super::*;

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
