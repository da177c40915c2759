//! The one call the child sees, and what a touch does to it.

use std::time::Duration;

use daemon::Private;
use ipc::CallState;
use policy::{Caller, Contact};

use super::calls::{NOT_ACCEPTED, Role};
use super::log::Outcome;
use super::types::{CallId, Effect, Progress, Refused, Request, Ticket};
use super::{Core, RINGS_FIRST, caller};

/// Tones one call may hold.
const TONES: u8 = 100;

/// The call on the screen.
#[derive(Debug)]
pub(super) struct Screen {
    /// `None` while the modem has not said which call it dialled.
    pub(super) id: Option<CallId>,
    pub(super) call: ipc::Call,
    pub(super) who: Who,
    pub(super) incoming: bool,
    /// What the modem was asked to dial, and for whom.
    pub(super) dialled: Option<(Ticket, Private<String>)>,
    touched: Touched,
    /// Who waits to hear that it was accepted.
    pub(super) accepting: Option<Ticket>,
    /// Who waits to hear that a tone was sent.
    toning: Option<Ticket>,
    /// Tones of this call.
    tones: u8,
    /// The child turned it away, or hung up.
    pub(super) hung_up: bool,
}

/// Whether the child accepted a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Touched {
    No,
    Yes,
    /// The modem said that it could not; if it does all the same, that is the child's will.
    InVain,
}

impl Screen {
    fn new(id: Option<CallId>, who: Who, state: CallState, now: Duration) -> Self {
        let Who { contact, name, picture, .. } = who.clone();
        let call = ipc::Call { state, contact, name, picture, since_ms: millis(now), ..ipc::Call::none() };
        Self {
            id,
            call,
            who,
            incoming: false,
            dialled: None,
            touched: Touched::No,
            accepting: None,
            toning: None,
            tones: 0,
            hung_up: false,
        }
    }

    /// A call the modem is asked to make.
    pub(super) fn dialling(ticket: Ticket, number: Private<String>, who: Who, now: Duration) -> Self {
        Self { dialled: Some((ticket, number)), ..Self::new(None, who, CallState::Dialling, now) }
    }

    /// A call that was made before this process began.
    pub(super) fn outgoing(id: &CallId, who: Who, active: bool, now: Duration) -> Self {
        let state = if active { CallState::Active } else { CallState::Dialling };
        Self::new(Some(id.clone()), who, state, now)
    }

    /// It is to be heard: the child has not touched it yet.
    pub(super) fn rings(&self) -> bool {
        let silent = self.touched == Touched::Yes || self.hung_up || self.call.muted;
        self.call.state == CallState::Ringing && !silent
    }

    /// Nobody's contact: an emergency number.
    pub(super) fn is_emergency(&self) -> bool {
        !self.incoming && self.call.contact.is_empty()
    }
}

/// The other side.
#[derive(Debug, Clone)]
pub(super) struct Who {
    contact: String,
    name: String,
    picture: String,
    /// It rings only because help may be calling back: what the diary may know of the number.
    help: Option<String>,
}

impl Who {
    pub(super) fn contact(contact: &Contact) -> Self {
        let Contact { id, name, picture, .. } = contact.clone();
        Self { contact: id, name, picture, help: None }
    }

    pub(super) fn emergency(number: &str) -> Self {
        Self { contact: String::new(), name: number.to_owned(), picture: String::new(), help: None }
    }

    /// The same, let through by the call-back window.
    pub(super) fn calling_back(self, caller: Caller) -> Self {
        Self { help: Some(caller::label(caller)), ..self }
    }

    pub(super) fn is_help(&self) -> bool {
        self.help.is_some()
    }

    /// The contact's id, or the emergency number.
    pub(super) fn ids(&self) -> (String, String) {
        let number = if self.contact.is_empty() { self.name.clone() } else { String::new() };
        (self.contact.clone(), number)
    }

    /// Who it is, for the diary.
    fn details(&self) -> Vec<(&'static str, String)> {
        let who = match &self.help {
            Some(label) if self.contact.is_empty() => ("caller", label.clone()),
            _ => ("contact", self.contact.clone()),
        };
        let why = self.help.is_some().then(|| ("reason", "emergency-window".to_owned()));
        std::iter::once(who).chain(why).collect()
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Core {
    /// An allowed call. One that is active when it is first seen was accepted before this process began.
    pub(super) fn show_incoming(&mut self, id: &CallId, who: Who, active: bool, now: Duration) {
        let state = if active { CallState::Active } else { CallState::Ringing };
        let screen = Screen::new(Some(id.clone()), who, state, now);
        let touched = if active { Touched::Yes } else { Touched::No };
        self.put_on_screen(id, Screen { incoming: true, touched, ..screen });
    }

    /// From now on this is the call the child sees.
    pub(super) fn put_on_screen(&mut self, id: &CallId, screen: Screen) {
        if let Some(call) = self.calls.get_mut(id) {
            call.role = Role::Shown;
        }
        self.show(screen);
    }

    /// Gives the call on the screen a name that no other call of this boot has, also not one of an earlier run.
    pub(super) fn show(&mut self, mut screen: Screen) {
        self.named = screen.call.since_ms.max(self.named.saturating_add(1));
        screen.call.id = self.named;
        self.screen = Some(screen);
    }

    /// What the child sees.
    pub(super) fn call(&self) -> ipc::Call {
        let Some(screen) = &self.screen else { return ipc::Call::none() };
        ipc::Call {
            waiting: self.first_waiting().map(|(_, who)| who.name.clone()).unwrap_or_default(),
            ..screen.call.clone()
        }
    }

    /// The call on the screen went on.
    pub(super) fn screen_progress(&mut self, id: &CallId, progress: Progress, now: Duration) {
        let Some(screen) = &mut self.screen else { return };
        if progress != Progress::Active || screen.call.state == CallState::Active {
            return;
        }
        if screen.incoming && screen.touched == Touched::No {
            let who = self.caller_of(id);
            self.take_screen();
            return self.refuse(id, who, NOT_ACCEPTED, now);
        }
        screen.call.state = CallState::Active;
        screen.call.since_ms = millis(now);
    }

    /// The call that rings, if one does.
    pub(super) fn ringing(&self) -> Option<&CallId> {
        let ringing = |screen: &&Screen| screen.call.state == CallState::Ringing;
        self.screen.as_ref().filter(ringing).and_then(|screen| screen.id.as_ref())
    }

    /// Clears the screen.
    pub(super) fn take_screen(&mut self) -> Option<Screen> {
        let screen = self.screen.take()?;
        for ticket in screen.accepting.into_iter().chain(screen.toning) {
            self.answer(ticket, Err(Refused::NotFound));
        }
        Some(screen)
    }

    /// The call on the screen has ended: the diary learns how.
    pub(super) fn screen_over(&mut self, now: Duration) {
        let Some(screen) = self.take_screen() else { return };
        let answered = screen.call.state == CallState::Active;
        let outcome = match (answered, screen.incoming, screen.hung_up) {
            (true, ..) => Outcome::Answered,
            (false, false, _) => Outcome::Unanswered,
            (false, true, true) => Outcome::Declined,
            (false, true, false) => return self.missed(&screen.who),
        };
        self.log_screen(&screen, outcome, now);
        if screen.is_emergency() {
            // Counted from the end of the call: what was said last is why help calls back.
            if screen.id.is_some() {
                self.expect_call_back(&screen.call.name, now);
            }
            return;
        }
        let mut details = screen.who.details();
        if screen.incoming {
            return self.record(if answered { "call-answered" } else { "call-declined" }, details);
        }
        details.push(("answered", if answered { "yes" } else { "no" }.into()));
        self.record("call-dialled", details);
    }

    /// Somebody who may ring was not answered.
    pub(super) fn missed(&mut self, who: &Who) {
        self.record("call-missed", who.details());
        self.log_call(who, true, Outcome::Missed, 0);
    }

    /// The child's touch.
    pub(super) fn request(&mut self, ticket: Ticket, request: Request, now: Duration) {
        match request {
            Request::Accept(call) => self.accept(ticket, call, now),
            Request::HangUp(call) => self.hang_up(ticket, call, now),
            Request::SawMissed(newest) => {
                self.saw_missed(newest);
                self.answer(ticket, Ok(()));
            }
            Request::Mute(call) => self.mute(ticket, call),
            Request::Tone(call, key) => self.tone(ticket, call, &key),
            Request::Dial(contact) => self.dial(ticket, &contact, now),
            Request::DialEmergency(number) => self.dial_emergency(ticket, number, now),
        }
    }

    /// The call on the screen, if it is still the one that was touched.
    fn touched(&mut self, call: u64) -> Option<&mut Screen> {
        self.screen.as_mut().filter(|screen| screen.call.id == call)
    }

    fn accept(&mut self, ticket: Ticket, call: u64, now: Duration) {
        let Some(screen) = self.touched(call) else { return self.answer(ticket, Err(Refused::NotFound)) };
        let early = millis(now).saturating_sub(screen.call.since_ms) < millis(RINGS_FIRST);
        let refused = match (&screen.id, screen.call.state) {
            (Some(_), CallState::Ringing) if early => Refused::TooEarly,
            (Some(_), CallState::Ringing) if screen.accepting.is_some() || screen.hung_up => Refused::Busy,
            (Some(id), CallState::Ringing) => {
                screen.touched = Touched::Yes;
                screen.accepting = Some(ticket);
                let id = id.clone();
                return self.take_call(ticket, &id, now);
            }
            _ => Refused::NotFound,
        };
        self.answer(ticket, Err(refused));
    }

    /// The modem took the call, or could not.
    pub(super) fn accepted(&mut self, ticket: Ticket, done: bool) {
        // A call that ended meanwhile was answered for when it did.
        if let Some(screen) = &mut self.screen
            && screen.accepting == Some(ticket)
        {
            screen.accepting = None;
            if !done {
                screen.touched = Touched::InVain;
            }
            self.answer(ticket, if done { Ok(()) } else { Err(Refused::Failed) });
        }
    }

    fn mute(&mut self, ticket: Ticket, call: u64) {
        let result = match self.touched(call) {
            Some(screen) if screen.call.state == CallState::Ringing => {
                screen.call.muted = true;
                Ok(())
            }
            _ => Err(Refused::NotFound),
        };
        self.answer(ticket, result);
    }

    /// One at a time, and no more than a menu needs: tones are no way for data.
    fn tone(&mut self, ticket: Ticket, call: u64, key: &str) {
        let mut keys = key.chars();
        let (Some(key @ ('0'..='9' | '*' | '#')), None) = (keys.next(), keys.next()) else {
            return self.answer(ticket, Err(Refused::Malformed));
        };
        let refused = match self.touched(call) {
            Some(screen) if screen.call.state == CallState::Active => match screen.id.clone() {
                Some(id) if screen.toning.is_none() && screen.tones < TONES => {
                    screen.tones += 1;
                    screen.toning = Some(ticket);
                    return self.effects.push(Effect::Tone(ticket, id, key));
                }
                _ => Refused::Busy,
            },
            _ => Refused::NotFound,
        };
        self.answer(ticket, Err(refused));
    }

    /// The modem sent the tone, or could not.
    pub(super) fn toned(&mut self, ticket: Ticket, done: bool) {
        if let Some(screen) = self.screen.as_mut().filter(|screen| screen.toning == Some(ticket)) {
            screen.toning = None;
            self.answer(ticket, if done { Ok(()) } else { Err(Refused::Failed) });
        }
    }

    fn hang_up(&mut self, ticket: Ticket, call: u64, now: Duration) {
        let Some(screen) = self.touched(call) else { return self.answer(ticket, Err(Refused::NotFound)) };
        screen.hung_up = true;
        // One that was asked about is ended when it rings again.
        if let Some(id) = screen.id.clone().filter(|id| self.asked() != Some(id)) {
            self.end(&id, now);
        }
        self.answer(ticket, Ok(()));
    }
}
