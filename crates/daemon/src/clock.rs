//! Clocks. Durations run on the boot-time clock, which goes on during suspend and cannot be set.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

/// Time since boot (CLOCK_BOOTTIME).
pub fn boot_time() -> Duration {
    // The clock exists in every kernel we run on; zero would only make a duration long, never short.
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
}

/// Wall-clock seconds since 1970, for people to read.
pub fn unix_time() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
}
