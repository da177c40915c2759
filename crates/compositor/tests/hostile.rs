//! Apps that want to take the watch down with them. After each the next app works.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod world;

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use compositor::{Compositor, Config, Event, Limits, Rate, Reason, Session, Touch};
use wayland_client::protocol::wl_shm::Format;
use world::{Client, HEIGHT, Paper, Shell, WIDTH, id, memory, message};

/// Writes the same bytes again and again from a thread that never reads.
fn pour(client: &Client, piece: Vec<u8>, times: usize) {
    let mut socket = std::os::unix::net::UnixStream::from(
        client.connection.as_fd().try_clone_to_owned().expect("a copy of the socket"),
    );
    socket.set_nonblocking(false).unwrap();
    std::thread::spawn(move || {
        for _ in 0..times {
            if socket.write_all(&piece).is_err() {
                break;
            }
        }
    });
}

/// Reads and forgets all that comes.
fn drain(client: &Client) {
    let mut socket =
        std::os::unix::net::UnixStream::from(client.connection.as_fd().try_clone_to_owned().unwrap());
    std::thread::spawn(move || {
        let mut piece = [0; 8192];
        while let Ok(count) = socket.read(&mut piece) {
            if count == 0 {
                break;
            }
        }
    });
}

/// The flood is over soon, and the next app comes up.
fn ended_soon(shell: &Shell, session: Session, reason: Reason) {
    let start = Instant::now();
    assert_eq!(shell.ended(session), reason);
    println!("ended after {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    shell.still_works();
}

#[test]
fn a43_a_flood_of_commits_ends_the_app_and_not_the_thread() {
    let shell = Shell::start();
    let (session, mut client) = shell.client();
    let surface = client.window();
    pour(&client, message(id(&surface), 6, &[]).repeat(100), 100_000);
    ended_soon(&shell, session, Reason::Flood);
}

/// Who kills it has time to say why, before it is gone by itself.
#[test]
fn an_app_that_broke_a_rule_learns_of_it_when_the_shell_ends_its_session() {
    let shell = Shell::start();
    let (session, mut client) = shell.client();
    let surface = client.window();
    let mut socket =
        std::os::unix::net::UnixStream::from(client.connection.as_fd().try_clone_to_owned().unwrap());
    pour(&client, message(id(&surface), 6, &[]).repeat(100), 100_000);
    assert_eq!(shell.ended(session), Reason::Flood);
    // What was sent before is still there to read; then there is nothing, and no end either.
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut rest = [0; 8192];
    let end = loop {
        match socket.read(&mut rest) {
            Ok(0) => break None,
            Ok(_) => {}
            Err(error) => break Some(error.kind()),
        }
    };
    assert_eq!(end, Some(std::io::ErrorKind::WouldBlock), "it is still connected");
    shell.compositor.end(session);
    socket.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    // The end, or a reset because what it poured was never read.
    assert!(!matches!(socket.read(&mut rest), Ok(1..)));
    shell.still_works();
}

#[test]
fn a43_a_flood_of_whole_frames_ends_the_app() {
    let shell = Shell::start();
    let (session, mut client) = shell.drawn();
    let surface = client.surface.clone().unwrap();
    let buffer = client.buffer(&Paper::new(WIDTH, HEIGHT, 0xff00_ff00));
    client.round();
    let mut frame = message(id(&surface), 1, &[id(&buffer), 0, 0]);
    frame.extend(message(id(&surface), 9, &[0, 0, WIDTH, HEIGHT]));
    frame.extend(message(id(&surface), 6, &[]));
    pour(&client, frame, 1_000_000);
    ended_soon(&shell, session, Reason::Flood);
}

#[test]
fn a43_sixty_frames_a_second_are_no_flood() {
    let shell = Shell::start();
    let (session, mut client) = shell.drawn();
    let start = Instant::now();
    for frame in 0..120u32 {
        client.frame();
        client.draw(&Paper::new(WIDTH, HEIGHT, 0xff00_0000 | frame));
        client.round();
        let next = start + Duration::from_micros(16_667) * frame;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    assert_eq!(shell.event(), Event::Frame(session));
    assert_eq!(shell.pixel(0, 0), 0xff00_0077);
}

#[test]
fn a43_a_flood_that_the_library_answers_by_itself_ends_the_app() {
    let shell = Shell::start();
    let (session, client) = shell.client();
    drain(&client);
    // wl_display.sync: the new id is given back at once and used again.
    let sync = message(1, 0, &[free_id(&client)]);
    pour(&client, sync.repeat(200), 100_000);
    ended_soon(&shell, session, Reason::Flood);
}

/// The next object id the server accepts from the client.
fn free_id(client: &Client) -> u32 {
    let surface = client.new_surface();
    let _ = client.connection.flush();
    id(&surface) + 1
}

#[test]
fn a43_registries_and_regions_and_surfaces_without_end_are_refused() {
    for (what, make) in makers() {
        let shell = Shell::start();
        let (session, mut client) = shell.client();
        std::thread::spawn(move || {
            for _ in 0..500 {
                for _ in 0..10 {
                    make(&mut client);
                }
                if !client.try_round() {
                    break;
                }
            }
        });
        assert_eq!(shell.ended(session), Reason::Flood, "{what}");
        shell.still_works();
    }
}

type Maker = (&'static str, fn(&mut Client));

fn makers() -> [Maker; 7] {
    [
        ("registries", |client| {
            client.connection.display().get_registry(&client.handle(), ());
        }),
        ("surfaces", |client| drop(client.new_surface())),
        ("regions", |client| {
            client.told.compositor.as_ref().unwrap().create_region(&client.handle(), ());
        }),
        ("rectangles", |client| {
            let region = client.told.compositor.as_ref().unwrap().create_region(&client.handle(), ());
            for _ in 0..1_100 {
                region.add(0, 0, 1, 1);
            }
            region.destroy();
        }),
        ("damage", |client| {
            let surface = client.surface.clone().unwrap_or_else(|| client.new_surface());
            client.surface = Some(surface.clone());
            surface.damage(0, 0, 1, 1);
        }),
        ("callbacks", |client| {
            let surface = client.surface.clone().unwrap_or_else(|| client.new_surface());
            client.surface = Some(surface.clone());
            surface.frame(&client.handle(), ());
        }),
        ("pools", |client| {
            let fd = memory(4096);
            client.pool(&fd, 4096);
            let _ = client.connection.flush();
        }),
    ]
}

#[test]
fn a43_files_stay_counted_while_buffers_hold_them() {
    let shell = Shell::start();
    let (session, mut client) = shell.client();
    // It waits for an answer that does not come once its session is over.
    std::thread::spawn(move || {
        for _ in 0..100 {
            // The pool is destroyed at once, its buffer lives.
            client.buffer(&Paper::new(1, 1, 0));
            if !client.try_round() {
                break;
            }
        }
    });
    assert_eq!(shell.ended(session), Reason::Flood);
    shell.still_works();
}

#[test]
fn a43_descriptors_that_nobody_asked_for_end_the_app() {
    let shell = Shell::start();
    let (session, stream) = shell.attach();
    let fds: Vec<_> = (0..20).map(|_| memory(1)).collect();
    let fds: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
    for _ in 0..8 {
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(20))];
        let mut control = rustix::net::SendAncillaryBuffer::new(&mut space);
        control.push(rustix::net::SendAncillaryMessage::ScmRights(&fds));
        let bytes = message(1, 1, &[2])[..4].to_vec();
        let flags = rustix::net::SendFlags::NOSIGNAL;
        let slices = [std::io::IoSlice::new(&bytes)];
        if rustix::net::sendmsg(&stream, &slices, &mut control, flags).is_err() {
            break;
        }
    }
    let reason = shell.ended(session);
    assert!(matches!(reason, Reason::Flood | Reason::Protocol), "{reason:?}");
    shell.still_works();
}

#[test]
fn a43_an_app_that_never_reads_is_silent_and_takes_no_memory() {
    let shell = Shell::limited(|limits| {
        limits.pong = Duration::from_millis(400);
        limits.requests = Rate { per_second: 1_000_000, burst: 1_000_000 };
        limits.bytes = Rate { per_second: 100_000_000, burst: 100_000_000 };
    });
    let (session, client) = shell.client();
    let base = free_id(&client);
    let sync = message(1, 0, &[base]);
    pour(&client, sync.repeat(300), 1_000_000);
    ended_soon(&shell, session, Reason::Silent);
}

#[test]
fn a43_buffers_larger_than_twice_the_screen_are_refused_before_they_are_read() {
    let huge = 1 << 30;
    for (width, height, stride) in [
        (WIDTH as i32 * 2 + 1, 1, WIDTH as i32 * 8 + 4),
        (1, HEIGHT as i32 * 2 + 1, 4),
        (1, 1, 64 * 1024 + 4),
        (16_384, 16_384, 65_536),
    ] {
        let shell = Shell::start();
        let (session, mut client) = shell.client();
        let surface = client.window();
        let fd = memory(huge);
        let pool = client.pool(&fd, huge as i32);
        let handle = client.handle();
        let buffer = pool.create_buffer(0, width, height, stride, Format::Xrgb8888, &handle, ());
        surface.attach(Some(&buffer), 0, 0);
        surface.commit();
        assert!(!client.try_round());
        assert_eq!(shell.ended(session), Reason::TooLarge, "{width} {height} {stride}");
        let blocks = rustix::fs::fstat(&fd).unwrap().st_blocks;
        assert_eq!(blocks, 0, "nothing of it was touched");
        shell.still_works();
    }
}

#[test]
fn a43_a_buffer_that_does_not_fit_its_pool_is_refused() {
    for (offset, width, height, stride) in [
        (4, 10, 10, 40),
        (-4, 10, 10, 40),
        (0, -10, 10, 40),
        (0, 10, 0, 40),
        (0, 10, 10, 36),
        (0, 10, 10, -40),
        (i32::MAX, 10, 10, 40),
        (0, 10, i32::MAX, 40),
    ] {
        let shell = Shell::start();
        let (session, mut client) = shell.client();
        let pool = client.pool(&memory(400), 400);
        pool.create_buffer(offset, width, height, stride, Format::Xrgb8888, &client.handle(), ());
        assert!(!client.try_round());
        assert_eq!(shell.ended(session), Reason::Protocol, "{offset} {width} {height} {stride}");
        shell.still_works();
    }
}

#[test]
fn a43_pools_of_no_size_and_pools_that_shrink_are_refused() {
    for (size, resize) in [(0, None), (-1, None), (400, Some(0)), (400, Some(-1)), (400, Some(399))] {
        let shell = Shell::start();
        let (session, mut client) = shell.client();
        let pool = client.pool(&memory(400), size);
        if let Some(size) = resize {
            pool.resize(size);
        }
        assert!(!client.try_round());
        assert_eq!(shell.ended(session), Reason::Protocol, "{size} {resize:?}");
        shell.still_works();
    }
}

#[test]
fn a43_memory_that_is_truncated_under_a_frame_ends_the_app() {
    let shell = Shell::start();
    let (session, mut client) = shell.client();
    let surface = client.window();
    let size = WIDTH * HEIGHT * 4;
    let fd = memory(u64::from(size));
    let pool = client.pool(&fd, size as i32);
    let (width, height) = (WIDTH as i32, HEIGHT as i32);
    let handle = client.handle();
    let buffer = pool.create_buffer(0, width, height, width * 4, Format::Xrgb8888, &handle, ());
    client.round();
    rustix::fs::ftruncate(&fd, 100).unwrap();
    surface.attach(Some(&buffer), 0, 0);
    surface.damage(0, 0, width, height);
    surface.commit();
    client.try_round();
    assert_eq!(shell.ended(session), Reason::Protocol);
    shell.still_works();
}

#[test]
fn a43_memory_that_is_no_memory_is_refused() {
    let (reader, _writer) = std::io::pipe().unwrap();
    let zero = std::fs::File::open("/dev/zero").unwrap();
    let file = std::fs::File::open("/etc/passwd").unwrap();
    for fd in [reader.into(), zero.into(), file.into()] {
        let shell = Shell::start();
        let (session, mut client) = shell.client();
        client.pool(&fd, 4096);
        assert!(!client.try_round());
        assert_eq!(shell.ended(session), Reason::Protocol);
        shell.still_works();
    }
}

#[test]
fn a43_reading_holes_charges_no_memory_to_the_shell() {
    let shell = Shell::start();
    let (session, mut client) = shell.client();
    let surface = client.window();
    let fd = memory(1 << 30);
    let pool = client.pool(&fd, 1 << 30);
    let (width, height) = (WIDTH as i32, HEIGHT as i32);
    for part in 0..50 {
        let handle = client.handle();
        let buffer = pool.create_buffer(part << 20, width, height, width * 4, Format::Xrgb8888, &handle, ());
        surface.attach(Some(&buffer), 0, 0);
        surface.damage(0, 0, width, height);
        surface.commit();
        client.round();
    }
    assert_eq!(shell.event(), Event::FirstFrame(session));
    assert_eq!(rustix::fs::fstat(&fd).unwrap().st_blocks, 0);
}

#[test]
fn a43_an_app_without_a_first_frame_is_silent() {
    let shell = Shell::limited(|limits| limits.first_frame = Duration::from_millis(200));
    let (session, mut client) = shell.client();
    client.window();
    assert_eq!(shell.event(), Event::Ended(session, Reason::Silent));
    let (session, _stream) = shell.attach();
    shell.compositor.show(session, false);
    shell.no_event(Duration::from_millis(400));
    shell.compositor.show(session, true);
    assert_eq!(shell.event(), Event::Ended(session, Reason::Silent));
    shell.still_works();
}

#[test]
fn a43_an_app_that_does_not_answer_a_touch_is_silent() {
    let shell = Shell::limited(|limits| limits.pong = Duration::from_millis(300));
    let (session, mut client) = shell.drawn();
    client.told.pongs = false;
    shell.compositor.touch(session, Touch::Down(1.0, 1.0));
    client.until(Duration::from_millis(100), |_| false);
    shell.compositor.show(session, false);
    shell.no_event(Duration::from_millis(500));
    shell.compositor.show(session, true);
    shell.compositor.touch(session, Touch::Down(1.0, 1.0));
    assert_eq!(shell.event(), Event::Ended(session, Reason::Silent));
    shell.still_works();
}

#[test]
fn a43_noise_and_broken_messages_end_the_app() {
    let pieces: [&[u8]; 5] = [
        &[0xff; 64],
        &message(1, 9, &[]),
        &message(77, 0, &[]),
        &message(1, 1, &[0]),
        &[1, 0, 0, 0, 0, 0, 4, 0],
    ];
    for piece in pieces {
        let shell = Shell::start();
        let (session, mut stream) = shell.attach();
        stream.write_all(piece).unwrap();
        assert_eq!(shell.ended(session), Reason::Protocol, "{piece:?}");
        shell.still_works();
    }
}

#[test]
fn a43_an_app_that_dies_in_the_middle_of_a_message_is_closed() {
    let shell = Shell::start();
    let (session, mut client) = shell.drawn();
    let surface = client.surface.clone().unwrap();
    client.round();
    let half = message(id(&surface), 9, &[0, 0, 5, 5])[..10].to_vec();
    pour(&client, half, 1);
    std::thread::sleep(Duration::from_millis(20));
    rustix::net::shutdown(client.connection.as_fd(), rustix::net::Shutdown::Both).unwrap();
    assert_eq!(shell.ended(session), Reason::Closed);
    shell.still_works();
}

#[test]
fn a43_subsurfaces_nested_as_deep_as_allowed_do_no_harm() {
    let shell = Shell::start();
    let (session, mut client) = shell.drawn();
    let mut parent = client.surface.clone().unwrap();
    for depth in 0..14 {
        let child = client.new_surface();
        let subcompositor = client.told.subcompositor.clone().unwrap();
        let role = subcompositor.get_subsurface(&child, &parent, &client.handle(), ());
        role.set_desync();
        role.set_position(i32::MAX, i32::MIN);
        client.draw_on(&child, &Paper::new(1, 1, 0xff00_0000 | depth));
        parent.commit();
        parent = child;
    }
    client.round();
    shell.look();
    shell.compositor.end(session);
    assert_eq!(shell.ended(session), Reason::Ended);
    shell.still_works();
}

#[test]
fn a43_extreme_geometry_does_no_harm() {
    let shell = Shell::start();
    let (session, mut client) = shell.drawn();
    let surface = client.surface.clone().unwrap();
    let viewporter = client.told.viewporter.clone().unwrap();
    let viewport = viewporter.get_viewport(&surface, &client.handle(), ());
    for edge in [i32::MIN, -1, 1, i32::MAX] {
        client.xdg.as_ref().unwrap().0.set_window_geometry(edge, edge, i32::MAX, 1);
        viewport.set_destination(i32::MAX, 1);
        surface.set_buffer_scale(1);
        surface.damage(edge, edge, i32::MAX, i32::MAX);
        surface.damage_buffer(edge, edge, i32::MAX, i32::MAX);
        client.draw(&Paper::new(2, 2, 0xff00_00ff));
        if !client.try_round() {
            break;
        }
        shell.compositor.touch(session, Touch::Down(f64::from(edge), f64::NAN));
        shell.compositor.touch(session, Touch::Move(f64::INFINITY, 1.0));
        shell.compositor.touch(session, Touch::Up);
    }
    shell.compositor.end(session);
    shell.ended(session);
    shell.still_works();
}

#[test]
fn a43_a_panic_ends_the_app_and_the_server_goes_on() {
    let (sender, events) = channel();
    let compositor = Compositor::start(Config::new(WIDTH, HEIGHT), move |event| {
        let _ = sender.send(event);
        assert!(!matches!(event, Event::FirstFrame(Session { .. })), "a bug on the server's thread");
    })
    .unwrap();
    let shell = Shell { compositor, events };
    for _ in 0..3 {
        let (session, mut client) = shell.client();
        client.window();
        client.draw(&Paper::new(WIDTH, HEIGHT, 0xffff_ffff));
        client.try_round();
        assert_eq!(shell.event(), Event::FirstFrame(session));
        assert_eq!(shell.event(), Event::Ended(session, Reason::Panicked));
        assert!(!client.try_round());
    }
    assert!(shell.compositor.alive());
}

#[test]
fn a43_a_turn_that_takes_too_long_cuts_the_app_off() {
    let (sender, events) = channel();
    let mut config = Config::new(WIDTH, HEIGHT);
    config.limits = Limits { busy: Duration::from_millis(100), ..config.limits };
    let mut once = true;
    let slow = std::sync::Mutex::new(move || std::mem::take(&mut once));
    let compositor = Compositor::start(config, move |event| {
        let _ = sender.send(event);
        if slow.lock().unwrap()() {
            std::thread::sleep(Duration::from_millis(600));
        }
    })
    .unwrap();
    let shell = Shell { compositor, events };
    let (session, mut client) = shell.client();
    client.window();
    client.draw(&Paper::new(WIDTH, HEIGHT, 0xffff_ffff));
    let _ = client.connection.flush();
    assert_eq!(shell.event(), Event::FirstFrame(session));
    std::thread::sleep(Duration::from_millis(250));
    assert!(!shell.compositor.alive());
    assert!(!client.try_round(), "cut off while the server is stuck");
    assert_eq!(shell.event(), Event::Ended(session, Reason::Flood));
    std::thread::sleep(Duration::from_millis(50));
    shell.still_works();
}

#[test]
fn a43_a_subsurface_put_above_itself_is_a_protocol_error_and_no_panic() {
    let shell = Shell::start();
    let (session, mut client) = shell.drawn();
    let (child, parent) = (client.new_surface(), client.surface.clone().unwrap());
    let subcompositor = client.told.subcompositor.clone().unwrap();
    let role = subcompositor.get_subsurface(&child, &parent, &client.handle(), ());
    role.place_above(&child);
    assert!(!client.try_round());
    assert_eq!(shell.ended(session), Reason::Protocol);
    shell.still_works();
}
