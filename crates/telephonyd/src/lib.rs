//! telephonyd: the watch's telephone.
//!
//! [`core`] decides, without I/O; [`modem`] is the client of ModemManager; [`bus`] offers `Telephony1` to the
//! screen; [`list`] keeps the guardians for the day the rules cannot be read; [`log`] the calls that are over; [`call_back`] what a restart must not forget; [`search`] says when it rings for a guardian who looks for the watch; [`ring`] and [`audio`] drive hardware by
//! programs of the image; [`service`] joins them in one
//! loop.
//!
//! **Invariants:** nothing rings and no signal leaves before the verdict; no call is answered without a
//! touch that came at least two seconds after it began to ring; an emergency call asks no rule, no store and
//! no other daemon (locationd is told, and not waited for); a full number reaches neither the diary nor a log.

pub mod audio;
mod bus;
mod call_back;
pub mod config;
mod core;
mod events;
pub mod fuzz;
mod help;
mod helper;
mod keeper;
mod list;
mod log;
mod modem;
pub mod ring;
mod search;
pub mod service;
