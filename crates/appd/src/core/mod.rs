//! What appd decides, without I/O: events and the time go in, effects come out.
//!
//! Nothing is remembered of a verdict: after every event the run on the screen is judged anew, by the rules in force
//! and at this moment.
//!
//! **Invariants:** at most one run; what runs is allowed now, is on the screen, and policyd was there in the last ten
//! seconds; a run that may not go on stands still at once and is over ten seconds later; nothing is started before the
//! run before it has ended.

mod crashes;
mod drawer;
mod refusals;
mod run;
#[cfg(test)]
mod tests;
mod types;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use daemon::wall::Wall;
use ipc::{App, AppSession, AppState};
use launch::{AppId, AppInfo, End, Refusal};
use policy::{Action, Rulebook, Verdict, decide};

pub use daemon::wall::Now;
pub use types::{Effect, Event, Launched, Line, Refused};

use crashes::Crashes;
use refusals::Refusals;
use run::Run;

/// So long apps go on, and are started, without policyd.
const WITHOUT_POLICYD: Duration = Duration::from_secs(10);
/// A run that was asked to end has ended by then, or the connection to the launcher is dropped.
const LEAVES: Duration = Duration::from_secs(10);

/// Everything appd knows.
#[derive(Debug)]
pub struct Core {
    clock: Wall,
    rules: Option<Arc<Rulebook>>,
    /// Since when policyd is gone.
    policyd_gone: Option<Duration>,
    shell: bool,
    launcher: bool,
    /// What was signed, by id; kept while the launcher is gone.
    catalogue: BTreeMap<AppId, AppInfo>,
    run: Option<Run>,
    /// Runs the launcher was asked to end, and by when they have ended.
    leaving: BTreeMap<u64, Duration>,
    /// How the last run ended.
    over: AppSession,
    crashes: Crashes,
    refusals: Refusals,
    last_session: u64,
    session_told: AppSession,
    apps_told: Vec<App>,
    effects: Vec<Effect>,
}

impl Core {
    /// Nobody is there and nothing is allowed until events say otherwise. Runs are named after the boot-time clock, so
    /// that no name of an appd before this one comes again.
    pub fn new(now: Now) -> Self {
        let mut clock = Wall::default();
        clock.set(now);
        Self {
            clock,
            rules: None,
            policyd_gone: Some(now.boot),
            shell: false,
            launcher: false,
            catalogue: BTreeMap::new(),
            run: None,
            leaving: BTreeMap::new(),
            over: AppSession::none(),
            crashes: Crashes::default(),
            refusals: Refusals::default(),
            last_session: u64::try_from(now.boot.as_millis()).unwrap_or_default(),
            session_told: AppSession::none(),
            apps_told: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// Takes one event.
    pub fn handle(&mut self, event: Event, now: Now) -> Vec<Effect> {
        self.clock.set(now);
        self.crashes.forget(now.boot);
        self.take(event, now.boot);
        self.settle(now.boot);
        let session = self.session();
        if session != self.session_told {
            self.session_told = session.clone();
            self.effects.push(Effect::Session(session));
        }
        let apps = self.drawer(now.boot);
        if apps != self.apps_told {
            self.apps_told.clone_from(&apps);
            self.effects.push(Effect::Apps(apps));
        }
        std::mem::take(&mut self.effects)
    }

    fn take(&mut self, event: Event, now: Duration) {
        match event {
            Event::Rules(rules) => {
                self.rules = rules;
                // What a guardian grants may have come onto the watch since the catalogue was read.
                self.list();
            }
            Event::Policyd(true) => self.policyd_gone = None,
            Event::Policyd(false) => {
                self.policyd_gone.get_or_insert(now);
            }
            Event::Shell(there) => {
                self.shell = there;
                if !there {
                    self.close("", now);
                }
            }
            Event::Open(app) => self.open(&app, now),
            Event::Hide(session) => self.with_run(session, |run| run.hide(now)),
            Event::Show(session) => self.with_run(session, Run::show),
            Event::End(session, reason) => self.screen_ends(session, &reason, now),
            Event::Attached(session, done) => self.attached(session, done, now),
            Event::Launcher(told) => self.launched(told, now),
            Event::Tick => {}
            Event::Stopping => self.close("", now),
        }
    }

    fn launched(&mut self, told: Launched, now: Duration) {
        match told {
            Launched::Catalogue(apps) => {
                self.launcher = true;
                self.catalogue = apps.into_iter().map(|app| (app.id.clone(), app)).collect();
            }
            Launched::Gone => {
                self.launcher = false;
                self.leaving.clear();
                if self.run.as_ref().is_some_and(Run::is_asked) {
                    self.gone("crashed");
                }
            }
            Launched::Started(session) => self.started(session, now),
            Launched::NotStarted(session, refusal) => {
                self.leaving.remove(&session);
                if self.is_run(session) {
                    self.gone(refusal.as_str());
                }
            }
            Launched::NotDone(session, refusal) => {
                if self.is_run(session) {
                    // What cannot be stopped does not go on.
                    let reason = if refusal == Refusal::NoSession { "crashed" } else { "sandbox" };
                    self.close(reason, now);
                }
            }
            Launched::NothingToEnd(session) => {
                self.leaving.remove(&session);
            }
            Launched::Ended(session, end) => self.ended(session, end, now),
        }
    }

    fn ended(&mut self, session: u64, end: End, now: Duration) {
        self.leaving.remove(&session);
        let Some(run) = self.run.as_ref().filter(|run| run.session == session) else { return };
        let reason = match end {
            End::Exited(0) => "",
            End::OutOfMemory => "out-of-memory",
            End::Exited(_) | End::Signalled(_) => "crashed",
        };
        if !reason.is_empty() {
            self.crashes.add(&run.app.clone(), now);
        }
        self.gone(reason);
    }

    /// What the rules say of an app now: until when it may run on the boot-time clock, or why it may not.
    fn judge(&self, app: &str) -> Result<Option<Duration>, &'static str> {
        match self.verdict(app).ok_or("sealed")? {
            Verdict::Allow { until } => Ok(until.map(|until| self.clock.boot_at(until))),
            Verdict::Deny { reason, .. } => Err(reason.as_str()),
        }
    }

    /// `None` without rules.
    fn verdict(&self, app: &str) -> Option<Verdict> {
        let signed = AppId::parse(app).and_then(|id| self.catalogue.get(&id));
        // The launcher refuses what nobody signed.
        let unknown = policy::App { id: app, category: "", age: 0 };
        let asked = signed.map_or(unknown, AppInfo::as_asked);
        Some(decide(self.rules.as_ref()?, &self.clock.moment(), &Action::Open(&asked)))
    }

    /// Why an app cannot start now.
    fn hindrance(&self, app: &str, now: Duration) -> Option<&'static str> {
        if let Err(reason) = self.judge(app) {
            Some(reason)
        } else if self.is_without_policyd(now) {
            Some("no-policy")
        } else if !self.launcher {
            Some("sandbox")
        } else if self.crashes.rests(app, now) {
            Some("crashed")
        } else {
            None
        }
    }

    fn is_without_policyd(&self, now: Duration) -> bool {
        self.policyd_gone.is_some_and(|since| now >= since + WITHOUT_POLICYD)
    }

    fn list(&mut self) {
        if self.launcher {
            self.effects.push(Effect::List);
        }
    }

    /// The one app as it stands.
    pub fn session(&self) -> AppSession {
        let Some(run) = &self.run else { return self.over.clone() };
        AppSession {
            state: run.state(),
            session: run.session,
            app: run.app.as_str().to_owned(),
            name: self.name(&run.app),
            until_ms: run.until.map_or(0, |until| u64::try_from(until.as_millis()).unwrap_or(u64::MAX)),
            reason: run.halted.unwrap_or_default().to_owned(),
        }
    }

    fn over(&mut self, session: u64, app: &AppId, reason: &str) {
        self.over = AppSession {
            state: AppState::None,
            session,
            app: app.as_str().to_owned(),
            name: self.name(app),
            until_ms: 0,
            reason: reason.to_owned(),
        };
    }

    fn name(&self, app: &AppId) -> String {
        self.catalogue.get(app).map_or_else(|| app.as_str().to_owned(), |info| info.name.clone())
    }

    /// When the next [`Event::Tick`] is wanted.
    pub fn deadline(&self) -> Option<Duration> {
        let policyd = self.policyd_gone.map(|since| since + WITHOUT_POLICYD);
        let run = self.run.iter().flat_map(Run::deadlines);
        let leaving = self.leaving.values().copied();
        let all = run.chain(leaving).chain(self.verdicts_end()).chain(policyd).chain(self.crashes.deadline());
        // What lies behind was acted upon.
        all.filter(|deadline| *deadline > self.clock.boot()).min()
    }
}
