//! What an app costs. Alone in its process, because it counts what the server's threads do.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod world;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use compositor::{Config, Event, Touch};
use world::{Paper, Shell, server_threads};

/// One measurement at a time.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn a_static_app_and_no_app_cost_no_wakeup() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let shell = Shell::limited(|limits| limits.ping_every = Duration::from_millis(100));
    std::thread::sleep(Duration::from_millis(100));
    let before = server_threads();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(server_threads(), before, "no app");

    let (session, mut client) = shell.drawn();
    shell.compositor.touch(session, Touch::Down(1.0, 1.0));
    shell.compositor.touch(session, Touch::Up);
    client.until(Duration::from_millis(300), |_| false);
    assert!(client.told.pings > 0);
    let before = server_threads();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(server_threads(), before, "a static app");
}

/// The watch's screen, all of it new in every frame. The limit is loose: machines differ, mistakes do more.
#[test]
fn a_whole_frame_costs_less_than_a_millisecond() {
    const FRAMES: u32 = 100;
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let shell = Shell::with(Config::new(466, 466));
    let (session, mut client) = shell.client();
    client.window();
    client.told.keeps = true;
    let surface = client.surface.clone().unwrap();
    let buffers = [0xffff_0000, 0xff00_ff00].map(|color| client.buffer(&Paper::new(466, 466, color)));
    let before = server_threads();
    let start = Instant::now();
    for frame in 0..FRAMES {
        client.frame();
        surface.attach(Some(&buffers[frame as usize % 2]), 0, 0);
        surface.damage_buffer(0, 0, 466, 466);
        surface.commit();
        let _ = client.connection.flush();
        assert_ne!(shell.event(), Event::Ended(session, compositor::Reason::Flood));
        shell.compositor.picture(|picture| assert_eq!(picture.damage.len(), 1));
        shell.compositor.shown(session);
        assert!(client.until(Duration::from_secs(3), |told| told.called.len() > frame as usize));
    }
    let ran = Duration::from_nanos(server_threads().1 - before.1) / FRAMES;
    println!("{ran:?} of processor time a frame, {} frames a second", {
        f64::from(FRAMES) / start.elapsed().as_secs_f64()
    });
    assert!(ran < Duration::from_millis(1), "{ran:?}");
}
