//! One watch, and what is done to it.

use std::collections::BTreeMap;
use std::time::Duration;

use ipc::{CallState, ModemState, Refusal};
use sim::{Event, Fault, HangUp, WorldConfig};
use tokio::time::{Instant, sleep, timeout};
use zbus::Connection;

use crate::chance::{Caller, Chance, Turn};
use crate::diary::Diary;
use crate::house::{House, PATIENCE, family};
use crate::ledger::{Ended, Ledger, Place, Seen, Who};

pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// A verdict takes milliseconds, the end of a second call four seconds, on a loaded machine more.
pub(crate) const VERDICT: Duration = Duration::from_secs(20);
/// With something wrong a caller waits no longer.
pub(crate) const DISTURBED: Duration = Duration::from_secs(6);
/// A touch counts after two seconds.
pub(crate) const RINGS_FIRST: Duration = Duration::from_millis(2100);
/// ModemManager loses a `NO CARRIER` that comes between its command and the answer to it: people talk longer.
const THEY_TALK: Duration = Duration::from_secs(1);

/// A watch with its ledger.
pub(crate) struct Watch {
    pub(crate) house: House,
    diary: Diary,
    pub(crate) bus: Connection,
    pub(crate) chance: Chance,
    pub(crate) ledger: Ledger,
    /// How often the watch could not be reached half a minute after a fault had ended.
    pub(crate) late: BTreeMap<&'static str, u32>,
    /// How often telephonyd had ModemManager started again.
    pub(crate) restarts: u32,
}

/// One call under way.
pub(crate) struct Call {
    pub(crate) caller: Caller,
    mark: u64,
    /// Calls the screen had been told by then.
    pub(crate) told: usize,
}

impl Watch {
    pub(crate) async fn start(number: u8, seed: u64) -> Self {
        let mut house = House::quiet(WorldConfig::numbered(number), true).await;
        let diary = Diary::start(&house.bus).await;
        house.publish(&family());
        house.start_daemon().await;
        house.modem_is(ModemState::Registered).await;
        let bus = house.bus.connect().await.unwrap();
        let (chance, ledger) = (Chance::new(seed ^ (u64::from(number) << 32)), Ledger::default());
        Self { house, diary, bus, chance, ledger, late: BTreeMap::new(), restarts: 0 }
    }

    /// Plays `calls` calls, the last fifth with a modem that garbles, and compares with the diary.
    pub(crate) async fn soak(&mut self, calls: u32) {
        let clear = calls - calls / 5;
        while self.ledger.calls < clear {
            let fault = self.chance.one_in(3).then(|| self.chance.fault());
            self.episode(fault).await;
        }
        self.end_daemon();
        let told = self.diary.take();
        self.ledger.close(&told);
        if !self.ledger.wrong.is_empty() {
            eprintln!("{:#?}\n{told:#?}", self.ledger.story);
        }
        let clear = std::mem::take(&mut self.ledger);
        self.house.start_daemon().await;
        self.house.modem_is(ModemState::Registered).await;
        while self.ledger.calls + clear.calls < calls {
            let fault = self.chance.garbling_fault();
            self.episode(Some(fault)).await;
        }
        self.end_daemon();
        self.ledger.close_garbled(&self.diary.take());
        let garbled = std::mem::replace(&mut self.ledger, clear);
        self.ledger.merge(garbled);
    }

    /// What a flood held back is told when the daemon ends.
    fn end_daemon(&mut self) {
        self.house.stop_daemon(PATIENCE);
    }

    async fn episode(&mut self, fault: Option<Fault>) {
        let name = fault.as_ref().map(Fault::name);
        let before = self.ledger.wrong.len();
        if let Some(fault) = fault {
            self.house.world.begin(fault).unwrap();
        }
        if self.chance.one_in(5) {
            self.outgoing(name).await;
        } else if name.is_none() && self.chance.one_in(6) {
            self.in_the_wake().await;
        } else {
            self.incoming(name).await;
        }
        self.tidy(name).await;
        for wrong in self.ledger.wrong.iter().skip(before) {
            eprintln!("{wrong}\n  telephonyd: {}", last_lines(&self.house.log()));
        }
    }

    pub(crate) fn call(&self, caller: Caller) -> Call {
        let (mark, told) = (self.house.world.mark(), self.house.shell.states().len());
        self.house.world.call(caller.number.as_deref()).unwrap();
        Call { caller, mark, told }
    }

    /// How the network saw it end.
    pub(crate) fn ended(&self, call: &Call) -> Option<Ended> {
        let is = |number: &Option<String>| *number == call.caller.number;
        self.house.world.events(call.mark).iter().find_map(|stamped| match &stamped.event {
            Event::HungUpByWatch { number, command: HangUp::Ath, .. } if is(number) => Some(Ended::ByProbe),
            Event::HungUpByWatch { number, .. } if is(number) => Some(Ended::ByWatch),
            Event::HungUpByRemote { number } if is(number) => Some(Ended::ByRemote),
            Event::Lost { number } if is(number) => Some(Ended::WithNetwork),
            Event::Unreachable { number } if is(number) => Some(Ended::Unreachable),
            _ => None,
        })
    }

    /// The contacts of whom the screen was told that they ring, since this call began.
    pub(crate) async fn rings(&mut self, call: &Call) -> Vec<String> {
        let mut rings = Vec::new();
        for (at, state) in self.house.shell.states().iter().enumerate().skip(call.told) {
            if *state == CallState::Ringing {
                rings.push(self.house.shell.told(at, CallState::Ringing).await.1.contact);
            }
        }
        rings
    }

    pub(crate) async fn until(&self, limit: Duration, mut look: impl FnMut(&Self) -> bool) -> bool {
        let end = Instant::now() + limit;
        while !look(self) {
            if Instant::now() > end {
                return false;
            }
            sleep(LOOK_AGAIN).await;
        }
        true
    }

    /// Which call a touch would mean; 0 where there is none.
    pub(crate) async fn on_screen(&self) -> u64 {
        self.house.shell.telephony.call().await.map_or(0, |call| call.id)
    }

    /// It rings, or is over.
    pub(crate) async fn decided(&self, call: &Call, limit: Duration) {
        let rings = |watch: &Self| watch.house.shell.states()[call.told..].contains(&CallState::Ringing);
        self.until(limit, |watch| rings(watch) || watch.ended(call).is_some()).await;
    }

    async fn incoming(&mut self, fault: Option<&'static str>) {
        let limit = if fault.is_some() { DISTURBED } else { VERDICT };
        let turn = self.chance.turn();
        let caller = self.chance.caller();
        let call = self.call(caller);
        let mut second = None;
        if turn == Turn::InHaste {
            sleep(Duration::from_millis(self.chance.below(40))).await;
        } else {
            self.decided(&call, limit).await;
            let rings = self.house.shell.states().get(call.told) == Some(&CallState::Ringing);
            let caller = self.chance.caller();
            if rings && self.chance.one_in(3) && caller.label != call.caller.label {
                second = Some(self.second(caller, fault).await);
            }
            // Right again before anybody does anything, or only afterwards.
            if fault.is_some() && self.chance.one_in(2) {
                self.house.world.mend();
                self.decided(&call, DISTURBED).await;
            }
            let rings = self.house.shell.states().get(call.told) == Some(&CallState::Ringing);
            if rings && self.ended(&call).is_none() {
                self.touch(&call, turn, fault).await;
            }
        }
        let in_haste = turn == Turn::InHaste;
        if self.ended(&call).is_none() && (in_haste || turn_of_remote(turn) || fault.is_some()) {
            let _ = self.house.world.leave(call.caller.number.as_deref());
        }
        self.until(VERDICT, |watch| watch.ended(&call).is_some()).await;
        if let Some(second) = &second {
            self.after_the_first(second, fault).await;
        }
        if in_haste {
            // The verdict, if there was one, comes to the screen yet.
            let _ = self.quiet(VERDICT).await;
        }
        let rings = self.rings(&call).await;
        self.account(&call, &rings, in_haste, Place::First, fault);
        if let Some(second) = &second {
            self.account(second, &rings, false, second.caller.second_place(), fault);
        }
        let both = [Some(&call), second.as_ref()];
        let is_one = |contact: &String| {
            both.iter().flatten().any(|call| call.caller.who == Who::Contact(contact.clone()))
        };
        if let Some(contact) = rings.iter().find(|contact| !is_one(contact)) {
            self.ledger.wrong.push(format!("{contact} rang while {:?} called", call.caller));
        }
    }

    /// A call to the watch is over; `rings` are the contacts that rang meanwhile.
    pub(crate) fn account(
        &mut self,
        call: &Call,
        rings: &[String],
        in_haste: bool,
        place: Place,
        fault: Option<&'static str>,
    ) {
        let Caller { who, label, .. } = call.caller.clone();
        let rang = rings.iter().any(|contact| who == Who::Contact(contact.clone()));
        let ended = self.ended(call);
        let faults = fault.into_iter().collect();
        self.ledger.incoming(&Seen { who, label, rang, ended, in_haste, place, faults });
    }

    /// Somebody else calls meanwhile, and the first call stays: a guardian waits, who may tire of it, all others are turned
    /// away.
    async fn second(&mut self, caller: Caller, fault: Option<&'static str>) -> Call {
        let call = self.call(caller);
        let limit = if fault.is_some() { DISTURBED } else { VERDICT };
        let waits = call.caller.second_place() == Place::Waits;
        if waits && self.waits(limit).await {
            if self.chance.one_in(2) {
                return call;
            }
        } else if waits && fault.is_none() {
            self.ledger.wrong.push(format!("{:?} does not wait", call.caller));
        } else {
            self.until(limit, |watch| watch.ended(&call).is_some()).await;
        }
        if self.ended(&call).is_none() {
            let _ = self.house.world.leave(call.caller.number.as_deref());
        }
        call
    }

    /// The screen says that somebody waits.
    async fn waits(&self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if self.house.shell.telephony.call().await.is_ok_and(|call| !call.waiting.is_empty()) {
                return true;
            }
            sleep(LOOK_AGAIN * 5).await;
        }
        false
    }

    /// The first call is over: who waited for that rings now, and hangs up after a while.
    async fn after_the_first(&mut self, second: &Call, fault: Option<&'static str>) {
        let limit = Instant::now() + if fault.is_some() { DISTURBED } else { VERDICT };
        let Who::Contact(contact) = second.caller.who.clone() else { return };
        while self.ended(second).is_none() && Instant::now() < limit {
            if self.rings(second).await.contains(&contact) {
                break;
            }
            sleep(LOOK_AGAIN * 5).await;
        }
        if self.ended(second).is_none() {
            let _ = self.house.world.leave(second.caller.number.as_deref());
        }
        self.until(VERDICT, |watch| watch.ended(second).is_some()).await;
    }

    /// The child, or the caller, does what the turn says with a call that rings.
    async fn touch(&mut self, call: &Call, turn: Turn, fault: Option<&'static str>) {
        let telephony = self.house.shell.telephony.clone();
        let done = match turn {
            Turn::InHaste | Turn::Missed => Ok(()),
            Turn::Declined => telephony
                .hang_up(self.on_screen().await)
                .await
                .map_err(|error| format!("declining: {error:?}")),
            Turn::AnsweredThenRemote | Turn::AnsweredThenWatch => self.answer(call, turn).await,
        };
        if let (Err(what), None) = (done, fault) {
            self.ledger.wrong.push(format!("{what}: {:?}", call.caller));
        }
    }

    async fn answer(&mut self, call: &Call, turn: Turn) -> Result<(), String> {
        let telephony = self.house.shell.telephony.clone();
        let (since, _) = self.house.shell.told(call.told, CallState::Ringing).await;
        if since.elapsed() < Duration::from_millis(1500) {
            let early = telephony.accept(self.on_screen().await).await;
            let refused = matches!(&early, Err(Refusal::Denied(why)) if why == "too-early");
            if !refused && since.elapsed() < Duration::from_millis(1900) {
                return Err(format!("an early touch: {early:?}"));
            }
        }
        tokio::time::sleep_until(since + RINGS_FIRST).await;
        telephony.accept(self.on_screen().await).await.map_err(|error| format!("accepting: {error:?}"))?;
        let active = |watch: &Self| watch.house.shell.states()[call.told..].contains(&CallState::Active);
        if !self.until(VERDICT, active).await {
            return Err("it never became active".into());
        }
        sleep(THEY_TALK).await;
        if turn == Turn::AnsweredThenWatch {
            telephony
                .hang_up(self.on_screen().await)
                .await
                .map_err(|error| format!("hanging up: {error:?}"))?;
        }
        Ok(())
    }

    /// The watch dials; sometimes somebody calls meanwhile.
    async fn outgoing(&mut self, fault: Option<&'static str>) {
        let limit = if fault.is_some() { DISTURBED } else { VERDICT };
        let (mark, contact) = (self.house.world.mark(), self.chance.contact());
        let telephony = self.house.shell.telephony.clone();
        // With a modem that hangs the answer takes longer than anybody waits.
        let asked = timeout(limit, telephony.dial(contact)).await;
        let dialled = |watch: &Self| {
            let events = watch.house.world.events(mark);
            events.iter().any(|stamped| matches!(stamped.event, Event::RemoteRinging { .. }))
        };
        let made = self.until(if fault.is_some() { Duration::from_secs(2) } else { limit }, dialled).await;
        if fault.is_none() && !matches!(asked, Ok(Ok(()))) {
            self.ledger.wrong.push(format!("dialling {contact}: {asked:?}"));
        }
        let mut second = None;
        let caller = self.chance.caller();
        if made && self.chance.one_in(3) && caller.who != Who::Contact(contact.into()) {
            second = Some(self.second(caller, fault).await);
        }
        if made && self.chance.one_in(2) && self.house.world.answer().is_ok() {
            sleep(THEY_TALK).await;
        }
        if self.chance.one_in(2) {
            let over = telephony.hang_up(self.on_screen().await).await;
            if made && fault.is_none() && over.is_err() {
                self.ledger.wrong.push(format!("hanging up on {contact}: {over:?}"));
            }
        } else {
            let _ = self.house.world.hang_up();
        }
        self.ledger.outgoing(contact, made, fault);
        if let Some(second) = &second {
            self.after_the_first(second, fault).await;
            let rings = self.rings(second).await;
            self.account(second, &rings, false, second.caller.second_place(), fault);
            if rings.iter().any(|rang| second.caller.who != Who::Contact(rang.clone())) {
                self.ledger.wrong.push(format!("{rings:?} rang while {:?} called", second.caller));
            }
        }
    }
}

fn turn_of_remote(turn: Turn) -> bool {
    matches!(turn, Turn::Missed | Turn::AnsweredThenRemote)
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n  ")
}
