//! The watch of a test: a core, two clocks, and a launcher and a screen that only remember what was asked of them.

mod ends;
mod opens;
mod random;
mod rules;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ipc::{AppSession, AppState};
use launch::{AppId, AppInfo, End, Refusal};
use policy::{Action, AppGrant, Moment, Policy, Region, decide};

use super::types::{Effect, Event, Launched, Refused};
use super::{Core, WITHOUT_POLICYD};
use daemon::wall::Now;

/// Wall clock at the start of every test, in a summer.
const MORNING: i64 = 1_780_000_000;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn policy(grants: &[(&str, Option<i64>)]) -> Policy {
    let grant = |(app, until): &(&str, Option<i64>)| AppGrant {
        app: (*app).into(),
        until: *until,
        permissions: vec![],
    };
    // Core never looks at the contacts.
    let apps = grants.iter().map(grant).collect();
    Policy { apps, ..Policy::of(Region::Eu, vec![]) }
}

fn id(app: &str) -> AppId {
    AppId::parse(app).unwrap()
}

fn catalogue(apps: &[&str]) -> Launched {
    let info =
        |app: &&str| AppInfo { id: id(app), name: app.to_uppercase(), category: "creative".into(), age: 3 };
    Launched::Catalogue(apps.iter().map(info).collect())
}

struct Watch {
    core: Core,
    now: Now,
    policy: Option<Policy>,
    policyd_gone: Option<Duration>,
    shell: bool,
    hidden: bool,
    /// What the launcher was asked to start and not to end, and whether it stands still.
    alive: BTreeMap<u64, bool>,
    /// What the launcher said it started.
    started: Vec<u64>,
    /// The furthest the wall clock ever was ahead.
    ahead: i64,
    effects: Vec<Effect>,
}

impl Watch {
    /// Nobody is there.
    fn blank() -> Self {
        let now = Now { boot: secs(100), unix: MORNING };
        let (core, policyd_gone) = (Core::new(now), Some(now.boot));
        Self {
            core,
            now,
            policy: None,
            policyd_gone,
            shell: false,
            hidden: false,
            alive: BTreeMap::new(),
            started: vec![],
            ahead: MORNING - 100,
            effects: vec![],
        }
    }

    /// Everybody is there; `draw` and `maze` are signed, and these apps are granted.
    fn with(grants: &[(&str, Option<i64>)]) -> Self {
        let mut watch = Self::blank();
        watch.rules(Some(policy(grants)));
        watch.policyd(true);
        watch.shell(true);
        watch.launcher(catalogue(&["draw", "maze"]));
        watch.effects.clear();
        watch
    }

    /// An app that runs.
    fn running(app: &str, until: Option<i64>) -> (Self, u64) {
        let mut watch = Self::with(&[(app, until)]);
        let session = watch.start(app);
        watch.effects.clear();
        (watch, session)
    }

    fn start(&mut self, app: &str) -> u64 {
        self.open(app);
        let session = self.session().session;
        self.event(Event::Attached(session, true));
        self.launcher(Launched::Started(session));
        assert_eq!((self.session().state, self.session().app.as_str()), (AppState::Running, app));
        session
    }

    fn rules(&mut self, policy: Option<Policy>) {
        self.policy.clone_from(&policy);
        self.event(Event::Rules(policy.map(|policy| Arc::new(policy.into()))));
    }

    fn policyd(&mut self, there: bool) {
        self.policyd_gone = if there { None } else { self.policyd_gone.or(Some(self.now.boot)) };
        self.event(Event::Policyd(there));
    }

    fn shell(&mut self, there: bool) {
        self.shell = there;
        self.event(Event::Shell(there));
    }

    fn open(&mut self, app: &str) {
        self.hidden = false;
        self.event(Event::Open(app.into()));
    }

    fn launcher(&mut self, told: Launched) {
        match told {
            Launched::Started(session) => self.started.push(session),
            Launched::Ended(session, _) | Launched::NotStarted(session, _) => {
                self.alive.remove(&session);
            }
            Launched::Gone => self.alive.clear(),
            _ => {}
        }
        self.event(Event::Launcher(told));
    }

    fn event(&mut self, event: Event) {
        self.ahead = self.ahead.max(self.now.unix - self.now.boot.as_secs() as i64);
        let effects = self.core.handle(event, self.now);
        for effect in &effects {
            match effect {
                Effect::Start(session, _) => assert_eq!(self.alive.insert(*session, false), None),
                Effect::Freeze(session) => assert_eq!(self.alive.insert(*session, true), Some(false)),
                Effect::Thaw(session) => assert_eq!(self.alive.insert(*session, false), Some(true)),
                Effect::End(session) => drop(self.alive.remove(session)),
                Effect::DropLauncher => self.alive.clear(),
                _ => {}
            }
        }
        self.effects.extend(effects);
        self.verify_invariants();
    }

    /// Goes on to a time, with every tick the core wants on the way.
    fn pass(&mut self, time: Duration) {
        let end = self.now.boot + time;
        while let Some(deadline) = self.core.deadline().filter(|deadline| *deadline <= end) {
            assert!(deadline > self.now.boot, "a tick that changes nothing would come for ever");
            self.to(deadline);
            self.event(Event::Tick);
        }
        self.to(end);
    }

    fn to(&mut self, boot: Duration) {
        self.now.unix += boot.as_secs() as i64 - self.now.boot.as_secs() as i64;
        self.now.boot = boot;
    }

    fn session(&self) -> AppSession {
        self.core.session()
    }

    fn is(&self, state: AppState, reason: &str) {
        let session = self.session();
        assert_eq!((session.state, session.reason.as_str()), (state, reason), "{session:?}");
    }

    /// Kinds and reasons of the lines so far.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let line = |effect: &Effect| match effect {
            Effect::Record(line) => {
                let reason = line.details.iter().find(|(key, _)| *key == "reason");
                Some((line.kind, reason.map_or_else(String::new, |(_, reason)| reason.clone())))
            }
            _ => None,
        };
        self.effects.iter().filter_map(line).collect()
    }

    fn did(&self, wanted: &Effect) -> bool {
        self.effects.contains(wanted)
    }

    fn drawer(&self) -> Vec<(String, String, String)> {
        let apps = self.core.drawer(self.now.boot);
        apps.into_iter().map(|app| (app.id, app.name, app.reason)).collect()
    }

    fn verify_invariants(&self) {
        let session = self.session();
        assert!(self.alive.len() <= 1, "at most one app: {:?}", self.alive);
        assert!(self.alive.keys().all(|alive| *alive == session.session), "{:?} {session:?}", self.alive);
        assert_eq!(
            session.state == AppState::Frozen,
            session.state != AppState::None && !session.reason.is_empty()
        );
        if session.state == AppState::None {
            assert!(self.alive.is_empty());
            return;
        }
        assert!(self.shell, "an app without a screen");
        if session.state == AppState::Starting {
            return;
        }
        let stands = self.alive.get(&session.session) == Some(&true);
        assert_eq!(session.state == AppState::Frozen, stands);
        if stands {
            return;
        }
        let moment = Moment::at(self.now.boot.as_secs() as i64 + self.ahead);
        let asked = policy::App { id: &session.app, category: "creative", age: 3 };
        let allowed = self
            .policy
            .as_ref()
            .is_some_and(|policy| decide(&policy.clone().into(), &moment, &Action::Open(&asked)).is_allow());
        assert!(allowed, "it runs and is not allowed");
        assert!(
            session.until_ms == 0 || u128::from(session.until_ms) > self.now.boot.as_millis(),
            "after its time"
        );
        assert!(
            self.policyd_gone.is_none_or(|since| self.now.boot < since + WITHOUT_POLICYD),
            "without policyd"
        );
        assert!(!self.hidden, "it runs and nobody sees it");
        assert!(self.core.run.as_ref().is_some_and(|run| !run.is_hidden()));
    }
}
