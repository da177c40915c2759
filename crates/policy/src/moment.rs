//! When something is decided, and what was used until then.

use serde::{Deserialize, Serialize};

/// When something is decided, and how the watch is then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment<'a> {
    /// Seconds since 1970, UTC, by the watch's trusted wall clock. Before 1970 and after 9999 it is taken as that end.
    pub unix: i64,
    /// The highest trusted wall time the watch ever saw, as `unix`. When `unix` is before it the clock was set back,
    /// and only that is allowed which is allowed at both.
    pub latest: i64,
    /// The watch is on its charger.
    pub charging: bool,
    /// How long apps were used; `None`: nobody knows.
    pub usage: Option<&'a Usage>,
}

impl Moment<'_> {
    /// A moment at which nobody knows more than the time.
    pub fn at(unix: i64) -> Self {
        Self { unix, latest: unix, charging: false, usage: None }
    }
}

/// How long apps were used. A day is one of [`TimeZone::day`](crate::TimeZone::day) in the family's zone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// All apps today, seconds.
    pub day_s: u32,
    /// Of these, by category, seconds. A category that is not here was not used.
    pub categories: Vec<(String, u32)>,
    /// Since the last break, seconds of use. Who counts begins at 0 again when an app opens after a rest as long as
    /// [`Rulebook::break_at`](crate::Rulebook::break_at) asks for.
    pub running_s: u32,
    /// Since the last use ended, seconds; 0 while an app is open.
    pub rested_s: u32,
}
