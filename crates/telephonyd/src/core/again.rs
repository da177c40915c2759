//! Who is calling, asked again.
//!
//! Where the modem tells of a ringing call with `RING` and `+CLIP` alone (ITU-T V.250, clause 6.3; 3GPP TS 27.007, clause 7.6),
//! ModemManager matches each of them with the call that rings, whatever the number, and learns from its poll of `+CLCC` that
//! a call is over: up to two seconds in which the next caller is taken for the one before. So it is made to forget a call that
//! rings, every few seconds and before each accept: the next ring makes a new one, with the number of whoever rings now.
//!
//! **Invariant:** where calls can be joined only a call that was asked about after the touch is accepted.

use std::time::Duration;

use super::Core;
use super::calls::{NOT_ACCEPTED, Role, Tracked};
use super::types::{CallId, Effect, Progress, Ticket};

/// So long a stranger can ring as the one before him, at most.
const ASKS_EVERY: Duration = Duration::from_secs(6);
/// Modems ring every three to six seconds. The touch waits for this, and nobody on the bus waits longer than ten seconds.
const RINGS_AGAIN: Duration = Duration::from_secs(7);
/// For the modem to begin to end a call that ModemManager was made to forget.
const LINE_CLOSES: Duration = Duration::from_secs(1);

impl Core {
    /// When ModemManager is asked again who rings: not while it accepts, nor about a call it still has waiting.
    pub(super) fn asks_again_at(&self) -> Option<Duration> {
        let (call, screen) = (self.calls.get(self.ringing()?)?, self.screen.as_ref()?);
        let rings = matches!(call.role, Role::Shown) && call.progress == Progress::Ringing;
        let since = call.since.max(Duration::from_millis(screen.call.since_ms));
        (self.modem.joins_calls && rings && screen.accepting.is_none()).then(|| since + ASKS_EVERY)
    }

    /// Asks if it is time.
    pub(super) fn ask_again_due(&mut self, now: Duration) {
        if self.asks_again_at().is_some_and(|at| at <= now)
            && let Some(id) = self.ringing().cloned()
        {
            self.ask_again(&id, now);
        }
    }

    fn ask_again(&mut self, id: &CallId, now: Duration) {
        if let Some(call) = self.calls.get_mut(id) {
            call.role = Role::Asked { until: now + RINGS_AGAIN };
            self.effects.push(Effect::AskAgain(id.clone()));
        }
    }

    /// ModemManager did not forget it, so that it tells nothing anew.
    pub(super) fn not_asked(&mut self, id: &CallId, now: Duration) {
        if self.asked() != Some(id) {
            return;
        }
        if let Some(call) = self.calls.get_mut(id) {
            (call.role, call.since) = (Role::Shown, now);
        }
        if let Some(ticket) = self.screen.as_ref().and_then(|screen| screen.accepting) {
            self.accepted(ticket, false);
        }
        if self.screen.as_ref().is_some_and(|screen| screen.hung_up) {
            self.end(id, now);
        }
    }

    /// One that was asked about is not to be heard of again, as far as anybody knows: the modem may hold it yet.
    pub(super) fn drop_asked(&mut self, id: &CallId) {
        self.calls.remove(id);
        self.line_used = true;
    }

    /// It did not ring again in time.
    pub(super) fn unheard(&mut self, now: Duration) {
        let late = |call: &Tracked| matches!(call.role, Role::Asked { until } if until <= now);
        let Some(id) = self.asked().filter(|id| self.calls.get(id).is_some_and(late)).cloned() else {
            return;
        };
        // It may be the one whose number is not there yet.
        let number_comes = self.calls.values().find_map(|call| match call.role {
            Role::Unnumbered { until } if call.progress == Progress::Ringing => Some(until),
            _ => None,
        });
        if let Some(until) = number_comes.filter(|until| *until > now) {
            if let Some(call) = self.calls.get_mut(&id) {
                call.role = Role::Asked { until };
            }
            return;
        }
        self.line_used = true;
        self.gone(&id, now);
    }

    /// The child takes the call that rings: at once, or when it has rung again.
    pub(super) fn take_call(&mut self, ticket: Ticket, id: &CallId, now: Duration) {
        match self.calls.get(id).map(|call| &call.role) {
            Some(Role::Asked { .. }) => {}
            Some(_) if self.modem.joins_calls => self.ask_again(id, now),
            _ => self.effects.push(Effect::Accept(ticket, id.clone())),
        }
    }

    /// The call on the screen that was asked about, if one was.
    pub(super) fn asked(&self) -> Option<&CallId> {
        let asked = |(_, call): &(&CallId, &Tracked)| matches!(call.role, Role::Asked { .. });
        self.calls.iter().find(asked).map(|(id, _)| id)
    }

    /// A call rings: the one that was asked about, or another, and then that one is over. Returns whether it is that one.
    pub(super) fn rings_again(&mut self, id: &CallId, now: Duration) -> bool {
        let Some(asked) = self.asked().filter(|asked| *asked != id).cloned() else { return false };
        // One that waits for another is told as such, also while that one is asked about.
        if self.calls.get(id).is_none_or(|call| call.progress != Progress::Ringing) {
            return false;
        }
        if self.caller_of(&asked) != self.caller_of(id) {
            self.gone(&asked, now);
            return false;
        }
        self.calls.remove(&asked);
        if let Some(call) = self.calls.get_mut(id) {
            call.role = Role::Shown;
        }
        let Some(screen) = &mut self.screen else { return false };
        screen.id = Some(id.clone());
        if screen.hung_up {
            self.end(id, now);
        } else if let Some(ticket) = screen.accepting {
            self.effects.push(Effect::Accept(ticket, id.clone()));
        }
        true
    }

    /// Nobody accepted it yet, also when the child had touched it.
    pub(super) fn answered_by_itself(&mut self, id: &CallId, now: Duration) {
        let who = self.caller_of(id);
        self.take_screen();
        if let Some(call) = self.calls.get_mut(id) {
            call.role = Role::Shown;
        }
        self.refuse(id, who, NOT_ACCEPTED, now);
    }

    /// A call that was asked about is in the way of one for help, or one that nobody saw end: ModemManager has nothing to end,
    /// the modem may have.
    pub(super) fn close_asked(&mut self, now: Duration) {
        let asked = self.calls.values_mut().find_map(|call| match &mut call.role {
            Role::Asked { until } => Some(until),
            _ => None,
        });
        if let Some(until) = asked {
            *until = now + LINE_CLOSES;
            self.effects.push(Effect::CloseLine);
        } else if self.line_used && self.calls.is_empty() {
            // What is dialled waits for that.
            self.effects.push(Effect::CloseLine);
        }
    }
}
