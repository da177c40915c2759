//! The panel without a device: the same renderer and frame code, a clock and a finger moved by hand.
//!
//! For tests that look at real pixels. One for each thread, because Slint keeps its platform in a
//! thread-local; `invoke_from_event_loop` is not offered, a test calls what it wants directly.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use slint::platform::software_renderer::{MinimalSoftwareWindow, RepaintBufferType};
use slint::platform::{Platform, WindowAdapter, set_platform, update_timers_and_animations};
use slint::{PhysicalSize, PlatformError};

use crate::layer::Under;
use crate::platform::{PanelError, dispatch};
use crate::touch::Pointer;
use frame::{Frame, Pixel, Rect};

/// Slint looks at timers this often while the clock is moved.
const STEP: Duration = Duration::from_millis(10);

struct Clockwork {
    window: Rc<MinimalSoftwareWindow>,
    size: PhysicalSize,
    now: Rc<Cell<Duration>>,
}

impl Platform for Clockwork {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        self.window.set_size(self.size);
        Ok(self.window.clone())
    }

    fn duration_since_start(&self) -> Duration {
        self.now.get()
    }
}

/// A screen in memory.
pub struct Headless {
    window: Rc<MinimalSoftwareWindow>,
    now: Rc<Cell<Duration>>,
    frame: RefCell<Frame>,
    under: Under,
    /// The framebuffer.
    screen: RefCell<Vec<u8>>,
}

impl Headless {
    /// Makes this thread's Slint draw into memory, at time zero.
    pub fn install(width: u32, height: u32) -> Result<Self, PanelError> {
        let window = MinimalSoftwareWindow::new(RepaintBufferType::ReusedBuffer);
        let now = Rc::new(Cell::new(Duration::ZERO));
        let size = PhysicalSize::new(width, height);
        set_platform(Box::new(Clockwork { window: window.clone(), size, now: now.clone() }))
            .map_err(PanelError::Taken)?;
        let frame = RefCell::new(Frame::new(width as usize, height as usize));
        let screen = RefCell::new(vec![0; width as usize * height as usize * 4]);
        Ok(Self { window, now, frame, under: Under::default(), screen })
    }

    /// The time the components see.
    pub fn now(&self) -> Duration {
        self.now.get()
    }

    /// Moves the clock in small steps, so that every timer fires at its time, in order.
    pub fn advance(&self, by: Duration) {
        let end = self.now.get() + by;
        while self.now.get() < end {
            self.now.set((self.now.get() + STEP).min(end));
            update_timers_and_animations();
        }
    }

    /// Moves the finger.
    pub fn pointer(&self, pointer: Pointer) -> Result<(), PlatformError> {
        dispatch(&self.window, pointer)?;
        update_timers_and_animations();
        Ok(())
    }

    /// A short touch at a pixel.
    pub fn tap(&self, x: f32, y: f32) -> Result<(), PlatformError> {
        self.pointer(Pointer::Pressed(x, y))?;
        self.advance(Duration::from_millis(60));
        self.pointer(Pointer::Released(x, y))
    }

    /// A finger drawn across the screen in a fifth of a second.
    pub fn swipe(&self, from: (f32, f32), to: (f32, f32)) -> Result<(), PlatformError> {
        self.pointer(Pointer::Pressed(from.0, from.1))?;
        for step in 1..=10 {
            let part = step as f32 / 10.0;
            self.advance(Duration::from_millis(20));
            let at = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            self.pointer(Pointer::Moved(at.0, at.1))?;
        }
        self.pointer(Pointer::Released(to.0, to.1))
    }

    /// The place for a picture under the window.
    pub fn under(&self) -> Under {
        self.under.clone()
    }

    /// Draws what changed since the last call; no rectangle means nothing did.
    pub fn draw(&self) -> Vec<Rect> {
        let mut drawn = Vec::new();
        update_timers_and_animations();
        let mut frame = self.frame.borrow_mut();
        let any = self.window.draw_if_needed(|renderer| drawn = frame.draw(renderer));
        let mut all = Vec::new();
        if any || self.under.is_due() {
            let (width, _) = frame.size();
            self.under.compose(&frame, drawn, &mut |under, damage| {
                all = damage.to_vec();
                frame.compose(damage, under, &mut self.screen.borrow_mut(), width * 4);
            });
        }
        all
    }

    /// The screen as it was last drawn, row by row.
    pub fn pixels(&self) -> Vec<Pixel> {
        let screen = self.screen.borrow();
        let pixels = screen.chunks_exact(4).filter_map(|bytes| bytes.try_into().ok());
        pixels.map(|bytes| Pixel(u32::from_le_bytes(bytes))).collect()
    }
}
