//! The one state of a world, and the passing of time in it.
//!
//! Invariants: bytes for the terminal and events enter their queues under the state's lock, so both have the
//! order in which things happened; the lock is never held across an await.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::MissedTickBehavior;

use crate::clock::{Clock, Now};
use crate::event::{Event, Log};
use crate::modem::{Modem, Output, WorldError};
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
}

impl Shared {
    pub(crate) fn new(config: WorldConfig) -> Self {
        let (modem, sky) = (Modem::new(config.modem), Sky::new(config.home));
        let clock = Clock::start();
        let sentences = watch::Sender::new(sky.sentences(clock.now()).into());
        let state = Mutex::new(State { modem, sky, terminal: None, terminals: 0 });
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
        self.emit(&state, out, now.mono);
        Ok(())
    }

    /// Something happens to the modem that always can.
    pub(crate) fn always(&self, happens: impl FnOnce(&mut Modem) -> Vec<Output>) {
        let mut state = self.lock();
        let now = self.clock.now();
        let out = happens(&mut state.modem);
        self.emit(&state, out, now.mono);
    }

    pub(crate) fn feed(&self, bytes: &[u8]) {
        let mut state = self.lock();
        let now = self.clock.now();
        let out = state.modem.feed(bytes, now);
        self.emit(&state, out, now.mono);
    }

    fn emit(&self, state: &State, out: Vec<Output>, at: Duration) {
        for output in out {
            match (output, &state.terminal) {
                (Output::Event(event), _) => self.log.push(event, at),
                (Output::Bytes(bytes), Some(terminal)) => drop(terminal.send.try_send(bytes)),
                (Output::Bytes(_), None) => {}
            }
        }
        self.changed.notify_one();
    }

    /// A terminal opens the modem's port; an older one is cut off.
    pub(crate) fn attach(&self) -> (u64, mpsc::Receiver<Vec<u8>>) {
        let (send, queue) = mpsc::channel(QUEUED);
        let mut state = self.lock();
        state.terminals += 1;
        let id = state.terminals;
        if state.terminal.replace(Terminal { id, send }).is_some() {
            self.log.push(Event::Unlinked, self.clock.now().mono);
        }
        state.modem.unlinked();
        self.log.push(Event::Linked, self.clock.now().mono);
        (id, queue)
    }

    pub(crate) fn detach(&self, id: u64) {
        let mut state = self.lock();
        if state.terminal.as_ref().is_some_and(|terminal| terminal.id == id) {
            state.terminal = None;
            state.modem.unlinked();
            self.log.push(Event::Unlinked, self.clock.now().mono);
        }
    }

    pub(crate) async fn keep_modem_time(self: Arc<Self>) {
        loop {
            let due = self.lock().modem.next_tick();
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
                    self.emit(&state, out, now.mono);
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
