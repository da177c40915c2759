//! The family's time zone: the only local time the rules know (`docs/adr/0010-local-time.md`).
//!
//! **Invariants:** the zone's rules come from the database that is compiled in, never from a file or the environment;
//! they are read once, when the name is, so that a decision looks up a table and allocates nothing.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The years whose changes of the clock are known: 2000-01-01 to 2100-01-01, UTC. Before and after, the clock stays as
/// it is at that end.
const KNOWN: Range<i64> = 946_684_800..4_102_444_800;

/// Seconds.
pub(crate) const DAY: i64 = 86_400;

/// A time zone of the IANA database, by its name there, such as `Europe/Helsinki`. Two are equal when their names are.
#[derive(Clone)]
pub struct TimeZone {
    name: Arc<str>,
    /// Before the first change.
    first: i64,
    /// In order.
    changes: Arc<[Change]>,
}

/// The clock jumps.
struct Change {
    /// From this second on, since 1970, UTC,
    at: i64,
    /// local time minus UTC is this, seconds.
    offset: i64,
}

/// A time without a change of the clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// Local time minus UTC, seconds.
    pub(crate) offset: i64,
    /// The first second after it; `i64::MAX`: none.
    pub(crate) end: i64,
}

/// Not the name of a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a time zone in the IANA database, in its spelling")]
pub struct TimeZoneError;

impl TimeZone {
    /// The name in the IANA database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Local time minus UTC, seconds, at this second since 1970, UTC.
    pub fn offset_s(&self, unix: i64) -> i64 {
        self.span(unix).offset
    }

    /// The civil day of a second: its first second and the first of the next one. Allowances are for such days.
    ///
    /// Days follow one another without a gap and never come again, even where the clock jumps back over midnight.
    pub fn day(&self, unix: i64) -> Range<i64> {
        let local = unix.saturating_add(self.offset_s(unix));
        let midnight = local.saturating_sub(local.rem_euclid(DAY));
        let (today, tomorrow) = (self.first_at(midnight), self.first_at(midnight.saturating_add(DAY)));
        if tomorrow > unix {
            return today..tomorrow;
        }
        tomorrow..self.first_at(midnight.saturating_add(2 * DAY))
    }

    /// The first second at which the local clock shows this time or a later one.
    pub(crate) fn first_at(&self, local: i64) -> i64 {
        // No clock is further from UTC than a day.
        let mut from = local.saturating_sub(DAY);
        loop {
            let Span { offset, end } = self.span(from);
            let at = local.saturating_sub(offset).max(from);
            if at < end || end == i64::MAX {
                return at;
            }
            from = end;
        }
    }

    /// The time without a change of the clock that this second is in.
    pub(crate) fn span(&self, unix: i64) -> Span {
        let next = self.changes.partition_point(|change| change.at <= unix);
        let change = next.checked_sub(1).and_then(|last| self.changes.get(last));
        Span {
            offset: change.map_or(self.first, |change| change.offset),
            end: self.changes.get(next).map_or(i64::MAX, |change| change.at),
        }
    }
}

impl FromStr for TimeZone {
    type Err = TimeZoneError;

    fn from_str(name: &str) -> Result<Self, TimeZoneError> {
        let zone = TimeZoneDatabase::bundled().get(name).map_err(|_| TimeZoneError)?;
        // The database does not look at capitals; an order has one spelling.
        if zone.iana_name() != Some(name) || zone.is_unknown() {
            return Err(TimeZoneError);
        }
        let start = Timestamp::from_second(KNOWN.start).map_err(|_| TimeZoneError)?;
        let first = i64::from(zone.to_offset(start).seconds());
        let mut changes: Vec<Change> = Vec::new();
        for change in zone.following(start) {
            let (at, offset) = (change.timestamp().as_second(), i64::from(change.offset().seconds()));
            if at >= KNOWN.end {
                break;
            }
            // Some change the name of the time alone.
            if changes.last().map_or(first, |last| last.offset) != offset {
                changes.push(Change { at, offset });
            }
        }
        Ok(Self { name: name.into(), first, changes: changes.into() })
    }
}

impl Default for TimeZone {
    /// UTC: what orders from before there were zones mean.
    fn default() -> Self {
        Self { name: "UTC".into(), first: 0, changes: [].into() }
    }
}

impl PartialEq for TimeZone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for TimeZone {}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimeZone({})", self.name)
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Serialize for TimeZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl<'de> Deserialize<'de> for TimeZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}
