//! The Slint platform and its event loop: one `poll` over touch, the wake-up descriptor and timers.
//!
//! **Invariant:** with no timer and no animation running the loop sleeps for ever; nothing but input or
//! `invoke_from_event_loop` wakes it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::time::{ClockId, clock_gettime};
use slint::platform::software_renderer::{MinimalSoftwareWindow, RepaintBufferType};
use slint::platform::{
    EventLoopProxy, Platform, PointerEventButton, WindowAdapter, WindowEvent,
    duration_until_next_timer_update, set_platform, update_timers_and_animations,
};
use slint::{EventLoopError, LogicalPosition, PhysicalSize, PlatformError};
use tracing::info;

use crate::drm::{Screen, ScreenError};
use crate::input::Inputs;
use crate::layer::Under;
use crate::touch::Pointer;
use frame::Frame;

/// Time between two frames of an animation.
const FRAME: Duration = Duration::from_millis(16);

/// Why the panel cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PanelError {
    /// There is no screen.
    #[error("no screen")]
    Screen(#[from] ScreenError),
    /// The wake-up descriptor cannot be made.
    #[error("cannot make the wake-up descriptor")]
    Wake(#[source] Errno),
    /// Slint already has a platform.
    #[error("Slint already has a platform: {0}")]
    Taken(slint::platform::SetPlatformError),
}

/// Time since boot, suspend included (`CLOCK_BOOTTIME`).
pub fn since_boot() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
}

type Job = Box<dyn FnOnce() + Send>;

struct Proxy {
    jobs: Mutex<VecDeque<Job>>,
    quit: AtomicBool,
    wake: EventFd,
}

impl Proxy {
    fn wake(&self) -> Result<(), EventLoopError> {
        // A full counter means a wake-up is already on its way.
        match self.wake.write(1) {
            Ok(_) | Err(Errno::EAGAIN) => Ok(()),
            Err(_) => Err(EventLoopError::EventLoopTerminated),
        }
    }

    fn run_jobs(&self) {
        // Emptied before the jobs are taken: one that comes later wakes again.
        let _ = self.wake.read();
        let jobs = std::mem::take(&mut *self.jobs.lock().unwrap_or_else(PoisonError::into_inner));
        for job in jobs {
            job();
        }
    }
}

struct Handle(Arc<Proxy>);

impl EventLoopProxy for Handle {
    fn quit_event_loop(&self) -> Result<(), EventLoopError> {
        self.0.quit.store(true, Ordering::Release);
        self.0.wake()
    }

    fn invoke_from_event_loop(&self, event: Job) -> Result<(), EventLoopError> {
        self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
        self.0.wake()
    }
}

type FirstFrame = Box<dyn FnOnce(Duration)>;

/// The device's screen and touch. Build it, install it, then use Slint as everywhere.
pub struct Panel {
    screen: Screen,
    inputs: RefCell<Inputs>,
    window: Rc<MinimalSoftwareWindow>,
    proxy: Arc<Proxy>,
    under: Under,
    first_frame: RefCell<Option<FirstFrame>>,
}

impl Panel {
    /// Takes the card (`/dev/dri/card0`) and every touch surface in a folder (`/dev/input`).
    pub fn open(card: &Path, inputs: &Path) -> Result<Self, PanelError> {
        let screen = Screen::open(card)?;
        let (width, height) = screen.size();
        info!("screen {width}x{height}");
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        let wake = EventFd::from_value_and_flags(0, flags).map_err(PanelError::Wake)?;
        let proxy = Proxy { jobs: Mutex::default(), quit: AtomicBool::new(false), wake };
        Ok(Self {
            inputs: RefCell::new(Inputs::open(inputs, (width, height))),
            screen,
            window: MinimalSoftwareWindow::new(RepaintBufferType::ReusedBuffer),
            proxy: Arc::new(proxy),
            under: Under::default(),
            first_frame: RefCell::new(None),
        })
    }

    /// The place for a picture under the window.
    pub fn under(&self) -> Under {
        self.under.clone()
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        self.screen.size()
    }

    /// Runs once, when the first frame is on the screen, with the time since boot.
    #[must_use]
    pub fn on_first_frame(self, run: impl FnOnce(Duration) + 'static) -> Self {
        *self.first_frame.borrow_mut() = Some(Box::new(run));
        self
    }

    /// Makes this Slint's platform. To be called before any component is made.
    pub fn install(self) -> Result<(), PanelError> {
        set_platform(Box::new(self)).map_err(PanelError::Taken)
    }

    /// Sleeps until a timer, a frame of an animation, a job or a touch; true when a descriptor has something.
    fn sleep(&self) -> Result<bool, PlatformError> {
        let mut timeout = duration_until_next_timer_update();
        if self.window.has_active_animations() {
            timeout = Some(timeout.map_or(FRAME, |t| t.min(FRAME)));
        }
        // Rounded up: waking a fraction too early would only mean to sleep again.
        let timeout = timeout.map_or(PollTimeout::NONE, |t| {
            PollTimeout::try_from(t.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX)
        });
        let inputs = self.inputs.borrow();
        let mut fds = vec![PollFd::new(self.proxy.wake.as_fd(), PollFlags::POLLIN)];
        fds.extend(inputs.fds().map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        match poll(&mut fds, timeout) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::EINTR) => Ok(false),
            Err(e) => Err(PlatformError::OtherError(Box::new(e))),
        }
    }

    fn touches(&self) -> Result<(), PlatformError> {
        let mut pointers = Vec::new();
        self.inputs.borrow_mut().read(&mut |pointer| pointers.push(pointer));
        pointers.into_iter().try_for_each(|pointer| dispatch(&self.window, pointer))
    }
}

/// Hands one finger's event to a window; a lifted finger also leaves it, as there is no hovering.
pub(crate) fn dispatch(window: &slint::Window, pointer: Pointer) -> Result<(), PlatformError> {
    let button = PointerEventButton::Left;
    let position = |x, y| LogicalPosition::new(x, y);
    let mut event = match pointer {
        Pointer::Pressed(x, y) => WindowEvent::PointerPressed { position: position(x, y), button },
        Pointer::Moved(x, y) => WindowEvent::PointerMoved { position: position(x, y) },
        Pointer::Released(x, y) => WindowEvent::PointerReleased { position: position(x, y), button },
    };
    if matches!(pointer, Pointer::Released(..)) {
        window.dispatch_event_with_result(event)?;
        event = WindowEvent::PointerExited;
    }
    window.dispatch_event_with_result(event).map(|_| ())
}

impl Platform for Panel {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        let (width, height) = self.screen.size();
        self.window.set_size(PhysicalSize::new(width, height));
        Ok(self.window.clone())
    }

    fn run_event_loop(&self) -> Result<(), PlatformError> {
        let error = |e: ScreenError| PlatformError::OtherError(Box::new(e));
        let (width, height) = self.screen.size();
        let mut frame = Frame::new(width as usize, height as usize);
        let mut buffer = self.screen.buffer().map_err(error)?;
        let mut scanout = self.screen.scan_out(&mut buffer).map_err(error)?;
        loop {
            // Also a quit from before the loop began counts.
            if self.proxy.quit.swap(false, Ordering::AcqRel) {
                return Ok(());
            }
            update_timers_and_animations();
            let mut damage = Vec::new();
            let drawn = self.window.draw_if_needed(|renderer| damage = frame.draw(renderer));
            if drawn || self.under.is_due() {
                let mut shown = Ok(());
                self.under.compose(&frame, damage, &mut |under, damage| {
                    shown = scanout.show(&frame, under, damage);
                });
                shown.map_err(error)?;
            }
            if let Some(run) = self.first_frame.borrow_mut().take_if(|_| drawn) {
                let at = since_boot();
                info!("first frame after {} ms", at.as_millis());
                run(at);
            }
            if self.sleep()? {
                self.touches()?;
                self.proxy.run_jobs();
            }
        }
    }

    fn new_event_loop_proxy(&self) -> Option<Box<dyn EventLoopProxy>> {
        Some(Box::new(Handle(self.proxy.clone())))
    }

    fn duration_since_start(&self) -> Duration {
        since_boot()
    }
}
