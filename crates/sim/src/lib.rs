//! The outside world, simulated: a modem with its mobile network, and the sky above the watch.
//!
//! [`modem`] and [`sky`] are state machines without I/O: bytes, world events and the time go in, bytes and
//! [`Event`]s come out. [`World`] puts them on sockets, and [`control`] lets another process drive them.
//!
//! Invariants: the modem lists a call in `+CLCC` for as long as the network holds it; every thing the watch
//! does to the network is in the event log; no input, however broken, makes the simulator panic.

pub mod clock;
pub mod control;
pub mod event;
mod link;
pub mod modem;
mod serve;
mod shared;
pub mod sky;
pub mod world;

pub use clock::Now;
pub use control::{Client, Command, Reply};
pub use event::{Event, Stamped};
pub use modem::{Modem, ModemConfig, Registration, SimCard};
pub use sky::{LatLon, Sky, Walk};
pub use world::{World, WorldConfig};
