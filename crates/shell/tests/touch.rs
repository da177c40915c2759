//! What a finger does, on the real screens.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod watch;

use ipc::{AppState, Call, CallState, Missed, PolicyState};
use nestling_shell::model::{Command, Event, Touch};
use nestling_shell::{Finger, Page};
use panel::Pointer;
use watch::{SIZES, Watch};

/// The four ends of the smallest target there may be (50 px), and its middle.
const WITHIN: [(f32, f32); 5] = [(0.0, 0.0), (-24.5, 0.0), (24.5, 0.0), (0.0, -24.5), (0.0, 24.5)];

/// Runs a test at each size, on a thread of its own.
fn each_size(test: impl Fn(Watch) + Send + Sync) {
    for size in SIZES {
        std::thread::scope(|scope| {
            scope.spawn(|| test(Watch::bound(size)));
        });
    }
}

fn ring(watch: &Watch) {
    watch.app.handle(Event::Call(watch.call(CallState::Ringing, "Mum")));
    watch.advance(2_100);
}

#[test]
fn the_green_button_answers_over_all_its_face() {
    each_size(|watch| {
        for (x, y) in WITHIN {
            ring(&watch);
            watch.tap(100.0 + x, 123.0 + y);
            assert_eq!(watch.commands(), [Command::Accept(5)]);
            watch.app.handle(Event::Call(Call::none()));
        }
    });
}

#[test]
fn the_red_button_ends_a_call_in_every_state() {
    each_size(|watch| {
        for (state, dx, dy) in [
            (CallState::Ringing, -100.0, 123.0),
            (CallState::Dialling, 0.0, 150.0),
            (CallState::Active, 0.0, 150.0),
        ] {
            for (x, y) in WITHIN {
                watch.app.handle(Event::Call(watch.call(state, "Mum")));
                watch.advance(100);
                watch.tap(dx + x, dy + y);
                assert_eq!(watch.commands(), [Command::HangUp(5)]);
                watch.app.handle(Event::Call(Call::none()));
            }
        }
    });
}

#[test]
fn the_bell_silences_the_ring_and_is_done() {
    each_size(|watch| {
        for (x, y) in WITHIN {
            ring(&watch);
            watch.tap(x, 166.0 + y);
            assert_eq!(watch.commands(), [Command::Mute(5)]);
            watch.app.handle(Event::Call(Call { muted: true, ..watch.call(CallState::Ringing, "Mum") }));
            watch.tap(x, 166.0 + y);
            assert_eq!(watch.commands(), []);
            watch.app.handle(Event::Call(Call::none()));
        }
    });
}

#[test]
fn every_key_of_the_keypad_sends_its_tone_and_the_call_ends_from_there() {
    each_size(|watch| {
        watch.app.handle(Event::Call(watch.call(CallState::Active, "Mum")));
        for (x, y) in WITHIN {
            watch.tap(104.0 + x, 132.0 + y);
            assert_eq!(watch.app.shell().get_page(), Page::Keypad);
            watch.tap(-52.0 + x, 152.0 + y);
            assert_eq!(watch.app.shell().get_page(), Page::Call);
        }
        watch.tap(104.0, 132.0);
        for looked in [false, true] {
            let (top, pitch) = if looked { (-82.0, 54.0) } else { (-118.0, 66.0) };
            for (n, key) in "123456789*0#".chars().enumerate() {
                for (x, y) in WITHIN {
                    watch.tap((n % 3) as f32 * 92.0 - 92.0 + x, top + (n / 3) as f32 * pitch + y);
                    let sent = watch.commands();
                    // A keypad that was used up is opened anew.
                    watch.app.handle(Event::Touch(Touch::Keypad(true)));
                    assert_eq!(sent, [Command::Tone(5, key.into())], "{looked} {key}");
                }
            }
            watch.looks(&["Mum"], 1);
        }
        watch.tap(46.0, 152.0);
        assert_eq!(watch.commands(), [Command::HangUp(5)]);
        watch.app.handle(Event::Call(Call::none()));
        assert_eq!(watch.app.shell().get_page(), Page::Face);
    });
}

#[test]
fn a06_touches_beside_the_buttons_of_a_call_do_nothing() {
    each_size(|watch| {
        ring(&watch);
        for (x, y) in [(0.0, 0.0), (0.0, 123.0), (0.0, -100.0), (180.0, 0.0), (100.0, 60.0), (40.0, 123.0)] {
            watch.tap(x, y);
        }
        watch.swipe((0.0, 100.0), (0.0, -150.0));
        assert_eq!(watch.commands(), []);
        assert_eq!(watch.app.shell().get_page(), Page::Call);
    });
}

#[test]
fn a_sleeve_in_the_first_two_seconds_does_not_answer() {
    each_size(|watch| {
        watch.app.handle(Event::Call(watch.call(CallState::Ringing, "Mum")));
        watch.advance(1_500);
        watch.tap(100.0, 123.0);
        assert_eq!(watch.commands(), []);
    });
}

#[test]
fn the_phone_button_and_a_swipe_open_the_contacts_and_a_picture_dials() {
    each_size(|watch| {
        for (x, y) in WITHIN {
            watch.tap(x, watch.phone() + y);
            assert_eq!(watch.app.shell().get_page(), Page::Contacts);
            watch.tap(0.0 + x, 174.0 + y);
            assert_eq!(watch.app.shell().get_page(), Page::Face);
        }
        watch.swipe((0.0, 60.0), (0.0, -120.0));
        assert_eq!(watch.app.shell().get_page(), Page::Contacts);
        for (place, id) in [((-72.0, -90.0), "mum"), ((72.0, -90.0), "dad"), ((-72.0, 60.0), "gran")] {
            watch.tap(place.0, place.1);
            assert_eq!(watch.commands(), [Command::Dial(id.into())]);
        }
        watch.swipe((-80.0, 0.0), (90.0, 0.0));
        assert_eq!(watch.app.shell().get_page(), Page::Face, "a swipe to the right goes back");
    });
}

#[test]
fn the_emergency_number_is_found_behind_the_people_and_can_be_taken_back() {
    each_size(|watch| {
        watch.tap(0.0, watch.phone());
        let (x, y) = if watch.size.1 > watch.size.0 { (96.0, 174.0) } else { (174.0, 0.0) };
        watch.tap(x, y);
        watch.tap(0.0, 0.0);
        assert_eq!(watch.app.shell().get_page(), Page::Emergency);
        for (dx, dy) in WITHIN {
            watch.tap(dx, 120.0 + dy);
            assert_eq!(watch.app.shell().get_page(), Page::Face);
            watch.app.handle(Event::Touch(nestling_shell::model::Touch::Help));
        }
        watch.advance(2_900);
        assert_eq!(watch.commands(), []);
        watch.advance(300);
        assert_eq!(watch.commands(), [Command::DialEmergency("112".into())]);
    });
}

#[test]
fn the_calls_are_behind_who_called_and_beside_the_people_and_a_row_calls_by_a_touch_of_its_own() {
    each_size(|watch| {
        watch.calls(&[("Mum", true, "missed"), ("112", false, "answered"), ("Dad", false, "answered")]);
        let missed =
            Missed { contact: "mum".into(), name: "Mum".into(), picture: String::new(), count: 1, newest: 7 };
        watch.app.handle(Event::Missed(vec![missed]));
        let (width, height) = (watch.size.0 as f32, watch.size.1 as f32);
        let tall = height - width >= 60.0;
        let words = if tall { (width - height) / 2.0 } else { 0.0 } + width / 2.0 * 0.37;
        for (x, y) in WITHIN {
            watch.tap(x, words + y);
            assert_eq!(watch.app.shell().get_page(), Page::Calls);
            assert_eq!(watch.commands(), [Command::SawMissed(7)]);
            watch.tap(0.0, if tall { 174.0 } else { 146.0 });
            assert_eq!(watch.app.shell().get_page(), Page::Face);
        }
        watch.app.handle(Event::Missed(vec![]));
        for (x, y) in WITHIN {
            watch.tap(0.0, watch.phone());
            watch.tap(34.0 + x, 174.0 + y);
            assert_eq!(watch.app.shell().get_page(), Page::Calls);
            watch.app.handle(Event::Touch(Touch::Close));
        }
        watch.app.handle(Event::Touch(Touch::Calls));
        watch.tap(0.0, -6.0);
        assert_eq!(watch.app.shell().get_page(), Page::Calls, "112 is not called from here");
        watch.tap(100.0, -76.0);
        assert_eq!((watch.app.shell().get_page(), watch.commands()), (Page::Person, vec![]));
        for (x, y) in WITHIN {
            watch.tap(62.0 + x, 122.0 + y);
            assert_eq!(watch.commands(), [Command::Dial("mum".into())]);
        }
        watch.tap(-72.0, 122.0);
        assert_eq!(watch.app.shell().get_page(), Page::Face);
    });
}

#[test]
fn a_sealed_watch_still_calls_for_help_and_guardians() {
    each_size(|watch| {
        watch.app.handle(Event::Policy(PolicyState::Sealed));
        watch.tap(80.0, 122.0);
        assert_eq!(watch.app.shell().get_page(), Page::Contacts);
        watch.advance(15_100);
        assert_eq!(watch.app.shell().get_page(), Page::Locked);
        watch.tap(-80.0, 122.0);
        watch.advance(3_100);
        assert_eq!(watch.commands(), [Command::DialEmergency("112".into())]);
    });
}

#[test]
fn a_lost_watch_calls_a_guardian_and_for_help_and_leads_nowhere_else() {
    each_size(|watch| {
        watch.lose();
        for (x, y) in WITHIN.into_iter().chain([(-120.0, 0.0), (120.0, 0.0)]) {
            watch.tap(x, 30.0 + y);
            assert!(matches!(watch.commands().as_slice(), [Command::Dial(_)]));
        }
        watch.swipe((0.0, 60.0), (0.0, -120.0));
        watch.tap(0.0, -128.0);
        watch.tap(0.0, watch.counter());
        assert_eq!((watch.app.shell().get_page(), watch.commands()), (Page::Lost, vec![]));
        for (x, y) in WITHIN {
            watch.tap(x, 142.0 + y);
            assert_eq!(watch.app.shell().get_page(), Page::Emergency);
            watch.app.handle(Event::Touch(Touch::Mistake));
            assert_eq!(watch.app.shell().get_page(), Page::Lost);
        }
        watch.tap(0.0, 142.0);
        watch.advance(3_100);
        assert_eq!(watch.commands(), [Command::DialEmergency("112".into())]);
    });
}

#[test]
fn t15_a_search_is_shown_before_it_is_heard_and_a_touch_ends_it() {
    each_size(|watch| {
        watch.drawing(0);
        watch.commands();
        for (n, (x, y)) in WITHIN.into_iter().enumerate() {
            let id = 7 + n as u64;
            watch.search(id, "Mum");
            assert_eq!(watch.app.shell().get_page(), Page::Search);
            // The app stands still, and policyd hears that it is shown.
            assert_eq!(watch.commands(), [Command::HideApp(7), Command::ShowsSearch(id)]);
            watch.tap(0.0, -100.0);
            assert_eq!((watch.paper.fingers.take(), watch.commands()), (vec![], vec![]));
            watch.tap(x, 138.0 + y);
            assert_eq!(watch.commands(), [Command::StopSearch(id), Command::ShowApp(7)]);
            assert_eq!(watch.app.shell().get_page(), Page::App);
        }
    });
}

#[test]
fn t16_a_search_leaves_the_screen_by_itself() {
    each_size(|watch| {
        let before = watch.pixels();
        watch.search(7, "Mum");
        watch.advance(59_900);
        assert_eq!(watch.app.shell().get_page(), Page::Search);
        watch.advance(200);
        assert_eq!(watch.app.shell().get_page(), Page::Face);
        watch.advance(59_900);
        assert!(watch.pixels().len() == before.len());
        assert_eq!(watch.commands(), [Command::ShowsSearch(7)]);
    });
}

#[test]
fn ask_a_grown_up_asks_for_the_code() {
    each_size(|watch| {
        watch.app.handle(Event::Policy(PolicyState::Unbound));
        watch.ask();
        assert_eq!(watch.commands(), [Command::OpenEnrolment]);
        assert_eq!(watch.app.shell().get_page(), Page::Enrol);
        watch.app.handle(Event::Code(None));
        watch.tap(0.0, 0.0);
        assert_eq!(watch.commands(), [Command::OpenEnrolment], "try again");
        watch.tap(0.0, 160.0);
        assert_eq!(watch.app.shell().get_page(), Page::Face);
    });
}

#[test]
fn an_app_is_opened_touched_and_left_by_the_way_home() {
    each_size(|watch| {
        watch.drawing(0);
        assert_eq!(watch.commands(), [Command::OpenApp("draw".into())]);
        assert_eq!(watch.app.shell().get_page(), Page::App);
        assert!(watch.paper.seen.get());
        watch.swipe((-60.0, -40.0), (60.0, 40.0));
        let fingers = watch.paper.fingers.take();
        assert!(matches!(fingers.first(), Some(Finger::Down(..))) && fingers.last() == Some(&Finger::Up));
        assert!(fingers.len() > 8);
        let left = watch.size.0 as f32 / -2.0;
        watch.swipe((left + 12.0, 0.0), (left + 220.0, 0.0));
        assert_eq!(watch.paper.fingers.take(), []);
        assert_eq!(watch.commands(), [Command::HideApp(7)]);
        assert_eq!(watch.app.shell().get_page(), Page::Face);
        assert!(!watch.paper.seen.get());
    });
}

#[test]
fn a_call_above_an_app_takes_its_touches_and_gives_it_back() {
    each_size(|watch| {
        watch.drawing(0);
        watch.commands();
        // A finger is on the paper when it rings.
        let middle = (watch.size.0 as f32 / 2.0, watch.size.1 as f32 / 2.0);
        watch.panel.pointer(Pointer::Pressed(middle.0, middle.1)).unwrap();
        assert_eq!(watch.paper.fingers.take().len(), 1);
        watch.app.handle(Event::Call(watch.call(CallState::Ringing, "Mum")));
        assert_eq!(watch.commands(), [Command::HideApp(7)]);
        assert!(!watch.paper.seen.get(), "the finger on it is taken away");
        watch.pixels();
        watch.panel.pointer(Pointer::Moved(middle.0 + 9.0, middle.1)).unwrap();
        watch.panel.pointer(Pointer::Released(middle.0 + 9.0, middle.1)).unwrap();
        watch.draw(AppState::Frozen, "hidden", 0);
        watch.swipe((-60.0, -40.0), (60.0, 40.0));
        assert_eq!(watch.paper.fingers.take(), []);
        watch.app.handle(Event::Call(Call::none()));
        assert_eq!(watch.commands(), [Command::ShowApp(7)]);
        watch.draw(AppState::Running, "", 0);
        watch.pixels();
        assert_eq!(watch.app.shell().get_page(), Page::App);
        watch.tap(0.0, 0.0);
        assert_eq!(watch.paper.fingers.take().len(), 2);
    });
}

#[test]
fn t8_help_is_one_touch_away_above_an_app_over_all_its_face() {
    each_size(|watch| {
        for (x, y) in WITHIN {
            watch.drawing(0);
            watch.tap(x, 172.0 + y);
            assert_eq!(watch.app.shell().get_page(), Page::Emergency);
            assert_eq!(watch.paper.fingers.take(), [], "the app does not hear of it");
            watch.app.handle(Event::Touch(Touch::Mistake));
            assert_eq!(watch.app.shell().get_page(), Page::App, "a mistake leads back to the drawing");
            watch.app.handle(Event::Touch(Touch::Home));
        }
    });
}

#[test]
fn time_up_stops_the_finger_and_shows_the_way_back() {
    each_size(|watch| {
        watch.drawing(0);
        watch.draw(AppState::Frozen, "time-up", 0);
        watch.commands();
        watch.swipe((-60.0, -100.0), (60.0, -100.0));
        assert_eq!(watch.paper.fingers.take(), []);
        watch.tap(0.0, 84.0);
        assert_eq!(watch.app.shell().get_page(), Page::Face);
    });
}

#[test]
fn why_there_is_no_app_is_told_and_goes_by_itself() {
    each_size(|watch| {
        watch.drawing(0);
        watch.draw(AppState::None, "not-signed", 0);
        assert_eq!(watch.app.shell().get_page(), Page::Sorry);
        watch.advance(6_100);
        assert_eq!(watch.app.shell().get_page(), Page::Face);
        watch.drawing(0);
        watch.app.handle(Event::Unseated(7, "flood"));
        assert_eq!(watch.commands().last(), Some(&Command::EndApp(7, "flood")));
        watch.draw(AppState::None, "flood", 0);
        assert_eq!(watch.app.shell().get_page(), Page::Sorry);
        watch.tap(0.0, 134.0);
        assert_eq!(watch.app.shell().get_page(), Page::Face);
    });
}
