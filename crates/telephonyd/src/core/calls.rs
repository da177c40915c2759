//! The calls of the modem: which of them rings, which is ended.

use std::time::Duration;

use daemon::Private;
use policy::{Action, Caller};

use super::screen::Who;
use super::types::{CallId, Direction, Effect, Progress, Sighting};
use super::{Core, caller};

/// ModemManager makes a call at `+CRING` and learns the number with `+CLIP`, a moment later. A call that has
/// none by then withholds it.
const NUMBER_COMES: Duration = Duration::from_millis(1500);
/// Ending a second call right away could end the first: until ModemManager's next poll of `+CLCC` (2 s) has told
/// it the call's index, it would use `AT+CHUP`, which ends all.
const INDEX_COMES: Duration = Duration::from_secs(4);
/// A modem under load takes up to 6 s to end a call.
const ENDS_WITHIN: Duration = Duration::from_secs(6);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A modem holds seven calls (3GPP TS 22.030, clause 6.5.5).
const CALLS: usize = 16;
/// The reason when a modem answered by itself: nobody listens in.
pub(super) const NOT_ACCEPTED: &str = "not-accepted";

/// A call of the modem.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) progress: Progress,
    /// How far it was when it was first seen.
    first: Progress,
    pub(super) number: Private<String>,
    pub(super) role: Role,
}

/// What becomes of a call.
#[derive(Debug)]
pub(super) enum Role {
    /// It has no number yet; withheld after this time.
    Unnumbered { until: Duration },
    /// It is the one on the screen.
    Shown,
    /// It is being ended.
    Ending { next: Duration, tries: u32 },
}

impl Tracked {
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.role {
            Role::Unnumbered { until } => Some(until),
            Role::Ending { next, .. } => Some(next),
            Role::Shown => None,
        }
    }
}

impl Core {
    /// The modem shows a call, new or changed.
    pub(super) fn seen(&mut self, seen: Sighting, now: Duration) {
        if seen.progress == Progress::Over {
            self.effects.push(Effect::Forget(seen.id.clone()));
            return self.gone(&seen.id, now);
        }
        let Some(call) = self.calls.get_mut(&seen.id) else { return self.first_seen(seen, now) };
        call.progress = seen.progress;
        if call.number.0.is_empty() {
            call.number = seen.number;
        }
        match call.role {
            Role::Unnumbered { .. } => self.screen_call(&seen.id, now),
            Role::Shown => self.screen_progress(&seen.id, seen.progress, now),
            Role::Ending { .. } => {}
        }
    }

    fn first_seen(&mut self, seen: Sighting, now: Duration) {
        let Sighting { id, direction, progress, number } = seen;
        // A call of our own, which may be the one for help, is never one too many.
        if self.calls.len() >= CALLS && direction == Direction::Incoming {
            self.effects.push(Effect::HangUp(id));
            return;
        }
        let role = Role::Unnumbered { until: now + NUMBER_COMES };
        self.calls.insert(id.clone(), Tracked { progress, first: progress, number, role });
        match direction {
            Direction::Incoming => self.screen_call(&id, now),
            Direction::Outgoing => self.outgoing_seen(&id, now),
        }
    }

    /// The verdict on an incoming call, as soon as there is a number or there will be none.
    fn screen_call(&mut self, id: &CallId, now: Duration) {
        let Some(call) = self.calls.get(id) else { return };
        if let Role::Unnumbered { until } = call.role
            && call.number.0.is_empty()
            && now < until
        {
            return;
        }
        let active = call.progress == Progress::Active;
        let by_itself = active && call.first != Progress::Active;
        let who = caller::read(&call.number.0, self.numbering());
        match caller::admit(&self.rules, &self.clock.moment(), Action::Ring(who)) {
            Err(reason) => self.refuse(id, who, reason, now),
            // Call waiting is not offered to a child yet.
            Ok(_) if self.screen.is_some() || self.emergency.is_some() => self.refuse(id, who, "busy", now),
            Ok(_) if by_itself => self.refuse(id, who, NOT_ACCEPTED, now),
            Ok(contact) => {
                let who = Who::contact(contact);
                self.show_incoming(id, who, active, now);
            }
        }
    }

    /// Other rules: a call that rings is judged by them, one that is active goes on.
    pub(super) fn rescreen(&mut self, now: Duration) {
        let Some(id) = self.ringing().cloned() else { return };
        let Some(call) = self.calls.get(&id) else { return };
        let who = caller::read(&call.number.0, self.numbering());
        if let Err(reason) = caller::admit(&self.rules, &self.clock.moment(), Action::Ring(who)) {
            self.take_screen();
            self.refuse(&id, who, reason, now);
        }
    }

    /// Turns a call away.
    pub(super) fn refuse(&mut self, id: &CallId, who: Caller, reason: &'static str, now: Duration) {
        self.end(id, now);
        if let Some(line) = self.flood.refused(who, reason, now) {
            self.effects.push(Effect::Record(line));
        }
    }

    /// Begins to end a call.
    pub(super) fn end(&mut self, id: &CallId, now: Duration) {
        // One that was dialled goes on as well, also before the modem shows it.
        let dialled = self.screen.as_ref().is_some_and(|screen| screen.id.as_ref() != Some(id));
        let other_goes_on =
            dialled || self.calls.iter().any(|(other, call)| other != id && matches!(call.role, Role::Shown));
        if let Some(call) = self.calls.get_mut(id) {
            let next = if other_goes_on { now + INDEX_COMES } else { now };
            call.role = Role::Ending { next, tries: 0 };
        }
        self.end_due(now);
    }

    /// The modem could not end a call.
    pub(super) fn hang_up_failed(&mut self, id: &CallId, now: Duration) {
        if let Some(Tracked { role: Role::Ending { next, tries }, .. }) = self.calls.get_mut(id) {
            let doublings = (*tries).clamp(1, 8) - 1;
            *next = now + FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
        }
    }

    /// The modem has no such call any more.
    pub(super) fn gone(&mut self, id: &CallId, now: Duration) {
        if self.calls.remove(id).is_none() {
            return;
        }
        if self.screen.as_ref().is_some_and(|screen| screen.id.as_ref() == Some(id)) {
            self.screen_over();
            for call in self.calls.values_mut() {
                if let Role::Ending { next, tries: 0 } = &mut call.role {
                    *next = now;
                }
            }
        }
        self.dial_when_free(now);
    }

    /// The modem went, and its calls with it.
    pub(super) fn modem_left(&mut self, now: Duration) {
        self.calls.clear();
        if self.screen.is_some() {
            self.screen_over();
        }
        self.dial_when_free(now);
    }

    /// Does what the passing of time asks for.
    pub(super) fn due(&mut self, now: Duration) {
        let silent = |call: &Tracked| matches!(call.role, Role::Unnumbered { until } if until <= now);
        let silent: Vec<_> =
            self.calls.iter().filter(|(_, call)| silent(call)).map(|(id, _)| id.clone()).collect();
        for id in silent {
            self.screen_call(&id, now);
        }
        self.end_due(now);
        let lines = self.flood.due(now);
        self.effects.extend(lines.into_iter().map(Effect::Record));
        if self.emergency.as_ref().is_some_and(|emergency| emergency.until <= now) {
            self.dial_emergency_now(now);
        }
    }

    fn end_due(&mut self, now: Duration) {
        for (id, call) in &mut self.calls {
            if let Role::Ending { next, tries } = &mut call.role
                && *next <= now
            {
                *next = now + ENDS_WITHIN;
                *tries = tries.saturating_add(1);
                self.effects.push(Effect::HangUp(id.clone()));
            }
        }
    }
}
