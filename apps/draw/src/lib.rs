//! A drawing pad for a child of five to eight: paints, brushes, one step back, a new page. No words.
//!
//! [`canvas`] and [`brush`] turn fingers into pixels, [`layout`] says where things lie, [`store`] keeps the drawing,
//! [`pad`] ties them to the window.
//!
//! **Invariants:** nothing asks a question, and everything can be taken back; a drawing outlives a freeze, a kill and an
//! empty battery, but for the last half second; no file it finds makes it fail.

// The code Slint generates is not held to our lints.
#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, clippy::pedantic, clippy::unwrap_used)]
mod ui {
    slint::include_modules!();
}

pub mod brush;
pub mod canvas;
pub mod layout;
pub mod pad;
pub mod store;

pub use ui::Draw;
