//! An app as its compositor sees it.

#![allow(clippy::unwrap_used)]

mod fake;

use std::path::PathBuf;
use std::time::Duration;

use fake::Fake;
use wayland_server::protocol::wl_shm::Format;

const SIZE: (i32, i32) = (466, 466);
const PAPER: u32 = 0xff_f6_e0;
const SKY: u32 = 0x58_b4_ff;
const RED: u32 = 0xf0_44_3a;
const LEAF: u32 = 0x28_c7_6f;

fn ball() -> PathBuf {
    // target/release/deps/wayland-… and target/release/examples/ball
    std::env::current_exe().unwrap().parent().unwrap().with_file_name("examples").join("ball")
}

fn started() -> Fake {
    let mut fake = Fake::start(&ball(), SIZE);
    fake.first();
    fake
}

#[test]
fn the_first_picture_fills_the_screen_and_is_opaque() {
    let mut fake = started();
    let shot = fake.last();
    assert_eq!((shot.size, shot.format), ((466, 466), Format::Xrgb8888));
    assert_eq!(shot.damaged(), 466 * 466);
    assert_eq!((shot.at(0, 0), shot.at(465, 465), shot.at(100, 100)), (PAPER, PAPER, SKY));
    fake.until_said("screen 466x466");
}

#[test]
fn a_touch_moves_the_ball_and_damages_little() {
    let mut fake = started();
    fake.down(7, 233.0, 233.0);
    fake.until("red where it was", |s| s.shots.last().unwrap().at(100, 100) == RED);
    assert!(fake.last().damaged() <= 40 * 40 + 200, "{:?}", fake.last().damage);
    fake.motion(7, 240.0, 200.0);
    fake.until("moved", |s| s.shots.last().unwrap().at(240, 200) == RED);
    let shot = fake.last();
    assert_eq!(shot.at(100, 100), PAPER, "both buffers are brought up to date");
    assert!(shot.damaged() <= 2 * 40 * 40 + 400, "{:?}", shot.damage);
    fake.up(7);
    fake.until("sky", |s| s.shots.last().unwrap().at(240, 200) == SKY);
    fake.until_said("dropped at 240");
}

#[test]
fn a_second_finger_is_not_seen() {
    let mut fake = started();
    fake.down(1, 233.0, 233.0);
    fake.motion(1, 150.0, 150.0);
    fake.down(2, 400.0, 100.0);
    fake.motion(2, 420.0, 120.0);
    fake.up(2);
    fake.run(Duration::from_millis(200));
    assert_eq!(fake.last().at(150, 150), RED);
    assert!(!fake.said().contains("dropped"));
}

#[test]
fn a_cancelled_touch_is_no_tap() {
    let mut fake = started();
    fake.down(1, 233.0, 233.0);
    fake.until("red", |s| s.shots.last().unwrap().at(100, 100) == RED);
    fake.cancel();
    fake.until("let go", |s| s.shots.last().unwrap().at(100, 100) == SKY);
    fake.run(Duration::from_millis(100));
    assert!(!fake.said().contains("dropped"), "{}", fake.said());
    // And the next finger counts again.
    fake.down(5, 10.0, 10.0);
    fake.up(5);
    fake.until_said("dropped at 10");
}

#[test]
fn nothing_is_drawn_before_the_compositor_asks_and_an_animation_waits_without_waking() {
    let mut fake = Fake::start(&ball(), SIZE);
    fake.state.generous = false;
    fake.first();
    fake.down(1, 233.0, 233.0);
    fake.up(1);
    fake.until_said("dropped");
    fake.run(Duration::from_millis(200));
    assert_eq!(fake.state.shots.len(), 1);
    let before = fake.wakeups();
    fake.run(Duration::from_secs(1));
    assert!(fake.wakeups() - before <= 1, "an animation nobody sees costs nothing");
    fake.give_frames();
    fake.until("the next picture", |s| s.shots.len() == 2);
    fake.give_frames();
    fake.until("its end", |s| s.shots.last().unwrap().at(310, 310) == LEAF);
    // One that is seen moves: no frame without its picture.
    fake.down(1, 233.0, 233.0);
    fake.up(1);
    let shots = fake.state.shots.len();
    for _ in 0..30 {
        fake.give_frames();
        fake.run(Duration::from_millis(20));
    }
    assert_eq!(fake.last().at(210, 310), LEAF, "and back");
    assert!(fake.state.shots.len() > shots + 8);
}

#[test]
fn with_nothing_to_do_it_never_wakes() {
    let mut fake = started();
    fake.run(Duration::from_millis(500));
    let (before, shots) = (fake.wakeups(), fake.state.shots.len());
    fake.run(Duration::from_secs(4));
    assert_eq!(fake.wakeups(), before);
    assert_eq!(fake.state.shots.len(), shots);
}

#[test]
fn a_compositor_that_keeps_its_buffer_gets_whole_pictures_from_the_other() {
    let mut fake = Fake::start(&ball(), SIZE);
    fake.state.keeps = true;
    fake.first();
    fake.down(1, 100.0, 100.0);
    for step in 0..40 {
        let (x, y) = (100.0 + f64::from(step) * 7.0, 100.0 + f64::from(step % 5) * 40.0);
        fake.motion(1, x, y);
        fake.run(Duration::from_millis(10));
        let at = |s: &fake::Shot| s.at(x as usize, y as usize) == RED;
        fake.until("the ball is there", |s| s.shots.last().is_some_and(at));
        let red = fake.last().pixels.iter().filter(|p| **p == RED).count();
        assert_eq!(red, 40 * 40, "one ball and no trace of another");
    }
}

#[test]
fn pings_and_new_sizes_are_answered() {
    let mut fake = started();
    let serial = fake.ping();
    fake.until("pong", |s| s.pongs == [serial]);
    let serial = fake.configure(368, 448);
    fake.until("the new size", |s| s.shots.last().unwrap().size == (368, 448));
    assert!(fake.state.acked.contains(&serial));
    let shot = fake.last();
    assert_eq!(shot.damaged(), 368 * 448);
    assert_eq!((shot.at(0, 0), shot.at(367, 447), shot.at(100, 100)), (PAPER, PAPER, SKY));
    // Advice beyond reason.
    fake.configure(-5, 0);
    fake.until("the reference", |s| s.shots.last().unwrap().size == (466, 466));
}

#[test]
fn closing_runs_the_hook_and_ends_well() {
    let mut fake = started();
    fake.close();
    let status = fake.end();
    assert!(status.success(), "{status} {}", fake.said());
    fake.until_said("closed");
}

#[test]
fn a_compositor_that_dies_is_told_and_no_panic() {
    let mut fake = started();
    fake.vanish();
    let status = fake.end();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(status.code(), Some(1));
    let said = fake.said();
    assert!(said.contains("the compositor is gone") && said.contains("closed"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn without_a_display_it_says_so() {
    let run = |socket: Option<&str>| {
        let mut command = std::process::Command::new(ball());
        command.env_clear();
        if let Some(socket) = socket {
            command.env("WAYLAND_SOCKET", socket);
        }
        let out = command.output().unwrap();
        assert_eq!(out.status.code(), Some(1));
        let said = String::from_utf8(out.stderr).unwrap();
        assert!(said.starts_with("no display: ") && !said.contains("panicked"), "{said}");
    };
    run(None);
    run(Some("77"));
    run(Some("three"));
}
