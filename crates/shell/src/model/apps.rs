//! The part of the model that knows apps: the drawer, the one that runs, and what the child is told of it.
//!
//! **Invariants:** an app is on the screen only after a touch on it; what it may do is appd's to say, so that a
//! run that stands still is never shown as one that goes on.

use std::time::Duration;

use ipc::{App, AppSession, AppState, limits};

use super::inout::{AppPhase, Command, Screen, Sorry};

/// appd answers a touch within this time, or the child is told.
const ANSWER: Duration = Duration::from_secs(12);
/// How long a reason is on the screen.
const SORRY: Duration = Duration::from_secs(6);
/// appd is back within this time, or its app is over.
const APPS_BACK: Duration = Duration::from_secs(5);
/// The child is told how much time is left: from when, and for how long.
const TOLD: [(u64, u64); 3] = [(300, 8), (60, 8), (10, 10)];

#[derive(Debug)]
pub(super) struct Apps {
    drawer: Vec<App>,
    session: AppSession,
    /// The child is in an app, or waits for one: its id, and since when it waits.
    inside: Option<Inside>,
    /// The run that has a picture.
    framed: u64,
    /// What appd was told last: which run, and whether it is seen.
    told: (u64, bool),
    sorry: Option<(Sorry, Duration)>,
    gone: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inside {
    app: String,
    /// Until when appd is to answer; nothing once it did.
    waits: Option<Duration>,
}

impl Default for Apps {
    fn default() -> Self {
        Self {
            drawer: Vec::new(),
            session: AppSession::none(),
            inside: None,
            framed: 0,
            told: (0, false),
            sorry: None,
            gone: None,
        }
    }
}

impl Apps {
    pub(super) fn drawer(&self) -> &[App] {
        &self.drawer
    }

    pub(super) fn session(&self) -> u64 {
        self.session.session
    }

    pub(super) fn set_drawer(&mut self, mut apps: Vec<App>) {
        apps.truncate(limits::APPS);
        self.drawer = apps;
    }

    pub(super) fn set_session(&mut self, session: AppSession, now: Duration) {
        self.gone = None;
        if session.session != self.session.session && session.state != AppState::None {
            // appd holds a new run for seen: it was a touch that began it.
            self.told = (session.session, true);
        }
        let was_told = self.session.state == AppState::Frozen && self.session.reason == session.reason;
        self.session = session;
        let Some(inside) = &mut self.inside else { return };
        if inside.app != self.session.app {
            return;
        }
        inside.waits = None;
        if self.session.state == AppState::None {
            self.inside = None;
            if !self.session.reason.is_empty() && !was_told {
                self.sorry = Some((Sorry::of(&self.session.reason), now + SORRY));
            }
        }
    }

    pub(super) fn gone(&mut self, now: Duration) {
        self.gone = self.gone.or(Some(now));
    }

    pub(super) fn framed(&mut self, session: u64) {
        self.framed = session;
    }

    /// The run lost its place on the screen: appd is to end what is left of it.
    pub(super) fn unseated(&mut self, session: u64, reason: &'static str) -> Option<Command> {
        let mine = session == self.session.session && self.session.state != AppState::None;
        mine.then_some(Command::EndApp(session, reason))
    }

    pub(super) fn open(&mut self, app: &str, now: Duration) {
        self.sorry = None;
        self.inside = Some(Inside { app: app.to_owned(), waits: Some(now + ANSWER) });
    }

    pub(super) fn leave(&mut self) {
        self.inside = None;
        self.sorry = None;
    }

    pub(super) fn pass_time(&mut self, now: Duration) {
        self.sorry = self.sorry.filter(|(_, until)| now < *until);
        if self.gone.is_some_and(|since| now >= since + APPS_BACK) {
            self.session = AppSession::none();
            self.drawer.clear();
            if self.inside.take().is_some() {
                self.sorry = Some((Sorry::NotNow, now + SORRY));
            }
            self.gone = None;
        }
        if self.inside.as_ref().and_then(|inside| inside.waits).is_some_and(|until| now >= until) {
            self.inside = None;
            self.sorry = Some((Sorry::NotNow, now + SORRY));
        }
    }

    /// What appd is to be told, if it is not what it was told last.
    pub(super) fn seen(&mut self, seen: bool) -> Option<Command> {
        let AppSession { session, state, app, .. } = &self.session;
        if matches!(state, AppState::None) || self.told == (*session, seen) {
            return None;
        }
        // The screen of another app that is only being started is not this one's.
        if seen && self.inside.as_ref().is_some_and(|inside| inside.app != *app) {
            return None;
        }
        self.told = (*session, seen);
        Some(if seen { Command::ShowApp(*session) } else { Command::HideApp(*session) })
    }

    /// The screen of the app the child is in, or why there is none.
    pub(super) fn screen(&self, now: Duration) -> Option<Screen> {
        if let Some((sorry, _)) = self.sorry {
            return Some(Screen::Sorry(sorry));
        }
        let inside = self.inside.as_ref()?;
        let AppSession { state, session, app, name, reason, .. } = &self.session;
        let mine = inside.app == *app && inside.waits.is_none();
        let phase = match state {
            AppState::Running if mine && self.framed == *session => AppPhase::Live,
            // A grant that was taken back is over as well.
            AppState::Frozen if mine && ["time-up", "not-granted", "sealed"].contains(&reason.as_str()) => {
                AppPhase::TimeUp
            }
            AppState::Frozen if mine && reason == "hidden" && self.framed == *session => AppPhase::Live,
            AppState::Frozen if mine => AppPhase::Waiting,
            _ => AppPhase::Starting,
        };
        let shown = self.drawer.iter().find(|shown| shown.id == inside.app);
        let name = if mine { name } else { shown.map_or(&inside.app, |shown| &shown.name) };
        let left = (phase == AppPhase::Live).then(|| self.left(now)).flatten();
        Some(Screen::App { id: inside.app.clone(), name: name.clone(), phase, left })
    }

    /// Seconds left, at the times when the child is told.
    fn left(&self, now: Duration) -> Option<u64> {
        if self.session.until_ms == 0 {
            return None;
        }
        let left = Duration::from_millis(self.session.until_ms).saturating_sub(now);
        let seconds = left.as_millis().div_ceil(1000) as u64;
        TOLD.iter().any(|(from, long)| seconds <= *from && seconds + long > *from).then_some(seconds)
    }

    /// When something of it changes by itself.
    pub(super) fn next_change(&self, now: Duration) -> Option<Duration> {
        let waits = self.inside.as_ref().and_then(|inside| inside.waits);
        let sorry = self.sorry.map(|(_, until)| until);
        let gone = self.gone.map(|since| since + APPS_BACK);
        [waits, sorry, gone, self.next_told(now)].into_iter().flatten().filter(|at| *at > now).min()
    }

    fn next_told(&self, now: Duration) -> Option<Duration> {
        if self.inside.is_none() || self.session.until_ms == 0 || self.session.state != AppState::Running {
            return None;
        }
        let until = Duration::from_millis(self.session.until_ms);
        let before = |seconds| until.checked_sub(Duration::from_secs(seconds));
        // The beginnings, the ends, and the seconds that are counted.
        let edges = TOLD.iter().flat_map(|(from, long)| [*from, from - long]).chain(0..10);
        edges.filter_map(before).filter(|at| *at > now).min()
    }
}
