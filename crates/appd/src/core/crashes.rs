//! Apps that crash again and again rest for a while: nobody is helped by a screen that flickers.

use std::time::Duration;

use launch::AppId;

/// So many crashes of one app ...
const LIMIT: usize = 3;
/// ... within this time, and it is not started for as long again.
const WINDOW: Duration = Duration::from_mins(1);

/// The crashes of the last minute, oldest first.
#[derive(Debug, Default)]
pub(super) struct Crashes {
    recent: Vec<(AppId, Duration)>,
    resting: Vec<(AppId, Duration)>,
}

impl Crashes {
    /// An app crashed.
    pub(super) fn add(&mut self, app: &AppId, now: Duration) {
        self.forget(now);
        self.recent.push((app.clone(), now));
        if self.recent.iter().filter(|(other, _)| other == app).count() >= LIMIT {
            self.recent.retain(|(other, _)| other != app);
            self.resting.push((app.clone(), now + WINDOW));
        }
    }

    /// Whether an app rests.
    pub(super) fn rests(&self, app: &str, now: Duration) -> bool {
        self.resting.iter().any(|(other, until)| other.as_str() == app && now < *until)
    }

    /// When the first of them has rested.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.resting.iter().map(|(_, until)| *until).min()
    }

    /// Drops what is too old to count.
    pub(super) fn forget(&mut self, now: Duration) {
        self.recent.retain(|(_, at)| now < *at + WINDOW);
        self.resting.retain(|(_, until)| now < *until);
    }
}
