//! Who looks where the child is: until when, how often, and how many it were today.
//!
//! **Invariants:** a look ends by itself, on the boot-time clock, and no other look makes it longer; in any hour there are at
//! most [`AN_HOUR`] of one guardian; those beyond are two lines an hour in the diary, however many they are.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use daemon::wall::Now;

/// How long a look is open.
pub const OPEN: Duration = Duration::from_mins(2);
/// Looks of one guardian in an hour.
pub const AN_HOUR: usize = 12;

const HOUR: Duration = Duration::from_hours(1);
/// Looks are remembered for so many seconds: longer than any day.
pub const REMEMBERED: i64 = 26 * 3600;

/// A look that was given.
#[derive(Debug)]
struct Given {
    guardian: String,
    /// Milliseconds of the boot-time clock; less than zero before this boot.
    at: i64,
    /// For the day it belongs to.
    unix: i64,
}

/// A guardian's looks that were too many: the first was told at once.
#[derive(Debug)]
struct TooMany {
    guardian: String,
    more: u64,
    ends: Duration,
}

/// An open look, on the boot-time clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Who looks.
    pub guardian: String,
    /// Since when.
    pub since: Duration,
    /// Until when.
    pub until: Duration,
}

/// The looks of the last day, oldest first, and the floods of the last hour.
#[derive(Debug, Default)]
pub struct Looks {
    given: Vec<Given>,
    too_many: Vec<TooMany>,
}

impl Looks {
    /// What the diary knows of: when, in seconds since 1970, and who, oldest first. A clock that was set since moves
    /// them in the hour, but none into the future.
    pub fn of_diary(lines: impl IntoIterator<Item = (i64, String)>, now: Now) -> Self {
        let given = lines.into_iter().map(|(unix, guardian)| {
            let age = now.unix.saturating_sub(unix).max(0).saturating_mul(1000);
            Given { guardian, at: millis(now.boot).saturating_sub(age), unix }
        });
        Self { given: given.collect(), too_many: Vec::new() }
    }

    /// Whether a guardian may look once more.
    pub fn has_room(&self, guardian: &str, now: Now) -> bool {
        let since = millis(now.boot).saturating_sub(millis(HOUR));
        let recent = self.given.iter().filter(|given| given.guardian == guardian && given.at > since);
        recent.count() < AN_HOUR
    }

    /// A guardian looks.
    pub fn give(&mut self, guardian: &str, now: Now) {
        self.given.retain(|given| given.unix > now.unix.saturating_sub(REMEMBERED));
        self.given.push(Given { guardian: guardian.to_owned(), at: millis(now.boot), unix: now.unix });
    }

    /// A look was too many. True: it is to be told at once; the others of this hour are counted.
    pub fn refuse(&mut self, guardian: &str, now: Now) -> bool {
        if let Some(flood) = self.too_many.iter_mut().find(|flood| flood.guardian == guardian) {
            flood.more += 1;
            return false;
        }
        self.too_many.push(TooMany { guardian: guardian.to_owned(), more: 0, ends: now.boot + HOUR });
        true
    }

    /// The floods that are over by this time of the boot-time clock: of whom, and how many looks more than were told.
    pub fn floods(&mut self, over: Duration) -> Vec<(String, u64)> {
        let ended = self.too_many.extract_if(.., |flood| flood.ends <= over);
        ended.filter(|flood| flood.more > 0).map(|flood| (flood.guardian, flood.more)).collect()
    }

    /// Who looks now, by guardian.
    pub fn open(&self, now: Duration) -> Vec<Open> {
        let mut began = BTreeMap::new();
        for Given { guardian, at, .. } in &self.given {
            let since = began.entry(guardian).or_insert(*at);
            // A look within an open one counts and opens nothing.
            if *at >= since.saturating_add(millis(OPEN)) {
                *since = *at;
            }
        }
        let open = began.into_iter().map(|(guardian, since)| {
            let until = duration(since.saturating_add(millis(OPEN)));
            Open { guardian: guardian.clone(), since: duration(since), until }
        });
        open.filter(|look| now < look.until).collect()
    }

    /// How many looks there were in a day of the wall clock.
    pub fn in_day(&self, day: &Range<i64>) -> u32 {
        let count = self.given.iter().filter(|given| day.contains(&given.unix)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Who looked in a day of the wall clock, and when, seconds since 1970; the newest first.
    pub fn of_day<'a>(&'a self, day: &'a Range<i64>) -> impl Iterator<Item = (&'a str, i64)> {
        let given = self.given.iter().rev().filter(|given| day.contains(&given.unix));
        given.map(|given| (given.guardian.as_str(), given.unix))
    }

    /// When something here changes by itself, on the boot-time clock.
    pub fn due(&self, now: Duration) -> Option<Duration> {
        let ends = self.open(now).into_iter().map(|look| look.until);
        ends.chain(self.floods_due()).min()
    }

    /// When [`Looks::floods`] has something to tell, on the boot-time clock.
    pub fn floods_due(&self) -> Option<Duration> {
        self.too_many.iter().map(|flood| flood.ends).min()
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> Now {
        Now { boot: Duration::from_secs(seconds), unix: 1_790_000_000 + i64::try_from(seconds).unwrap() }
    }

    fn until(looks: &Looks, seconds: u64) -> Vec<u64> {
        looks.open(at(seconds).boot).iter().map(|look| look.until.as_secs()).collect()
    }

    #[test]
    fn t16_a_look_ends_by_itself_and_a_second_one_makes_it_no_longer() {
        let mut looks = Looks::default();
        looks.give("mum", at(10));
        looks.give("mum", at(100));
        looks.give("dad", at(100));
        assert_eq!(until(&looks, 129), [220, 130]);
        assert_eq!(looks.due(at(129).boot), Some(at(130).boot));
        assert_eq!(until(&looks, 130), [220]);
        assert_eq!((until(&looks, 220), looks.due(at(220).boot)), (vec![], None));
        // After that there may be a new one.
        looks.give("mum", at(130));
        assert_eq!(until(&looks, 130), [220, 250]);
    }

    #[test]
    fn a54_of_a_thousand_looks_a_guardian_has_twelve_an_hour() {
        let mut looks = Looks::default();
        let mut given = Vec::new();
        for second in 0..1000 {
            if looks.has_room("mum", at(second)) {
                looks.give("mum", at(second));
                given.push(second);
            }
        }
        assert_eq!(given, (0..12).collect::<Vec<_>>());
        assert!(looks.has_room("dad", at(1000)), "each has his own");
        assert!(!looks.has_room("mum", at(3599)) && looks.has_room("mum", at(3600)));
    }

    #[test]
    fn a54_a_flood_is_one_line_at_once_and_one_with_a_count() {
        let mut looks = Looks::default();
        let told = (0..988).filter(|second| looks.refuse("mum", at(*second))).count();
        assert_eq!(told, 1);
        assert_eq!(looks.floods(at(3599).boot), []);
        assert_eq!(looks.floods(at(3600).boot), [("mum".to_owned(), 987)]);
        assert_eq!((looks.floods(Duration::MAX), looks.due(at(3600).boot)), (vec![], None));
        assert!(looks.refuse("mum", at(3601)));
        assert_eq!(looks.floods(Duration::MAX), [], "one alone has been told");
    }

    #[test]
    fn a54_neither_a_restart_nor_a_clock_that_was_set_back_forgets_a_look() {
        let lines = |unix: i64| (0..12).map(move |n| (unix + n, "mum".to_owned()));
        let now = at(600);
        assert!(!Looks::of_diary(lines(now.unix - 3000), now).has_room("mum", now));
        assert!(
            Looks::of_diary(lines(now.unix - 3600), now).has_room("mum", now),
            "the first is an hour ago"
        );
        let ahead = Looks::of_diary(lines(now.unix + 90_000), now);
        assert!(!ahead.has_room("mum", at(600 + 3599)) && ahead.has_room("mum", at(600 + 3600)));
        let open = Looks::of_diary([(now.unix - 30, "mum".to_owned())], now).open(now.boot);
        assert_eq!(
            open.iter().map(|look| (look.since, look.until)).collect::<Vec<_>>(),
            [(at(570).boot, at(690).boot)]
        );
    }

    #[test]
    fn the_looks_of_a_day_are_counted_from_midnight() {
        let mut looks = Looks::default();
        for hour in 0..48 {
            looks.give("mum", at(hour * 3600));
        }
        let day = at(24 * 3600).unix..at(48 * 3600).unix;
        assert_eq!((looks.in_day(&day), looks.given.len()), (24, 26));
    }

    proptest! {
        #[test]
        fn t16_no_look_is_open_for_longer_than_it_may(steps in proptest::collection::vec((0_u64..200, 0_usize..3), 1..40)) {
            let (mut looks, mut second) = (Looks::default(), 0);
            for (pause, who) in steps {
                second += pause;
                let who = ["mum", "dad", "gran"][who];
                if looks.has_room(who, at(second)) {
                    looks.give(who, at(second));
                }
                for look in looks.open(at(second).boot) {
                    prop_assert_eq!(look.until, look.since + OPEN);
                    prop_assert!(look.since <= at(second).boot && at(second).boot < look.until);
                }
            }
        }
    }
}
