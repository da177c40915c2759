//! What policyd decides, without I/O: whether a boot is trusted ([`boot`]) and who may knock how often
//! ([`gate`]). Whether an order is good is the `orders` crate's.

pub mod boot;
pub mod gate;
