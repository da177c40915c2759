//! An app in the watch's own compositor.

#![allow(clippy::unwrap_used)]

use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use compositor::{Compositor, Config, Event, Reason, Session, Touch};

const PAPER: u32 = 0xffff_f6e0;
const RED: u32 = 0xfff0_443a;
const SKY: u32 = 0xff58_b4ff;

struct Watch {
    compositor: Compositor,
    session: Session,
    events: Receiver<Event>,
    app: Child,
}

impl Watch {
    fn start() -> Self {
        let (emit, events) = channel();
        let told = move |event| {
            // The test may be over.
            let _ = emit.send(event);
        };
        let compositor = Compositor::start(Config::new(466, 466), told).unwrap();
        let (session, socket) = compositor.attach().unwrap();
        let ball = std::env::current_exe().unwrap().parent().unwrap().with_file_name("examples").join("ball");
        let mut command = Command::new(ball);
        command.env_clear().env("WAYLAND_SOCKET", "0").stdin(Stdio::from(socket));
        let app = command.stdout(Stdio::null()).spawn().unwrap();
        let watch = Self { compositor, session, events, app };
        watch.until(|event| matches!(event, Event::FirstFrame(_)));
        watch
    }

    fn until(&self, so: impl Fn(&Event) -> bool) {
        loop {
            let event = self.events.recv_timeout(Duration::from_secs(20)).unwrap();
            if so(&event) {
                return;
            }
            assert!(!matches!(event, Event::Ended(..)), "{event:?}");
        }
    }

    /// Shows pictures until one has this colour there; says how many of its pixels had changed.
    fn until_pixel(&self, x: usize, y: usize, colour: u32) -> u32 {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let mut changed = None;
            self.compositor.picture(|picture| {
                if picture.pixels[y * 466 + x] == colour {
                    changed = Some(picture.damage.iter().map(|r| r.width * r.height).sum());
                }
            });
            self.compositor.shown(self.session);
            if let Some(changed) = changed {
                return changed;
            }
            assert!(Instant::now() < end, "never {colour:x} at {x}, {y}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.app.kill();
        let _ = self.app.wait();
    }
}

#[test]
fn an_app_is_shown_touched_and_closed_by_the_watch() {
    let mut watch = Watch::start();
    assert_eq!(watch.until_pixel(0, 0, PAPER), 466 * 466);
    watch.until_pixel(100, 100, SKY);
    watch.compositor.touch(watch.session, Touch::Down(233.0, 233.0));
    assert!(watch.until_pixel(100, 100, RED) < 2_500);
    watch.compositor.touch(watch.session, Touch::Move(300.0, 200.0));
    assert!(watch.until_pixel(300, 200, RED) < 5_000);
    watch.until_pixel(100, 100, PAPER);
    watch.compositor.touch(watch.session, Touch::Up);
    watch.until_pixel(300, 200, SKY);
    watch.compositor.close(watch.session);
    watch.until(|event| matches!(event, Event::Ended(_, Reason::Closed)));
    assert!(watch.app.wait().unwrap().success());
}

#[test]
fn an_app_whose_watch_is_gone_ends() {
    let mut watch = Watch::start();
    watch.compositor.end(watch.session);
    assert_eq!(watch.app.wait().unwrap().code(), Some(1));
}
