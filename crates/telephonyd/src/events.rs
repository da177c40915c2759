//! What the screen was told of late, so that one that starts in the middle of a call learns what it missed. No I/O.
//!
//! **Invariants:** numbers only grow, over restarts of telephonyd within one boot too; at most [`KEPT`] are kept, and who asks for
//! more is told that there were more.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ipc::{Call, Happening, News};

/// Ten calls and more.
const KEPT: usize = 64;

/// The newest happenings.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    kept: Arc<VecDeque<Happening>>,
    /// The newest that is forgotten, or the start.
    forgotten: u64,
    newest: u64,
}

impl Events {
    /// None yet. Numbers begin at the boot-time clock, so that they are above those of an earlier run.
    pub(crate) fn new(now: Duration) -> Self {
        let start = millis(now);
        Self { kept: Arc::default(), forgotten: start, newest: start }
    }

    /// One more.
    pub(crate) fn add(&mut self, what: News, call: Call, now: Duration) -> Happening {
        self.newest = millis(now).max(self.newest.saturating_add(1));
        let happening = Happening { seq: self.newest, what, call };
        let kept = Arc::make_mut(&mut self.kept);
        kept.push_back(happening.clone());
        if kept.len() > KEPT
            && let Some(oldest) = kept.pop_front()
        {
            self.forgotten = oldest.seq;
        }
        happening
    }

    /// Those after `since`, and whether none between is forgotten.
    pub(crate) fn since(&self, since: u64) -> (bool, Vec<Happening>) {
        let all = (self.forgotten..=self.newest).contains(&since);
        (all, self.kept.iter().filter(|happening| !all || happening.seq > since).cloned().collect())
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(events: &Events, since: u64) -> (bool, Vec<u64>) {
        let (all, happenings) = events.since(since);
        (all, happenings.iter().map(|happening| happening.seq).collect())
    }

    #[test]
    fn who_comes_late_gets_what_came_since_in_its_order() {
        let mut events = Events::new(Duration::from_millis(100));
        assert_eq!(numbers(&events, 100), (true, vec![]));
        for (at, number) in [(100, 101), (100, 102), (500, 500)] {
            assert_eq!(events.add(News::Call, Call::none(), Duration::from_millis(at)).seq, number);
        }
        assert_eq!(numbers(&events, 100), (true, vec![101, 102, 500]));
        assert_eq!(numbers(&events, 101), (true, vec![102, 500]));
        assert_eq!(numbers(&events, 500), (true, vec![]));
    }

    #[test]
    fn what_is_forgotten_is_said_to_be() {
        let mut events = Events::new(Duration::ZERO);
        for _ in 0..KEPT + 10 {
            events.add(News::State, Call::none(), Duration::ZERO);
        }
        assert_eq!(events.since(0).1.len(), KEPT);
        assert_eq!((events.since(9).0, events.since(10).0), (false, true));
    }

    #[test]
    fn a_number_of_an_earlier_run_or_of_none_gets_everything_there_is() {
        let mut before = Events::new(Duration::from_secs(1));
        let last = before.add(News::Call, Call::none(), Duration::from_secs(2)).seq;
        let mut after = Events::new(Duration::from_secs(3));
        let first = after.add(News::Call, Call::none(), Duration::from_secs(3)).seq;
        for since in [0, last, first + 1] {
            assert_eq!(numbers(&after, since), (false, vec![first]), "{since}");
        }
    }
}
