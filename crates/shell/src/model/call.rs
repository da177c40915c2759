//! The part of the model that knows the call on the screen.

use std::time::Duration;

use ipc::{Call, CallState};

use super::inout::{OnCall, Person, Screen};
use super::{ANSWER_AFTER, ANSWERS, Model, Page, RING_STEP};

impl Model {
    pub(super) fn set_call(&mut self, call: Call) {
        // Under a call lies the face or the app, so that this is what comes back.
        if call.state != CallState::None && self.call.state == CallState::None && !self.counts_down() {
            self.page = Page::Home;
            self.notice = None;
        }
        if (call.id, call.state) != (self.call.id, CallState::Active) {
            self.keypad = None;
        }
        if (call.id, call.state) != (self.call.id, CallState::Ringing) {
            self.answering = None;
        }
        self.call = call;
    }

    pub(super) fn can_answer(&self, now: Duration) -> bool {
        now >= self.since() + ANSWER_AFTER
    }

    /// The child has taken it, and it rings yet.
    pub(super) fn is_answering(&self, now: Duration) -> bool {
        self.answering.is_some_and(|(call, since)| call == self.call.id && now < since + ANSWERS)
            && self.call.state == CallState::Ringing
    }

    pub(super) fn since(&self) -> Duration {
        Duration::from_millis(self.call.since_ms)
    }

    pub(super) fn call_screen(&self, now: Duration) -> Screen {
        let Call { state, contact, name, picture, muted, waiting, .. } = &self.call;
        let name = if name.is_empty() { &self.emergency } else { name };
        let time = now.saturating_sub(self.since());
        let rings = match state {
            CallState::Ringing if *muted => 0,
            CallState::Ringing | CallState::Dialling => (time.as_millis() / RING_STEP.as_millis() % 4) as u8,
            CallState::Active | CallState::None => 0,
        };
        Screen::Call(OnCall {
            state: *state,
            person: Person { id: contact.clone(), name: name.clone(), picture: picture.clone() },
            rings,
            seconds: if *state == CallState::Active { time.as_secs() } else { 0 },
            can_answer: self.can_answer(now),
            answering: self.is_answering(now),
            muted: *muted,
            waiting: waiting.clone(),
            keypad: self.keypad.clone(),
        })
    }

    pub(super) fn next_step(&self, now: Duration, step: Duration) -> Duration {
        let since = self.since();
        let steps = now.saturating_sub(since).as_millis() / step.as_millis() + 1;
        since.saturating_add(step.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX)))
    }
}
