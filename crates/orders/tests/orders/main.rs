//! What a ledger takes and what it refuses, as a guardian and as an attacker.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it is surprised")]

mod contacts;
mod documents;
mod enrol;
mod family;
mod ledger;
mod people;
mod random;
mod recovery;
mod roles;
mod script;
mod standing;
mod vectors;
mod wire;
