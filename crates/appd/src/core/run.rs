//! The one app: from the child's touch to its end.

use std::time::Duration;

use ipc::AppState;
use launch::AppId;

use super::types::{Effect, Line, Refused};
use super::{Core, LEAVES};

/// From the touch to a running app it takes no longer, or it is given up.
const STARTS: Duration = Duration::from_secs(10);
/// A run the rules do not allow any more stands still for so long, while the screen says why.
const STANDS: Duration = Duration::from_secs(10);
/// A run that is not on the screen for so long is ended: its memory is worth more than its place.
const HIDDEN: Duration = Duration::from_mins(10);

/// Why the screen ends a run: by the child's wish, or for what the run did to the screen.
const WORDS: [&str; 6] = ["", "hung", "flood", "too-large", "protocol", "silent"];

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It waits for its place on the screen, for the end of the run before it, or for the launcher.
    Starting { by: Duration, attached: bool, asked: bool },
    /// The launcher started it.
    Live,
}

/// The one app.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) session: u64,
    pub(super) app: AppId,
    stage: Stage,
    /// When its time is up.
    pub(super) until: Option<Duration>,
    /// Since when it is not on the screen.
    hidden: Option<Duration>,
    /// Since when the rules do not allow it, and why.
    denied: Option<(&'static str, Duration)>,
    /// It stands still, and why.
    pub(super) halted: Option<&'static str>,
}

impl Run {
    pub(super) fn hide(&mut self, now: Duration) {
        self.hidden.get_or_insert(now);
    }

    pub(super) fn show(&mut self) {
        self.hidden = None;
    }

    /// Whether the launcher was asked to start it.
    pub(super) fn is_asked(&self) -> bool {
        matches!(self.stage, Stage::Live | Stage::Starting { asked: true, .. })
    }

    pub(super) fn state(&self) -> AppState {
        match (self.stage, self.halted) {
            (Stage::Starting { .. }, _) => AppState::Starting,
            (Stage::Live, None) => AppState::Running,
            (Stage::Live, Some(_)) => AppState::Frozen,
        }
    }

    /// Takes the rules' word of this moment.
    fn judged(&mut self, verdict: Result<Option<Duration>, &'static str>, now: Duration) {
        match verdict {
            Ok(until) => (self.until, self.denied) = (until, None),
            Err(reason) => self.denied = Some((reason, self.denied.map_or(now, |(_, since)| since))),
        }
    }

    /// Times at which something becomes of it without anybody's word.
    pub(super) fn deadlines(&self) -> impl Iterator<Item = Duration> {
        let start = match self.stage {
            Stage::Starting { by, .. } => Some(by),
            Stage::Live => None,
        };
        let hidden = self.hidden.map(|since| since + HIDDEN);
        let denied = self.denied.map(|(_, since)| since + STANDS);
        start.into_iter().chain(hidden).chain(denied).chain(self.until)
    }

    #[cfg(test)]
    pub(super) fn is_hidden(&self) -> bool {
        self.hidden.is_some()
    }
}

impl Core {
    pub(super) fn is_run(&self, session: u64) -> bool {
        self.run.as_ref().is_some_and(|run| run.session == session)
    }

    /// Does something to the run the screen means, if there still is one.
    pub(super) fn with_run(&mut self, session: u64, act: impl FnOnce(&mut Run)) {
        match self.run.as_mut().filter(|run| run.session == session) {
            Some(run) => act(run),
            None => self.effects.push(Effect::Refuse(Refused::NotFound)),
        }
    }

    /// The child's touch on an app. The run of another app ends with it, whatever becomes of this one: there is
    /// one app.
    pub(super) fn open(&mut self, app: &str, now: Duration) {
        let Some(app) = AppId::parse(app) else {
            return self.effects.push(Effect::Refuse(Refused::Malformed));
        };
        if let Some(run) = self.run.as_mut().filter(|run| run.app == app) {
            run.show();
            if let Err(reason) = self.judge(app.as_str()) {
                self.refused(&app, reason, now);
            }
            return;
        }
        self.close("", now);
        self.last_session += 1;
        let session = self.last_session;
        let hindrance = self.hindrance(app.as_str(), now).or((!self.shell).then_some("no-display"));
        if let Some(reason) = hindrance {
            self.refused(&app, reason, now);
            return self.over(session, &app, reason);
        }
        let stage = Stage::Starting { by: now + STARTS, attached: false, asked: false };
        self.run = Some(Run { session, app, stage, until: None, hidden: None, denied: None, halted: None });
        self.effects.push(Effect::Attach(session));
    }

    /// The screen made a place, or could not.
    pub(super) fn attached(&mut self, session: u64, done: bool, now: Duration) {
        let Some(run) = self.run.as_mut().filter(|run| run.session == session) else { return };
        match &mut run.stage {
            Stage::Starting { attached, .. } if done => *attached = true,
            Stage::Starting { .. } => self.close("no-display", now),
            Stage::Live => {}
        }
    }

    /// The launcher started it.
    pub(super) fn started(&mut self, session: u64, now: Duration) {
        let Some(run) = self.run.as_mut().filter(|run| run.session == session) else {
            // It was asked to end already; or it is a run of before a connection broke, which nobody wants.
            if !self.leaving.contains_key(&session) {
                self.leave(session, now);
            }
            return;
        };
        run.stage = Stage::Live;
        let app = run.app.clone();
        self.effects.push(Effect::Record(line("app-opened", &app, "")));
        if !self.catalogue.contains_key(&app) {
            self.list();
        }
    }

    /// The screen ends a run.
    pub(super) fn screen_ends(&mut self, session: u64, reason: &str, now: Duration) {
        if !WORDS.contains(&reason) {
            self.effects.push(Effect::Refuse(Refused::Malformed));
        } else if self.is_run(session) {
            self.close(reason, now);
        } else {
            self.effects.push(Effect::Refuse(Refused::NotFound));
        }
    }

    /// Ends the run, if there is one.
    pub(super) fn close(&mut self, reason: &str, now: Duration) {
        if let Some(run) = self.run.as_ref().filter(|run| run.is_asked()) {
            self.leave(run.session, now);
        }
        self.gone(reason);
    }

    fn leave(&mut self, session: u64, now: Duration) {
        self.leaving.insert(session, now + LEAVES);
        self.effects.push(Effect::End(session));
    }

    /// The run is no more: the screen and the diary learn how it ended.
    pub(super) fn gone(&mut self, reason: &str) {
        let Some(run) = self.run.take() else { return };
        if self.shell {
            self.effects.push(Effect::Detach(run.session));
        }
        if run.stage == Stage::Live {
            self.effects.push(Effect::Record(line("app-closed", &run.app, reason)));
        } else if !reason.is_empty() {
            self.refused(&run.app, reason, self.clock.boot());
        }
        self.over(run.session, &run.app, reason);
    }

    fn refused(&mut self, app: &AppId, reason: &str, now: Duration) {
        let line = self.refusals.line(app.as_str(), reason, now);
        self.effects.extend(line.map(Effect::Record));
    }

    /// After every event: what stands against the run, and what follows.
    pub(super) fn settle(&mut self, now: Duration) {
        if self.leaving.values().any(|by| *by <= now) {
            // The next start waits for the connection after this one, on which nothing runs.
            self.leaving.clear();
            self.launcher = false;
            self.effects.push(Effect::DropLauncher);
        }
        let Some(app) = self.run.as_ref().map(|run| run.app.clone()) else { return };
        let verdict = self.judge(app.as_str());
        let hindrance = self.hindrance(app.as_str(), now);
        let no_policyd = self.is_without_policyd(now).then_some("no-policy");
        let Some(run) = &mut self.run else { return };
        run.judged(verdict, now);
        let end = match run.stage {
            Stage::Starting { by, .. } => hindrance.or((now >= by).then_some("sandbox")),
            Stage::Live => match (run.denied, run.hidden) {
                (Some((reason, since)), _) if now >= since + STANDS => Some(reason),
                (_, Some(since)) if now >= since + HIDDEN => Some(""),
                _ => None,
            },
        };
        if let Some(reason) = end {
            return self.close(reason, now);
        }
        match &mut run.stage {
            Stage::Starting { attached: true, asked, .. } if !*asked && self.leaving.is_empty() => {
                *asked = true;
                self.effects.push(Effect::Start(run.session, app));
            }
            Stage::Starting { .. } => {}
            Stage::Live => {
                let denied = run.denied.map(|(reason, _)| reason);
                let halted = denied.or(no_policyd).or(run.hidden.map(|_| "hidden"));
                match (run.halted, halted) {
                    (None, Some(_)) => self.effects.push(Effect::Freeze(run.session)),
                    (Some(_), None) => self.effects.push(Effect::Thaw(run.session)),
                    _ => {}
                }
                run.halted = halted;
            }
        }
    }
}

/// An empty reason is the child's wish, of which there is nothing to say.
fn line(kind: &'static str, app: &AppId, reason: &str) -> Line {
    let mut details = vec![("app", app.as_str().to_owned())];
    if !reason.is_empty() {
        details.push(("reason", reason.to_owned()));
    }
    Line { kind, details }
}
