//! Times of the week in which less is allowed: class, bedtime, and what else a family names.
//!
//! A window is civil time of the family's zone. When the clock jumps ahead, what it skips does not happen; when it
//! jumps back, the hour happens twice.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::contact::{Kind, valid_id, valid_name};
use crate::rules::{PolicyError, at_most, limits};
use crate::time_zone::TimeZone;
use crate::verdict::Reason;
use crate::week::{self, Closure};

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// All, Monday first.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];
}

/// One or more days of the week. In JSON a list such as `["mon", "fri"]`, each day once, in any order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Days(u8);

impl Days {
    /// The whole week.
    pub const ALL: Self = Self::of(&Day::ALL);

    /// These days.
    pub const fn of(days: &[Day]) -> Self {
        let mut bits = 0;
        let mut rest = days;
        while let [day, more @ ..] = rest {
            bits |= 1 << *day as u8;
            rest = more;
        }
        Self(bits)
    }

    /// Whether the day is one of them.
    pub fn has(self, day: Day) -> bool {
        self.0 >> day as u8 & 1 == 1
    }

    /// The days, Monday first.
    pub fn iter(self) -> impl Iterator<Item = Day> {
        Day::ALL.into_iter().filter(move |day| self.has(*day))
    }

    /// Bit 0 is Monday.
    pub(crate) fn bits(self) -> u8 {
        self.0
    }
}

impl fmt::Debug for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for Days {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Days {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Vec::<Day>::deserialize(deserializer)?;
        let days = Self::of(&list);
        if list.is_empty() || days.iter().count() != list.len() {
            return Err(serde::de::Error::custom("there are one to seven days, each once"));
        }
        Ok(days)
    }
}

/// A minute of the day, `00:00` to `23:59`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

/// Not a time of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time of the day is HH:MM, 00:00 to 23:59")]
pub struct TimeOfDayError;

impl TimeOfDay {
    /// Midnight.
    pub const MIDNIGHT: Self = Self(0);

    /// A full hour, 0 to 23; 24 and more begin again at 0.
    pub const fn at(hour: u8) -> Self {
        Self(hour as u16 % 24 * 60)
    }

    /// Minutes since midnight.
    pub fn minutes(self) -> u16 {
        self.0
    }
}

impl FromStr for TimeOfDay {
    type Err = TimeOfDayError;

    fn from_str(text: &str) -> Result<Self, TimeOfDayError> {
        let &[h, hh, b':', m, mm] = text.as_bytes() else { return Err(TimeOfDayError) };
        let number = |tens: u8, ones: u8| {
            let both = tens.is_ascii_digit() && ones.is_ascii_digit();
            both.then(|| u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
        };
        match (number(h, hh), number(m, mm)) {
            (Some(hour @ 0..24), Some(minute @ 0..60)) => Ok(Self(hour * 60 + minute)),
            _ => Err(TimeOfDayError),
        }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Debug for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// From one time of the day to another, on some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The days it begins on.
    pub days: Days,
    /// Its first minute.
    pub from: TimeOfDay,
    /// The minute after its last. Not after `from`: it is a minute of the next day, so that equal times are 24 hours.
    pub to: TimeOfDay,
}

/// What a schedule is for: which face the watch shows, and which word a child reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleKind {
    /// School.
    Class,
    /// Night.
    Bedtime,
    /// Anything else, such as dinner.
    Custom,
}

impl ScheduleKind {
    /// The word in orders, tables and on the bus.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Bedtime => "bedtime",
            Self::Custom => "custom",
        }
    }
}

/// Who of the contacts gets through: may ring and be called, write and be written to, as far as their `may` goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// Guardians, and those to reach in need.
    Guardians,
    /// They and the family.
    Family,
    /// Every contact.
    Everyone,
}

impl Reach {
    /// The word in orders and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guardians => "guardians",
            Self::Family => "family",
            Self::Everyone => "everyone",
        }
    }

    /// Whether somebody of this kind gets through.
    pub fn has(self, kind: Kind) -> bool {
        match kind {
            Kind::Guardian | Kind::Emergency => true,
            Kind::Family => self >= Self::Family,
            Kind::Friend => self == Self::Everyone,
        }
    }
}

/// When less is allowed, and what is left. Where several are in force each takes its part.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Stable id: 1 to 32 of `a-z`, `0-9`, `-`.
    pub id: String,
    /// What the family calls it: 1 to 40 characters, as a contact's name.
    pub name: String,
    /// What it is for.
    pub kind: ScheduleKind,
    /// When it is in force. None: never.
    pub windows: Vec<Window>,
    /// Who gets through.
    pub calls: Reach,
    /// Whether apps stay open.
    pub apps: bool,
}

/// Names stay out of logs.
impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schedule").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Schedule {
    /// Whether it is in force in this zone at a second since 1970, UTC.
    pub(crate) fn in_force(&self, zone: &TimeZone, unix: i64) -> bool {
        week::closed(&self.closures(), zone, unix).is_some()
    }

    /// The first second after this one at which that changes.
    pub(crate) fn changes(&self, zone: &TimeZone, unix: i64) -> Option<i64> {
        let find = if self.in_force(zone, unix) { week::opens } else { week::closes };
        find(&self.closures(), zone, unix)
    }

    /// Its windows, with what a child is told in them.
    pub(crate) fn closures(&self) -> impl Iterator<Item = Closure<'_>> + Clone {
        let reason = match self.kind {
            ScheduleKind::Class => Reason::NotInClass,
            ScheduleKind::Bedtime => Reason::Bedtime,
            ScheduleKind::Custom => Reason::Schedule,
        };
        self.windows.iter().map(move |window| Closure { window, reason, before: i64::MAX })
    }
}

pub(crate) fn validate(schedules: &[Schedule]) -> Result<(), PolicyError> {
    at_most("schedules", schedules.len(), limits::SCHEDULES)?;
    let windows = schedules.iter().map(|schedule| schedule.windows.len()).sum();
    at_most("windows in all schedules", windows, limits::WINDOWS)?;
    let mut ids = HashSet::new();
    for schedule in schedules {
        valid_id(&schedule.id)?;
        valid_name(&schedule.name)?;
        if !ids.insert(schedule.id.as_str()) {
            return Err(PolicyError::SharedId { id: schedule.id.clone() });
        }
        if schedule.windows.iter().any(|window| window.days.bits() == 0) {
            return Err(PolicyError::Days { schedule: schedule.id.clone() });
        }
    }
    Ok(())
}
