//! A Slint platform for the device: DRM dumb buffers, evdev touch, damage.
//!
//! [`Panel`] is what the shell runs on: it takes the first connected screen, reads every touch surface
//! and sleeps in one `poll` until something happens. [`headless`] is the same renderer and the same
//! frame code with a clock and a finger moved by hand, for tests that look at pixels.
//!
//! **Invariants:** idle costs no wakeup: no thread, no interval, no async executor of its own. Only damaged
//! rectangles are copied to the screen. Keys that are no touch (the SOS key) are never opened for
//! grabbing: other processes see them too. No `unsafe`.

mod drm;
pub mod headless;
mod input;
mod layer;
mod platform;
mod touch;

pub use drm::ScreenError;
pub use frame::{Pixel, Rect};
pub use layer::{Layer, Show, Under};
pub use platform::{Panel, PanelError, since_boot};
pub use touch::{Axis, Pointer, Touch};
