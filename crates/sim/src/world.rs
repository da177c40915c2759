//! The cores on sockets: one modem, one sky, one log, driven by method or over the control socket.
//!
//! Invariants: the modem belongs to one terminal at a time, a newer one takes it over; losing a terminal or a
//! receiver loses nothing of the world, and both are waited for again.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::runtime::Handle;

use crate::control::{Command, Reply, Status};
use crate::event::{Event, NotSeen, Stamped};
use crate::fault::{Fault, FaultError};
use crate::modem::{Mast, Modem, ModemConfig, Registration, WorldError};
use crate::shared::Shared;
use crate::sky::{Fix, LatLon, Walk};

/// What a world is made with.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// The modem, its SIM and its network.
    pub modem: ModemConfig,
    /// Where the watch lies at first.
    pub home: LatLon,
}

impl WorldConfig {
    /// The world of watch `number`, below 100: many fit in one program.
    pub fn numbered(number: u8) -> Self {
        Self { modem: ModemConfig::numbered(number), ..Self::default() }
    }
}

impl Default for WorldConfig {
    /// A Finnish SIM, and the railway station of Helsinki.
    fn default() -> Self {
        Self { modem: ModemConfig::default(), home: LatLon::HELSINKI }
    }
}

/// A world could not be started.
#[derive(Debug, Error)]
#[error("cannot start a thread for the simulated world")]
pub struct StartError(#[source] io::Error);

/// Handle to a running world; all clones mean the same one. It runs until its runtime ends, and one with a thread of its own
/// until the last clone is dropped.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) shared: Arc<Shared>,
    pub(crate) runtime: Handle,
    _alive: Option<Arc<tokio::sync::oneshot::Sender<()>>>,
}

impl World {
    /// Starts a world on the current tokio runtime, which must have its time and I/O drivers.
    pub fn start(config: WorldConfig) -> Self {
        Self::on(Handle::current(), config)
    }

    /// Starts a world on a thread of its own, for programs without a runtime.
    pub fn start_thread(config: WorldConfig) -> Result<Self, StartError> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError)?;
        let handle = runtime.handle().clone();
        // Ends with the world, and with it every line it holds.
        let (alive, gone) = tokio::sync::oneshot::channel::<()>();
        let run = move || drop(runtime.block_on(gone));
        std::thread::Builder::new().name("world".into()).spawn(run).map_err(StartError)?;
        Ok(Self { _alive: Some(Arc::new(alive)), ..Self::on(handle, config) })
    }

    fn on(runtime: Handle, config: WorldConfig) -> Self {
        let shared = Arc::new(Shared::new(config));
        runtime.spawn(Arc::clone(&shared).keep_modem_time());
        runtime.spawn(Arc::clone(&shared).keep_sky_time());
        Self { shared, runtime, _alive: None }
    }

    /// The same world for one of its own tasks, which does not keep the thread it runs on.
    pub(crate) fn for_a_task(&self) -> Self {
        Self { _alive: None, ..self.clone() }
    }

    /// Somebody calls the watch; `None` withholds the number.
    pub fn call(&self, number: Option<&str>) -> Result<(), WorldError> {
        self.shared.with_modem(|modem, now| modem.incoming(number, now))
    }

    /// The other end takes the call the watch dialled.
    pub fn answer(&self) -> Result<(), WorldError> {
        self.shared.with_modem(|modem, _| modem.remote_answer())
    }

    /// All other ends hang up.
    pub fn hang_up(&self) -> Result<(), WorldError> {
        self.shared.with_modem(Modem::remote_hang_up)
    }

    /// The other end that has this number, or withholds it, hangs up.
    pub fn leave(&self, number: Option<&str>) -> Result<(), WorldError> {
        self.shared.with_modem(|modem, now| modem.remote_leaves(number, now))
    }

    /// Somebody sends a text.
    pub fn sms(&self, from: &str, text: &str) -> Result<(), WorldError> {
        self.shared.with_modem(|modem, now| modem.sms(from, text, now))
    }

    /// The modem finds or loses the network.
    pub fn set_registration(&self, registration: Registration) {
        self.shared.set_registration(registration);
    }

    /// The modem changes to another cell.
    pub fn set_mast(&self, mast: Mast) {
        self.shared.always(|modem| modem.set_mast(mast));
    }

    /// Something is wrong from now on.
    pub fn begin(&self, fault: Fault) -> Result<(), FaultError> {
        self.shared.begin(fault)
    }

    /// What has this name is right again.
    pub fn end(&self, fault: &str) -> Result<(), FaultError> {
        self.shared.end(fault)
    }

    /// Everything is right again.
    pub fn mend(&self) {
        for fault in self.faults() {
            // Somebody else may have ended it meanwhile.
            let _ = self.end(fault.name());
        }
    }

    /// What is wrong, oldest first.
    pub fn faults(&self) -> Vec<Fault> {
        self.shared.lock().line.faults().list().to_vec()
    }

    /// The modem sends a line of its own accord, whatever it is.
    pub fn raw(&self, line: &str) {
        self.shared.always(|modem| modem.raw(line));
    }

    /// The watch is somewhere else at once.
    pub fn move_to(&self, to: LatLon) {
        self.shared.lock().sky.move_to(to);
    }

    /// The watch walks from where it is.
    pub fn walk(&self, way: Walk) {
        let now = self.shared.clock.now();
        self.shared.lock().sky.walk(way, now);
    }

    /// The receiver gets or loses its fix.
    pub fn set_fix(&self, fix: Fix) {
        self.shared.lock().sky.set_fix(fix);
    }

    /// Whether there is a SIM in the modem.
    pub fn has_sim(&self) -> bool {
        self.shared.lock().modem.has_sim()
    }

    /// How things stand.
    pub fn status(&self) -> Status {
        let last_event = self.shared.log.last();
        let state = self.shared.lock();
        Status {
            linked: state.linked(),
            registration: state.modem.registration(),
            faults: state.line.faults().list().to_vec(),
            calls: state.modem.calls().to_vec(),
            stored_messages: state.modem.stored_messages(),
            position: state.sky.position(),
            fix: state.sky.fix(),
            walking: state.sky.walking(),
            last_event,
        }
    }

    /// The number of the last event: take it before doing something whose effect is waited for.
    pub fn mark(&self) -> u64 {
        self.shared.log.last()
    }

    /// What happened after event number `since`.
    pub fn events(&self, since: u64) -> Vec<Stamped> {
        self.shared.log.since(since)
    }

    /// Changes with every event; holds the number of the last.
    pub fn watch(&self) -> tokio::sync::watch::Receiver<u64> {
        self.shared.log.watch()
    }

    /// The first event after `since` that is `wanted`, already there or still to come.
    pub async fn wait_for(
        &self,
        since: u64,
        limit: Duration,
        wanted: impl Fn(&Event) -> bool,
    ) -> Result<Stamped, NotSeen> {
        self.shared.log.wait(since, limit, wanted).await
    }

    /// As [`World::wait_for`], for threads; never call it on the thread of the world's runtime.
    pub fn wait_for_blocking(
        &self,
        since: u64,
        limit: Duration,
        wanted: impl Fn(&Event) -> bool,
    ) -> Result<Stamped, NotSeen> {
        self.shared.log.wait_blocking(since, limit, wanted)
    }

    /// Does what a control command says.
    pub fn run(&self, command: Command) -> Reply {
        match command {
            Command::Call { number } => return reply(self.call(number.as_deref())),
            Command::Answer {} => return reply(self.answer()),
            Command::HangUp { number: None } => return reply(self.hang_up()),
            Command::HangUp { number } => return reply(self.leave(number.as_deref())),
            Command::Sms { number, text } => return reply(self.sms(&number, &text)),
            Command::Begin { fault } => return reply(self.begin(fault)),
            Command::End { fault: Some(fault) } => return reply(self.end(&fault)),
            Command::End { fault: None } => self.mend(),
            Command::Move { to } => self.move_to(to),
            Command::Walk { way } => self.walk(way),
            Command::Fix { fix } => self.set_fix(fix),
            Command::Register { registration } => self.set_registration(registration),
            Command::Cell { mast } => self.set_mast(mast),
            Command::Status => return Reply::Status(self.status()),
            Command::Events { since } => return Reply::Events { events: self.events(since) },
        }
        Reply::Done
    }
}

fn reply<E: std::error::Error>(done: Result<(), E>) -> Reply {
    done.map_or_else(|error| Reply::Error { reason: error.to_string() }, |()| Reply::Done)
}
