//! The rules of the watch: what a family can say, and what follows from it.
//!
//! [`Policy`] is what guardians sign; [`decide`] is the one place where an action is allowed or denied.
//! Every daemon that enforces a rule links this crate and decides in its own process.
//!
//! **Invariants:** no I/O, no clock, no panic; nothing unknown is ever allowed; this crate depends on
//! nothing of ours.

mod allowance;
mod app;
mod child;
mod contact;
mod decide;
mod expect;
mod moment;
mod number;
mod numbering;
mod place;
mod region;
mod retention;
mod rules;
mod schedule;
mod standing;
mod time_zone;
mod verdict;
mod week;

pub use allowance::{Allowances, Break, CategoryLimit};
pub use app::{AppGrant, Permission};
pub use child::{Child, YOUNGEST};
pub use contact::{Contact, Kind, May, is_id, is_name};
pub use decide::decide;
pub use expect::Expect;
pub use moment::{Moment, Usage};
pub use number::{E164, NumberError, normalise};
pub use numbering::{Numbering, numbering_of_imsi};
pub use place::{Place, PlaceError, Zone};
pub use region::{ADULT, Clause, Region, Rule, category};
pub use retention::{Features, Retention};
pub use rules::{Policy, PolicyError, limits};
pub use schedule::{Day, Days, Reach, Schedule, ScheduleKind, TimeOfDay, TimeOfDayError, Window};
pub use standing::{Extra, MoreTime, Pause, Rulebook, Standing};
pub use time_zone::{TimeZone, TimeZoneError};
pub use verdict::{Action, App, Caller, Reason, Verdict};
