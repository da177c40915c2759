//! The child's own list of calls, and those that were missed.
//!
//! **Invariants:** whom the family does not know is not in it, so no number of a stranger is; it holds at most [`LONGEST`] calls,
//! none older than the family's rules keep calls; a name is looked up when it is shown, never kept.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Core;
use super::screen::{Screen, Who};
use super::types::Effect;

/// Calls at most; the oldest make room.
pub(crate) const LONGEST: usize = 200;
const DAY: i64 = 24 * 60 * 60;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Answered,
    Missed,
    Declined,
    /// The other side did not answer.
    Unanswered,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Missed => "missed",
            Self::Declined => "declined",
            Self::Unanswered => "unanswered",
        }
    }
}

/// A call that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Past {
    /// Its place; the newest has the highest.
    pub(crate) seq: u64,
    /// When it ended, seconds since 1970 by the watch's clock.
    pub(crate) at: i64,
    /// The contact's id; empty where the emergency number was called, or may have called back.
    pub(crate) contact: String,
    /// That number, where there is no contact.
    pub(crate) emergency: String,
    pub(crate) incoming: bool,
    pub(crate) outcome: Outcome,
    /// How long both could speak.
    pub(crate) seconds: u32,
    /// It was missed, and the child has not looked.
    pub(crate) unseen: bool,
}

/// All of them, oldest first, and how long they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) days: u16,
    pub(crate) newest: u64,
    pub(crate) calls: Vec<Past>,
}

impl Default for Log {
    fn default() -> Self {
        Self { days: policy::Retention::default().calls_days, newest: 0, calls: vec![] }
    }
}

impl Log {
    fn add(&mut self, past: Past) {
        // One that seems to come from later was written by a wrong clock: it would be kept for ever.
        self.calls.iter_mut().for_each(|call| call.at = call.at.min(past.at));
        self.newest += 1;
        self.calls.push(Past { seq: self.newest, ..past });
        let over = self.calls.len().saturating_sub(LONGEST);
        self.calls.drain(..over);
    }

    fn kept_for(&self) -> i64 {
        i64::from(self.days) * DAY
    }

    fn expire(&mut self, now: i64) {
        let kept_for = self.kept_for();
        self.calls.retain(|call| now.saturating_sub(call.at) < kept_for);
    }

    /// When the oldest is to go.
    fn ends(&self) -> Option<i64> {
        self.calls.iter().map(|call| call.at).min().map(|at| at.saturating_add(self.kept_for()))
    }
}

/// What the screen can read of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Newest first.
    pub(crate) calls: Vec<ipc::PastCall>,
    pub(crate) missed: Vec<ipc::Missed>,
}

impl Core {
    /// The call on the screen is over.
    pub(super) fn log_screen(&mut self, screen: &Screen, outcome: Outcome, now: Duration) {
        let spoke = if outcome == Outcome::Answered { now } else { Duration::ZERO };
        let spoke = spoke.saturating_sub(Duration::from_millis(screen.call.since_ms));
        let seconds = u32::try_from(spoke.as_secs()).unwrap_or(u32::MAX);
        self.log_call(&screen.who, screen.incoming, outcome, seconds);
    }

    pub(super) fn log_call(&mut self, who: &Who, incoming: bool, outcome: Outcome, seconds: u32) {
        let (contact, emergency) = who.ids();
        let (at, unseen) = (self.clock.moment().unix, outcome == Outcome::Missed);
        self.change_log(|log| {
            log.add(Past { seq: 0, at, contact, emergency, incoming, outcome, seconds, unseen });
        });
    }

    /// What an earlier process left.
    pub(super) fn take_log(&mut self, log: Log) {
        self.log = log;
        self.change_log(|_| {});
    }

    /// The child has looked at what was missed, up to this call.
    pub(super) fn saw_missed(&mut self, newest: u64) {
        self.change_log(|log| {
            log.calls.iter_mut().filter(|call| call.seq <= newest).for_each(|call| call.unseen = false);
        });
    }

    /// Changes it; what is too old goes on the same way.
    pub(super) fn change_log(&mut self, change: impl FnOnce(&mut Log)) {
        let before = self.log.clone();
        change(&mut self.log);
        if !self.rules.sealed {
            self.log.days = self.rules.book.policy.retention.calls_days;
        }
        self.log.expire(self.clock.moment().unix);
        if self.log != before {
            self.effects.push(Effect::KeepLog(self.log.clone()));
        }
        let shown = self.log_shown();
        if shown != self.log_told {
            self.log_told = shown.clone();
            self.effects.push(Effect::LogChanged(shown));
        }
    }

    /// When a call is to go from it.
    pub(super) fn log_ends(&self) -> Option<Duration> {
        self.log.ends().map(|at| self.clock.boot_at(at))
    }

    /// With the names of now; somebody the family has taken away is not shown.
    fn log_shown(&self) -> Shown {
        let name = |past: &Past| match self.rules.book.policy.contact(&past.contact) {
            Some(contact) => Some((contact.name.clone(), contact.picture.clone())),
            None if past.contact.is_empty() => Some((past.emergency.clone(), String::new())),
            None => None,
        };
        let (mut calls, mut missed) = (Vec::new(), BTreeMap::<(String, String), ipc::Missed>::new());
        for past in self.log.calls.iter().rev() {
            let Some((name, picture)) = name(past) else { continue };
            if past.unseen {
                let key = (past.contact.clone(), name.clone());
                let who = missed.entry(key).or_insert_with(|| ipc::Missed {
                    contact: past.contact.clone(),
                    name: name.clone(),
                    picture: picture.clone(),
                    count: 0,
                    newest: past.seq,
                });
                who.count += 1;
            }
            calls.push(ipc::PastCall {
                contact: past.contact.clone(),
                name,
                picture,
                incoming: past.incoming,
                outcome: past.outcome.as_str().into(),
                unix_time: past.at,
                seconds: past.seconds,
            });
        }
        let mut missed: Vec<_> = missed.into_values().collect();
        missed.sort_unstable_by_key(|who| std::cmp::Reverse(who.newest));
        Shown { calls, missed }
    }
}
