//! A guardian looks for the watch, and it rings: who, until when, and whether the screen says so.
//!
//! **Invariants:** there is one search at a time; it ends by itself, on the boot-time clock, and no other makes it longer; it has a
//! screen only after that screen said that it shows it.

use std::time::Duration;

use daemon::wall::Now;

use super::looks::Looks;
use super::past::Past;

/// How long a search lasts.
pub const OPEN: Duration = Duration::from_mins(1);

/// An open search, on the boot-time clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The number of its order.
    pub id: u64,
    /// Who searches.
    pub guardian: String,
    /// Since when.
    pub since: Duration,
    /// Until when.
    pub until: Duration,
    /// The unique bus name of the screen that shows it; empty before one does.
    pub screen: String,
}

/// The searches of the last hour, and the one that is open.
#[derive(Debug, Default)]
pub struct Searches {
    /// As many in an hour as there are looks, and told in the same way.
    pub pace: Looks,
    open: Option<Open>,
}

impl Searches {
    /// What the diary knows of. A search does not outlive the process that told of it.
    pub fn of_diary(lines: impl IntoIterator<Item = Past>, now: Now) -> Self {
        Self { pace: Looks::of_diary(lines, now), open: None }
    }

    /// A guardian searches. One within an open search counts and opens nothing.
    pub fn give(&mut self, guardian: &str, id: u64, now: Now) {
        self.pace.give(guardian, now);
        if self.open(now.boot).is_none() {
            let (since, until) = (now.boot, now.boot.saturating_add(OPEN));
            self.open = Some(Open { id, guardian: guardian.to_owned(), since, until, screen: String::new() });
        }
    }

    /// The open one.
    pub fn open(&self, now: Duration) -> Option<&Open> {
        self.open.as_ref().filter(|open| now < open.until)
    }

    /// A screen shows it. False: it is over.
    pub fn shows(&mut self, id: u64, screen: &str, now: Duration) -> bool {
        let open = self.open.as_mut().filter(|open| open.id == id && now < open.until);
        open.map(|open| screen.clone_into(&mut open.screen)).is_some()
    }

    /// It is over. False: it was already.
    pub fn stop(&mut self, id: u64, now: Duration) -> bool {
        let is_open = self.open(now).is_some_and(|open| open.id == id);
        self.open.take_if(|_| is_open).is_some()
    }

    /// When something here changes by itself, on the boot-time clock.
    pub fn due(&self, now: Duration) -> Option<Duration> {
        self.open(now).map(|open| open.until).into_iter().chain(self.pace.floods_due()).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Now {
        Now { boot: Duration::from_secs(seconds), unix: 1_790_000_000 + i64::try_from(seconds).unwrap() }
    }

    #[test]
    fn t16_a_search_ends_by_itself_and_a_second_one_makes_it_no_longer() {
        let mut searches = Searches::default();
        searches.give("mum", 7, at(10));
        searches.give("dad", 8, at(60));
        let open = searches.open(at(69).boot).unwrap();
        assert_eq!((open.id, open.guardian.as_str(), open.until), (7, "mum", at(70).boot));
        assert_eq!(searches.due(at(69).boot), Some(at(70).boot));
        assert_eq!((searches.open(at(70).boot), searches.due(at(70).boot)), (None, None));
        searches.give("dad", 9, at(70));
        assert_eq!(searches.open(at(70).boot).map(|open| open.id), Some(9));
    }

    #[test]
    fn t15_a_search_has_no_screen_before_one_shows_it_and_a_touch_is_for_the_one_that_was_touched() {
        let mut searches = Searches::default();
        searches.give("mum", 7, at(10));
        assert_eq!(searches.open(at(11).boot).map(|open| open.screen.as_str()), Some(""));
        assert!(!searches.shows(6, ":1.5", at(11).boot) && !searches.stop(6, at(11).boot));
        assert!(searches.shows(7, ":1.5", at(11).boot));
        assert_eq!(searches.open(at(11).boot).map(|open| open.screen.as_str()), Some(":1.5"));
        assert!(searches.stop(7, at(12).boot) && !searches.stop(7, at(12).boot));
        assert!(!searches.shows(7, ":1.5", at(12).boot));
        searches.give("mum", 8, at(13));
        assert_eq!(
            searches.open(at(14).boot).map(|open| open.screen.as_str()),
            Some(""),
            "a new one begins without"
        );
        assert!(!searches.shows(8, ":1.5", at(73).boot) && !searches.stop(8, at(73).boot), "it is over");
    }
}
