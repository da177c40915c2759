//! The rules of the watch: what a family can say, and what follows from it.
//!
//! [`Policy`] is what guardians sign; [`decide`] is the one place where an action is allowed or denied.
//! Every daemon that enforces a rule links this crate and decides in its own process.
//!
//! **Invariants:** no I/O, no clock, no panic; nothing unknown is ever allowed; this crate depends on
//! nothing of ours.

mod app;
mod contact;
mod decide;
mod number;
mod numbering;
mod place;
mod rules;

pub use app::AppGrant;
pub use contact::{Contact, Kind, May, is_id, is_name};
pub use decide::{Action, Caller, Moment, Reason, Verdict, decide};
pub use number::{E164, NumberError, normalise};
pub use numbering::{Numbering, numbering_of_imsi};
pub use place::{Place, PlaceError, Zone};
pub use rules::{Policy, PolicyError, Region, limits};
