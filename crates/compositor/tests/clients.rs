//! Programs that people wrote for other compositors, as Debian ships them.
//!
//! Each is started on an inherited socket, must show a plausible picture and take a touch, and leaves its picture
//! in the test's folder for a look.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod world;

use std::collections::HashSet;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use compositor::{Config, Event, Reason, Session, Touch};
use world::{BLACK, Shell};

const SIDE: u32 = 466;

/// A program, the package it is in, and what its picture must have at least.
struct Program {
    name: &'static str,
    package: &'static str,
    arguments: &'static [&'static str],
    colors: usize,
    lit: usize,
    /// Frames in 700 ms: it moves.
    frames: u32,
}

struct Running {
    shell: Shell,
    session: Session,
    child: Child,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn installed(program: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).map(|path| path.join(program)).find(|path| path.is_file())
}

fn start(program: &Program) -> Running {
    let Some(path) = installed(program.name) else {
        panic!("{} is missing: apt-get install {}", program.name, program.package);
    };
    let shell = Shell::with(Config::new(SIDE, SIDE));
    let (session, socket) = shell.compositor.attach().unwrap();
    // The copy is inherited: nothing else is started while it is open, as the tests run one after another.
    let inherited = rustix::io::dup(&socket).unwrap();
    rustix::io::fcntl_setfd(&inherited, rustix::io::FdFlags::empty()).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&inherited.as_fd());
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("home-{}", program.name));
    std::fs::create_dir_all(&home).unwrap();
    let child = Command::new(path)
        .args(program.arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", &home)
        .env("XDG_RUNTIME_DIR", &home)
        .env("LC_ALL", "C.UTF-8")
        .env("SHELL", "/bin/sh")
        .env("WAYLAND_SOCKET", number.to_string())
        .env("GDK_BACKEND", "wayland")
        .env("GSK_RENDERER", "cairo")
        .env("GTK_A11Y", "none")
        .env("GSETTINGS_BACKEND", "memory")
        .spawn()
        .unwrap();
    Running { shell, session, child }
}

/// Plays the shell until the picture is `done` or the time is over; returns the picture and the frames.
fn watch(running: &Running, during: Duration, done: impl Fn(&[u32]) -> bool) -> (Vec<u32>, u32) {
    let end = Instant::now() + during;
    let (mut pixels, mut frames) = (Vec::new(), 0);
    while let Ok(event) = running.shell.events.recv_timeout(end.saturating_duration_since(Instant::now())) {
        assert!(!matches!(event, Event::Ended(..)), "{event:?}");
        frames += 1;
        running.shell.compositor.picture(|picture| pixels = picture.pixels.to_vec());
        running.shell.compositor.shown(running.session);
        if done(&pixels) {
            break;
        }
    }
    (pixels, frames)
}

fn save(name: &str, pixels: &[u32]) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
    let file = std::fs::File::create(&path).unwrap();
    let mut encoder = png::Encoder::new(file, SIDE, SIDE);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    let bytes: Vec<u8> =
        pixels.iter().flat_map(|pixel| [pixel >> 16, pixel >> 8, *pixel].map(|byte| byte as u8)).collect();
    writer.write_image_data(&bytes).unwrap();
}

fn lit(pixels: &[u32]) -> usize {
    pixels.iter().filter(|pixel| **pixel != BLACK).count()
}

fn colors(pixels: &[u32]) -> usize {
    pixels.iter().collect::<HashSet<_>>().len()
}

fn shows(program: &Program) {
    let running = start(program);
    let plausible = |pixels: &[u32]| lit(pixels) >= program.lit && colors(pixels) >= program.colors;
    let (pixels, _) = watch(&running, Duration::from_secs(15), plausible);
    assert!(!pixels.is_empty(), "{}: no frame", program.name);
    // Windows are drawn in steps: give it a moment, with a finger on it.
    running.shell.compositor.touch(running.session, Touch::Down(233.0, 233.0));
    running.shell.compositor.touch(running.session, Touch::Up);
    let (later, frames) = watch(&running, Duration::from_millis(700), |_| false);
    assert!(frames >= program.frames, "{}: {frames} frames", program.name);
    let pixels = if later.is_empty() { pixels } else { later };
    save(program.name, &pixels);
    println!("{}: {frames} frames, {} lit, {} colors", program.name, lit(&pixels), colors(&pixels));
    assert!(plausible(&pixels), "{}: {} lit, {} colors", program.name, lit(&pixels), colors(&pixels));
    running.shell.compositor.end(running.session);
    assert_eq!(running.shell.ended(running.session), Reason::Ended);
}

/// One after another: a descriptor that one program inherits must not reach the next.
#[test]
fn programs_from_debian_show_their_pictures() {
    for program in [
        Program {
            name: "weston-simple-shm",
            package: "weston",
            arguments: &[],
            colors: 50,
            lit: 50_000,
            frames: 15,
        },
        Program {
            name: "weston-flower",
            package: "weston",
            arguments: &[],
            colors: 50,
            lit: 3_000,
            frames: 0,
        },
        Program {
            name: "foot",
            package: "foot",
            arguments: &["--override=tweak.render-timer=none", "sh", "-c", "seq 1 40; exec sleep 60"],
            colors: 3,
            lit: 150_000,
            frames: 0,
        },
        Program {
            name: "gtk4-demo",
            package: "gtk-4-examples",
            arguments: &[],
            colors: 20,
            lit: 150_000,
            frames: 0,
        },
    ] {
        shows(&program);
    }
}
