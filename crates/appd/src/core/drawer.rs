//! What the drawer shows: every app the family granted, and why one cannot start now.

use std::time::Duration;

use ipc::App;
use launch::AppId;
use policy::AppGrant;

use super::Core;

impl Core {
    /// Ordered by id. A policy is never longer than what the screen takes.
    pub(super) fn drawer(&self, now: Duration) -> Vec<App> {
        let mut apps: Vec<_> = self.grants().iter().map(|grant| self.in_drawer(&grant.app, now)).collect();
        apps.sort_by(|one, other| one.id.cmp(&other.id));
        apps
    }

    fn in_drawer(&self, app: &str, now: Duration) -> App {
        let signed = AppId::parse(app).and_then(|id| self.catalogue.get(&id));
        let reason = match signed {
            None if self.launcher => Some("not-signed"),
            _ => self.hindrance(app, now),
        };
        App {
            id: app.to_owned(),
            name: signed.map_or(app, String::as_str).to_owned(),
            reason: reason.unwrap_or_default().to_owned(),
        }
    }

    fn grants(&self) -> &[AppGrant] {
        self.rules.as_ref().map_or(&[], |policy| &policy.apps)
    }

    /// When grants end: the drawer, and perhaps the screen, change then.
    pub(super) fn grants_end(&self) -> impl Iterator<Item = Duration> {
        self.grants().iter().filter_map(|grant| grant.until).map(|until| self.clock.boot_at(until))
    }
}
