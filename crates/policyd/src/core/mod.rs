//! What policyd decides, without I/O: whether a boot is trusted ([`boot`]), who may knock how often
//! ([`gate`]), and who looks where the child is ([`looks`]). Whether an order is good is the `orders` crate's.

pub mod boot;
pub mod gate;
pub mod looks;
