//! Between the wall clock, in which rules are written, and the boot-time clock, on which they run out.
//!
//! **Invariant:** seen through here the wall clock never goes back while the daemon is up, and no end ever moves later:
//! whoever sets the clock back gives nobody time.

use std::time::Duration;

use policy::Moment;

/// Both clocks, read together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Time since boot: durations are measured on it.
    pub boot: Duration,
    /// The wall clock, seconds since 1970: rules are written in it.
    pub unix: i64,
}

impl Now {
    /// Reads both.
    pub fn read() -> Self {
        Self { boot: crate::clock::boot_time(), unix: crate::clock::unix_time() }
    }
}

/// How far the wall clock is ahead of the boot-time clock; the furthest that was ever seen.
#[derive(Debug, Default)]
pub struct Wall {
    ahead: Option<i64>,
    boot: Duration,
}

impl Wall {
    /// Both clocks were read.
    pub fn set(&mut self, now: Now) {
        let ahead = now.unix.saturating_sub(seconds(now.boot));
        self.ahead = Some(self.ahead.map_or(ahead, |furthest| furthest.max(ahead)));
        self.boot = now.boot;
    }

    /// The boot-time clock when it was read last.
    pub fn boot(&self) -> Duration {
        self.boot
    }

    /// For a decision now.
    pub fn moment(&self) -> Moment<'static> {
        let unix = seconds(self.boot).saturating_add(self.ahead.unwrap_or_default());
        // Nobody bills what is used yet, and nobody reads the charger (README, "Not yet").
        Moment { unix, latest: unix, charging: false, usage: None }
    }

    /// When a second of the wall clock begins, on the boot-time clock.
    pub fn boot_at(&self, unix: i64) -> Duration {
        let seconds = unix.saturating_sub(self.ahead.unwrap_or_default());
        Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
    }
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a44_no_step_of_the_wall_clock_moves_an_end_later(
            steps in proptest::collection::vec((0_u64..100, -1000_i64..1000), 1..30), end in 0_i64..3000,
        ) {
            let (mut clock, mut boot, mut last) = (Wall::default(), Duration::from_secs(50), None);
            for (passed, unix) in steps {
                boot += Duration::from_secs(passed);
                clock.set(Now { boot, unix: 1500 + unix });
                let ends = clock.boot_at(end);
                prop_assert!(last.is_none_or(|last| ends <= last));
                prop_assert_eq!(clock.moment().unix >= end, boot >= ends);
                last = Some(ends);
            }
        }
    }
}
