//! Apps that want all memory, or all time of the thread that draws. The shell keeps both.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod world;

use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use compositor::{Config, Event, Rate, Reason};
use wayland_client::protocol::wl_buffer::WlBuffer;
use world::{Client, HEIGHT, Paper, Shell, WIDTH, id, message};

/// A screen larger than the watch's.
const SIDE: u32 = 1000;

/// A window, acknowledged, that wishes for `count` states and acknowledges only what it is told to.
fn wishes(client: &mut Client, count: usize) -> bool {
    let toplevel = client.xdg.as_ref().unwrap().1.clone();
    for _ in 0..count {
        toplevel.set_maximized();
    }
    client.try_round()
}

#[test]
fn a43_a_window_that_asks_for_states_is_answered_once_and_again_when_it_acknowledged() {
    let shell = Shell::start();
    let (_, mut client) = shell.drawn();
    client.told.acks = false;
    let before = client.told.serials.len();
    assert!(wishes(&mut client, 500));
    assert_eq!(client.told.serials.len(), before + 1);
    let xdg = client.xdg.as_ref().unwrap().0.clone();
    for answers in 2..20 {
        xdg.ack_configure(*client.told.serials.last().unwrap());
        client.round();
        assert_eq!(client.told.serials.len(), before + answers, "the wishes that waited, in one");
        assert!(wishes(&mut client, 500));
        assert_eq!(client.told.serials.len(), before + answers);
    }
    xdg.ack_configure(*client.told.serials.last().unwrap());
    client.round();
    let count = client.told.serials.len();
    xdg.ack_configure(*client.told.serials.last().unwrap());
    client.round();
    assert_eq!(client.told.serials.len(), count, "nothing was wished for meanwhile");
}

#[test]
fn a_window_that_asks_for_a_state_before_its_first_commit_is_configured_once() {
    let shell = Shell::start();
    let (session, mut client) = shell.client();
    let (surface, handle) = (client.new_surface(), client.handle());
    let xdg = client.told.wm_base.as_ref().unwrap().get_xdg_surface(&surface, &handle, ());
    let toplevel = xdg.get_toplevel(&handle, ());
    toplevel.set_fullscreen(None);
    client.round();
    assert_eq!(client.told.configured, 0);
    surface.commit();
    client.round();
    assert_eq!(client.told.configured, 1);
    assert_eq!(client.told.size, (WIDTH as i32, HEIGHT as i32));
    client.draw_on(&surface, &Paper::new(WIDTH, HEIGHT, 0xffff_ffff));
    client.round();
    assert_eq!(shell.event(), Event::FirstFrame(session));
}

/// Each time it hides its window it must be configured anew.
#[test]
fn a43_a_window_that_comes_and_goes_and_acknowledges_only_the_oldest_is_a_flood() {
    let shell = Shell::start();
    let (session, mut client) = shell.drawn();
    client.told.acks = false;
    let (surface, xdg) = (client.surface.clone().unwrap(), client.xdg.as_ref().unwrap().0.clone());
    std::thread::spawn(move || {
        let oldest = client.told.serials.len();
        for _ in 0..50 {
            surface.attach(None, 0, 0);
            surface.commit();
            surface.commit();
            if !client.try_round() {
                break;
            }
            if client.told.serials.len() == oldest + 20 {
                xdg.ack_configure(client.told.serials[oldest]);
            }
        }
    });
    assert_eq!(shell.ended(session), Reason::Flood);
    shell.still_works();
}

#[test]
fn a43_many_regions_of_many_rectangles_are_a_flood_and_a_few_are_not() {
    let shell = Shell::start();
    let (session, mut client) = shell.drawn();
    let compositor = client.told.compositor.clone().unwrap();
    let handle = client.handle();
    let mut made = Vec::new();
    while made.len() < 8 {
        let region = compositor.create_region(&handle, ());
        (0..1_000).for_each(|x| region.add(x, 0, 1, 1));
        made.push(region);
        client.round();
    }
    // What is destroyed counts no more.
    made.drain(..).for_each(|region| region.destroy());
    client.round();
    std::thread::spawn(move || {
        loop {
            let region = compositor.create_region(&handle, ());
            (0..1_000).for_each(|x| region.add(x, 0, 1, 1));
            if !client.try_round() {
                break;
            }
            made.push(region);
            assert!(made.len() <= 8);
        }
    });
    assert_eq!(shell.ended(session), Reason::Flood);
    shell.still_works();
}

/// A window under 15 others that lie on all of it, each shown at half its size, half transparent.
fn pile(client: &mut Client) -> WlBuffer {
    client.told.keeps = true;
    let root = client.window();
    let buffer = client.buffer(&Paper::new(SIDE * 2, SIDE * 2, 0x80ff_0000).argb());
    let handle = client.handle();
    let viewporter = client.told.viewporter.clone().unwrap();
    let subcompositor = client.told.subcompositor.clone().unwrap();
    let show = |surface: &wayland_client::protocol::wl_surface::WlSurface| {
        viewporter.get_viewport(surface, &handle, ()).set_destination(SIDE as i32, SIDE as i32);
        surface.attach(Some(&buffer), 0, 0);
        surface.damage(0, 0, i32::MAX, i32::MAX);
        surface.commit();
    };
    for _ in 0..15 {
        let child = client.new_surface();
        subcompositor.get_subsurface(&child, &root, &handle, ()).set_desync();
        show(&child);
    }
    show(&root);
    buffer
}

/// The shell's thread shows an alarm: it must never wait for an app. The old server drew behind the lock.
#[test]
fn a43_the_shell_never_waits_long_for_a_picture_however_the_app_draws() {
    let mut config = Config::new(SIDE, SIDE);
    // It is let draw as long as it likes: the next test ends it.
    config.limits.screens = Rate { per_second: 4_000, burst: 4_000 };
    (config.limits.work, config.limits.busy) = (Duration::from_secs(20), Duration::from_secs(20));
    let shell = Shell::with(config);
    let (session, stream) = shell.attach();
    let app = std::thread::spawn(move || {
        let mut client = Client::connect(stream);
        let _buffer = pile(&mut client);
        let surface = id(client.surface.as_ref().unwrap());
        let mut frame = message(surface, 2, &[0, 0, SIDE, SIDE]);
        frame.extend(message(surface, 6, &[]));
        let _ = client.connection.flush();
        let mut socket = UnixStream::from(client.connection.as_fd().try_clone_to_owned().unwrap());
        socket.set_nonblocking(false).unwrap();
        while socket.write_all(&frame).is_ok() {
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    let (mut longest, mut frames) = (Duration::ZERO, 0);
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end {
        if let Ok(event) = shell.events.recv_timeout(Duration::from_millis(5)) {
            assert!(!matches!(event, Event::Ended(..)), "{event:?}");
            frames += 1;
            shell.compositor.shown(session);
        }
        let start = Instant::now();
        shell.compositor.picture(|picture| assert_eq!(picture.pixels.len(), (SIDE * SIDE) as usize));
        longest = longest.max(start.elapsed());
    }
    println!("{longest:?} at most, {frames} frames");
    assert!(frames > 1, "it did draw");
    assert!(longest < Duration::from_millis(150), "{longest:?}");
    shell.compositor.end(session);
    assert_eq!(shell.ended(session), Reason::Ended);
    app.join().unwrap();
}

#[test]
fn a43_an_app_that_lets_more_be_drawn_than_a_screen_can_show_is_a_flood() {
    let mut config = Config::new(SIDE, SIDE);
    (config.limits.work, config.limits.busy) = (Duration::from_secs(20), Duration::from_secs(20));
    config.limits.screens = Rate { per_second: 1, burst: 40 };
    let shell = Shell::with(config);
    let (session, mut client) = shell.client();
    std::thread::spawn(move || {
        let _buffer = pile(&mut client);
        let surface = client.surface.clone().unwrap();
        for _ in 0..20 {
            if !client.try_round() {
                break;
            }
            surface.damage(0, 0, i32::MAX, i32::MAX);
            surface.commit();
        }
    });
    assert_eq!(shell.ended(session), Reason::Flood);
}

#[test]
fn a43_a_turn_that_takes_much_processor_time_is_a_flood_although_it_ends() {
    let mut config = Config::new(SIDE, SIDE);
    config.limits.work = Duration::from_millis(20);
    let shell = Shell::with(config);
    let (session, stream) = shell.attach();
    std::thread::spawn(move || {
        let mut client = Client::connect(stream);
        let _buffer = pile(&mut client);
        client.try_round();
    });
    assert_eq!(shell.ended(session), Reason::Flood);
}
