//! How old a row is, when no single clock is to be believed.
//!
//! Two measures; a row goes when either says so.
//!
//! - **The track's own age**: seconds for which the watch was on since the track began, counted on the boot-time clock and kept
//!   in the file. Nobody can set it. It knows nothing of the time for which the watch was off.
//! - **The time of day**, by two who tell it: the wall clock (which policyd sets) and the receiver's. A row says when it was
//!   made by the receiver's clock, so its age in days off is known as soon as both say what time it is now. The earlier of the
//!   two counts, so that one that jumps ahead deletes nothing; one of them alone counts after it has told the same for twelve
//!   hours of boot time.
//!
//! **Invariants:** a clock set back keeps no row longer than the watch is on; a clock set ahead, alone, takes none within
//! twelve hours.

use std::time::Duration;

use daemon::wall::Now;

/// How often the age is written down, at least, while there are rows.
pub(super) const INTERVAL: Duration = Duration::from_mins(10);
/// For how long one clock alone has to tell the same before it is believed (design, "Time").
const ALONE: u64 = 12 * 3600;
/// By how much a clock may be corrected and still tell the same, seconds.
const SAME: u64 = 300;

/// The clocks of the track.
#[derive(Debug, Clone)]
pub(super) struct Ages {
    /// The age at a moment of the boot-time clock, both in seconds.
    base: (u64, u64),
    wall: Option<Told>,
    receiver: Option<Told>,
}

/// What somebody says the time is.
#[derive(Debug, Clone, Copy)]
struct Told {
    /// How far ahead of the boot-time clock, seconds.
    ahead: i64,
    /// Since when, on the boot-time clock, seconds.
    since: u64,
}

impl Ages {
    /// Goes on from what was written: the age, and the boot-time clock then if that was in this boot.
    pub(super) fn after(age: u64, boot: Option<u64>, now: Now) -> Self {
        let here = now.boot.as_secs();
        let passed = boot.and_then(|boot| here.checked_sub(boot));
        // Of another boot, what it may not have written counts, and all of this one.
        let passed = passed.unwrap_or_else(|| here.saturating_add(INTERVAL.as_secs()));
        Self { base: (age.saturating_add(passed), here), wall: None, receiver: None }
    }

    /// The wall clock was read.
    pub(super) fn read(&mut self, now: Now) {
        self.wall = Some(Told::next(self.wall, now.unix, now));
    }

    /// A fix that is believed says what time it is.
    pub(super) fn fix(&mut self, unix: i64, now: Now) {
        self.receiver = Some(Told::next(self.receiver, unix, now));
    }

    /// The track's age, seconds.
    pub(super) fn age(&self, now: Now) -> u64 {
        self.base.0.saturating_add(now.boot.as_secs().saturating_sub(self.base.1))
    }

    /// The latest second since 1970 that is certainly here.
    pub(super) fn unix(&self, now: Now) -> Option<i64> {
        let tells = |told: Told| told.ahead.saturating_add_unsigned(now.boot.as_secs());
        let both = self.wall.zip(self.receiver).map(|(wall, receiver)| tells(wall).min(tells(receiver)));
        let alone = [self.wall, self.receiver].into_iter().flatten();
        let stood =
            alone.filter(|told| now.boot.as_secs().saturating_sub(told.since) >= ALONE).map(tells).max();
        both.max(stood)
    }
}

impl Told {
    fn next(before: Option<Self>, unix: i64, now: Now) -> Self {
        let ahead = unix.saturating_sub_unsigned(now.boot.as_secs());
        let since = before.filter(|before| before.ahead.abs_diff(ahead) <= SAME).map(|before| before.since);
        Self { ahead, since: since.unwrap_or(now.boot.as_secs()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_435_200;

    fn at(boot: u64, unix: i64) -> Now {
        Now { boot: Duration::from_secs(boot), unix }
    }

    fn told(wall: i64, receiver: i64) -> Ages {
        let now = at(100, wall);
        let mut ages = Ages::after(0, Some(100), now);
        ages.read(now);
        ages.fix(receiver, now);
        ages
    }

    #[test]
    fn the_earlier_of_two_clocks_counts() {
        assert_eq!(told(NOON + 9, NOON).unix(at(110, 0)), Some(NOON + 10));
        assert_eq!(told(NOON, NOON + 9).unix(at(110, 0)), Some(NOON + 10));
    }

    #[test]
    fn one_clock_alone_counts_after_twelve_hours_of_the_same() {
        let mut ages = Ages::after(0, Some(100), at(100, 0));
        ages.read(at(100, NOON));
        assert_eq!(ages.unix(at(101, 0)), None);
        ages.read(at(100 + ALONE - 1, NOON + ALONE as i64));
        assert_eq!(ages.unix(at(100 + ALONE - 1, 0)), None);
        assert_eq!(ages.unix(at(100 + ALONE, 0)), Some(NOON + ALONE as i64 + 1));
        ages.read(at(100 + ALONE, NOON * 2));
        assert_eq!(ages.unix(at(100 + ALONE, 0)), None, "a jump begins anew");
    }

    #[test]
    fn the_age_goes_on_over_restarts_and_boots() {
        assert_eq!(Ages::after(50, Some(100), at(130, 0)).age(at(131, 0)), 81);
        // Another boot: what it had not written for up to ten minutes counts as well.
        assert_eq!(Ages::after(50, None, at(20, 0)).age(at(21, 0)), 50 + 20 + 600 + 1);
        assert_eq!(Ages::after(50, Some(100), at(20, 0)).age(at(21, 0)), 50 + 20 + 600 + 1);
        assert_eq!(Ages::after(u64::MAX, Some(100), at(20, 0)).age(at(99, 0)), u64::MAX);
    }
}
