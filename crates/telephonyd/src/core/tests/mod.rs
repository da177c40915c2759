//! The core as a family would describe it: people call, the child touches, time passes.

mod again;
mod call_back;
mod drive;
mod incoming;
mod log;
mod outgoing;
mod random;
mod second;
mod touch;

use std::sync::Arc;
use std::time::Duration;

use daemon::Private;
use daemon::wall::Now;
use ipc::{CallState, ModemState};
use lifeline::SimNumbers;
use policy::{Contact, Kind, May, Policy, Region};

use super::{
    CallId, Core, Direction, Effect, Event, Line, ModemView, Progress, Refused, Request, Rules, Sighting,
    Ticket,
};

/// Wall clock at the start of every test: 2026-06-15, 06:00 UTC, a Monday.
const MORNING: i64 = 1_781_503_200;
const MUM: &str = "+358405550001";
const AUNT: &str = "+358405550002";
const FRIEND: &str = "+358405550003";
const STRANGER: &str = "+358405550666";

fn contact(id: &str, kind: Kind, number: &str, ring: bool, be_called: bool) -> Contact {
    Contact {
        id: id.into(),
        name: id.to_uppercase(),
        kind,
        numbers: vec![number.parse().unwrap()],
        picture: format!("face:{id}"),
        may: May { ring, be_called, write: false, be_written: false },
    }
}

/// Mum; an aunt who may do both; a friend who may call and not be called.
fn family() -> Policy {
    let contacts = vec![
        contact("mum", Kind::Guardian, MUM, false, false),
        contact("aunt", Kind::Family, AUNT, true, true),
        contact("friend", Kind::Friend, FRIEND, true, false),
    ];
    Policy::of(Region::Eu, contacts)
}

fn without(id: &str) -> Policy {
    let mut policy = family();
    policy.contacts.retain(|contact| contact.id != id);
    policy
}

fn modem(state: ModemState) -> ModemView {
    let imsi = if state == ModemState::Registered { "244990000000042" } else { "" };
    let (imsi, sim_numbers) = (Private(imsi.into()), SimNumbers::from_sim(["116117".into()]));
    ModemView { state, imsi, sim_numbers, joins_calls: false }
}

/// A watch with a network and the family's rules; time starts at ten seconds.
struct Watch {
    core: Core,
    now: Duration,
    effects: Vec<Effect>,
    tickets: u64,
}

impl Watch {
    fn blank() -> Self {
        Self { core: Core::new(), now: Duration::from_secs(10), effects: vec![], tickets: 0 }
    }

    fn new() -> Self {
        let mut watch = Self::blank();
        watch.modem(ModemState::Registered);
        watch.rules(family(), false);
        watch.effects.clear();
        watch
    }

    fn sealed(guardians: Vec<Contact>) -> Self {
        let mut watch = Self::blank();
        watch.modem(ModemState::Registered);
        watch.rules(Policy::of(Region::Neutral, guardians), true);
        watch.effects.clear();
        watch
    }

    fn event(&mut self, event: Event) {
        let effects =
            self.core.handle(event, Now { boot: self.now, unix: MORNING + self.now.as_secs().cast_signed() });
        self.effects.extend(effects);
    }

    fn modem(&mut self, state: ModemState) {
        self.event(Event::Modem(modem(state)));
    }

    fn rules(&mut self, policy: Policy, sealed: bool) {
        self.event(Event::Rules(Rules { book: Arc::new(policy.into()), sealed }));
    }

    /// Time passes; the core is woken when it asked for it, as the loop does.
    fn wait(&mut self, milliseconds: u64) {
        let end = self.now + Duration::from_millis(milliseconds);
        while let Some(deadline) = self.core.deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.event(Event::Tick);
        }
        self.now = end;
    }

    fn seen(&mut self, id: &str, direction: Direction, progress: Progress, number: &str) {
        let (id, number) = (CallId(id.into()), Private(number.into()));
        self.event(Event::Seen(Sighting { id, direction, progress, number }));
    }

    fn incoming(&mut self, id: &str, number: &str) {
        self.seen(id, Direction::Incoming, Progress::Ringing, number);
    }

    fn outgoing(&mut self, id: &str, progress: Progress, number: &str) {
        self.seen(id, Direction::Outgoing, progress, number);
    }

    fn gone(&mut self, id: &str) {
        self.event(Event::Gone(CallId(id.into())));
    }

    fn request(&mut self, request: Request) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.event(Event::Request(ticket, request));
        ticket
    }

    fn dial_emergency(&mut self, number: &str) -> Ticket {
        self.request(Request::DialEmergency(Private(number.into())))
    }

    /// Mum calls and the child answers.
    fn talk_to_mum(&mut self) {
        self.incoming("mum", MUM);
        self.wait(2000);
        let ticket = self.request(Request::Accept(self.core.shown.id));
        self.event(Event::Accepted(ticket, true));
        self.seen("mum", Direction::Incoming, Progress::Active, MUM);
        assert_eq!(self.state(), CallState::Active);
        self.effects.clear();
    }

    fn state(&self) -> CallState {
        self.core.shown.state
    }

    fn answer(&self, ticket: Ticket) -> Option<Result<(), Refused>> {
        let answers = self.effects.iter().filter_map(|effect| match effect {
            Effect::Answer(answered, result) if *answered == ticket => Some(*result),
            _ => None,
        });
        let answers: Vec<_> = answers.collect();
        assert!(answers.len() <= 1, "{ticket:?} was answered {} times", answers.len());
        answers.first().copied()
    }

    fn hang_ups(&self, id: &str) -> usize {
        self.effects.iter().filter(|effect| matches!(effect, Effect::HangUp(call) if call.0 == id)).count()
    }

    fn shows(&self) -> Vec<CallState> {
        let show = |effect: &Effect| if let Effect::Show(call) = effect { Some(call.state) } else { None };
        self.effects.iter().filter_map(show).collect()
    }

    fn dialled(&self) -> Vec<(Ticket, &str)> {
        let dial = |effect| {
            if let &Effect::Dial(ticket, ref number) = effect {
                Some((ticket, number.0.as_str()))
            } else {
                None
            }
        };
        self.effects.iter().filter_map(dial).collect()
    }

    /// The diary as `kind key=value …`.
    fn diary(&self) -> Vec<String> {
        let line = |effect: &Effect| {
            let Effect::Record(Line { kind, details }) = effect else { return None };
            let details = details.iter().map(|(key, value)| format!(" {key}={value}"));
            Some(format!("{kind}{}", details.collect::<String>()))
        };
        self.effects.iter().filter_map(line).collect()
    }
}
