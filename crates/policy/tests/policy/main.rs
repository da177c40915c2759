//! The rules as a family sees them: what is valid, what is decided, and until when.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod calendar;
mod family;
mod matrix;
mod oracle;
mod properties;
mod random;
mod region;
mod standing;
mod validation;
mod wire;
