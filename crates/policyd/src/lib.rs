//! policyd: the one owner of the rules.
//!
//! It takes signed orders ([`office`]), keeps them in the order log ([`log`]), proves at boot that the log
//! is the one it left ([`core`], [`anchor`]), publishes the policy store, and keeps the diary ([`diary`]).
//!
//! **Invariants:** an order is in the log and synced before anything follows from it; a log that does not
//! fit the anchor seals the watch and is left as it was found; nobody else can open a file of policyd's.

pub mod anchor;
pub mod bus;
pub mod config;
pub mod core;
pub mod device;
pub mod diary;
pub mod guard;
pub mod log;
pub mod office;
pub mod service;
