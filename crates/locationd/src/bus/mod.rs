//! What locationd offers on the bus: one file for each interface.

mod location1;

pub use location1::Location1;
