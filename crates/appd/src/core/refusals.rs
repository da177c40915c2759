//! Keeps a finger on a refused app from filling the diary.

use std::time::Duration;

use super::types::Line;

/// A refusal of one app for one reason is not written again so soon.
const WINDOW: Duration = Duration::from_secs(10);
/// Refusals told apart in this time; a screen that asks for more, asks for names it invents.
const LIMIT: usize = 32;

/// The refusals that were written lately.
#[derive(Debug, Default)]
pub(super) struct Refusals(Vec<(String, String, Duration)>);

impl Refusals {
    /// An app is refused: a line, unless one stands for it already.
    pub(super) fn line(&mut self, app: &str, reason: &str, now: Duration) -> Option<Line> {
        self.0.retain(|(_, _, at)| now < *at + WINDOW);
        let known = self.0.iter().any(|(other, why, _)| other == app && why == reason);
        if known || self.0.len() >= LIMIT {
            return None;
        }
        self.0.push((app.to_owned(), reason.to_owned(), now));
        let details = vec![("app", app.to_owned()), ("reason", reason.to_owned())];
        Some(Line { kind: "app-refused", details })
    }
}
