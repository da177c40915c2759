//! What happened at the network's side, in order and with times.
//!
//! Invariant: sequence numbers start at 1 and have no gaps, so `since` never misses or repeats an event.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::watch;

use crate::fault::Fault;

/// The oldest events are forgotten beyond this many.
const KEPT: usize = 100_000;

/// The command that ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HangUp {
    /// `AT+CHUP`
    Chup,
    /// `AT+CHLD`
    Chld,
    /// `ATH`
    Ath,
}

/// One part of a text in several parts (3GPP TS 23.040, 9.2.3.24.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The same in all parts of one text.
    pub reference: u16,
    /// How many parts there are.
    pub total: u8,
    /// This one, from 1.
    pub number: u8,
}

/// What the network, the sky or the person at the other end saw. `number: None` is a withheld caller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Something opened the modem's port.
    Linked,
    /// The modem's port was closed.
    Unlinked,
    /// The first `+CRING` (or `+CCWA`) of a call was given to the watch.
    Ringing {
        /// The caller.
        number: Option<String>,
    },
    /// The network turned the caller away: not registered, or too many calls.
    Unreachable {
        /// The caller.
        number: Option<String>,
    },
    /// The watch took the call (`ATA`).
    Answered {
        /// The caller.
        number: Option<String>,
    },
    /// The watch ended a call; the time is that of the command.
    HungUpByWatch {
        /// The other end.
        number: Option<String>,
        /// Whether the call had been active.
        answered: bool,
        /// How it was ended.
        command: HangUp,
    },
    /// The other end hung up.
    HungUpByRemote {
        /// The other end.
        number: Option<String>,
    },
    /// The modem left the network, and the call was lost with it.
    Lost {
        /// The other end.
        number: Option<String>,
    },
    /// Something is wrong from now on.
    FaultBegan {
        /// What.
        fault: Fault,
    },
    /// It is right again.
    FaultEnded {
        /// The name of what was wrong.
        fault: String,
    },
    /// The watch dialled, whatever it was: a number, a service code.
    Dialled {
        /// As dialled.
        number: String,
    },
    /// It rings at the other end.
    RemoteRinging {
        /// As dialled.
        number: String,
    },
    /// The other end took the call.
    RemoteAnswered {
        /// As dialled.
        number: String,
    },
    /// The watch sent a tone into the call (`AT+VTS`).
    Tone {
        /// `0`-`9`, `*`, `#`, `A`-`D`
        tone: char,
    },
    /// The network stored a text in the modem and announced it.
    SmsDelivered {
        /// The sender.
        number: String,
        /// In how many parts.
        parts: usize,
    },
    /// The modem's store was full: the text never reached the watch.
    SmsRefused {
        /// The sender.
        number: String,
    },
    /// The watch sent a text.
    SmsSent {
        /// To whom.
        number: String,
        /// The text of this part.
        text: String,
        /// Which part, when there are several.
        part: Option<Part>,
    },
    /// The watch sent a USSD request.
    Ussd {
        /// As sent, usually hexadecimal.
        request: String,
    },
    /// The walk is over.
    WalkEnded {
        /// Degrees north.
        lat: f64,
        /// Degrees east.
        lon: f64,
    },
}

/// An event with its place in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// From 1, without gaps.
    pub seq: u64,
    /// Microseconds since the world began.
    pub at_us: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// Nothing fitting happened in time.
#[derive(Debug, Error)]
#[error("no such event within {waited:?}; since {since} there were {seen:?}")]
pub struct NotSeen {
    waited: Duration,
    since: u64,
    seen: Vec<Event>,
}

/// The log of one world. Waiting is possible from async code and from threads.
#[derive(Debug)]
pub(crate) struct Log {
    kept: Mutex<VecDeque<Stamped>>,
    grown: Condvar,
    last: watch::Sender<u64>,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self { kept: Mutex::default(), grown: Condvar::new(), last: watch::Sender::new(0) }
    }

    pub(crate) fn push(&self, event: Event, at: Duration) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let seq = kept.back().map_or(0, |stamped| stamped.seq) + 1;
        if kept.len() == KEPT {
            kept.pop_front();
        }
        let at_us = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
        kept.push_back(Stamped { seq, at_us, event });
        self.last.send_replace(seq);
        self.grown.notify_all();
    }

    pub(crate) fn last(&self) -> u64 {
        *self.last.borrow()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    pub(crate) fn since(&self, since: u64) -> Vec<Stamped> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        newer(&kept, since).cloned().collect()
    }

    fn find(&self, since: u64, wanted: &impl Fn(&Event) -> bool) -> Option<Stamped> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        newer(&kept, since).find(|stamped| wanted(&stamped.event)).cloned()
    }

    fn not_seen(&self, since: u64, waited: Duration) -> NotSeen {
        NotSeen { waited, since, seen: self.since(since).into_iter().map(|stamped| stamped.event).collect() }
    }

    pub(crate) async fn wait(
        &self,
        since: u64,
        limit: Duration,
        wanted: impl Fn(&Event) -> bool,
    ) -> Result<Stamped, NotSeen> {
        let mut last = self.last.subscribe();
        let search = async {
            loop {
                last.mark_unchanged();
                if let Some(found) = self.find(since, &wanted) {
                    return Some(found);
                }
                last.changed().await.ok()?;
            }
        };
        match tokio::time::timeout(limit, search).await {
            Ok(Some(found)) => Ok(found),
            _ => Err(self.not_seen(since, limit)),
        }
    }

    pub(crate) fn wait_blocking(
        &self,
        since: u64,
        limit: Duration,
        wanted: impl Fn(&Event) -> bool,
    ) -> Result<Stamped, NotSeen> {
        let end = Instant::now() + limit;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = newer(&kept, since).find(|stamped| wanted(&stamped.event)) {
                return Ok(found.clone());
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(kept);
                return Err(self.not_seen(since, limit));
            }
            kept = self.grown.wait_timeout(kept, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn newer(kept: &VecDeque<Stamped>, since: u64) -> impl Iterator<Item = &Stamped> {
    let start = kept.partition_point(|stamped| stamped.seq <= since);
    kept.range(start..)
}
