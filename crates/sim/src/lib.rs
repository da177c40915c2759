//! The outside world, simulated: a modem with its mobile network, and the sky above the watch.
//!
//! [`modem`] and [`sky`] are state machines without I/O: bytes, world events and the time go in, bytes and
//! [`Event`]s come out. [`World`] puts them on sockets, and [`control`] lets another process drive them. What can be
//! wrong is a [`Fault`]; what happens when is a [`Scenario`], of which `scenarios/` has some. A program may hold many
//! worlds, a modem each.
//!
//! Invariants: the modem lists a call in `+CLCC` for as long as the network holds it; every thing the watch
//! does to the network is in the event log; no input, however broken, makes the simulator panic.

pub mod clock;
pub mod control;
pub mod event;
pub mod fault;
mod line;
mod link;
pub mod modem;
pub mod scenario;
mod serve;
mod shared;
pub mod sky;
pub mod world;

pub use clock::Now;
pub use control::{Client, Command, Reply};
pub use event::{Event, HangUp, Stamped};
pub use fault::Fault;
pub use modem::{Mast, Modem, ModemConfig, Registration, SimCard};
pub use scenario::Scenario;
pub use sky::{LatLon, Sky, Walk};
pub use world::{World, WorldConfig};
