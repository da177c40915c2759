//! Who looks where the child is: seen at once, on every page, above all of it, for as long as it lasts.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod watch;

use ipc::{AppState, Call, CallState, PolicyState, Search};
use nestling_shell::Page;
use nestling_shell::model::{Event, Touch};
use panel::Pixel;
use watch::{SIZES, Watch};

const LILAC: (u8, u8, u8) = (0xB4, 0x9B, 0xFF);
/// Left of the card's middle: the middle of the eye.
const EYE: i32 = -89;

/// Runs a test at each size, on a thread of its own.
fn each_size(test: impl Fn(Watch) + Send + Sync) {
    for size in SIZES {
        std::thread::scope(|scope| {
            scope.spawn(|| test(Watch::bound(size)));
        });
    }
}

/// The pixels of some rows, from the centre, and columns on both sides of it.
fn part(watch: &Watch, rows: std::ops::Range<i32>, reach: i32) -> Vec<Pixel> {
    let (width, height) = (watch.size.0 as i32, watch.size.1 as i32);
    let pixels = watch.pixels();
    let rows = rows.start.max(-height / 2)..rows.end.min(height / 2);
    let row =
        |y: i32| (width / 2 - reach..width / 2 + reach).map(move |x| ((y + height / 2) * width + x) as usize);
    rows.flat_map(row).map(|at| pixels[at]).collect()
}

type Show = fn(&Watch);

/// The ways to each page.
const PAGES: [(Page, Show); 18] = [
    (Page::Face, |_| {}),
    (Page::Contacts, |watch| {
        watch.tap(0.0, watch.phone());
    }),
    (Page::Calls, |watch| {
        watch.calls(&[("Mum", true, "missed")]);
        watch.app.handle(Event::Touch(Touch::Calls));
    }),
    (Page::Person, |watch| watch.app.handle(Event::Touch(Touch::Person("mum".into())))),
    (Page::Looked, |watch| {
        watch.looked(&["Dad", "Mum", "Mum", "Dad"]);
        watch.app.handle(Event::Touch(Touch::Looked));
    }),
    (Page::Apps, |watch| {
        watch.apps(&["draw", "music"]);
        watch.tap(42.0, watch.apps_button());
    }),
    (Page::App, |watch| watch.drawing(0)),
    (Page::App, |watch| {
        watch.drawing(0);
        watch.draw(AppState::Frozen, "time-up", 0);
    }),
    (Page::Sorry, |watch| {
        watch.drawing(0);
        watch.draw(AppState::None, "flood", 0);
    }),
    (Page::Call, |watch| {
        watch.app.handle(Event::Call(watch.call(CallState::Ringing, "Mum")));
    }),
    (Page::Call, |watch| {
        watch.drawing(0);
        watch.app.handle(Event::Call(watch.call(CallState::Ringing, "Mum")));
    }),
    (Page::Call, |watch| {
        watch.app.handle(Event::Call(watch.call(CallState::Active, "Mum")));
    }),
    (Page::Keypad, |watch| {
        watch.app.handle(Event::Call(watch.call(CallState::Active, "Mum")));
        watch.app.handle(Event::Touch(Touch::Keypad(true)));
    }),
    (Page::Search, |watch| watch.search(7, "Dad")),
    (Page::Lost, |watch| watch.lose()),
    (Page::Locked, |watch| watch.app.handle(Event::Policy(PolicyState::Sealed))),
    (Page::Emergency, |watch| {
        watch.app.handle(Event::Policy(PolicyState::Sealed));
        watch.tap(-80.0, 122.0);
    }),
    (Page::Enrol, |watch| {
        watch.app.handle(Event::Policy(PolicyState::Unbound));
        watch.ask();
    }),
];

#[test]
fn t14_a_look_is_on_every_page_before_any_time_has_passed() {
    for (page, show) in PAGES {
        each_size(|watch| {
            show(&watch);
            assert_eq!(watch.app.shell().get_page(), page);
            assert_ne!(watch.at(EYE, watch.card()), LILAC, "{page:?}");
            let before = watch.panel.now();
            watch.looks(&["Mum"], 1);
            assert_eq!(watch.at(EYE, watch.card()), LILAC, "{page:?}");
            // The threat list gives half a second.
            assert_eq!(watch.panel.now(), before);
        });
    }
}

#[test]
fn t14_a_look_stays_while_pages_come_and_go() {
    each_size(|watch| {
        watch.looks(&["Mum"], 1);
        for (page, show) in PAGES {
            show(&watch);
            assert_eq!(watch.at(EYE, watch.card()), LILAC, "{page:?}");
            watch.app.handle(Event::Call(Call::none()));
            watch.app.handle(Event::Lost(false));
            watch.app.handle(Event::Search(Search::none()));
        }
    });
}

#[test]
fn t14_no_app_draws_over_a_look() {
    each_size(|watch| {
        let card = watch.card();
        let (rows, reach) = (card - 33..card + 33, 90);
        watch.drawing(0);
        let without = part(&watch, rows.clone(), reach);
        watch.looks(&["Mum"], 1);
        let paper = part(&watch, rows.clone(), reach);
        watch.shot("above-look");
        watch.paper.blank.set(true);
        watch.panel.under().has_news();
        assert!(part(&watch, rows, reach) == paper && paper != without);
        assert_eq!(watch.at(0, 150), (0xF0, 0x44, 0x3A), "help is one touch away");
        // It takes no touch either.
        watch.tap(0.0, card as f32);
        assert!(!watch.paper.fingers.take().is_empty());
    });
}

#[test]
fn t14_a_look_leaves_names_and_buttons_as_they_are() {
    let calls = [CallState::Ringing, CallState::Dialling, CallState::Active];
    for state in calls {
        each_size(|watch| {
            watch.app.handle(Event::Call(watch.call(state, "Grandfather")));
            watch.advance(2_300);
            let below = 12..watch.size.1 as i32;
            let free = part(&watch, below.clone(), watch.size.0 as i32 / 2);
            watch.looks(&["Mum"], 1);
            assert!(part(&watch, below, watch.size.0 as i32 / 2) == free, "{state:?}");
        });
    }
    // Above an app, and while help is about to be called, nothing else changes at all.
    for (page, show) in PAGES.into_iter().filter(|(page, _)| [Page::App, Page::Emergency].contains(page)) {
        each_size(|watch| {
            show(&watch);
            let below = watch.card() + 33..watch.size.1 as i32;
            let free = part(&watch, below.clone(), watch.size.0 as i32 / 2);
            watch.looks(&["Mum"], 1);
            assert!(part(&watch, below, watch.size.0 as i32 / 2) == free, "{page:?}");
        });
    }
}

#[test]
fn t16_a_look_goes_from_the_screen_by_itself() {
    each_size(|watch| {
        watch.drawing(0);
        let before = watch.pixels();
        watch.looks(&["Mum"], 1);
        watch.advance(119_900);
        assert_eq!(watch.at(EYE, watch.card()), LILAC);
        watch.advance(100);
        assert!(watch.pixels() == before);
    });
}

#[test]
fn t25_the_card_says_who_looks() {
    each_size(|watch| {
        watch.drawing(0);
        let words: Vec<_> = [&["Mum"][..], &["Dad"], &["Mum", "Dad"], &["Grandmother"]]
            .into_iter()
            .map(|names| {
                watch.looks(names, 1);
                part(&watch, watch.card() - 30..watch.card() + 30, 110)
            })
            .collect();
        for (n, one) in words.iter().enumerate() {
            assert!(words[n + 1..].iter().all(|other| other != one));
        }
    });
}

#[test]
fn t25_a_touch_on_the_counter_says_who_looked_and_when() {
    each_size(|watch| {
        let page = |names: &[&str]| {
            watch.looked(names);
            watch.looks(&[], names.len() as u32);
            watch.tap(0.0, watch.counter());
            assert_eq!(watch.app.shell().get_page(), Page::Looked);
            let pixels = watch.pixels();
            watch.app.handle(Event::Touch(Touch::Close));
            pixels
        };
        let all = [page(&["Mum"]), page(&["Dad"]), page(&["Mum", "Dad"]), page(&["Dad", "Mum"])];
        for (n, one) in all.iter().enumerate() {
            assert!(all[n + 1..].iter().all(|other| other != one));
        }
        // It is at hand over the smallest target there may be, and not where the phone is.
        for (x, y) in [(0.0, 0.0), (-24.5, 0.0), (24.5, 0.0), (0.0, -24.5), (0.0, 24.5)] {
            watch.tap(x, watch.counter() + y);
            assert_eq!(watch.app.shell().get_page(), Page::Looked);
            watch.tap(0.0, if watch.size.1 > watch.size.0 { 174.0 } else { 146.0 });
            assert_eq!(watch.app.shell().get_page(), Page::Face);
        }
        watch.looked(&[]);
        watch.tap(0.0, watch.counter());
        assert_eq!(watch.app.shell().get_page(), Page::Face, "nobody looked");
        assert_eq!(watch.commands(), []);
    });
}

#[test]
fn a54_the_face_counts_the_looks_of_the_day() {
    each_size(|watch| {
        let (width, height) = (watch.size.0 as f32, watch.size.1 as f32);
        let dial = if height - width >= 60.0 { (width - height) / 2.0 } else { 0.0 };
        let middle = (dial - width / 2.0 * 0.37) as i32;
        let count = |today| {
            watch.looks(&[], today);
            part(&watch, middle - 16..middle + 16, 32)
        };
        let none = count(0);
        let lilac = |part: &[Pixel]| part.iter().filter(|pixel| pixel.rgb() == LILAC).count();
        let (three, four) = (count(3), count(4));
        assert_eq!(lilac(&none), 0);
        assert!(lilac(&three) > 150 && three != four, "{}", lilac(&three));
        assert!(count(0) == none, "the next day begins without");
    });
}
