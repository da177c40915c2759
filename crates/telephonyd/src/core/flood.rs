//! Keeps one caller from filling the diary: the first refused call is a line at once, those that follow
//! within a minute become one line with a count.

use std::time::Duration;

use policy::Caller;

use super::caller::label;
use super::types::Line;

const WINDOW: Duration = Duration::from_mins(1);
/// Callers told apart at a time; with more of them, the rest counts as one.
const CALLERS: usize = 32;

#[derive(Debug)]
struct Window {
    /// `None`: the callers beyond [`CALLERS`].
    caller: Option<Caller>,
    reason: &'static str,
    ends: Duration,
    more: u64,
}

/// The refused callers of the last minute. They are in memory alone.
#[derive(Debug, Default)]
pub(super) struct Flood(Vec<Window>);

impl Flood {
    /// A call was refused: a line, unless one stands for it already.
    pub(super) fn refused(&mut self, caller: Caller, reason: &'static str, now: Duration) -> Option<Line> {
        self.0.retain(|window| window.more > 0 || window.ends > now);
        let told_apart = self.0.iter().filter(|window| window.caller.is_some()).count();
        if let Some(window) = self.0.iter_mut().find(|w| w.caller == Some(caller) && w.reason == reason) {
            window.more += 1;
            return None;
        }
        if told_apart < CALLERS {
            self.0.push(Window { caller: Some(caller), reason, ends: now + WINDOW, more: 0 });
            return Some(line(Some(caller), reason, None));
        }
        match self.0.iter_mut().find(|window| window.caller.is_none()) {
            Some(window) => window.more += 1,
            None => self.0.push(Window { caller: None, reason, ends: now + WINDOW, more: 1 }),
        }
        None
    }

    /// Lines of the windows that are over.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Line> {
        let mut lines = Vec::new();
        for window in self.0.iter_mut().filter(|window| window.more > 0 && window.ends <= now) {
            lines.push(line(window.caller, window.reason, Some(window.more)));
            window.more = 0;
            window.ends = now + WINDOW;
        }
        lines
    }

    /// Everything that is not told yet, for the end of the daemon.
    pub(super) fn rest(&mut self) -> Vec<Line> {
        self.due(Duration::MAX.saturating_sub(WINDOW))
    }

    /// When [`Flood::due`] has something to tell.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.0.iter().filter(|window| window.more > 0).map(|window| window.ends).min()
    }
}

fn line(caller: Option<Caller>, reason: &str, count: Option<u64>) -> Line {
    let label = caller.map_or_else(|| "several".to_owned(), label);
    let mut details = vec![("caller", label), ("reason", reason.to_owned())];
    if let Some(count) = count {
        details.push(("count", count.to_string()));
    }
    Line { kind: "call-refused", details }
}
