//! A guardian looks for the watch.

use super::*;

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
