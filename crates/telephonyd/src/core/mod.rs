//! What telephonyd decides, without I/O: events and the boot-time clock go in, effects come out.
//!
//! **Invariants:** no effect shows a call before its verdict; a call that was turned away is ended again and
//! again until the modem has forgotten it; there is at most one call on the screen; only
//! [`Request::Accept`], after [`RINGS_FIRST`], makes an [`Effect::Accept`]; a call that became active without it is
//! ended.

mod again;
mod call_back;
mod caller;
mod calls;
mod dial;
mod flood;
mod log;
mod screen;
mod types;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use daemon::wall::{Now, Wall};
use policy::{Action, Policy, Region, Verdict, decide, numbering_of_imsi};

pub(crate) use self::call_back::CallBack;
use self::calls::Tracked;
use self::dial::Emergency;
use self::flood::Flood;
pub(crate) use self::log::{LONGEST as LOG_LONGEST, Log, Shown};
#[cfg(test)]
pub(crate) use self::log::{Outcome, Past};
use self::screen::Screen;
pub(crate) use self::types::{
    CallId, Direction, Effect, Event, Line, ModemView, Progress, Refused, Request, Rules, Sighting,
    Surroundings, Ticket,
};

/// A call rings this long before it can be accepted, so that a hand on the way to something else does not.
const RINGS_FIRST: Duration = Duration::from_secs(2);
/// After the last call: whoever was cut off and calls again at once is not turned away by the closing of the line.
const QUIET_LINE: Duration = Duration::from_secs(3);

/// The whole state.
#[derive(Debug)]
pub(crate) struct Core {
    clock: Wall,
    rules: Rules,
    modem: ModemView,
    calls: BTreeMap<CallId, Tracked>,
    screen: Option<Screen>,
    emergency: Option<Emergency>,
    call_back: Option<CallBack>,
    /// The newest name a call was given.
    named: u64,
    rings: bool,
    speaks: bool,
    /// Something was dialled or spoken since the line was closed.
    line_used: bool,
    line_closes: Option<Duration>,
    log: Log,
    log_told: Shown,
    flood: Flood,
    shown: ipc::Call,
    told: Surroundings,
    /// When other contacts may be called than now, by the clock alone.
    contacts_end: Option<Duration>,
    effects: Vec<Effect>,
}

impl Core {
    /// Sealed and without a modem, until events say otherwise.
    pub(crate) fn new() -> Self {
        let nobody = Policy::of(Region::Neutral, vec![]);
        let mut core = Self {
            clock: Wall::default(),
            rules: Rules { book: Arc::new(nobody.into()), sealed: true },
            modem: ModemView::absent(),
            calls: BTreeMap::new(),
            screen: None,
            emergency: None,
            call_back: None,
            named: 0,
            rings: false,
            speaks: false,
            line_used: false,
            line_closes: None,
            log: Log::default(),
            log_told: Shown::default(),
            flood: Flood::default(),
            shown: ipc::Call::none(),
            told: Surroundings {
                contacts: vec![],
                modem: ipc::ModemState::Absent,
                emergency_number: lifeline::button_number(""),
            },
            contacts_end: None,
            effects: Vec::new(),
        };
        core.told = core.surroundings();
        core
    }

    /// Takes one event.
    pub(crate) fn handle(&mut self, event: Event, now: Now) -> Vec<Effect> {
        self.clock.set(now);
        let now = now.boot;
        match event {
            Event::Rules(rules) => self.new_rules(rules, now),
            Event::Modem(modem) => self.new_modem(modem, now),
            Event::Seen(sighting) => self.seen(sighting, now),
            Event::Gone(id) => self.forgotten(&id, now),
            Event::Request(ticket, request) => self.request(ticket, request, now),
            Event::Accepted(ticket, done) => self.accepted(ticket, done),
            Event::Toned(ticket, done) => self.toned(ticket, done),
            Event::Dialled(ticket, call) => self.dialled(ticket, call.as_ref(), now),
            Event::NotAsked(id) => self.not_asked(&id, now),
            Event::HangUpFailed(id) => self.hang_up_failed(&id, now),
            Event::Log(log) => self.take_log(log),
            Event::CallBack(window) => self.go_on_expecting(window, now),
            Event::Tick => {
                self.rescreen(now);
                self.tell_surroundings();
                self.change_log(|_| {});
            }
            Event::Stopping => {
                let lines = self.flood.rest();
                self.effects.extend(lines.into_iter().map(Effect::Record));
            }
        }
        self.due(now);
        self.offer_waiting(now);
        let call = self.call();
        if call != self.shown {
            self.shown = call.clone();
            self.effects.push(Effect::Show(call));
        }
        self.drive();
        self.close_line(now);
        std::mem::take(&mut self.effects)
    }

    /// Ring and audio path follow the screen, and nothing else.
    fn drive(&mut self) {
        let rings = self.screen.as_ref().is_some_and(Screen::rings);
        if std::mem::replace(&mut self.rings, rings) != rings {
            self.effects.push(Effect::Ring(rings));
        }
        let speaks = self.shown.state == ipc::CallState::Active;
        if std::mem::replace(&mut self.speaks, speaks) != speaks {
            self.effects.push(Effect::Audio(speaks));
        }
    }

    /// After a call with sound the modem is told that there is none, for it may hold one that ModemManager lost: an ear that
    /// nobody sees. A call that only rang opened none.
    fn close_line(&mut self, now: Duration) {
        let free = self.calls.is_empty() && self.screen.is_none() && self.emergency.is_none();
        if !self.line_used || !free || self.modem.state == ipc::ModemState::Absent {
            self.line_closes = None;
        } else if now >= *self.line_closes.get_or_insert(now + QUIET_LINE) {
            (self.line_used, self.line_closes) = (false, None);
            self.effects.push(Effect::CloseLine);
        }
    }

    /// When the next [`Event::Tick`] is wanted.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let calls = self.calls.values().filter_map(Tracked::deadline);
        let emergency = self.emergency.as_ref().map(|emergency| emergency.until);
        calls
            .chain(emergency)
            .chain(self.flood.deadline())
            .chain(self.contacts_end)
            .chain(self.ring_ends())
            .chain(self.asks_again_at())
            .chain(self.line_closes)
            .chain(self.log_ends())
            .min()
    }

    /// Contacts, modem and emergency number as they stand.
    pub(crate) fn surroundings(&self) -> Surroundings {
        let may_be_called = |contact: &&policy::Contact| {
            contact
                .numbers
                .iter()
                .any(|number| caller::admit(&self.rules, &self.clock.moment(), Action::Dial(*number)).is_ok())
        };
        let to_wire = |contact: &policy::Contact| ipc::Contact {
            id: contact.id.clone(),
            name: contact.name.clone(),
            picture: contact.picture.clone(),
            kind: contact.kind.as_str().into(),
        };
        Surroundings {
            contacts: self.rules.book.policy.contacts.iter().filter(may_be_called).map(to_wire).collect(),
            modem: self.modem.state,
            emergency_number: lifeline::button_number(&self.modem.imsi.0),
        }
    }

    fn new_rules(&mut self, rules: Rules, now: Duration) {
        self.rules = rules;
        self.rescreen(now);
        self.tell_surroundings();
        self.change_log(|_| {});
    }

    fn new_modem(&mut self, modem: ModemView, now: Duration) {
        let absent = modem.state == ipc::ModemState::Absent;
        self.modem = modem;
        if absent {
            self.modem_left(now);
        }
        self.tell_surroundings();
    }

    fn tell_surroundings(&mut self) {
        self.contacts_end = self.contacts_end();
        let surroundings = self.surroundings();
        if surroundings != self.told {
            self.told = surroundings.clone();
            self.effects.push(Effect::Changed(surroundings));
        }
    }

    fn contacts_end(&self) -> Option<Duration> {
        let numbers = self.rules.book.policy.contacts.iter().flat_map(|contact| &contact.numbers);
        let until = |number: &policy::E164| match decide(
            &self.rules.book,
            &self.clock.moment(),
            &Action::Dial(*number),
        ) {
            Verdict::Allow { until } | Verdict::Deny { until, .. } => until,
        };
        numbers.filter_map(until).min().map(|until| self.clock.boot_at(until))
    }

    fn numbering(&self) -> &'static policy::Numbering {
        numbering_of_imsi(&self.modem.imsi.0)
    }

    fn answer(&mut self, ticket: Ticket, result: Result<(), Refused>) {
        self.effects.push(Effect::Answer(ticket, result));
    }

    fn record(&mut self, kind: &'static str, details: Vec<(&'static str, String)>) {
        self.effects.push(Effect::Record(Line { kind, details }));
    }
}
