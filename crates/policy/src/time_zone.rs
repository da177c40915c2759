//! The family's time zone: the only local time the rules know (`docs/adr/0010-local-time.md`).
//!
//! **Invariants:** the zone's rules come from the database that is compiled in, never from a file or the environment;
//! they are read once, when the name is, so that a decision looks up a table and allocates nothing.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The years whose changes of the clock are known: 2000-01-01 to 2100-01-01, UTC. Before and after, the clock stays as
/// it is at that end.
const KNOWN: std::ops::Range<i64> = 946_684_800..4_102_444_800;

/// A time zone of the IANA database, by its name there, such as `Europe/Helsinki`. Two are equal when their names are.
#[derive(Clone)]
pub struct TimeZone {
    name: Arc<str>,
    /// In order; the first begins at `i64::MIN`.
    spans: Arc<[Span]>,
}

/// A time without a change of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// The first second, since 1970, UTC.
    pub(crate) from: i64,
    /// Local time minus UTC, seconds.
    pub(crate) offset: i64,
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
}

impl FromStr for TimeZone {
    type Err = TimeZoneError;

    fn from_str(name: &str) -> Result<Self, TimeZoneError> {
        let zone = TimeZoneDatabase::bundled().get(name).map_err(|_| TimeZoneError)?;
        // The database does not look at capitals; an order has one spelling.
        if zone.iana_name() != Some(name) || zone.is_unknown() {
            return Err(TimeZoneError);
        }
        let first = Timestamp::from_second(KNOWN.start).map_err(|_| TimeZoneError)?;
        let mut spans = vec![Span { from: i64::MIN, offset: i64::from(zone.to_offset(first).seconds()) }];
        for change in zone.following(first) {
            let from = change.timestamp().as_second();
            let offset = i64::from(change.offset().seconds());
            if from >= KNOWN.end {
                break;
            }
            if spans.last().is_some_and(|last| last.offset != offset) {
                spans.push(Span { from, offset });
            }
        }
        Ok(Self { name: name.into(), spans: spans.into() })
    }
}

impl Default for TimeZone {
    /// UTC: what orders from before there were zones mean.
    fn default() -> Self {
        let spans = [Span { from: i64::MIN, offset: 0 }];
        Self { name: "UTC".into(), spans: spans.into() }
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
