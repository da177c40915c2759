//! How old the child is.

use jiff::civil::{Date, Time};
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use crate::rules::PolicyError;
use crate::time_zone::TimeZone;

/// When the child was born, as far as the rules need it: nobody asks for the day.
///
/// The child counts as a year older when the month of birth is over, so that it never counts as older than it is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Child {
    /// 1990 to 2100.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
}

/// A birthday stays out of logs.
impl std::fmt::Debug for Child {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Child(…)")
    }
}

/// No watch is for a younger child, years. A child whose age nobody said counts as so old.
pub const YOUNGEST: u8 = 3;

impl Child {
    pub(crate) fn validate(self) -> Result<(), PolicyError> {
        let fine = (1990..=2100).contains(&self.year) && (1..=12).contains(&self.month);
        if fine { Ok(()) } else { Err(PolicyError::Child) }
    }

    /// The first second at which the child counts as so old, since 1970, UTC; `i64::MAX`: it has no birthday.
    fn turns(self, age: u8, zone: &TimeZone) -> i64 {
        let (year, month) = match self.month {
            12.. => (self.year.saturating_add(1), 1),
            month => (self.year, month + 1),
        };
        let year = i16::try_from(year).ok().and_then(|year| year.checked_add(i16::from(age)));
        let first = year.and_then(|year| Date::new(year, month as i8, 1).ok());
        let midnight = first.and_then(|day| Offset::UTC.to_timestamp(day.to_datetime(Time::midnight())).ok());
        midnight.map_or(i64::MAX, |midnight| zone.first_at(midnight.as_second()))
    }
}

/// The first second at which a child counts as so old, since 1970, UTC; `i64::MAX`: never.
pub(crate) fn turns(child: Option<Child>, age: u8, zone: &TimeZone) -> i64 {
    match child {
        _ if age <= YOUNGEST => i64::MIN,
        None => i64::MAX,
        Some(child) => child.turns(age, zone),
    }
}
