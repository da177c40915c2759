//! Calls the watch makes.

use std::time::Duration;

use daemon::Private;
use ipc::ModemState;
use policy::{Action, Caller, E164};

use super::calls::Role;
use super::screen::{Screen, Who};
use super::types::{CallId, Effect, Progress, Refused, Ticket};
use super::{Core, caller};

/// An emergency call waits this long for another call to end, and not a moment longer.
const MAKE_ROOM: Duration = Duration::from_secs(3);

/// An emergency call that waits for another to end.
#[derive(Debug)]
pub(super) struct Emergency {
    ticket: Ticket,
    number: Private<String>,
    pub(super) until: Duration,
}

impl Core {
    /// The child calls a contact, at the first of its numbers.
    pub(super) fn dial(&mut self, ticket: Ticket, contact: &str, now: Duration) {
        match self.may_dial(contact) {
            Ok((who, number)) => self.start(ticket, who, Private(number.to_string()), now),
            Err(refused) => self.answer(ticket, Err(refused)),
        }
    }

    fn may_dial(&self, contact: &str) -> Result<(Who, E164), Refused> {
        let contact = self.rules.book.policy.contact(contact).ok_or(Refused::NotFound)?;
        let number = *contact.numbers.first().ok_or(Refused::NotFound)?;
        let contact = caller::admit(&self.rules, &self.clock.moment(), Action::Dial(number))
            .map_err(Refused::Denied)?;
        if self.screen.is_some() || self.emergency.is_some() {
            return Err(Refused::Busy);
        }
        if self.modem.state != ModemState::Registered {
            return Err(Refused::NoNetwork);
        }
        Ok((Who::contact(contact), number))
    }

    /// Help. No rule is asked, and a call that is in the way ends.
    pub(super) fn dial_emergency(&mut self, ticket: Ticket, number: Private<String>, now: Duration) {
        let refused = if !lifeline::is_emergency(&number.0, &self.modem.sim_numbers) {
            Refused::Denied("no-emergency-number")
        } else if self.emergency.is_some() || self.screen.as_ref().is_some_and(Screen::is_emergency) {
            // It is being called already.
            Refused::Busy
        } else {
            // Also where nobody can be called: who searches asks where it was.
            self.effects.push(Effect::Locate);
            self.record("emergency-call", vec![("number", number.0.clone())]);
            if self.modem.state == ModemState::Absent {
                Refused::NoNetwork
            } else {
                self.emergency = Some(Emergency { ticket, number, until: now + MAKE_ROOM });
                return self.make_room(now);
            }
        };
        self.answer(ticket, Err(refused));
    }

    fn make_room(&mut self, now: Duration) {
        if let Some(screen) = &mut self.screen {
            screen.hung_up = true;
        }
        for call in self.calls.values_mut() {
            if !matches!(call.role, Role::Ending { tries: 1.., .. } | Role::Asked { .. }) {
                call.role = Role::Ending { next: now, tries: 0 };
            }
        }
        self.close_asked(now);
        self.dial_when_free(now);
    }

    /// Dials the waiting emergency number when nothing is in its way any more.
    pub(super) fn dial_when_free(&mut self, now: Duration) {
        if self.screen.is_none() && self.calls.is_empty() {
            self.dial_emergency_now(now);
        }
    }

    pub(super) fn dial_emergency_now(&mut self, now: Duration) {
        let Some(Emergency { ticket, number, .. }) = self.emergency.take() else { return };
        if self.screen.is_some() {
            self.screen_over(now);
        }
        if self.modem.state == ModemState::Absent {
            return self.answer(ticket, Err(Refused::NoNetwork));
        }
        let who = Who::emergency(&number.0);
        self.start(ticket, who, number, now);
    }

    fn start(&mut self, ticket: Ticket, who: Who, number: Private<String>, now: Duration) {
        self.line_used = true;
        self.show(Screen::dialling(ticket, number.clone(), who, now));
        self.effects.push(Effect::Dial(ticket, number));
    }

    /// The modem began to dial, or could not.
    pub(super) fn dialled(&mut self, ticket: Ticket, call: Option<&CallId>, now: Duration) {
        let asked = |screen: &Screen| screen.dialled.as_ref().is_some_and(|(asked, _)| *asked == ticket);
        let wanted = self.screen.as_ref().is_some_and(asked);
        match call {
            Some(id) if wanted => self.bind(id, now),
            None if wanted => self.screen_over(now),
            // An emergency call took its place: if it was made, it is ended when it is seen.
            _ => {}
        }
        self.answer(ticket, if call.is_some() { Ok(()) } else { Err(Refused::Failed) });
    }

    /// An outgoing call appears: the one that was dialled, or one from before this process began.
    pub(super) fn outgoing_seen(&mut self, id: &CallId, now: Duration) {
        let Some(call) = self.calls.get(id) else { return };
        let (number, active) = (call.number.0.clone(), call.progress == Progress::Active);
        if self.screen.as_ref().is_some_and(|screen| is_it(screen, id, &number)) {
            return self.bind(id, now);
        }
        let who = caller::read(&number, self.numbering());
        let known = if lifeline::is_emergency(&number, &self.modem.sim_numbers) {
            Ok(Who::emergency(&number))
        } else if let Caller::Number(number) = who {
            caller::admit(&self.rules, &self.clock.moment(), Action::Dial(number)).map(Who::contact)
        } else {
            Err("unreadable-number")
        };
        match known {
            Ok(who) if self.screen.is_none() || self.ringing().is_some() => {
                let rang = self.ring_aside(now);
                self.put_on_screen(id, Screen::outgoing(id, who, active, now));
                self.help_was_called(now);
                if let Some(id) = rang {
                    self.screen_call(&id, now);
                }
            }
            Ok(_) => self.end(id, now),
            Err(reason) => self.refuse(id, who, reason, now),
        }
    }

    /// Joins the call the modem shows with the one that was dialled.
    fn bind(&mut self, id: &CallId, now: Duration) {
        let Some(screen) = &mut self.screen else { return };
        screen.id = Some(id.clone());
        let hung_up = screen.hung_up;
        let Some(call) = self.calls.get_mut(id) else { return };
        if hung_up {
            return self.end(id, now);
        }
        call.role = Role::Shown;
        let progress = call.progress;
        self.help_was_called(now);
        self.screen_progress(id, progress, now);
    }
}

fn is_it(screen: &Screen, id: &CallId, number: &str) -> bool {
    match &screen.id {
        Some(own) => own == id,
        None => screen.dialled.as_ref().is_some_and(|(_, dialled)| dialled.0 == number),
    }
}
