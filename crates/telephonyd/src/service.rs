//! The loop that joins bus, modem, rules and diary with the core.

use std::collections::HashMap;
use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use daemon::access::Access;
use daemon::clock::boot_time;
use daemon::diary::Diary;
use daemon::notify::{self, Watchdog};
use daemon::rules::{Rules as Store, RulesChanged};
use daemon::wall::Now;
use ipc::{Call, CallState, Cell, NetworkTime, News, names, paths};
use policy::Contact;
use tokio::sync::{mpsc, oneshot, watch};
use zbus::Connection;
use zbus::object_server::SignalEmitter;

use crate::audio::Audio;
use crate::bus::Telephony1;
use crate::call_back;
use crate::config::Config;
use crate::core::{Core, Effect, Event, Log, Refused, Request, Rules, Shown, Surroundings, Ticket};
use crate::events::Events;
use crate::keeper::Keeper;
use crate::modem::{self, Commands};
use crate::ring::Ring;
use crate::search::{self, Heard, Ringing};
use crate::{help, list, log};

/// Inputs waiting at most; who has more waits.
const QUEUE: usize = 64;
/// The diary's last lines may take this long when the daemon ends.
const LAST_LINES: Duration = Duration::from_millis(500);

/// What the loop is woken by.
#[derive(Debug)]
pub(crate) enum Input {
    /// From the modem.
    Event(Event),
    /// From the modem's clock.
    NetworkTime(NetworkTime),
    /// locationd asks where the modem is.
    Cell(oneshot::Sender<Cell>),
    /// From the screen.
    Request(Request, oneshot::Sender<Result<(), Refused>>),
}

/// What the screen can read.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) call: Call,
    pub(crate) surroundings: Surroundings,
    pub(crate) log: Shown,
    pub(crate) events: Events,
    pub(crate) network_time: NetworkTime,
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
    let mut heard = search::start(&connection);
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
            Ok(()) = heard.changed() => service.search(*heard.borrow_and_update()),
            () = search::end(&service.search) => service.sound(),
            () = at(service.core.deadline()) => service.handle(Event::Tick).await,
            () = watchdog.due() => {
                watchdog.feed();
                // Nobody tells that the clock was set.
                service.handle(Event::Tick).await;
                // Nor that time passed while the watch slept.
                service.sound();
            }
            ended = &mut shutdown => {
                service.handle(Event::Stopping).await;
                // A call goes on at the modem; whoever starts next opens its path again.
                service.ring.set(false);
                service.audio.close(LAST_LINES).await;
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
    connection: Connection,
    core: Core,
    store: Store,
    guardians: Keeper<Vec<Contact>>,
    log: Keeper<Log>,
    diary: Diary,
    modem: Commands,
    runtime: PathBuf,
    ring: Ring,
    /// A call rings.
    rings: bool,
    search: Ringing,
    audio: Audio,
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
        let calls = log::load(&config.state).unwrap_or_else(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, cause, "it begins anew");
            Log::default()
        });
        let core = Core::new();
        let diary = Diary::start(connection).await.context("cannot reach the diary")?;
        let modem = modem::start(connection, config, inputs, diary.clone());
        let view = View {
            call: Call::none(),
            surroundings: core.surroundings(),
            log: Shown::default(),
            events: Events::new(boot_time()),
            network_time: NetworkTime { known: false, unix_time: 0, boot_ms: 0 },
        };
        let mut service = Self {
            connection: connection.clone(),
            core,
            store: Store::open(&config.store),
            guardians: Keeper::start(on_disk, "guardians may not get through while the watch is sealed", {
                let folder = config.state.clone();
                move |list| list::save(&folder, list)
            }),
            log: Keeper::start(calls.clone(), "the list of calls is not kept", {
                let folder = config.state.clone();
                move |calls| log::save(&folder, calls)
            }),
            diary,
            modem: modem.await.context("cannot follow ModemManager")?,
            runtime: config.runtime.clone(),
            ring: Ring::start(config.ring.clone()),
            rings: false,
            search: Ringing::default(),
            audio: Audio::start(config.audio.clone()),
            shell: Telephony1::to_shell(connection)?,
            view: watch::Sender::new(view),
            waiting: HashMap::new(),
            tickets: 0,
        };
        service.use_rules().await;
        service.handle(Event::Log(calls)).await;
        if let Some(window) = call_back::load(&config.runtime) {
            service.handle(Event::CallBack(window)).await;
        }
        Ok(service)
    }

    async fn input(&mut self, input: Input) {
        // One lstat, so that every verdict is by the newest store, whatever became of the signal.
        self.refresh_rules().await;
        match input {
            Input::Event(event) => self.handle(event).await,
            Input::NetworkTime(time) => self.view.send_modify(|view| view.network_time = time),
            Input::Cell(reply) => self.modem.cell(reply),
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
            Rules { book: Arc::new(list::sealed(self.guardians.value()).into()), sealed: true }
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
            Effect::Tone(ticket, call, key) => self.modem.tone(ticket, call, key),
            Effect::Dial(ticket, number) => self.modem.dial(ticket, number),
            Effect::Forget(call) => self.modem.forget(call),
            Effect::AskAgain(call) => self.modem.ask_again(call),
            Effect::CloseLine => self.modem.close_line(),
            Effect::Answer(Ticket(ticket), result) => {
                if let Some(reply) = self.waiting.remove(&ticket) {
                    // Who asked may have gone.
                    let _ = reply.send(result);
                }
            }
            Effect::Locate => help::is_called(&self.connection),
            Effect::Record(line) => self.diary.record(line.kind, line.details),
            Effect::KeepCallBack(window) => {
                // In memory: it does not make a call wait.
                if let Err(error) = call_back::save(&self.runtime, &window) {
                    tracing::warn!(%error, "a restart would end the call-back window");
                }
            }
            Effect::Ring(rings) => {
                self.rings = rings;
                self.sound();
            }
            Effect::Audio(open) => self.audio.set(open),
            Effect::KeepLog(calls) => self.log.keep(calls),
            Effect::LogChanged(shown) => {
                self.view.send_modify(|view| view.log = shown);
                self.tell(News::Calls).await;
            }
            Effect::Show(call) => {
                if call.state != CallState::None {
                    self.search.called();
                    self.sound();
                }
                self.view.send_modify(|view| view.call = call);
                self.tell(News::Call).await;
            }
            Effect::Changed(surroundings) => {
                self.view.send_modify(|view| view.surroundings = surroundings);
                self.tell(News::State).await;
            }
        }
    }

    /// A guardian searches, or nobody does; never beside a call.
    fn search(&mut self, heard: Option<Heard>) {
        let in_call = self.view.borrow().call.state != CallState::None;
        self.search.set(heard, in_call, boot_time());
        self.sound();
    }

    /// One ring for both. The audio path has no part in it.
    fn sound(&self) {
        self.ring.set(self.rings || self.search.until(boot_time()).is_some());
    }

    /// Tells the screen what changed, and keeps it for one that comes late.
    async fn tell(&self, what: News) {
        let mut happening = None;
        self.view.send_modify(|view| {
            happening = Some(view.events.add(what, view.call.clone(), boot_time()));
        });
        let Some(happening) = happening else { return };
        if let Err(error) = Telephony1::happened(&self.shell, happening).await {
            tracing::warn!(%error, path = %self.shell.path(), "the screen is not told");
        }
    }
}
