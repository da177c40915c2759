//! launcher: verifies an app and starts it in its sandbox. The one daemon that is root, and the smallest.
//!
//! It listens on one socket that only appd may open, and does four things for it: start, freeze, thaw, end. It trusts
//! appd with nothing: whether an app is granted it reads in the published policy itself ([`grants`]), whether it is
//! the signed one it sees itself ([`bundles`]), who it runs as is its own affair ([`users`]).
//!
//! **Invariants:** one thread; no bus, no network; no app outlives the connection it was started on, nor the launcher; a
//! refusal says one word to appd and the whole cause to the journal.

pub mod bundles;
pub mod config;
pub mod grants;
pub mod server;
mod session;
mod setup;
pub mod users;

pub use setup::{SetupError, setup};

use std::error::Error;

/// An error with all its causes, for the journal.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
