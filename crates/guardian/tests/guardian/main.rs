//! The real program against a ledger that answers as a watch does.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it is surprised")]

mod document;
mod folder;
mod guardians;
mod rules;
mod sending;
mod world;
