//! The soak's books (`benches/soak`), which must not balance by themselves.

#![allow(clippy::unwrap_used, dead_code, reason = "the soak uses more of it")]

#[path = "../benches/soak/ledger.rs"]
mod ledger;
