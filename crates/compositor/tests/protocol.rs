//! What an app that behaves sees, and what of it reaches the shell.

mod world;

use std::time::Duration;

use compositor::{DamageRect, Event, Reason, Touch};
use wayland_protocols::xdg::shell::client::xdg_positioner::XdgPositioner;
use world::{BLACK, HEIGHT, Paper, Shell, WIDTH};

const SOON: Duration = Duration::from_secs(3);
const ALL: DamageRect = DamageRect { x: 0, y: 0, width: WIDTH, height: HEIGHT };

#[test]
fn an_app_is_offered_touch_and_shared_memory_and_nothing_that_spies_or_types() {
    let shell = Shell::start();
    let (_, client) = shell.client();
    let mut globals = client.told.globals.clone();
    globals.sort();
    assert_eq!(
        globals,
        [
            "wl_compositor",
            "wl_data_device_manager",
            "wl_output",
            "wl_seat",
            "wl_shm",
            "wl_subcompositor",
            "wp_viewporter",
            "xdg_wm_base",
            "zxdg_decoration_manager_v1",
        ]
    );
    let touch = wayland_client::protocol::wl_seat::Capability::Touch;
    assert_eq!(client.told.capabilities, Some(touch));
}

#[test]
fn a_window_is_configured_full_screen_and_activated() {
    let shell = Shell::start();
    let (_, mut client) = shell.client();
    client.window();
    assert_eq!(client.told.size, (WIDTH as i32, HEIGHT as i32));
    let states: Vec<u32> =
        client.told.states.chunks(4).map(|word| u32::from_ne_bytes(word.try_into().unwrap())).collect();
    assert!(states.contains(&2) && states.contains(&4), "fullscreen and activated: {states:?}");
}

#[test]
fn the_first_frame_is_told_once_and_is_all_damage() {
    let shell = Shell::start();
    let (session, mut client) = shell.client();
    client.window();
    client.draw(&Paper::new(WIDTH, HEIGHT, 0x0012_3456));
    client.round();
    assert_eq!(shell.event(), Event::FirstFrame(session));
    shell.no_event(Duration::from_millis(50));
    let (pixels, damage) = shell.look();
    assert_eq!(damage, [ALL]);
    assert!(pixels.iter().all(|pixel| *pixel == 0xff12_3456));
    assert_eq!(shell.look().1, [], "a look takes the damage");
    assert_eq!(client.told.released, 1, "the buffer came back at once");
}

#[test]
fn frames_are_told_once_until_the_shell_looks_and_only_the_newest_is_kept() {
    let shell = Shell::start();
    let (session, mut client) = shell.drawn();
    for color in 1..=20 {
        client.draw(&Paper::new(WIDTH, HEIGHT, BLACK | color));
        client.round();
    }
    assert_eq!(shell.event(), Event::Frame(session));
    shell.no_event(Duration::from_millis(50));
    assert_eq!(shell.pixel(5, 5), 0xff00_0014);
    client.draw(&Paper::new(WIDTH, HEIGHT, 0xff00_0015));
    client.round();
    assert_eq!(shell.event(), Event::Frame(session));
    assert_eq!(client.told.released, 22, "every buffer came back");
}

#[test]
fn only_the_damaged_part_is_copied() {
    let shell = Shell::start();
    let (session, mut client) = shell.drawn();
    let surface = client.surface.clone().unwrap();
    let green = client.buffer(&Paper::new(WIDTH, HEIGHT, 0xff00_ff00));
    surface.attach(Some(&green), 0, 0);
    surface.damage_buffer(10, 5, 7, 3);
    surface.damage(40, 30, 4, 4);
    surface.commit();
    client.round();
    assert_eq!(shell.event(), Event::Frame(session));
    let (pixels, damage) = shell.look();
    assert_eq!(
        damage,
        [DamageRect { x: 10, y: 5, width: 7, height: 3 }, DamageRect { x: 40, y: 30, width: 4, height: 4 }]
    );
    let green = pixels.iter().filter(|pixel| **pixel == 0xff00_ff00).count();
    let red = pixels.iter().filter(|pixel| **pixel == 0xffff_0000).count();
    assert_eq!((green, red), (7 * 3 + 4 * 4, (WIDTH * HEIGHT) as usize - 37));
}

#[test]
fn a_small_window_is_centred_on_black() {
    let shell = Shell::start();
    let (_, mut client) = shell.client();
    client.window();
    client.draw(&Paper::new(11, 7, 0xffff_ffff).dot(0, 0, 0xff00_00ff));
    client.round();
    let (pixels, _) = shell.look();
    let (left, top) = ((WIDTH - 11) / 2, (HEIGHT - 7) / 2);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let inside = (left..left + 11).contains(&x) && (top..top + 7).contains(&y);
            let expected = match (inside, (x, y) == (left, top)) {
                (_, true) => 0xff00_00ff,
                (true, _) => 0xffff_ffff,
                _ => BLACK,
            };
            assert_eq!(pixels[(y * WIDTH + x) as usize], expected, "{x} {y}");
        }
    }
}

#[test]
fn a_large_window_is_clipped_around_its_middle() {
    let shell = Shell::start();
    let (_, mut client) = shell.client();
    client.window();
    let (width, height) = (WIDTH * 2, HEIGHT + 10);
    client.draw(&Paper::new(width, height, 0xff11_1111).dot(WIDTH / 2, 5, 0xff22_2222).dot(
        WIDTH / 2 + WIDTH - 1,
        5 + HEIGHT - 1,
        0xff33_3333,
    ));
    client.round();
    assert_eq!(shell.pixel(0, 0), 0xff22_2222);
    assert_eq!(shell.pixel(WIDTH - 1, HEIGHT - 1), 0xff33_3333);
    assert_eq!(shell.pixel(1, 0), 0xff11_1111);
}

#[test]
fn another_size_damages_everything_and_leaves_nothing_behind() {
    let shell = Shell::start();
    let (_, mut client) = shell.drawn();
    client.draw(&Paper::new(10, 10, 0xff00_ff00));
    client.round();
    let (pixels, damage) = shell.look();
    assert_eq!(damage, [ALL]);
    assert!(!pixels.contains(&0xffff_0000));
    assert_eq!(pixels.iter().filter(|pixel| **pixel == 0xff00_ff00).count(), 100);
}

#[test]
fn a_window_that_is_unmapped_leaves_black_and_the_one_below_comes_back() {
    let shell = Shell::start();
    let (_, mut client) = shell.drawn();
    let below = client.surface.clone().unwrap();
    let above = client.window();
    client.draw(&Paper::new(WIDTH, HEIGHT, 0xff00_ff00));
    client.round();
    assert_eq!(shell.pixel(1, 1), 0xff00_ff00);
    above.attach(None, 0, 0);
    above.commit();
    client.round();
    assert_eq!(shell.pixel(1, 1), 0xffff_0000);
    below.attach(None, 0, 0);
    below.commit();
    client.round();
    assert_eq!(shell.pixel(1, 1), BLACK);
}

#[test]
fn a_window_that_was_unmapped_is_configured_again() {
    let shell = Shell::start();
    let (_, mut client) = shell.drawn();
    let surface = client.surface.clone().unwrap();
    let before = client.told.configured;
    surface.attach(None, 0, 0);
    surface.commit();
    surface.commit();
    client.round();
    assert_eq!(client.told.configured, before + 1);
    client.draw(&Paper::new(WIDTH, HEIGHT, 0xff00_ff00));
    client.round();
    assert_eq!(shell.pixel(1, 1), 0xff00_ff00);
}

#[test]
fn premultiplied_alpha_lies_on_black() {
    let shell = Shell::start();
    let (_, mut client) = shell.client();
    client.window();
    client.draw(&Paper::new(WIDTH, HEIGHT, 0x8040_2010).argb().dot(0, 0, 0x0000_0000));
    client.round();
    assert_eq!(shell.pixel(1, 1), 0xff40_2010);
    assert_eq!(shell.pixel(0, 0), BLACK);
}

#[test]
fn window_geometry_is_centred_without_its_shadow() {
    let shell = Shell::start();
    let (_, mut client) = shell.client();
    client.window();
    client.xdg.as_ref().unwrap().0.set_window_geometry(8, 8, WIDTH as i32, HEIGHT as i32);
    client.draw(&Paper::new(WIDTH + 16, HEIGHT + 16, 0xff11_1111).dot(8, 8, 0xff22_2222));
    client.round();
    assert_eq!(shell.pixel(0, 0), 0xff22_2222);
}

#[test]
fn subsurfaces_are_drawn_moved_and_taken_away() {
    let shell = Shell::start();
    let (_, mut client) = shell.drawn();
    let parent = client.surface.clone().unwrap();
    let child = client.new_surface();
    let subcompositor = client.told.subcompositor.clone().unwrap();
    let role = subcompositor.get_subsurface(&child, &parent, &client.handle(), ());
    role.set_position(4, 6);
    client.draw_on(&child, &Paper::new(5, 5, 0x8000_0080).argb());
    client.round();
    assert_eq!(shell.pixel(4, 6), 0xffff_0000, "synchronised: waits for the parent");
    parent.commit();
    client.round();
    assert_eq!(shell.pixel(4, 6), 0xff7f_0080, "half over red");
    assert_eq!(shell.pixel(9, 6), 0xffff_0000);
    role.set_position(20, 6);
    parent.commit();
    client.round();
    assert_eq!(shell.pixel(4, 6), 0xffff_0000);
    assert_eq!(shell.pixel(20, 6), 0xff7f_0080);
    role.destroy();
    parent.commit();
    client.round();
    assert_eq!(shell.pixel(20, 6), 0xffff_0000);
}

#[test]
fn a_viewport_scales_and_crops() {
    let shell = Shell::start();
    let (_, mut client) = shell.client();
    let surface = client.window();
    let viewporter = client.told.viewporter.clone().unwrap();
    let viewport = viewporter.get_viewport(&surface, &client.handle(), ());
    viewport.set_source(1.0, 0.0, 2.0, 1.0);
    viewport.set_destination(WIDTH as i32, HEIGHT as i32);
    client.draw(&Paper::new(4, 1, 0xff11_1111).dot(1, 0, 0xff22_2222).dot(2, 0, 0xff33_3333));
    client.round();
    assert_eq!(shell.pixel(0, 0), 0xff22_2222);
    assert_eq!(shell.pixel(WIDTH / 2 - 1, HEIGHT - 1), 0xff22_2222);
    assert_eq!(shell.pixel(WIDTH / 2, 0), 0xff33_3333);
    assert_eq!(shell.pixel(WIDTH - 1, HEIGHT - 1), 0xff33_3333);
}

#[test]
fn a_buffer_scale_of_two_is_drawn_at_half_the_size() {
    let shell = Shell::start();
    let (_, mut client) = shell.client();
    let surface = client.window();
    surface.set_buffer_scale(2);
    client.draw(&Paper::new(WIDTH * 2, HEIGHT * 2, 0xff44_4444));
    client.round();
    let (pixels, _) = shell.look();
    assert!(pixels.iter().all(|pixel| *pixel == 0xff44_4444));
}

#[test]
fn touches_arrive_in_the_windows_own_coordinates() {
    let shell = Shell::start();
    let (session, mut client) = shell.client();
    client.window();
    client.draw(&Paper::new(WIDTH - 20, HEIGHT - 10, 0xff11_1111));
    client.round();
    shell.compositor.touch(session, Touch::Down(10.5, 5.0));
    shell.compositor.touch(session, Touch::Move(60.0, 47.25));
    shell.compositor.touch(session, Touch::Up);
    assert!(client.until(SOON, |told| told.touches.len() == 3), "{:?}", client.told.touches);
    assert_eq!(client.told.touches, ["down 0.5 0", "move 50 42.25", "up"]);
}

#[test]
fn a_finger_that_comes_down_beside_the_window_is_not_told() {
    let shell = Shell::start();
    let (session, mut client) = shell.client();
    client.window();
    client.draw(&Paper::new(20, 20, 0xff11_1111));
    client.round();
    for touch in
        [Touch::Down(1.0, 1.0), Touch::Move(f64::from(WIDTH) / 2.0, f64::from(HEIGHT) / 2.0), Touch::Up]
    {
        shell.compositor.touch(session, touch);
    }
    shell.compositor.touch(session, Touch::Down(f64::from(WIDTH) / 2.0, f64::from(HEIGHT) / 2.0));
    assert!(client.until(SOON, |told| !told.touches.is_empty()));
    assert_eq!(client.told.touches, ["down 10 10"]);
}

#[test]
fn a_gesture_that_is_none_is_cancelled_and_a_hidden_app_feels_nothing() {
    let shell = Shell::start();
    let (session, mut client) = shell.drawn();
    shell.compositor.touch(session, Touch::Down(1.0, 1.0));
    shell.compositor.touch(session, Touch::Cancel);
    assert!(client.until(SOON, |told| told.touches.len() == 2), "{:?}", client.told.touches);
    shell.compositor.touch(session, Touch::Down(2.0, 2.0));
    shell.compositor.show(session, false);
    shell.compositor.touch(session, Touch::Move(3.0, 3.0));
    shell.compositor.touch(session, Touch::Down(3.0, 3.0));
    assert!(client.until(SOON, |told| told.touches.len() >= 4));
    client.until(Duration::from_millis(50), |_| false);
    assert_eq!(client.told.touches, ["down 1 1", "cancel", "down 2 2", "cancel"]);
}

#[test]
fn the_next_frame_is_asked_for_when_the_last_is_on_the_screen() {
    let shell = Shell::start();
    let (session, mut client) = shell.drawn();
    client.frame();
    client.draw(&Paper::new(WIDTH, HEIGHT, 0xff00_ff00));
    assert!(!client.until(Duration::from_millis(80), |told| !told.called.is_empty()), "not shown yet");
    assert_eq!(shell.event(), Event::Frame(session));
    shell.compositor.shown(session);
    assert!(client.until(SOON, |told| told.called.len() == 1));
}

#[test]
fn frame_callbacks_are_paced_however_fast_the_shell_is() {
    let shell = Shell::start();
    let (session, mut client) = shell.drawn();
    for color in 0..12 {
        let count = client.told.called.len();
        client.frame();
        client.draw(&Paper::new(WIDTH, HEIGHT, BLACK | color));
        let _ = client.connection.flush();
        assert_eq!(shell.event(), Event::Frame(session));
        shell.look();
        shell.compositor.shown(session);
        assert!(client.until(SOON, |told| told.called.len() > count));
    }
    let took = client.told.called[11] - client.told.called[0];
    assert!(took >= Duration::from_millis(11 * 16 - 8), "{took:?}");
    assert!(took < Duration::from_millis(11 * 40), "{took:?}");
}

#[test]
fn a_callback_without_a_new_picture_is_answered_without_the_shell() {
    let shell = Shell::start();
    let (_, mut client) = shell.drawn();
    client.frame();
    client.surface.clone().unwrap().commit();
    assert!(client.until(SOON, |told| told.called.len() == 1));
}

#[test]
fn a_hidden_app_is_asked_for_no_frames_but_its_newest_picture_is_kept() {
    let shell = Shell::start();
    let (session, mut client) = shell.drawn();
    shell.compositor.show(session, false);
    client.frame();
    client.draw(&Paper::new(WIDTH, HEIGHT, 0xff00_ff00));
    assert_eq!(
        {
            client.until(Duration::from_millis(20), |_| false);
            shell.event()
        },
        Event::Frame(session)
    );
    shell.compositor.shown(session);
    assert!(!client.until(Duration::from_millis(80), |told| !told.called.is_empty()));
    assert_eq!(shell.pixel(0, 0), 0xff00_ff00);
    shell.compositor.show(session, true);
    assert!(client.until(SOON, |told| told.called.len() == 1));
}

#[test]
fn a_window_is_asked_to_close() {
    let shell = Shell::start();
    let (session, mut client) = shell.drawn();
    shell.compositor.close(session);
    assert!(client.until(SOON, |told| told.closed));
    drop(client);
    assert_eq!(shell.ended(session), Reason::Closed);
}

#[test]
fn a_popup_is_dismissed() {
    let shell = Shell::start();
    let (session, mut client) = shell.drawn();
    let handle = client.handle();
    let wm_base = client.told.wm_base.clone().unwrap();
    let positioner: XdgPositioner = wm_base.create_positioner(&handle, ());
    positioner.set_size(10, 10);
    positioner.set_anchor_rect(0, 0, 5, 5);
    let surface = client.new_surface();
    let xdg = wm_base.get_xdg_surface(&surface, &handle, ());
    let (parent, _) = client.xdg.as_ref().unwrap();
    xdg.get_popup(Some(parent), &positioner, &handle, ());
    surface.commit();
    client.round();
    assert!(client.told.popup_done);
    shell.compositor.end(session);
    assert_eq!(shell.ended(session), Reason::Ended);
}

#[test]
fn one_app_at_a_time() {
    let shell = Shell::start();
    let (first, mut client) = shell.drawn();
    let (second, _stream) = shell.attach();
    assert_eq!(shell.event(), Event::Ended(first, Reason::Ended));
    assert!(!client.try_round());
    let (pixels, damage) = shell.look();
    assert!(pixels.iter().all(|pixel| *pixel == BLACK), "nothing of the first app is left");
    assert_eq!(damage, [ALL]);
    shell.compositor.end(first);
    shell.compositor.touch(first, Touch::Down(1.0, 1.0));
    shell.no_event(Duration::from_millis(50));
    shell.compositor.end(second);
    assert_eq!(shell.event(), Event::Ended(second, Reason::Ended));
    shell.still_works();
}

#[test]
fn the_last_handle_takes_the_server_and_the_app_with_it() {
    let shell = Shell::start();
    let (_, mut client) = shell.drawn();
    let clone = shell.compositor.clone();
    drop(shell.compositor);
    client.round();
    drop(clone);
    assert!(!client.until(SOON, |_| false));
    assert!(!client.try_round());
}

#[test]
fn the_handle_goes_wherever_the_shell_needs_it() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<compositor::Compositor>();
}

#[test]
fn no_screen_and_an_endless_screen_are_refused() {
    for (width, height) in [(0, 10), (10, 0), (20_000, 10)] {
        let config = compositor::Config::new(width, height);
        assert!(compositor::Compositor::start(config, drop).is_err());
    }
}
