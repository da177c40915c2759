//! locationd: where the watch is, and in which of the family's zones.
//!
//! [`gpsd`] reads what gpsd says and takes it for hostile; [`core`] decides, without I/O, what to believe, when the receiver is on
//! and when a zone was entered or left; [`receiver`] switches it; [`sensors`] says how the watch is; [`newest`] is what is told,
//! by satellites or by the cell, and [`looks`] and [`help`] say to whom and until when;
//! [`track`] remembers for as long as the family said, and `sides` in which zones the watch was last; [`bus`] offers `Location1`; [`service`]
//! joins them in one loop.
//!
//! **Invariants:** a fix is believed only when it follows from those before it, or those after it insist; one fix alone neither enters nor
//! leaves a zone; no coordinate reaches a log.

pub mod bus;
mod cells;
pub mod config;
pub mod core;
pub mod gpsd;
pub mod help;
pub mod looks;
pub mod newest;
pub mod receiver;
pub mod sensors;
pub mod service;
mod sides;
pub mod track;
