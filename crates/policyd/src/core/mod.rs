//! What policyd decides, without I/O: whether a boot is trusted ([`boot`]), who may knock how often
//! ([`gate`]), who looks where the child is ([`looks`]), who looks for the watch
//! ([`search`]), and how old a line of the diary is ([`past`]). Whether an order is good is the `orders` crate's.

pub mod boot;
pub mod gate;
pub mod looks;
pub mod past;
pub mod search;
