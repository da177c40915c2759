//! The loop that joins bus, screen, launcher, rules and diary with the core.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use daemon::access::Access;
use daemon::diary::Diary;
use daemon::notify::{self, Watchdog};
use daemon::rules::{Rules, RulesChanged};
use ipc::{App, AppSession, AppState, names, paths};
use tokio::sync::{mpsc, oneshot, watch};
use zbus::Connection;
use zbus::object_server::SignalEmitter;

use crate::bus::Apps1;
use crate::config::Config;
use crate::core::{Core, Effect, Event, Now, Refused};
use crate::display::Display;
use crate::launcher::Launcher;
use crate::presence::Presence;
use crate::timer::Timer;

/// Inputs waiting at most; who has more waits.
const QUEUE: usize = 64;
/// The diary's last lines may take this long when the daemon ends.
const LAST_LINES: Duration = Duration::from_millis(500);

/// What the loop is woken by.
#[derive(Debug)]
pub enum Input {
    /// From the launcher or the screen.
    Event(Event),
    /// The screen made a place for a run: the app's end of it.
    Place(u64, OwnedFd),
    /// A request of the screen, and where its answer goes.
    Request(Event, oneshot::Sender<Result<(), Refused>>),
}

/// What the screen can read.
#[derive(Debug, Clone)]
pub struct View {
    /// The drawer.
    pub apps: Vec<App>,
    /// The one app.
    pub session: AppSession,
}

/// Runs appd until it is told to end.
///
/// # Errors
/// The bus or the name cannot be had, or the bus went away.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let connection = daemon::bus::connect(&config.bus).await.context("cannot reach the bus")?;
    // Listened to before anything is read, so that no change falls between.
    let mut changes = RulesChanged::listen(&connection).await.context("cannot listen to policyd")?;
    let mut presence = Presence::listen(&connection).await.context("cannot listen to the bus")?;
    let (inputs, mut inbox) = mpsc::channel(QUEUE);
    let mut service = Service::new(&connection, &config, inputs.clone()).await?;
    for event in presence.now().await.context("the bus does not say who is there")? {
        service.handle(event).await;
    }
    let access = Access::new(&connection, config.bus.trust);
    let object = Apps1::new(access, inputs, service.view.subscribe());
    connection.object_server().at(paths::APPS, object).await?;
    connection.request_name(names::APPS).await.context("the name is taken")?;
    notify::ready();

    let mut timer = Timer::new().context("there is no timer")?;
    let mut watchdog = Watchdog::new();
    let shutdown = daemon::shutdown();
    tokio::pin!(shutdown);
    loop {
        timer.set(service.core.deadline()).context("the timer cannot be set")?;
        tokio::select! {
            Some(input) = inbox.recv() => service.input(input).await,
            there = changes.next() => {
                anyhow::ensure!(there, "the bus went away");
                service.refresh_rules().await;
            }
            seen = presence.next() => {
                for event in seen.context("the bus went away")? {
                    service.handle(event).await;
                }
            }
            due = timer.due() => {
                due.context("the timer broke")?;
                service.refresh_rules().await;
                service.handle(Event::Tick).await;
            }
            () = watchdog.due() => {
                watchdog.feed();
                // Nobody tells that the clock was set forward, or that the store was replaced behind policyd's back.
                service.refresh_rules().await;
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

struct Service {
    core: Core,
    store: Rules,
    diary: Diary,
    display: Display,
    launcher: Launcher,
    /// The app's end of its display, until the launcher has it.
    place: Option<(u64, OwnedFd)>,
    shell: SignalEmitter<'static>,
    view: watch::Sender<View>,
    inputs: mpsc::WeakSender<Input>,
}

impl Service {
    async fn new(
        connection: &Connection,
        config: &Config,
        inputs: mpsc::Sender<Input>,
    ) -> anyhow::Result<Self> {
        let core = Core::new(Now::read());
        let view = View { apps: vec![], session: core.session() };
        let mut service = Self {
            core,
            store: Rules::open(&config.store),
            diary: Diary::start(connection).await.context("cannot reach the diary")?,
            display: Display::start(connection, inputs.clone()).await.context("cannot reach the screen")?,
            launcher: Launcher::start(config.launcher.clone(), inputs.clone()),
            place: None,
            shell: Apps1::to_shell(connection)?,
            view: watch::Sender::new(view),
            inputs: inputs.downgrade(),
        };
        service.use_rules().await;
        Ok(service)
    }

    async fn input(&mut self, input: Input) {
        // One lstat, so that every verdict is by the newest store, whatever became of the signal.
        self.refresh_rules().await;
        match input {
            Input::Event(event) => drop(self.handle(event).await),
            Input::Place(session, place) => {
                let wanted = self.core.session();
                if wanted.session == session && wanted.state == AppState::Starting {
                    self.place = Some((session, place));
                }
                self.handle(Event::Attached(session, true)).await;
            }
            Input::Request(event, reply) => {
                let refused = self.handle(event).await;
                // Who asked may have gone.
                let _ = reply.send(refused.map_or(Ok(()), Err));
            }
        }
    }

    async fn refresh_rules(&mut self) {
        if self.store.refresh() {
            self.use_rules().await;
        }
    }

    async fn use_rules(&mut self) {
        let policy = self.store.in_force().map(|rules| Arc::new(rules.clone()));
        self.handle(Event::Rules(policy)).await;
    }

    async fn handle(&mut self, event: Event) -> Option<Refused> {
        let mut refused = None;
        for effect in self.core.handle(event, Now::read()) {
            match effect {
                Effect::Refuse(reason) => refused = Some(reason),
                Effect::Session(session) => {
                    self.view.send_modify(|view| view.session = session.clone());
                    self.told(Apps1::session_changed(&self.shell, session).await);
                }
                Effect::Apps(apps) => {
                    self.view.send_modify(|view| view.apps = apps);
                    self.told(Apps1::apps_changed(&self.shell).await);
                }
                effect => self.carry_out(effect),
            }
        }
        refused
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Attach(session) => {
                if !self.display.attach(session) {
                    self.later(Event::Attached(session, false));
                }
            }
            Effect::Detach(session) => {
                self.place.take_if(|(place, _)| *place == session);
                self.display.detach(session);
            }
            Effect::Start(session, app) => {
                if let Some((_, place)) = self.place.take_if(|(place, _)| *place == session) {
                    self.launcher.start_app(session, app, place);
                } else {
                    tracing::error!(session, "an app is to start without its place on the screen");
                }
            }
            Effect::List => self.launcher.list(),
            Effect::Freeze(session) => self.launcher.freeze(session),
            Effect::Thaw(session) => self.launcher.thaw(session),
            Effect::End(session) => self.launcher.end(session),
            Effect::DropLauncher => self.launcher.drop_connection(),
            Effect::Record(line) => {
                tracing::info!(kind = line.kind, details = ?line.details, "an app");
                self.diary.record(line.kind, line.details);
            }
            // Carried out by `handle`, which can wait.
            Effect::Session(_) | Effect::Apps(_) | Effect::Refuse(_) => {}
        }
    }

    /// Brings an event back to the loop. One that finds no room is missed by nobody: what waits has a deadline.
    fn later(&self, event: Event) {
        if let Some(inputs) = self.inputs.upgrade() {
            let _ = inputs.try_send(Input::Event(event));
        }
    }

    fn told(&self, sent: zbus::Result<()>) {
        if let Err(error) = sent {
            tracing::warn!(%error, path = %self.shell.path(), "the screen is not told");
        }
    }
}
