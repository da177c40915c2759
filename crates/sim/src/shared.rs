//! The one state of a world, and the passing of time in it.
//!
//! Invariants: bytes for the terminal and events enter their queues under the state's lock, so both have the
//! order in which things happened; the lock is never held across an await; what modem and terminal say to each other
//! passes the [`Line`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::MissedTickBehavior;

use crate::clock::{Clock, Now};
use crate::event::{Event, Log};
use crate::fault::{Fault, FaultError};
use crate::line::Line;
use crate::modem::{Modem, Output, Registration, SimCard, WorldError};
use crate::sky::Sky;
use crate::world::WorldConfig;

/// Answers waiting for a terminal that does not read; what comes after them is lost, as on a serial line.
const QUEUED: usize = 1024;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) log: Log,
    state: Mutex<State>,
    /// The modem's next deadline may have changed.
    changed: Notify,
    /// The newest sentences of the sky.
    pub(crate) sentences: watch::Sender<Arc<str>>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) modem: Modem,
    pub(crate) sky: Sky,
    pub(crate) line: Line,
    /// The card that belongs in the tray, and what the network offers when nothing is wrong.
    card: Option<SimCard>,
    usual: Registration,
    terminal: Option<Terminal>,
    terminals: u64,
}

#[derive(Debug)]
struct Terminal {
    id: u64,
    send: mpsc::Sender<Vec<u8>>,
}

impl State {
    pub(crate) fn linked(&self) -> bool {
        self.terminal.is_some()
    }

    fn next_due(&self) -> Option<Duration> {
        self.modem.next_tick().into_iter().chain(self.line.next_due()).min()
    }

    /// The modem's own part of what is wrong, all of it from what is on: the order of ends does not matter.
    fn settle(&mut self) -> Vec<Output> {
        let faults = self.line.faults();
        let (tray, registration) = (faults.tray(self.card.as_ref()), faults.registration(self.usual));
        let mut out = self.modem.set_tray(tray);
        out.extend(self.modem.set_registration(registration));
        out
    }
}

impl Shared {
    pub(crate) fn new(config: WorldConfig) -> Self {
        let (card, usual) = (config.modem.sim.clone(), config.modem.registration);
        let (modem, sky) = (Modem::new(config.modem), Sky::new(config.home));
        let clock = Clock::start();
        let sentences = watch::Sender::new(sky.sentences(clock.now()).into());
        let line = Line::new();
        let state = Mutex::new(State { modem, sky, line, card, usual, terminal: None, terminals: 0 });
        Self { clock, log: Log::new(), state, changed: Notify::new(), sentences }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happens to the modem.
    pub(crate) fn with_modem(
        &self,
        happens: impl FnOnce(&mut Modem, Now) -> Result<Vec<Output>, WorldError>,
    ) -> Result<(), WorldError> {
        let mut state = self.lock();
        let now = self.clock.now();
        let out = happens(&mut state.modem, now)?;
        self.emit(&mut state, out, now.mono);
        Ok(())
    }

    /// Something happens to the modem that always can.
    pub(crate) fn always(&self, happens: impl FnOnce(&mut Modem) -> Vec<Output>) {
        let mut state = self.lock();
        let now = self.clock.now();
        let out = happens(&mut state.modem);
        self.emit(&mut state, out, now.mono);
    }

    /// The network offers something else, as soon as no fault forbids.
    pub(crate) fn set_registration(&self, registration: Registration) {
        let mut state = self.lock();
        let now = self.clock.now();
        state.usual = registration;
        let out = state.settle();
        self.emit(&mut state, out, now.mono);
    }

    /// Something is wrong from now on.
    pub(crate) fn begin(&self, fault: Fault) -> Result<(), FaultError> {
        let mut state = self.lock();
        let at = self.clock.now().mono;
        state.line.begin(fault.clone(), at)?;
        let silences = fault.silences();
        self.log.push(Event::FaultBegan { fault }, at);
        let mut out = state.settle();
        if silences {
            out.extend(state.modem.set_radio(false));
        }
        self.emit(&mut state, out, at);
        if state.line.faults().vanished() && state.terminal.take().is_some() {
            self.unlink(&mut state, at);
        }
        Ok(())
    }

    /// Something is right again.
    pub(crate) fn end(&self, name: &str) -> Result<(), FaultError> {
        let mut state = self.lock();
        let at = self.clock.now().mono;
        let fault = state.line.end(name)?;
        self.log.push(Event::FaultEnded { fault: name.to_owned() }, at);
        let mut out = state.settle();
        if fault.silences() && !state.line.faults().silenced() {
            out.extend(state.modem.set_radio(true));
        }
        self.emit(&mut state, out, at);
        Ok(())
    }

    pub(crate) fn feed(&self, bytes: &[u8]) {
        let mut state = self.lock();
        let now = self.clock.now();
        if state.line.hear(bytes, now.mono) {
            let out = state.modem.feed(bytes, now);
            self.emit(&mut state, out, now.mono);
        }
    }

    fn emit(&self, state: &mut State, out: Vec<Output>, at: Duration) {
        for output in out {
            match output {
                Output::Event(event) => self.log.push(event, at),
                Output::Bytes(bytes) => state.line.say(bytes, at),
            }
        }
        for bytes in state.line.arrived(at) {
            if let Some(terminal) = &state.terminal {
                drop(terminal.send.try_send(bytes));
            }
        }
        self.changed.notify_one();
    }

    fn unlink(&self, state: &mut State, at: Duration) {
        state.modem.unlinked();
        state.line.cut();
        self.log.push(Event::Unlinked, at);
    }

    /// A terminal opens the modem's port, if it is there; an older one is cut off.
    pub(crate) fn attach(&self) -> Option<(u64, mpsc::Receiver<Vec<u8>>)> {
        let (send, queue) = mpsc::channel(QUEUED);
        let mut state = self.lock();
        if state.line.faults().vanished() {
            return None;
        }
        state.terminals += 1;
        let id = state.terminals;
        let at = self.clock.now().mono;
        if state.terminal.replace(Terminal { id, send }).is_some() {
            self.unlink(&mut state, at);
        }
        self.log.push(Event::Linked, at);
        Some((id, queue))
    }

    pub(crate) fn detach(&self, id: u64) {
        let mut state = self.lock();
        if state.terminal.as_ref().is_some_and(|terminal| terminal.id == id) {
            state.terminal = None;
            self.unlink(&mut state, self.clock.now().mono);
        }
    }

    pub(crate) async fn keep_modem_time(self: Arc<Self>) {
        loop {
            let due = self.lock().next_due();
            let wait = async {
                match due {
                    Some(due) => tokio::time::sleep(due.saturating_sub(self.clock.now().mono)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = wait => {
                    let mut state = self.lock();
                    let now = self.clock.now();
                    let out = state.modem.tick(now);
                    self.emit(&mut state, out, now.mono);
                }
                () = self.changed.notified() => {}
            }
        }
    }

    pub(crate) async fn keep_sky_time(self: Arc<Self>) {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            second.tick().await;
            let mut state = self.lock();
            let now = self.clock.now();
            if state.sky.advance(now) {
                let at = state.sky.position();
                self.log.push(Event::WalkEnded { lat: at.lat(), lon: at.lon() }, now.mono);
            }
            self.sentences.send_replace(state.sky.sentences(now).into());
        }
    }
}
