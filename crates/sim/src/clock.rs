//! Time as the simulator's cores see it: an argument, never a call to the system.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::{Timestamp, civil::DateTime, tz::Offset};

/// One moment on two clocks: the world's own, which only runs forward, and the calendar's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Since the world began.
    pub mono: Duration,
    /// Milliseconds since 1970-01-01 UTC.
    pub unix_ms: i64,
}

impl Now {
    /// The calendar's date and time, `quarters` quarter hours east of Greenwich.
    pub fn civil(self, quarters: i8) -> DateTime {
        let offset = Offset::from_seconds(i32::from(quarters) * 900).unwrap_or(Offset::UTC);
        offset.to_datetime(Timestamp::from_millisecond(self.unix_ms).unwrap_or_default())
    }
}

/// Reads both clocks of the machine; only [`crate::World`] uses it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn now(self) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { mono: self.start.elapsed(), unix_ms: i64::try_from(unix.as_millis()).unwrap_or(i64::MAX) }
    }
}
