//! The loop that joins bus, modem, rules and diary with the core.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use daemon::access::Access;
use daemon::clock::boot_time;
use daemon::diary::Diary;
use daemon::notify::{self, Watchdog};
use daemon::rules::{Rules as Store, RulesChanged};
use daemon::wall::Now;
use ipc::{Call, names, paths};
use tokio::sync::{mpsc, oneshot, watch};
use zbus::Connection;
use zbus::object_server::SignalEmitter;

use crate::bus::Telephony1;
use crate::config::Config;
use crate::core::{Core, Effect, Event, Refused, Request, Rules, Surroundings, Ticket};
use crate::list::{self, Keeper};
use crate::modem::{self, Commands};

/// Inputs waiting at most; who has more waits.
const QUEUE: usize = 64;
/// The diary's last lines may take this long when the daemon ends.
const LAST_LINES: Duration = Duration::from_millis(500);

/// What the loop is woken by.
#[derive(Debug)]
pub(crate) enum Input {
    /// From the modem.
    Event(Event),
    /// From the screen.
    Request(Request, oneshot::Sender<Result<(), Refused>>),
}

/// What the screen can read.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) call: Call,
    pub(crate) surroundings: Surroundings,
}

/// Runs telephonyd until it is told to end.
///
/// # Errors
/// The bus or the name cannot be had, or the bus went away.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let connection = daemon::bus::connect(&config.bus).await.context("cannot reach the bus")?;
    let mut changes = RulesChanged::listen(&connection).await.context("cannot listen to policyd")?;
    let (inputs, mut inbox) = mpsc::channel(QUEUE);
    let mut service = Service::new(&connection, &config, inputs.clone()).await?;
    let access = Access::new(&connection, config.bus.trust);
    let object = Telephony1::new(access, inputs, service.view.subscribe());
    connection.object_server().at(paths::TELEPHONY, object).await?;
    connection.request_name(names::TELEPHONY).await.context("the name is taken")?;
    notify::ready();

    let mut watchdog = Watchdog::new();
    let shutdown = daemon::shutdown();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            Some(input) = inbox.recv() => service.input(input).await,
            there = changes.next() => {
                anyhow::ensure!(there, "the bus went away");
                service.refresh_rules().await;
            }
            () = at(service.core.deadline()) => service.handle(Event::Tick).await,
            () = watchdog.due() => {
                watchdog.feed();
                // Nobody tells that the clock was set.
                service.handle(Event::Tick).await;
            }
            ended = &mut shutdown => {
                service.handle(Event::Stopping).await;
                service.diary.flush(LAST_LINES).await;
                return ended.context("cannot wait for signals");
            }
        }
    }
}

async fn at(deadline: Option<Duration>) {
    match deadline {
        Some(deadline) => tokio::time::sleep(deadline.saturating_sub(boot_time())).await,
        None => pending().await,
    }
}

struct Service {
    core: Core,
    store: Store,
    guardians: Keeper,
    diary: Diary,
    modem: Commands,
    shell: SignalEmitter<'static>,
    view: watch::Sender<View>,
    waiting: HashMap<u64, oneshot::Sender<Result<(), Refused>>>,
    tickets: u64,
}

impl Service {
    async fn new(
        connection: &Connection,
        config: &Config,
        inputs: mpsc::Sender<Input>,
    ) -> anyhow::Result<Self> {
        let on_disk = list::load(&config.state).unwrap_or_else(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, cause, "while sealed nobody rings");
            vec![]
        });
        let core = Core::new();
        let view = View { call: Call::none(), surroundings: core.surroundings() };
        let diary = Diary::start(connection).await.context("cannot reach the diary")?;
        let modem = modem::start(connection, config, inputs, diary.clone());
        let mut service = Self {
            core,
            store: Store::open(&config.store),
            guardians: Keeper::start(config.state.clone(), on_disk),
            diary,
            modem: modem.await.context("cannot follow ModemManager")?,
            shell: Telephony1::to_shell(connection)?,
            view: watch::Sender::new(view),
            waiting: HashMap::new(),
            tickets: 0,
        };
        service.use_rules().await;
        Ok(service)
    }

    async fn input(&mut self, input: Input) {
        // One lstat, so that every verdict is by the newest store, whatever became of the signal.
        self.refresh_rules().await;
        match input {
            Input::Event(event) => self.handle(event).await,
            Input::Request(request, reply) => {
                self.tickets += 1;
                self.waiting.insert(self.tickets, reply);
                self.handle(Event::Request(Ticket(self.tickets), request)).await;
            }
        }
    }

    async fn refresh_rules(&mut self) {
        if self.store.refresh() {
            self.use_rules().await;
        }
    }

    async fn use_rules(&mut self) {
        let rules = if let Some(rules) = self.store.in_force() {
            self.guardians.keep(list::guardians(&rules.policy));
            Rules { book: Arc::new(rules.clone()), sealed: false }
        } else {
            Rules { book: Arc::new(list::sealed(self.guardians.list()).into()), sealed: true }
        };
        self.handle(Event::Rules(rules)).await;
    }

    async fn handle(&mut self, event: Event) {
        for effect in self.core.handle(event, Now::read()) {
            self.carry_out(effect).await;
        }
    }

    async fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::HangUp(call) => self.modem.hang_up(call),
            Effect::Accept(ticket, call) => self.modem.accept(ticket, call),
            Effect::Dial(ticket, number) => self.modem.dial(ticket, number),
            Effect::Forget(call) => self.modem.forget(call),
            Effect::Answer(Ticket(ticket), result) => {
                if let Some(reply) = self.waiting.remove(&ticket) {
                    // Who asked may have gone.
                    let _ = reply.send(result);
                }
            }
            Effect::Record(line) => self.diary.record(line.kind, line.details),
            Effect::Show(call) => {
                self.view.send_modify(|view| view.call = call.clone());
                self.told(Telephony1::call_changed(&self.shell, call).await);
            }
            Effect::Changed(surroundings) => {
                self.view.send_modify(|view| view.surroundings = surroundings);
                self.told(Telephony1::state_changed(&self.shell).await);
            }
        }
    }

    fn told(&self, sent: zbus::Result<()>) {
        if let Err(error) = sent {
            tracing::warn!(%error, path = %self.shell.path(), "the screen is not told");
        }
    }
}
