//! A compositor of the least: one client, one window, pictures kept for the test to look at.
//!
//! It runs when the test lets it run, on the test's thread, so that nothing happens between two looks.

#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

mod requests;

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use wayland_protocols::xdg::shell::server::xdg_surface::XdgSurface;
use wayland_protocols::xdg::shell::server::xdg_toplevel::XdgToplevel;
use wayland_protocols::xdg::shell::server::xdg_wm_base::XdgWmBase;
use wayland_server::Display;
use wayland_server::backend::ClientData;
use wayland_server::protocol::wl_buffer::WlBuffer;
use wayland_server::protocol::wl_callback::WlCallback;
use wayland_server::protocol::wl_compositor::WlCompositor;
use wayland_server::protocol::wl_seat::WlSeat;
use wayland_server::protocol::wl_shm::{Format, WlShm};
use wayland_server::protocol::wl_surface::WlSurface;
use wayland_server::protocol::wl_touch::WlTouch;

/// Left, top, width, height.
pub type Area = (i32, i32, i32, i32);

/// One committed picture.
pub struct Shot {
    pub damage: Vec<Area>,
    pub format: Format,
    pub size: (usize, usize),
    /// `0x00RRGGBB`.
    pub pixels: Vec<u32>,
}

impl Shot {
    pub fn at(&self, x: usize, y: usize) -> u32 {
        self.pixels[y * self.size.0 + x]
    }

    /// Pixels that the damage covers.
    pub fn damaged(&self) -> i32 {
        self.damage.iter().map(|(_, _, width, height)| width * height).sum()
    }
}

/// What the requests change.
#[derive(Default)]
pub struct State {
    pub size: (i32, i32),
    pub shots: Vec<Shot>,
    pub pongs: Vec<u32>,
    pub acked: Vec<u32>,
    /// Frames are given as soon as they are asked for.
    pub generous: bool,
    /// Buffers are kept until the next comes, as a compositor that shows them directly does.
    pub keeps: bool,
    pub callbacks: Vec<WlCallback>,
    windows: Option<XdgWmBase>,
    surface: Option<WlSurface>,
    xdg: Option<XdgSurface>,
    toplevel: Option<XdgToplevel>,
    touch: Option<WlTouch>,
    attached: Option<WlBuffer>,
    shown: Option<WlBuffer>,
    damage: Vec<Area>,
    asked: Vec<WlCallback>,
    serial: u32,
}

impl State {
    fn next(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }
}

struct Client;
impl ClientData for Client {}

pub struct Fake {
    display: Option<Display<State>>,
    pub state: State,
    pub child: Child,
    pub started: Instant,
    out: Arc<Mutex<String>>,
}

/// The process of an app, started in a compositor of its own.
impl Fake {
    pub fn start(program: &Path, size: (i32, i32)) -> Self {
        Self::start_with(Command::new(program), size)
    }

    /// The display comes as descriptor 0: the only one a test can hand over under a number without `unsafe`.
    pub fn start_with(mut command: Command, size: (i32, i32)) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let display = Display::<State>::new().unwrap();
        let mut handle = display.handle();
        handle.create_global::<State, WlCompositor, ()>(4, ());
        handle.create_global::<State, WlShm, ()>(1, ());
        handle.create_global::<State, XdgWmBase, ()>(1, ());
        handle.create_global::<State, WlSeat, ()>(5, ());
        handle.insert_client(ours, Arc::new(Client)).unwrap();
        let started = Instant::now();
        let mut child = command
            .env("WAYLAND_SOCKET", "0")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It still holds the other end of the socket, and an app would never see it close.
        drop(command);
        let out = Arc::new(Mutex::new(String::new()));
        collect(child.stdout.take().unwrap(), out.clone());
        collect(child.stderr.take().unwrap(), out.clone());
        let state = State { size, generous: true, ..State::default() };
        Self { display: Some(display), state, child, started, out }
    }

    /// Lets both sides run until something is so. Panics when it does not come to that.
    pub fn until(&mut self, what: &str, mut so: impl FnMut(&State) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !so(&self.state) {
            assert!(Instant::now() < end, "never: {what}; the app said {:?}", self.said());
            self.run(Duration::from_millis(1));
        }
    }

    /// Lets both sides run for a while.
    pub fn run(&mut self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            let Some(display) = &mut self.display else { return };
            display.flush_clients().unwrap();
            let left = Timespec::try_from(end.saturating_duration_since(Instant::now())).unwrap();
            let fd = display.backend().poll_fd().try_clone_to_owned().unwrap();
            if poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&left)).unwrap() == 0 {
                return;
            }
            display.dispatch_clients(&mut self.state).unwrap();
            display.flush_clients().unwrap();
            if Instant::now() >= end {
                return;
            }
        }
    }

    /// The first picture.
    pub fn first(&mut self) -> Duration {
        self.until("the first picture", |state| !state.shots.is_empty());
        self.started.elapsed()
    }

    pub fn last(&self) -> &Shot {
        self.state.shots.last().unwrap()
    }

    pub fn down(&mut self, id: i32, x: f64, y: f64) {
        self.until("touch", |state| state.touch.is_some());
        let serial = self.state.next();
        let touch = self.state.touch.as_ref().unwrap();
        touch.down(serial, 0, self.state.surface.as_ref().unwrap(), id, x, y);
        touch.frame();
    }

    pub fn motion(&mut self, id: i32, x: f64, y: f64) {
        let touch = self.state.touch.as_ref().unwrap();
        touch.motion(0, id, x, y);
        touch.frame();
    }

    pub fn up(&mut self, id: i32) {
        let serial = self.state.next();
        let touch = self.state.touch.as_ref().unwrap();
        touch.up(serial, 0, id);
        touch.frame();
    }

    pub fn cancel(&mut self) {
        self.state.touch.as_ref().unwrap().cancel();
    }

    pub fn ping(&mut self) -> u32 {
        let serial = self.state.next();
        self.state.windows.as_ref().unwrap().ping(serial);
        serial
    }

    pub fn configure(&mut self, width: i32, height: i32) -> u32 {
        let serial = self.state.next();
        self.state.toplevel.as_ref().unwrap().configure(width, height, Vec::new());
        self.state.xdg.as_ref().unwrap().configure(serial);
        serial
    }

    pub fn close(&mut self) {
        self.state.toplevel.as_ref().unwrap().close();
    }

    /// Gives the frames that were asked for.
    pub fn give_frames(&mut self) {
        for callback in self.state.callbacks.drain(..) {
            callback.done(0);
        }
    }

    /// As if the compositor had died.
    pub fn vanish(&mut self) {
        self.state.callbacks.clear();
        self.display = None;
    }

    /// Waits for the end of the process; lets it talk meanwhile.
    pub fn end(&mut self) -> ExitStatus {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "it does not end; it said {:?}", self.said());
            self.run(Duration::from_millis(5));
            if self.display.is_none() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// All that the app has written.
    pub fn said(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    /// Waits for words of the app.
    pub fn until_said(&mut self, words: &str) {
        let out = self.out.clone();
        self.until(words, move |_| out.lock().unwrap().contains(words));
    }

    /// Voluntary context switches of all its threads: how often it was awake.
    pub fn wakeups(&self) -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let status = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("status")).unwrap());
        let count = |status: String| {
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            line.unwrap().trim().parse::<u64>().unwrap()
        };
        status.map(count).sum()
    }

    /// User and system time it has used.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/schedstat", self.child.id())).unwrap();
        Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(mut from: impl std::io::Read + Send + 'static, to: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = from.read(&mut bytes) {
            to.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..n]));
        }
    });
}
