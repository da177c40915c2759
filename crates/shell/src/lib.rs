//! What the child sees: the face, calls, contacts, first run.
//!
//! The shell has no rights of its own. It shows what the daemons say and passes on what the child
//! touches; killing it changes what is seen, never what is allowed. [`model`] decides which screen is
//! shown and is pure; `pages` hand a screen to Slint, one file for each page; [`bus`] is the only place that
//! speaks D-Bus, on a thread of its own; [`display`] has the one app that may be under all of it; [`app`] ties them to
//! one timer.

// The code Slint generates is not held to our lints.
#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, clippy::pedantic, clippy::unwrap_used)]
mod ui {
    slint::include_modules!();
}

pub mod app;
pub mod bus;
pub mod display;
mod faces;
pub mod model;
mod pages;
mod text;

pub use pages::Finger;
pub use ui::{Page, Shell};
