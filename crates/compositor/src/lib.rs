//! A Wayland server for exactly one full-screen app: shared memory, touch, nothing else.
//!
//! [`Compositor`] is the shell's handle. [`Compositor::attach`] gives the app's end of a connected socket
//! pair; what the app draws arrives in one picture that [`Compositor::picture`] shows with its damage; what
//! happens is told as [`Event`]s. The server runs on its own thread, so the worst an app can do is to be ended.
//!
//! **Invariants:** one app at a time, and everything it created is dropped with it. No socket file, no
//! keyboard, no pointer, no clipboard. Every request is counted before it is parsed ([`Limits`]). The app's
//! memory is read with `pread` and never mapped: a truncated file is a short read, not a signal. Idle costs
//! no wakeup. A panic in the thread ends the session, never the process. Knows nothing of Slint or D-Bus.
//! No `unsafe`.

mod budget;
mod configure;
mod damage;
mod draw;
mod guard;
mod handle;
mod heartbeat;
mod inert;
mod limits;
mod live;
mod mailbox;
mod relay;
mod requests;
mod scene;
mod server;
mod shm;
mod state;
mod touch;

pub use damage::DamageRect;
pub use handle::{AttachError, Compositor, Config, Event, Reason, Session, StartError};
pub use limits::{Limits, Rate};
pub use mailbox::Picture;
pub use touch::Touch;
