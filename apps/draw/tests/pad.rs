//! The pad as a child and a compositor see it: the real program, real pixels, a finger.

#![allow(clippy::unwrap_used)]

#[path = "../../../crates/app/tests/fake/mod.rs"]
mod fake;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use app::{Circle, Screen};
use draw::layout::Layout;
use draw::store::{Picture, Store};
use fake::Fake;
use tempfile::TempDir;

const PAPER: u32 = 0xff_f6_e0;
const RED: u32 = 0xf0_44_3a;

fn start(home: &Path, screen: Screen) -> Fake {
    let mut command = Command::new(env!("CARGO_BIN_EXE_draw"));
    command.env_clear().env("HOME", home);
    let mut fake = Fake::start_with(command, (screen.width as i32, screen.height as i32));
    fake.first();
    fake
}

fn tap(fake: &mut Fake, spot: Circle) {
    fake.down(0, f64::from(spot.x), f64::from(spot.y));
    fake.run(Duration::from_millis(40));
    fake.up(0);
    fake.run(Duration::from_millis(220));
}

/// A finger through places, 60 times a second.
fn stroke(fake: &mut Fake, places: impl IntoIterator<Item = (f64, f64)>) {
    let mut down = false;
    for (x, y) in places {
        if down {
            fake.motion(0, x, y);
        } else {
            fake.down(0, x, y);
        }
        down = true;
        fake.run(Duration::from_millis(16));
    }
    fake.up(0);
    fake.run(Duration::from_millis(60));
}

fn shot(fake: &Fake, name: &str) {
    let shot = fake.last();
    let pixels = shot.pixels.iter().flat_map(|p| [(p >> 16) as u8, (p >> 8) as u8, *p as u8]).collect();
    let size = (shot.size.0 as u32, shot.size.1 as u32);
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("draw/{}x{}-{name}", size.0, size.1));
    fs::create_dir_all(&folder).unwrap();
    Store::new(&folder).write(&Picture { size, pixels }).unwrap();
}

fn kept(home: &TempDir, screen: Screen) -> Option<Picture> {
    Store::new(home.path()).read((screen.width, screen.height))
}

/// A house, grass and a sun, as a child draws them.
fn scene(fake: &mut Fake, screen: Screen, layout: &Layout) {
    let (cx, cy) = (f64::from(screen.width) / 2.0, f64::from(screen.height) / 2.0);
    let scale = f64::from(screen.radius()) / 233.0;
    let at = move |x: f64, y: f64| (cx + x * scale, cy + y * scale);
    let line = |from: (f64, f64), to: (f64, f64)| {
        (0..=8).map(move |n| {
            let part = f64::from(n) / 8.0;
            (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part)
        })
    };
    let roof = [at(-60.0, 5.0), at(-5.0, -55.0), at(50.0, 5.0), at(-60.0, 5.0)];
    stroke(fake, roof.windows(2).flat_map(|p| line(p[0], p[1])));
    tap(fake, layout.paints[3]);
    let walls = [at(-45.0, 10.0), at(-45.0, 70.0), at(38.0, 70.0), at(38.0, 10.0)];
    stroke(fake, walls.windows(2).flat_map(|p| line(p[0], p[1])));
    tap(fake, layout.paints[2]);
    tap(fake, layout.brushes[2]);
    stroke(fake, (0..30).map(|n| at(-105.0 + f64::from(n) * 7.0, 92.0 + (f64::from(n) * 0.9).sin() * 7.0)));
    tap(fake, layout.paints[1]);
    stroke(fake, [at(82.0, -48.0), at(83.0, -47.0)]);
    tap(fake, layout.brushes[0]);
    for n in 0..8 {
        let (sin, cos) = (f64::from(n) * std::f64::consts::TAU / 8.0).sin_cos();
        stroke(
            fake,
            line(at(82.0 + cos * 24.0, -48.0 + sin * 24.0), at(82.0 + cos * 34.0, -48.0 + sin * 34.0)),
        );
    }
    tap(fake, layout.paints[4]);
    tap(fake, layout.brushes[1]);
}

#[test]
fn every_screen_shows_the_page_and_the_tools() {
    for screen in Screen::ALL {
        let home = TempDir::new().unwrap();
        let mut fake = start(home.path(), screen);
        let layout = Layout::new(screen, 6, 3);
        fake.run(Duration::from_millis(300));
        assert_eq!(fake.last().at(screen.width as usize / 2, screen.height as usize / 2), PAPER);
        shot(&fake, "empty");
        scene(&mut fake, screen, &layout);
        shot(&fake, "scene");
        let paints = [RED, 0xff_c9_3c, 0x28_c7_6f, 0x3f_9b_f0, 0x9b_6b_f2, 0x2a_22_38];
        for (spot, paint) in layout.paints.iter().zip(paints) {
            assert_eq!(fake.last().at(spot.x as usize, spot.y as usize), paint, "{screen:?} {spot:?}");
        }
    }
}

#[test]
fn a_stroke_damages_little_and_costs_little() {
    let home = TempDir::new().unwrap();
    let mut fake = start(home.path(), Screen::REFERENCE);
    fake.run(Duration::from_millis(700));
    let (shots, cpu) = (fake.state.shots.len(), fake.cpu());
    let circle = (0..120).map(|n| {
        let (sin, cos) = (f64::from(n) / 19.0).sin_cos();
        (233.0 + 90.0 * cos, 233.0 + 90.0 * sin)
    });
    stroke(&mut fake, circle);
    let cpu = fake.cpu().saturating_sub(cpu);
    let new = &fake.state.shots[shots..];
    let damage = new.iter().map(fake::Shot::damaged).collect::<Vec<_>>();
    let mean = damage.iter().sum::<i32>() / damage.len() as i32;
    println!("{} frames, {mean} pixels each at most {:?}, {cpu:?} of 2 s", new.len(), damage.iter().max());
    assert!(new.len() > 60);
    assert!(mean < 466 * 466 / 12, "{mean} of {}", 466 * 466);
    assert!(damage.iter().all(|d| *d < 466 * 466 / 6), "{damage:?}");
    // Generous, because the machine is shared: it is about 60 ms.
    assert!(cpu < Duration::from_millis(600), "{cpu:?}");
}

#[test]
fn what_was_drawn_is_kept_by_a_kill_and_is_there_again() {
    let home = TempDir::new().unwrap();
    let mut fake = start(home.path(), Screen::REFERENCE);
    stroke(&mut fake, [(150.0, 233.0), (300.0, 233.0)]);
    fake.run(Duration::from_secs(1));
    drop(fake);
    assert!(kept(&home, Screen::REFERENCE).is_some());
    let fake = start(home.path(), Screen::REFERENCE);
    assert_eq!(fake.last().at(225, 233), RED);
    assert_eq!(fake.last().at(225, 200), PAPER);
}

#[test]
fn a_stroke_that_does_not_end_is_kept_too() {
    let home = TempDir::new().unwrap();
    let mut fake = start(home.path(), Screen::REFERENCE);
    fake.down(0, 150.0, 233.0);
    fake.motion(0, 200.0, 233.0);
    fake.run(Duration::from_secs(1));
    drop(fake);
    let picture = kept(&home, Screen::REFERENCE).unwrap();
    assert_eq!(picture.pixels[(233 * 466 + 175) * 3..][..3], [0xf0, 0x44, 0x3a]);
}

#[test]
fn a_clean_end_keeps_the_last_moment() {
    let home = TempDir::new().unwrap();
    let mut fake = start(home.path(), Screen::REFERENCE);
    fake.down(0, 233.0, 233.0);
    fake.until("a dot", |s| s.shots.last().unwrap().at(233, 233) == RED);
    fake.close();
    assert!(fake.end().success(), "{}", fake.said());
    assert!(kept(&home, Screen::REFERENCE).is_some());
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing else lies about");
}

#[test]
fn a_compositor_that_dies_takes_no_drawing_with_it() {
    let home = TempDir::new().unwrap();
    let mut fake = start(home.path(), Screen::REFERENCE);
    fake.down(0, 233.0, 233.0);
    fake.until("a dot", |s| s.shots.last().unwrap().at(233, 233) == RED);
    fake.vanish();
    assert_eq!(fake.end().code(), Some(1));
    assert!(kept(&home, Screen::REFERENCE).is_some());
}

#[test]
fn the_way_home_leaves_no_mark() {
    let home = TempDir::new().unwrap();
    let mut fake = start(home.path(), Screen::REFERENCE);
    fake.down(0, 150.0, 233.0);
    fake.motion(0, 233.0, 233.0);
    fake.until("a mark", |s| s.shots.last().unwrap().at(200, 233) == RED);
    fake.cancel();
    fake.until("none", |s| s.shots.last().unwrap().at(200, 233) == PAPER);
}

#[test]
fn undo_and_a_new_page_that_asks_nothing() {
    let home = TempDir::new().unwrap();
    let mut fake = start(home.path(), Screen::REFERENCE);
    let layout = Layout::new(Screen::REFERENCE, 6, 3);
    stroke(&mut fake, [(150.0, 200.0), (300.0, 200.0)]);
    stroke(&mut fake, [(150.0, 260.0), (300.0, 260.0)]);
    tap(&mut fake, layout.new_page);
    let seen = |fake: &Fake| [200, 260].map(|y| fake.last().at(225, y) == RED);
    assert_eq!(seen(&fake), [false, false]);
    tap(&mut fake, layout.undo);
    assert_eq!(seen(&fake), [true, true]);
    tap(&mut fake, layout.undo);
    assert_eq!(seen(&fake), [true, false]);
    tap(&mut fake, layout.undo);
    tap(&mut fake, layout.undo);
    assert_eq!(seen(&fake), [false, false]);
}

#[test]
fn a_page_nobody_touches_sleeps() {
    let home = TempDir::new().unwrap();
    let mut fake = start(home.path(), Screen::REFERENCE);
    stroke(&mut fake, [(150.0, 200.0), (300.0, 200.0)]);
    fake.run(Duration::from_millis(1_500));
    let before = fake.wakeups();
    fake.run(Duration::from_secs(3));
    assert_eq!(fake.wakeups(), before);
}
