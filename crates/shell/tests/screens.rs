//! Every screen in real pixels, at every size.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod watch;

use ipc::{AppState, Call, CallState, Missed, ModemState, PolicyState};
use nestling_shell::model::{Command, Event, Touch};
use panel::Pixel;

use watch::{INK, PAPER, SIZES, Watch};

type Show = fn(&Watch);

fn above(watch: &Watch, left_ms: u64) {
    watch.paper.blank.set(true);
    watch.drawing(if left_ms == 0 { 0 } else { watch.now_ms() + left_ms });
}

fn sorry(watch: &Watch, reason: &str) {
    watch.drawing(0);
    watch.draw(AppState::None, reason, 0);
}

fn missed(watch: &Watch) {
    let missed = |contact: &str, name: &str, count| Missed {
        contact: contact.into(),
        name: name.into(),
        picture: String::new(),
        count,
        newest: 7,
    };
    watch.app.handle(Event::Missed(vec![missed("mum", "Mum", 2), missed("c9", "Grandpa", 1)]));
}

fn ringing_muted(watch: &Watch) {
    watch.app.handle(Event::Call(Call { muted: true, ..watch.call(CallState::Ringing, "Mum") }));
    watch.advance(2_700);
}

fn active_waiting(watch: &Watch) {
    let waiting = "Grandmother".into();
    watch.app.handle(Event::Call(Call { waiting, ..watch.call(CallState::Active, "Dad") }));
    watch.advance(83_000);
}

const CALLS: [(&str, bool, &str); 7] = [
    ("Mum", true, "missed"),
    ("Gran", false, "answered"),
    ("Dad", true, "answered"),
    ("Grandmother", true, "answered"),
    ("112", false, "answered"),
    ("Aunt", false, "unanswered"),
    ("Mum", true, "declined"),
];

/// With somebody who looks where the child is, and after that.
const LOOKED: [(&str, Show); 15] = [
    ("face-looks", |w| w.looks(&[], 3)),
    ("looked-face", |w| w.looks(&["Mum"], 3)),
    ("looked-face-two", |w| w.looks(&["Mum", "Dad"], 12)),
    ("looked-ringing", |w| {
        w.looks(&["Grandmother"], 1);
        w.app.handle(Event::Call(w.call(CallState::Ringing, "Mum")));
        w.advance(2_700);
    }),
    ("looked-active", |w| {
        w.looks(&["Dad"], 1);
        w.app.handle(Event::Call(w.call(CallState::Active, "Mum")));
        w.advance(83_000);
    }),
    ("looked-contacts", |w| {
        w.looks(&["Dad"], 1);
        w.tap(0.0, w.phone());
    }),
    ("looked-emergency", |w| {
        w.looks(&["Dad"], 1);
        w.app.handle(Event::Policy(PolicyState::Sealed));
        w.tap(-80.0, 122.0);
        w.advance(1_200);
    }),
    ("looked-search", |w| {
        w.looks(&["Mum"], 4);
        w.search(7, "Mum");
        w.advance(700);
    }),
    ("looked-lost", |w| {
        w.looks(&["Dad"], 4);
        w.lose();
    }),
    ("looked-keypad", |w| {
        w.looks(&["Dad"], 4);
        w.app.handle(Event::Call(w.call(CallState::Active, "Mum")));
        w.app.handle(Event::Touch(Touch::Keypad(true)));
    }),
    ("looked-calls", |w| {
        w.calls(&CALLS);
        w.looks(&["Dad"], 4);
        w.app.handle(Event::Touch(Touch::Calls));
        w.swipe((60.0, 0.0), (-90.0, 0.0));
    }),
    ("looked-person", |w| {
        w.calls(&CALLS);
        w.looks(&["Dad"], 4);
        w.app.handle(Event::Touch(Touch::Person("mum".into())));
    }),
    ("who-saw-me", |w| {
        w.looked(&["Dad", "Mum", "Grandmother", "Mum"]);
        w.looks(&[], 4);
        w.tap(0.0, w.counter());
    }),
    ("looked-who-saw-me", |w| {
        w.looked(&["Dad", "Mum", "Grandmother", "Mum"]);
        w.looks(&["Dad"], 4);
        w.tap(0.0, w.counter());
        w.swipe((60.0, 0.0), (-90.0, 0.0));
    }),
    ("looked-sorry", |w| {
        w.looks(&["Dad"], 1);
        sorry(w, "not-signed");
    }),
];

/// The screens as they are most of the time.
const SCREENS: [(&str, Show); 40] = [
    ("face", |_| {}),
    ("face-battery", |w| w.set_battery(72)),
    ("face-battery-low", |w| w.set_battery(15)),
    ("face-unbound", |w| w.app.handle(Event::Policy(PolicyState::Unbound))),
    ("face-no-signal", |w| {
        w.app.handle(Event::Telephony {
            call: Call::none(),
            contacts: Vec::new(),
            modem: ModemState::Absent,
            emergency: String::new(),
        });
    }),
    ("face-missed", missed),
    ("face-night", |w| w.set_time(jiff::civil::date(2026, 11, 23).at(20, 50, 5, 0))),
    ("search", |w| {
        w.search(7, "Mum");
        w.advance(700);
    }),
    ("search-long", |w| {
        w.search(7, "Grandmother");
        w.advance(400);
    }),
    ("lost", |w| w.lose()),
    ("lost-not-now", |w| {
        w.lose();
        w.tap(0.0, 30.0);
        w.app.handle(Event::Refused);
    }),
    ("lost-nobody", |w| {
        w.lose();
        w.telephony(Call::none(), &["mum"]);
    }),
    ("sealed", |w| w.app.handle(Event::Policy(PolicyState::Sealed))),
    ("contacts", |w| {
        w.tap(0.0, w.phone());
    }),
    ("contacts-last", |w| {
        w.tap(0.0, w.phone());
        w.swipe((60.0, 0.0), (-90.0, 0.0));
    }),
    ("contacts-calls", |w| {
        w.telephony(Call::none(), &["mum", "dad", "gran", "aunt", "bo"]);
        w.calls(&CALLS);
        w.tap(0.0, w.phone());
    }),
    ("calls", |w| {
        w.calls(&CALLS);
        w.app.handle(Event::Touch(Touch::Calls));
    }),
    ("person", |w| {
        w.calls(&CALLS);
        w.app.handle(Event::Touch(Touch::Person("mum".into())));
    }),
    ("ringing", |w| {
        w.app.handle(Event::Call(w.call(CallState::Ringing, "Mum")));
        w.advance(2_700);
    }),
    ("answering", |w| {
        w.app.handle(Event::Call(w.call(CallState::Ringing, "Mum")));
        w.advance(2_700);
        w.app.handle(Event::Touch(Touch::Answer));
        w.advance(700);
    }),
    ("ringing-early", |w| {
        w.app.handle(Event::Call(w.call(CallState::Ringing, "Grandpa")));
        w.advance(450);
    }),
    ("ringing-muted", ringing_muted),
    ("active-waiting", active_waiting),
    ("dialling", |w| {
        w.app.handle(Event::Call(w.call(CallState::Dialling, "Aunt")));
        w.advance(400);
    }),
    ("active", |w| {
        w.app.handle(Event::Call(w.call(CallState::Active, "Dad")));
        w.advance(83_000);
    }),
    ("keypad", |w| {
        w.app.handle(Event::Call(w.call(CallState::Active, "Dad")));
        w.app.handle(Event::Touch(Touch::Keypad(true)));
    }),
    ("keypad-typed", |w| {
        w.app.handle(Event::Call(w.call(CallState::Active, "Dad")));
        w.app.handle(Event::Touch(Touch::Keypad(true)));
        for key in "*2046810#".chars() {
            w.app.handle(Event::Touch(Touch::Tone(key.into())));
        }
    }),
    ("enrol", |w| {
        w.app.handle(Event::Policy(PolicyState::Unbound));
        w.ask();
        let left = std::time::Duration::from_secs(430);
        w.app.handle(Event::Code(Some(("01234567890123456789".into(), left))));
    }),
    ("emergency-dialled", |w| {
        w.app.handle(Event::Policy(PolicyState::Sealed));
        w.tap(-80.0, 122.0);
        w.advance(4_000);
    }),
    ("emergency", |w| {
        w.app.handle(Event::Policy(PolicyState::Sealed));
        w.tap(-80.0, 122.0);
        w.advance(1_200);
    }),
    ("face-apps", |w| w.apps(&["draw"])),
    ("drawer", |w| {
        w.apps(&["draw", "flood", "music", "xbeads"]);
        w.tap(42.0, w.apps_button());
    }),
    ("drawer-last", |w| {
        w.apps(&["a", "b", "c", "d", "draw"]);
        w.tap(42.0, w.apps_button());
        w.swipe((60.0, 0.0), (-90.0, 0.0));
    }),
    ("app-starting", |w| {
        w.apps(&["draw", "xbeads"]);
        w.tap(42.0, w.apps_button());
        w.tap(-72.0, -18.0);
    }),
    // Under these the app's own picture is black, so that what is above it is seen alone.
    ("app-alone", |w| above(w, 0)),
    ("app-minutes", |w| above(w, 299_000)),
    ("app-seconds", |w| above(w, 9_000)),
    ("app-time-up", |w| {
        above(w, 9_000);
        w.draw(AppState::Frozen, "time-up", 0);
    }),
    ("sorry-not-checked", |w| sorry(w, "not-signed")),
    ("sorry-stopped", |w| sorry(w, "flood")),
];

/// Shows each screen in turn; a fresh thread each, because Slint lives in a thread.
fn screens(size: (u32, u32), look: impl Fn(&str, &Watch, &[Pixel]) + Send + Sync) {
    for (name, show) in SCREENS.into_iter().chain(LOOKED) {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let watch = Watch::bound(size);
                watch.pixels();
                show(&watch);
                let pixels = watch.shot(name);
                look(name, &watch, &pixels);
            });
        });
    }
}

#[test]
fn nothing_is_drawn_outside_the_circle() {
    for size in SIZES.into_iter().filter(|(width, height)| width == height) {
        screens(size, |name, _, pixels| {
            let (width, radius) = (size.0 as usize, size.0 as f32 / 2.0);
            for (n, pixel) in pixels.iter().enumerate() {
                let (dx, dy) = ((n % width) as f32 + 0.5 - radius, (n / width) as f32 + 0.5 - radius);
                assert!(
                    dx.hypot(dy) < radius - 5.0 || pixel.rgb() == (0, 0, 0),
                    "{name} {size:?} draws at {dx},{dy} from the centre"
                );
            }
        });
    }
}

#[test]
fn a_tall_panel_shows_every_screen_within_its_edges() {
    screens((368, 448), |name, _, pixels| {
        let lit = pixels.iter().enumerate().filter(|(_, p)| p.rgb() != (0, 0, 0));
        for (n, _) in lit {
            let (x, y) = (n % 368, n / 368);
            assert!((4..364).contains(&x) && (4..444).contains(&y), "{name} draws at {x},{y}");
        }
    });
}

#[test]
fn text_and_targets_leave_the_rim_to_its_arc() {
    for size in SIZES.into_iter().filter(|(width, height)| width == height) {
        screens(size, |name, _, pixels| {
            let (width, radius) = (size.0 as usize, size.0 as f32 / 2.0);
            for (n, pixel) in pixels.iter().enumerate() {
                let (dx, dy) = ((n % width) as f32 + 0.5 - radius, (n / width) as f32 + 0.5 - radius);
                let between = (radius - 27.0..radius - 19.0).contains(&dx.hypot(dy));
                assert!(
                    !between || pixel.rgb() == (0, 0, 0),
                    "{name} {size:?} draws at {dx},{dy} from the centre"
                );
            }
        });
    }
}

#[test]
fn the_name_and_the_buttons_of_a_ringing_call_are_there() {
    on(SIZES[0], |watch| {
        watch.app.handle(Event::Call(watch.call(CallState::Ringing, "Mum")));
        watch.advance(2_500);
        assert_eq!(watch.at(100, 150), (0x28, 0xC7, 0x6F));
        assert_eq!(watch.at(-100, 150), (0xF0, 0x44, 0x3A));
        let name = watch.pixels();
        watch.app.handle(Event::Call(Call::none()));
        watch.app.handle(Event::Call(Call { name: "Dad".into(), ..watch.call(CallState::Ringing, "Mum") }));
        watch.advance(2_500);
        let other = watch.pixels();
        let line =
            |p: &[Pixel]| p[466 * 240..466 * 305].iter().filter(|p| p.rgb() == (255, 255, 255)).count();
        assert!(line(&name) > 300 && line(&other) > 300 && line(&name) != line(&other));
    });
}

#[test]
fn a26_a_name_no_typeface_knows_is_drawn_without_harm() {
    on(SIZES[0], |watch| {
        for name in [
            "妈妈",
            "\u{1F469}\u{200D}\u{1F467}",
            "\u{202E}muM",
            "أمي",
            "",
            "\u{0}\n\t",
            &"W".repeat(100_000),
        ] {
            watch
                .app
                .handle(Event::Call(Call { name: name.into(), ..watch.call(CallState::Ringing, "Mum") }));
            watch.shot("ringing-odd-name");
            watch.app.handle(Event::Call(Call::none()));
        }
        watch.app.handle(Event::Call(watch.call(CallState::Ringing, "Mum")));
        watch.advance(2_500);
        assert_eq!(watch.at(100, 150), (0x28, 0xC7, 0x6F));
    });
}

#[test]
fn the_rim_shows_a_battery_only_where_there_is_one() {
    on(SIZES[0], |watch| {
        assert_eq!(watch.at(221, 0), (0, 0, 0));
        watch.set_battery(72);
        assert_eq!((watch.at(221, 0), watch.at(0, 221)), ((0x35, 0xD3, 0x9A), (0x35, 0xD3, 0x9A)));
        assert_eq!(watch.at(-110, -192), (0x1A, 0x20, 0x30));
        watch.set_battery(15);
        assert_eq!(watch.at(110, -192), (0xFF, 0xC9, 0x3C));
    });
}

/// A thief reads nothing of the child on it: not who else is known, who looked, who called, or which apps there are.
#[test]
fn a_lost_watch_shows_nothing_but_the_guardian_who_is_called() {
    for size in SIZES {
        on(size, |watch| {
            watch.lose();
            let before = watch.pixels();
            watch.apps(&["draw", "music"]);
            watch.calls(&CALLS);
            missed(watch);
            watch.looked(&["Dad", "Mum"]);
            watch.looks(&[], 2);
            assert!(watch.pixels() == before);
            watch.tap(0.0, 30.0);
            assert_eq!(watch.commands(), [Command::Dial("mum".into())]);
            assert!(watch.pixels() != before, "the next one is Dad");
            watch.tap(0.0, 30.0);
            assert_eq!(watch.commands(), [Command::Dial("dad".into())]);
            assert!(watch.pixels() == before);
            watch.app.handle(Event::Lost(false));
            assert_eq!(watch.app.shell().get_page(), nestling_shell::Page::Face);
        });
    }
}

#[test]
fn a_stranger_is_not_told_of_and_so_changes_nothing() {
    on(SIZES[0], |watch| {
        let before = watch.pixels();
        // What telephonyd says while it turns a stranger away: the same as ever.
        watch.telephony(Call::none(), &["mum", "dad", "gran", "aunt"]);
        watch.app.handle(Event::Call(Call::none()));
        assert!(watch.pixels() == before);
    });
}

#[test]
fn a_second_changes_only_what_the_second_hand_covers() {
    on(SIZES[0], |watch| {
        watch.pixels();
        for _ in 0..10 {
            watch.advance(1_000);
            let damage = watch.panel.draw();
            let area = damage.iter().map(|r| (r.x2 - r.x1) * (r.y2 - r.y1)).sum::<usize>();
            assert!(area > 0 && area < 466 * 466 / 4, "{area} pixels for one second");
        }
    });
}

/// Slint's software renderer blends paths beside the damage; the panel must not show that.
#[test]
fn a_face_drawn_in_pieces_for_two_minutes_is_the_face_drawn_at_once() {
    let pixels = |step: u64| {
        let mut out = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let watch = Watch::bound(SIZES[0]);
                for _ in 0..120_000 / step {
                    watch.advance(step);
                    watch.pixels();
                }
                out = watch.pixels();
            });
        });
        out
    };
    let (pieces, whole) = (pixels(1_000), pixels(120_000));
    // Slint softens the edge of a rounded rectangle a little differently where damage cuts it: some thirty
    // pixels. Without the panel's second buffer there are thousands.
    let different = pieces.iter().zip(&whole).filter(|(a, b)| a != b).count();
    assert!(different < 100, "{different} pixels differ");
}

/// The pictures to look at: what a child sees of the watch above an app.
#[test]
fn the_watch_stands_above_an_app_and_the_app_shows_everywhere_else() {
    for size in SIZES {
        on(size, |watch| {
            watch.drawing(watch.now_ms() + 302_000);
            let pixels = watch.shot("above-nothing");
            let app = pixels.iter().filter(|p| [PAPER, INK].contains(&(p.0 | 0xff00_0000))).count();
            assert!(app * 100 > pixels.len() * 97, "{app} of {}", pixels.len());
            assert_eq!(watch.at(0, 172 - 20), (0xF0, 0x44, 0x3A), "help is one touch away");
            watch.advance(3_000);
            watch.shot("above-minutes");
            assert_eq!(watch.at(-130, 30), (0x1B, 0x21, 0x33), "the card is above the paper");
            watch.advance(10_000);
            assert!(watch.shot("above-nothing-again") == pixels);
            watch.draw(AppState::Frozen, "time-up", 0);
            watch.shot("above-time-up");
            assert_eq!(watch.at(-130, -20), (0x1B, 0x21, 0x33));
        });
    }
}

#[test]
fn a_call_above_an_app_leaves_nothing_of_it_to_see() {
    on(SIZES[0], |watch| {
        watch.app.handle(Event::Call(watch.call(CallState::Ringing, "Mum")));
        watch.advance(2_300);
        let alone = watch.pixels();
        watch.app.handle(Event::Call(Call::none()));
        watch.drawing(0);
        watch.pixels();
        watch.app.handle(Event::Call(watch.call(CallState::Ringing, "Mum")));
        watch.advance(2_300);
        assert!(watch.shot("above-call") == alone);
    });
}

#[test]
fn a_screen_that_stands_still_sets_no_timer() {
    on(SIZES[0], |watch| {
        watch.app.handle(Event::Policy(PolicyState::Sealed));
        watch.pixels();
        watch.advance(1_000);
        assert_eq!(slint::platform::duration_until_next_timer_update(), None);
        assert!(watch.panel.draw().is_empty());
    });
}

fn on(size: (u32, u32), test: impl FnOnce(&Watch) + Send) {
    std::thread::scope(|scope| {
        scope.spawn(|| test(&Watch::bound(size)));
    });
}
