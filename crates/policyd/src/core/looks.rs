//! Who looks where the child is: until when, how often, and how many it were today.
//!
//! **Invariants:** a look ends by itself, on the boot-time clock, and no other look makes it longer; in any hour there are at
//! most [`AN_HOUR`] of one guardian; those beyond are two lines an hour in the diary, however many they are; nobody is seen
//! looking for a look of before this boot.
//!
//! Within a run of policyd the hour is one of the boot-time clock, and no step of the wall clock changes it. After a start the diary
//! says what was before, in the wall clock, and a flat battery may have set that back: lines are then from the future, and how old
//! they are is not known. Counting none would give a whole hour's looks to whoever sets the clock back; counting all would refuse
//! a guardian for an hour, just when the watch is back and has to be found. So they count only as far as the lines after them do not
//! say that an hour has passed, and together take no more than half of the room: a clock that is lost leaves every guardian
//! six looks, and a clock set back with a restart gives no more than six, each with its line. They open no look. A clock that is set
//! forward over a restart forgets: that is what time that passed looks like. The day's looks are those the diary has under its date.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use daemon::wall::Now;
use orders::MAX_GUARDIANS;

use super::past::{Age, Past};

/// How long a look is open.
pub const OPEN: Duration = Duration::from_mins(2);
/// Looks of one guardian in an hour.
pub const AN_HOUR: usize = 12;

const HOUR: Duration = Duration::from_hours(1);
/// What may be left of them when the clock is lost.
const UNSURE: usize = AN_HOUR / 2;
/// Looks are remembered for so many seconds: longer than any day.
const REMEMBERED: i64 = 26 * 3600;
/// More looks than that are not given in that time, and not remembered.
pub const MOST: usize = MAX_GUARDIANS * AN_HOUR * 26;

/// A look that was given.
#[derive(Debug)]
struct Given {
    guardian: String,
    /// Milliseconds of the boot-time clock; less than zero before this boot.
    at: i64,
    /// For the day it belongs to.
    unix: i64,
    /// False: of before, and `at` is the latest that it can be.
    sure: bool,
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
    /// What the diary knows of, oldest first; at most [`MOST`].
    pub fn of_diary(lines: impl IntoIterator<Item = Past>, now: Now) -> Self {
        let given = lines.into_iter().map(|Past { guardian, unix, age }| {
            let at = millis(now.boot).saturating_sub(age.seconds.saturating_mul(1000));
            Given { guardian, at, unix, sure: age.sure }
        });
        Self { given: given.collect(), too_many: Vec::new() }
    }

    /// Whether a line of the diary is of the last day, or may be of the last hour.
    pub fn remembers(unix: i64, age: Age, now: i64) -> bool {
        let is_of_day = unix <= now && unix > now.saturating_sub(REMEMBERED);
        is_of_day || !age.sure && age.seconds < HOUR.as_secs().cast_signed()
    }

    /// Whether a guardian may look once more.
    pub fn has_room(&self, guardian: &str, now: Now) -> bool {
        let since = an_hour_before(now);
        let recent = self.given.iter().filter(|given| given.guardian == guardian && given.at > since);
        let (sure, unsure): (Vec<_>, Vec<_>) = recent.partition(|given| given.sure);
        sure.len() + unsure.len().min(UNSURE) < AN_HOUR
    }

    /// A guardian looks.
    pub fn give(&mut self, guardian: &str, now: Now) {
        let (day, hour) = (now.unix.saturating_sub(REMEMBERED), an_hour_before(now));
        // Whatever the wall clock says, the last hour counts.
        self.given.retain(|given| given.unix > day || given.at > hour);
        let more = (self.given.len() + 1).saturating_sub(MOST);
        self.given.drain(..more);
        self.given.push(Given {
            guardian: guardian.to_owned(),
            at: millis(now.boot),
            unix: now.unix,
            sure: true,
        });
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
        for Given { guardian, at, .. } in self.given.iter().filter(|given| given.sure && given.at > 0) {
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

fn an_hour_before(now: Now) -> i64 {
    millis(now.boot).saturating_sub(millis(HOUR))
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::past::Back;
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

    /// What the diary has of mum, by when, where `last` is its last line.
    fn past(times: &[i64], last: i64, now: i64) -> Vec<Past> {
        let mut back = Back::from(now);
        back.to(last);
        let past = times.iter().rev().map(|unix| (*unix, back.to(*unix)));
        let past = past.filter(|(unix, age)| Looks::remembers(*unix, *age, now));
        let mut past: Vec<_> =
            past.map(|(unix, age)| Past { guardian: "mum".to_owned(), unix, age }).collect();
        past.reverse();
        past
    }

    /// How often mum may look at once.
    fn room(looks: &mut Looks, now: Now) -> usize {
        (0..100).take_while(|_| looks.has_room("mum", now).then(|| looks.give("mum", now)).is_some()).count()
    }

    #[test]
    fn a54_a_restart_forgets_no_look() {
        let now = at(600);
        let lines = |unix: i64| {
            let times: Vec<_> = (0..12).map(|n| unix + n).collect();
            Looks::of_diary(past(&times, unix + 12, now.unix), now)
        };
        assert!(!lines(now.unix - 3000).has_room("mum", now));
        assert!(lines(now.unix - 3600).has_room("mum", now), "the first is an hour ago");
        let open = lines(now.unix - 30).open(now.boot);
        assert_eq!(
            open.iter().map(|look| (look.since, look.until)).collect::<Vec<_>>(),
            [(at(570).boot, at(690).boot)]
        );
    }

    #[test]
    fn a54_of_looks_before_the_clock_was_lost_no_more_than_half_an_hours_count_and_none_is_open() {
        let now = at(600);
        for ahead in [60, 90_000, 1_000_000_000] {
            let times: Vec<_> = (0..12).map(|n| now.unix + ahead + n).collect();
            let of_diary = |last: i64| Looks::of_diary(past(&times, last, now.unix), now);
            let mut looks = of_diary(now.unix + ahead + 20);
            assert_eq!(looks.open(now.boot), [], "{ahead}");
            assert_eq!((room(&mut looks, now), room(&mut looks, at(600 + 3579))), (6, 0), "{ahead}");
            assert_eq!(room(&mut looks, at(600 + 3600)), 12, "{ahead}");
            // The diary went on for longer than an hour.
            assert_eq!(room(&mut of_diary(now.unix + ahead + 3611), now), 12, "{ahead}");
        }
    }

    #[test]
    fn a54_a_clock_that_is_lost_at_every_boot_shows_no_look_of_an_earlier_one() {
        let now = at(60);
        let looks = Looks::of_diary(past(&[now.unix - 30], now.unix + 5000, now.unix), now);
        assert_eq!(looks.open(now.boot), []);
        // The line before this boot is one of before it, also when the clock was kept.
        let looks = Looks::of_diary(past(&[now.unix - 70], now.unix - 65, now.unix), now);
        assert_eq!(looks.open(now.boot), []);
    }

    #[test]
    fn a54_no_jump_of_the_clock_gives_another_look_nor_closes_one() {
        for days in [-40, -1, 1, 40, 20_000] {
            let mut looks = Looks::default();
            assert_eq!(room(&mut looks, at(10)), 12);
            let jumped = |second| Now { unix: at(second).unix + days * 86_400, ..at(second) };
            looks.give("dad", jumped(20));
            assert_eq!((looks.open(at(21).boot).len(), room(&mut looks, jumped(3609))), (2, 0), "{days}");
            assert_eq!(room(&mut looks, jumped(3610)), 12, "{days}");
        }
    }

    #[test]
    fn a54_however_the_clock_is_set_so_many_looks_are_remembered_and_no_more() {
        let mut looks = Looks::default();
        for n in 0..3000_u64 {
            let now = Now { unix: 4_000_000_000 - i64::try_from(n).unwrap() * 1000, ..at(n * 300) };
            assert!(looks.has_room("mum", now));
            looks.give("mum", now);
        }
        assert_eq!(looks.given.len(), MOST);
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
