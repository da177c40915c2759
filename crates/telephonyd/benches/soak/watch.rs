//! One watch, and what is done to it.

use std::collections::BTreeMap;
use std::time::Duration;

use ipc::{CallState, ModemState, Refusal};
use sim::{Event, Fault, HangUp, WorldConfig};
use tokio::time::{Instant, sleep, timeout};
use zbus::{Connection, OwnedObjectPath};

use crate::chance::{Caller, Chance, Turn};
use crate::diary::Diary;
use crate::house::{House, PATIENCE, family};
use crate::ledger::{Ended, Ledger, Place, Seen, Who};

const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// A verdict takes milliseconds, the end of a second call four seconds, on a loaded machine more.
const VERDICT: Duration = Duration::from_secs(20);
/// With something wrong a caller waits no longer.
const DISTURBED: Duration = Duration::from_secs(6);
/// What was lost is back half a minute after its cause ended.
const BACK_WITHIN: Duration = Duration::from_secs(30);
/// A touch counts after two seconds.
const RINGS_FIRST: Duration = Duration::from_millis(2100);
/// ModemManager loses a `NO CARRIER` that comes between its command and the answer to it: people talk longer.
const THEY_TALK: Duration = Duration::from_secs(1);

/// A watch with its ledger.
pub(crate) struct Watch {
    house: House,
    diary: Diary,
    bus: Connection,
    pub(crate) chance: Chance,
    pub(crate) ledger: Ledger,
    /// How often the watch could not be reached half a minute after a fault had ended.
    pub(crate) late: BTreeMap<&'static str, u32>,
    /// How often telephonyd had ModemManager started again.
    pub(crate) restarts: u32,
}

/// One call under way.
struct Call {
    caller: Caller,
    mark: u64,
    /// Calls the screen had been told by then.
    told: usize,
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
        } else {
            self.incoming(name).await;
        }
        self.tidy(name).await;
        for wrong in self.ledger.wrong.iter().skip(before) {
            eprintln!("{wrong}\n  telephonyd: {}", last_lines(&self.house.log()));
        }
    }

    fn call(&self, caller: Caller) -> Call {
        let (mark, told) = (self.house.world.mark(), self.house.shell.states().len());
        self.house.world.call(caller.number.as_deref()).unwrap();
        Call { caller, mark, told }
    }

    /// How the network saw it end.
    fn ended(&self, call: &Call) -> Option<Ended> {
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
    async fn rings(&mut self, call: &Call) -> Vec<String> {
        let mut rings = Vec::new();
        for (at, state) in self.house.shell.states().iter().enumerate().skip(call.told) {
            if *state == CallState::Ringing {
                rings.push(self.house.shell.told(at, CallState::Ringing).await.1.contact);
            }
        }
        rings
    }

    async fn until(&self, limit: Duration, mut look: impl FnMut(&Self) -> bool) -> bool {
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
    async fn on_screen(&self) -> u64 {
        self.house.shell.telephony.call().await.map_or(0, |call| call.id)
    }

    /// It rings, or is over.
    async fn decided(&self, call: &Call, limit: Duration) {
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
    fn account(
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

    /// Does for telephonyd what systemd does (services/units/nestling-modem-again.path).
    async fn grant_a_restart(&mut self) {
        if std::fs::remove_file(self.house.root.join("runtime/modem-manager-again")).is_err() {
            return;
        }
        self.restarts += 1;
        if let Err(error) = self.house.manager.restart().await {
            self.ledger.wrong.push(format!("ModemManager does not come back: {error}"));
        }
    }

    /// Nothing is left over, anywhere.
    async fn quiet(&mut self, limit: Duration) -> Result<(), String> {
        let end = Instant::now() + limit;
        loop {
            self.grant_a_restart().await;
            let left = self.left_over().await;
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() > end {
                return Err(left.join(", "));
            }
            sleep(LOOK_AGAIN * 5).await;
        }
    }

    async fn left_over(&self) -> Vec<String> {
        let mut left = Vec::new();
        let status = self.house.world.status();
        if !status.calls.is_empty() {
            left.push(format!("the network holds {} calls", status.calls.len()));
        }
        match self.calls_of_modem_manager().await {
            Ok(calls) if calls.is_empty() => {}
            Ok(calls) => left.push(format!("ModemManager has {} calls", calls.len())),
            Err(error) => left.push(format!("ModemManager: {error}")),
        }
        match (self.house.shell.telephony.call().await, self.house.shell.telephony.modem().await) {
            (Ok(call), Ok(modem)) if call.state == CallState::None && modem == ModemState::Registered => {}
            (call, modem) => left.push(format!("telephonyd: {:?}, {modem:?}", call.map(|call| call.state))),
        }
        left
    }

    async fn calls_of_modem_manager(&self) -> zbus::Result<Vec<OwnedObjectPath>> {
        let path = self.house.manager.modem();
        let properties =
            zbus::fdo::PropertiesProxy::new(&self.bus, "org.freedesktop.ModemManager1", path).await?;
        let voice = zbus::names::InterfaceName::from_static_str("org.freedesktop.ModemManager1.Modem.Voice")?;
        Vec::try_from(properties.get(voice, "Calls").await?)
    }

    /// Everything is right again, nothing is left over, and the watch can be reached.
    async fn tidy(&mut self, fault: Option<&'static str>) {
        self.house.world.mend();
        let Some(fault) = fault else {
            if let Err(left) = self.quiet(VERDICT).await {
                self.ledger.wrong.push(format!("left over: {left}"));
                self.start_again().await;
            }
            return;
        };
        // ModemManager keeps a modem whose port was closed until udev says that the device went, which nobody does here.
        if fault != "vanished" {
            let end = Instant::now() + BACK_WITHIN;
            let why = match self.quiet(BACK_WITHIN).await {
                Err(left) => left,
                Ok(()) if !self.is_reached(fault, end).await => "a stranger is not turned away".into(),
                Ok(()) => match self.quiet(VERDICT).await {
                    Ok(()) => return,
                    Err(left) => left,
                },
            };
            eprintln!("not back in {} s after {fault}: {why}", BACK_WITHIN.as_secs());
            *self.late.entry(fault).or_default() += 1;
        }
        self.start_again().await;
    }

    /// A stranger is turned away again.
    async fn is_reached(&mut self, fault: &'static str, end: Instant) -> bool {
        let stranger =
            Caller { who: Who::Stranger, number: Some("+358405550099".into()), label: "…99".into() };
        let call = self.call(stranger);
        while self.ended(&call).is_none() && Instant::now() < end {
            self.grant_a_restart().await;
            sleep(LOOK_AGAIN * 5).await;
        }
        let reached = self.ended(&call).is_some();
        if !reached {
            let _ = self.house.world.leave(call.caller.number.as_deref());
        }
        let rings = self.rings(&call).await;
        self.account(&call, &rings, false, Place::First, Some(fault));
        reached
    }

    /// ModemManager is started again, as its unit would be.
    async fn start_again(&mut self) {
        // Nobody is at the other end any more, and nobody holds the watch to its ear.
        let _ = self.house.world.hang_up();
        let id = self.on_screen().await;
        let _ = timeout(DISTURBED, self.house.shell.telephony.hang_up(id)).await;
        if let Err(error) = self.house.manager.restart().await {
            self.ledger.wrong.push(format!("ModemManager does not come back: {error}"));
        } else if let Err(left) = self.quiet(PATIENCE).await {
            self.ledger.wrong.push(format!("left over after ModemManager was started again: {left}"));
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
