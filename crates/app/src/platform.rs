//! The Slint platform and its event loop: one `poll` over the display, the wake-up descriptor and timers.
//!
//! **Invariant:** a turn of the loop ends in `poll`, and without a timer or an animation that has no frame to wait
//! for, `poll` has no timeout.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use frame::Frame;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use slint::platform::software_renderer::{MinimalSoftwareWindow, RepaintBufferType};
use slint::platform::{
    EventLoopProxy, Platform, PointerEventButton, WindowAdapter, WindowEvent,
    duration_until_next_timer_update, set_platform, update_timers_and_animations,
};
use slint::{ComponentHandle, LogicalPosition, PhysicalSize, PlatformError};

use crate::Error;
use crate::display::Display;
use crate::finger::Touch;
use crate::jobs::{Handle, Jobs};
use crate::screen::Screen;

/// Time between two frames of an animation that so far changed no pixel: no frame was asked for, and none comes.
const FRAME: Duration = Duration::from_millis(16);

type Hook = Box<dyn FnOnce()>;

#[derive(Default)]
struct Shared {
    screen: Cell<Option<Screen>>,
    on_close: RefCell<Option<Hook>>,
    /// Slint's own error type would only keep its text.
    failed: RefCell<Option<Error>>,
}

/// The connected app: what it can ask of its platform.
pub struct App {
    shared: Rc<Shared>,
}

impl App {
    /// Connects to the display, waits for the size of the screen and makes this thread's Slint draw there.
    ///
    /// To be called before any component is made and before other threads are started; [`crate::run`] does.
    pub fn connect() -> Result<Self, Error> {
        let display = Display::open()?;
        let shared = Rc::new(Shared::default());
        shared.screen.set(Some(display.screen()));
        let window = MinimalSoftwareWindow::new(RepaintBufferType::ReusedBuffer);
        let jobs = Arc::new(Jobs::new()?);
        let platform = Wayland { display: RefCell::new(display), window, jobs, shared: shared.clone() };
        set_platform(Box::new(platform)).map_err(Error::Taken)?;
        Ok(Self { shared })
    }

    /// The size of the screen, and where on it things may be.
    pub fn screen(&self) -> Screen {
        self.shared.screen.get().unwrap_or(Screen::REFERENCE)
    }

    /// Runs once, when the app ends in good order or has lost its display: the place to keep what the child made.
    /// A later hook takes the place of an earlier one.
    pub fn on_close(&self, run: impl FnOnce() + 'static) {
        *self.shared.on_close.borrow_mut() = Some(Box::new(run));
    }

    /// Shows the window until the watch closes it.
    pub fn show(&self, window: &impl ComponentHandle) -> Result<(), Error> {
        let ended = window.run();
        match self.shared.failed.take() {
            Some(error) => Err(error),
            None => ended.map_err(Error::Slint),
        }
    }
}

struct Wayland {
    display: RefCell<Display>,
    window: Rc<MinimalSoftwareWindow>,
    jobs: Arc<Jobs>,
    shared: Rc<Shared>,
}

impl Wayland {
    fn turns(&self) -> Result<(), Error> {
        let screen = self.display.borrow().screen();
        let mut frame = Frame::new(screen.width as usize, screen.height as usize);
        loop {
            self.display.borrow_mut().dispatch()?;
            // Also a quit from before the loop began counts.
            if self.display.borrow().closed() || self.jobs.take_quit() {
                return Ok(());
            }
            self.resize(&mut frame);
            self.touches()?;
            update_timers_and_animations();
            if self.display.borrow().ready() {
                let mut shown = Ok(());
                self.window.draw_if_needed(|renderer| {
                    let damage = frame.draw(renderer);
                    shown = self.display.borrow_mut().show(&frame, &damage);
                });
                shown?;
            }
            self.sleep()?;
        }
    }

    fn resize(&self, frame: &mut Frame) {
        let screen = self.display.borrow().screen();
        let size = (screen.width as usize, screen.height as usize);
        if frame.size() != size {
            *frame = Frame::new(size.0, size.1);
            self.shared.screen.set(Some(screen));
            self.window.set_size(PhysicalSize::new(screen.width, screen.height));
            // Another size is another buffer: Slint cannot build upon the old one.
            self.window.request_redraw();
        }
    }

    fn touches(&self) -> Result<(), Error> {
        // The author's code runs in here, and must find the display free.
        let touches = self.display.borrow_mut().take_touches();
        touches.into_iter().try_for_each(|touch| dispatch(&self.window, touch)).map_err(Error::Slint)
    }

    fn timeout(&self) -> Option<Duration> {
        let timer = duration_until_next_timer_update();
        if self.display.borrow().waits() || !self.window.has_active_animations() {
            return timer;
        }
        Some(timer.map_or(FRAME, |t| t.min(FRAME)))
    }

    /// Sleeps until the display has something to say, a job comes or a timer is due.
    fn sleep(&self) -> Result<(), Error> {
        let sent = self.display.borrow().flush()?;
        let Some(reading) = self.display.borrow().prepare() else { return Ok(()) };
        let interest = if sent { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
        // Rounded up to a millisecond: waking a fraction too early would only mean to sleep again.
        let timeout = self.timeout().map(|t| {
            let ms = t.as_micros().div_ceil(1000);
            let (seconds, rest) = (ms / 1000, ms % 1000);
            Timespec { tv_sec: seconds.try_into().unwrap_or(i64::MAX), tv_nsec: rest as i64 * 1_000_000 }
        });
        let (read, woken) = {
            let mut fds = [
                PollFd::from_borrowed_fd(reading.fd(), interest),
                PollFd::from_borrowed_fd(self.jobs.fd(), PollFlags::IN),
            ];
            match poll(&mut fds, timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(e) => return Err(Error::System("wait", e)),
            }
            let [display, jobs] = fds.map(|fd| fd.revents());
            (display.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR), !jobs.is_empty())
        };
        if read {
            reading.read()?;
        }
        if woken {
            self.jobs.run();
        }
        Ok(())
    }
}

/// Hands the finger to the window; one that is gone also leaves it, as there is no hovering. Leaving without being
/// lifted is how Slint cancels.
fn dispatch(window: &slint::Window, touch: Touch) -> Result<(), PlatformError> {
    let button = PointerEventButton::Left;
    let position = LogicalPosition::new;
    let event = match touch {
        Touch::Pressed(x, y) => WindowEvent::PointerPressed { position: position(x, y), button },
        Touch::Moved(x, y) => WindowEvent::PointerMoved { position: position(x, y) },
        Touch::Released(x, y) => {
            window.dispatch_event_with_result(WindowEvent::PointerReleased {
                position: position(x, y),
                button,
            })?;
            WindowEvent::PointerExited
        }
        Touch::Cancelled => WindowEvent::PointerExited,
    };
    window.dispatch_event_with_result(event).map(|_| ())
}

impl Platform for Wayland {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        let screen = self.display.borrow().screen();
        self.window.set_size(PhysicalSize::new(screen.width, screen.height));
        Ok(self.window.clone())
    }

    fn run_event_loop(&self) -> Result<(), PlatformError> {
        let ended = self.turns();
        let hook = self.shared.on_close.borrow_mut().take();
        if let Some(hook) = hook {
            hook();
        }
        ended.map_err(|error| {
            let told = PlatformError::from(error.to_string());
            *self.shared.failed.borrow_mut() = Some(error);
            told
        })
    }

    fn new_event_loop_proxy(&self) -> Option<Box<dyn EventLoopProxy>> {
        Some(Box::new(Handle(self.jobs.clone())))
    }
}
