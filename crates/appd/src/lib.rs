//! appd: which app may run, and until when.
//!
//! [`core`] decides, without I/O; [`bus`] offers `Apps1` to the screen; [`display`] asks the screen for a place,
//! [`launcher`] asks the launcher to start, freeze and end; [`presence`] sees policyd and the screen come and go; [`timer`] wakes in time;
//! [`service`] joins them in one loop.
//!
//! **Invariants:** one app at a time; none runs that the rules do not allow at this moment, none after its time, none
//! for longer than ten seconds without policyd, none that is not on the screen. appd holds no right of its own: what
//! it may start is what the reviewers signed and a guardian granted, and the launcher looks again.

pub mod bus;
pub mod config;
pub mod core;
pub mod display;
pub mod launcher;
pub mod presence;
pub mod service;
pub mod timer;
