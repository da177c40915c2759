//! The calls the network holds for this subscriber (3GPP TS 22.030, 6.5.5; TS 27.007, 7.18).
//!
//! Invariants: an index belongs to one call for as long as it lives; at most one call rings, the others wait;
//! a call that is over is listed no more.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// `+CLCC` knows seven.
pub(crate) const LIMIT: u8 = 7;
const RING_EVERY: Duration = Duration::from_secs(3);
const REMOTE_RINGS_AFTER: Duration = Duration::from_millis(700);

/// The states of `+CLCC` that occur here, with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum CallState {
    /// Both hear each other.
    Active = 0,
    /// The watch has dialled.
    Dialling = 2,
    /// It rings at the other end.
    Alerting = 3,
    /// It rings at the watch.
    Incoming = 4,
    /// It would ring at the watch, were there no other call.
    Waiting = 5,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// From 1, as in `+CLCC`.
    pub index: u8,
    /// Who calls or is called; `None` when withheld.
    pub number: Option<String>,
    /// The other end called.
    pub incoming: bool,
    /// Where it stands.
    pub state: CallState,
    #[serde(skip)]
    due: Option<Duration>,
}

/// What the passing of time did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Ring(Call),
    RemoteRings(Call),
}

/// All calls.
#[derive(Debug, Default)]
pub(crate) struct Calls(Vec<Call>);

impl Calls {
    pub(crate) fn list(&self) -> &[Call] {
        &self.0
    }

    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.0.iter().filter_map(|call| call.due).min()
    }

    fn free_index(&self) -> Option<u8> {
        (1..=LIMIT).find(|index| self.0.iter().all(|call| call.index != *index))
    }

    /// A call comes in; `None` when there is no room.
    pub(crate) fn incoming(&mut self, number: Option<String>, now: Duration) -> Option<Call> {
        let index = self.free_index()?;
        let (state, due) = if self.0.is_empty() {
            (CallState::Incoming, Some(now + RING_EVERY))
        } else {
            (CallState::Waiting, None)
        };
        let call = Call { index, number, incoming: true, state, due };
        self.0.push(call.clone());
        Some(call)
    }

    pub(crate) fn dial(&mut self, number: &str, now: Duration) -> Option<()> {
        let index = self.free_index().filter(|_| self.0.is_empty())?;
        let due = Some(now + REMOTE_RINGS_AFTER);
        let number = Some(number.to_owned());
        self.0.push(Call { index, number, incoming: false, state: CallState::Dialling, due });
        Some(())
    }

    /// The watch takes the ringing call.
    pub(crate) fn answer(&mut self) -> Option<Call> {
        self.activate(&[CallState::Incoming])
    }

    /// The other end takes the call it was called with.
    pub(crate) fn remote_answer(&mut self) -> Option<Call> {
        self.activate(&[CallState::Dialling, CallState::Alerting])
    }

    fn activate(&mut self, from: &[CallState]) -> Option<Call> {
        let call = self.0.iter_mut().find(|call| from.contains(&call.state))?;
        call.state = CallState::Active;
        call.due = None;
        Some(call.clone())
    }

    /// Ends every call that fits.
    pub(crate) fn end(&mut self, mut fits: impl FnMut(&Call) -> bool) -> Vec<Call> {
        let (over, left) = std::mem::take(&mut self.0).into_iter().partition(|call| fits(call));
        self.0 = left;
        over
    }

    /// When only waiting calls are left, the first begins to ring.
    pub(crate) fn promote(&mut self, now: Duration) -> Option<Call> {
        if self.0.iter().any(|call| call.state != CallState::Waiting) {
            return None;
        }
        let call = self.0.first_mut()?;
        call.state = CallState::Incoming;
        call.due = Some(now + RING_EVERY);
        Some(call.clone())
    }

    pub(crate) fn tick(&mut self, now: Duration) -> Vec<Due> {
        let mut happened = Vec::new();
        for call in self.0.iter_mut().filter(|call| call.due.is_some_and(|due| due <= now)) {
            if call.state == CallState::Dialling {
                call.state = CallState::Alerting;
                call.due = None;
                happened.push(Due::RemoteRings(call.clone()));
            } else {
                call.due = Some(now + RING_EVERY);
                happened.push(Due::Ring(call.clone()));
            }
        }
        happened
    }
}

/// Type of number (3GPP TS 24.008, 10.5.4.7): international, or unknown.
pub(crate) fn number_type(number: &str) -> u8 {
    if number.starts_with('+') { 145 } else { 129 }
}
