//! The calls of the modem: which of them rings, which waits, which is ended.
//!
//! While one call is on the screen, a guardian's waits behind it, whoever else calls is told busy
//! (`docs/adr/0014-second-call.md`).

use std::time::Duration;

use daemon::Private;
use policy::{Action, Caller, Kind, Verdict, decide};

use super::log::Outcome;
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
/// The reason when another call is on the screen.
const BUSY: &str = "busy";

/// A call of the modem.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) progress: Progress,
    /// How far it was when it was first seen.
    first: Progress,
    /// When that was.
    pub(super) since: Duration,
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
    /// It is the one on the screen, and ModemManager was made to forget it: until then it rings again, or is over.
    Asked { until: Duration },
    /// It may ring as soon as the screen is free.
    Waiting(Who),
    /// It is being ended.
    Ending { next: Duration, tries: u32 },
}

impl Tracked {
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.role {
            Role::Unnumbered { until } | Role::Asked { until } => Some(until),
            Role::Ending { next, .. } => Some(next),
            Role::Shown | Role::Waiting(_) => None,
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
        self.line_used |= !matches!(seen.progress, Progress::Ringing | Progress::Waiting);
        let Some(call) = self.calls.get_mut(&seen.id) else { return self.first_seen(seen, now) };
        call.progress = seen.progress;
        if call.number.0.is_empty() {
            call.number = seen.number;
        }
        match call.role {
            Role::Unnumbered { .. } => self.screen_call(&seen.id, now),
            Role::Shown => self.screen_progress(&seen.id, seen.progress, now),
            Role::Asked { .. } if seen.progress == Progress::Active => self.answered_by_itself(&seen.id, now),
            Role::Waiting(_) if seen.progress == Progress::Active => {
                let who = self.caller_of(&seen.id);
                self.refuse(&seen.id, who, NOT_ACCEPTED, now);
            }
            Role::Asked { .. } | Role::Waiting(_) | Role::Ending { .. } => {}
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
        self.calls.insert(id.clone(), Tracked { progress, first: progress, since: now, number, role });
        match direction {
            Direction::Incoming => self.screen_call(&id, now),
            Direction::Outgoing => self.outgoing_seen(&id, now),
        }
    }

    /// The verdict on an incoming call, as soon as there is a number or there will be none.
    pub(super) fn screen_call(&mut self, id: &CallId, now: Duration) {
        let Some(call) = self.calls.get(id) else { return };
        if let Role::Unnumbered { until } = call.role
            && call.number.0.is_empty()
            && now < until
        {
            return;
        }
        let active = call.progress == Progress::Active;
        // What was active at first was accepted before this process began, or by nobody while it was asked who rings.
        let by_itself = active && (call.first != Progress::Active || self.asked().is_some());
        let caller = self.caller_of(id);
        if self.rings_again(id, now) {
            return;
        }
        match self.may_ring(caller) {
            Err(reason) => self.refuse(id, caller, reason, now),
            Ok(_) if by_itself => self.refuse(id, caller, NOT_ACCEPTED, now),
            Ok((who, _)) if self.emergency.is_some() => self.busy(id, caller, &who, now),
            Ok((who, _)) if self.screen.is_none() => self.show_incoming(id, who, active, now),
            // Before this process began it was accepted: what rings waits.
            Ok((who, _)) if active && self.ringing().is_some() => {
                let rang = self.ring_aside(now);
                self.show_incoming(id, who, active, now);
                if let Some(id) = rang {
                    self.screen_call(&id, now);
                }
            }
            Ok((who, true)) if !active => self.set_role(id, Role::Waiting(who)),
            Ok((who, _)) => self.busy(id, caller, &who, now),
        }
    }

    /// Somebody who may ring is told busy: the child sees that later.
    fn busy(&mut self, id: &CallId, caller: Caller, who: &Who, now: Duration) {
        self.refuse(id, caller, BUSY, now);
        self.log_call(who, true, Outcome::Missed, 0);
    }

    /// Who may ring, and whether that call waits for another to end: by the rules, or because help may be calling back.
    fn may_ring(&self, caller: Caller) -> Result<(Who, bool), &'static str> {
        match caller::admit(&self.rules, &self.clock.moment(), Action::Ring(caller)) {
            Ok(contact) => Ok((Who::contact(contact), contact.kind == Kind::Guardian)),
            Err(reason) => self.who_calls_back(caller).map(|who| (who, true)).ok_or(reason),
        }
    }

    pub(super) fn caller_of(&self, id: &CallId) -> Caller {
        let number = self.calls.get(id).map_or("", |call| &call.number.0);
        caller::read(number, self.numbering())
    }

    fn set_role(&mut self, id: &CallId, role: Role) {
        if let Some(call) = self.calls.get_mut(id) {
            call.role = role;
        }
    }

    /// Takes a call that rings from the screen, to be judged anew.
    pub(super) fn ring_aside(&mut self, now: Duration) -> Option<CallId> {
        let id = self.ringing().cloned()?;
        self.take_screen();
        if self.asked() == Some(&id) {
            // It is judged when it rings again.
            self.drop_asked(&id);
            return None;
        }
        self.set_role(&id, Role::Unnumbered { until: now });
        Some(id)
    }

    /// The one that has waited longest rings when nothing else is on the screen.
    pub(super) fn offer_waiting(&mut self, now: Duration) {
        if self.screen.is_some() || self.emergency.is_some() {
            return;
        }
        if let Some((id, who)) = self.first_waiting() {
            let (id, who) = (id.clone(), who.clone());
            self.show_incoming(&id, who, false, now);
        }
    }

    /// Who has waited longest.
    pub(super) fn first_waiting(&self) -> Option<(&CallId, &Who)> {
        let waiting = self.calls.iter().filter_map(|(id, call)| match &call.role {
            Role::Waiting(who) => Some((call.since, id, who)),
            _ => None,
        });
        waiting.min_by_key(|(since, ..)| *since).map(|(_, id, who)| (id, who))
    }

    /// Other rules, or another hour: calls that ring or wait are judged again, one that is active goes on. So does one
    /// that rings because help may be calling back.
    pub(super) fn rescreen(&mut self, now: Duration) {
        for (id, caller) in self.undecided() {
            if let Err(reason) = self.may_ring(caller) {
                if self.ringing() == Some(&id) {
                    self.take_screen();
                }
                self.refuse(&id, caller, reason, now);
            }
        }
    }

    /// When the next of the calls that ring or wait is not allowed any more, by the clock alone.
    pub(super) fn ring_ends(&self) -> Option<Duration> {
        let until = |(_, caller)| match decide(&self.rules.book, &self.clock.moment(), &Action::Ring(caller))
        {
            Verdict::Allow { until } => until,
            Verdict::Deny { .. } => None,
        };
        self.undecided().into_iter().filter_map(until).min().map(|until| self.clock.boot_at(until))
    }

    /// Calls that ring or wait by the rules.
    fn undecided(&self) -> Vec<(CallId, Caller)> {
        let ringing =
            self.ringing().filter(|_| !self.screen.as_ref().is_some_and(|screen| screen.who.is_help()));
        let waiting = self.calls.iter().filter_map(|(id, call)| match &call.role {
            Role::Waiting(who) if !who.is_help() => Some(id),
            _ => None,
        });
        ringing.into_iter().chain(waiting).map(|id| (id.clone(), self.caller_of(id))).collect()
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
        if self.asked() == Some(id) {
            // There is nothing to end yet: what rings next is judged anew.
            return self.drop_asked(id);
        }
        // One that was dialled goes on as well, also before the modem shows it.
        let dialled = self.screen.as_ref().is_some_and(|screen| screen.id.as_ref() != Some(id));
        let stays = |call: &Tracked| matches!(call.role, Role::Shown | Role::Asked { .. } | Role::Waiting(_));
        let other_goes_on = dialled || self.calls.iter().any(|(other, call)| other != id && stays(call));
        if let Some(call) = self.calls.get_mut(id) {
            let next = if other_goes_on { now.max(call.since + INDEX_COMES) } else { now };
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

    /// ModemManager has no such call any more: it was made to forget it, or it is over.
    pub(super) fn forgotten(&mut self, id: &CallId, now: Duration) {
        if self.asked() != Some(id) {
            self.gone(id, now);
        }
    }

    /// A call is over.
    pub(super) fn gone(&mut self, id: &CallId, now: Duration) {
        let Some(call) = self.calls.remove(id) else { return };
        if let Role::Waiting(who) = call.role {
            self.missed(&who);
        }
        if self.screen.as_ref().is_some_and(|screen| screen.id.as_ref() == Some(id)) {
            self.screen_over(now);
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
        for call in std::mem::take(&mut self.calls).into_values() {
            if let Role::Waiting(who) = call.role {
                self.missed(&who);
            }
        }
        if self.screen.is_some() {
            self.screen_over(now);
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
        self.unheard(now);
        self.ask_again_due(now);
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
