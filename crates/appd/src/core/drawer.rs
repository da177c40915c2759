//! What the drawer shows: every app the family granted, and why one cannot start now.

use std::collections::BTreeSet;
use std::time::Duration;

use ipc::App;
use launch::AppId;
use policy::Verdict;

use super::Core;

impl Core {
    /// Ordered by id. A policy is never longer than what the screen takes.
    pub(super) fn drawer(&self, now: Duration) -> Vec<App> {
        self.granted().into_iter().map(|app| self.in_drawer(app, now)).collect()
    }

    fn in_drawer(&self, app: &str, now: Duration) -> App {
        let signed = AppId::parse(app).and_then(|id| self.catalogue.get(&id));
        let reason = match signed {
            None if self.launcher => Some("not-signed"),
            _ => self.hindrance(app, now),
        };
        App {
            id: app.to_owned(),
            name: signed.map_or(app, |info| info.name.as_str()).to_owned(),
            reason: reason.unwrap_or_default().to_owned(),
        }
    }

    /// Every app a guardian granted, in the policy or for a while, also one that was taken back: it says so.
    fn granted(&self) -> BTreeSet<&str> {
        let Some(rules) = &self.rules else { return BTreeSet::new() };
        let policy = rules.policy.apps.iter().map(|grant| grant.app.as_str());
        let extra = rules.standing.grants.iter().map(|grant| grant.app.as_str());
        policy.chain(extra).collect::<BTreeSet<_>>().into_iter().take(ipc::limits::APPS).collect()
    }

    /// When verdicts may change: the drawer, and perhaps the screen, change then.
    pub(super) fn verdicts_end(&self) -> impl Iterator<Item = Duration> {
        let until = |verdict| match verdict {
            Verdict::Allow { until } | Verdict::Deny { until, .. } => until,
        };
        let ends = self.granted().into_iter().filter_map(move |app| self.verdict(app).and_then(until));
        ends.map(|until| self.clock.boot_at(until))
    }
}
