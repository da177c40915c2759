//! D-Bus, on a thread of its own: the daemons' state becomes events, commands become calls.
//!
//! **Invariants:** the state is read again whenever its owner comes (back), never remembered; a daemon
//! that is missing or says no is shown to the child, not a reason to end; only the loss of the bus is.

mod display1;
mod looks;
mod search;

use std::time::Duration;

use daemon::access::Access;
use daemon::bus::BusConfig;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use ipc::{
    Apps1Proxy, Guardian1Proxy, Looks1Proxy, News, Policy1Proxy, Refusal, Search1Proxy, Telephony1Proxy,
    names, paths,
};
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, warn};
use zbus::proxy::CacheProperties;

use crate::display::Display;
use crate::model::{Command, Event};

use self::display1::Display1;

/// Commands waiting for the bus; a child does not touch faster than this.
const QUEUE: usize = 8;

/// Between two times the screen is told of apps.
const PACE: Duration = Duration::from_millis(20);

/// How often an emergency number is tried, a second apart.
const EMERGENCY_TRIES: u32 = 10;

/// Why the thread ended.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The bus refused or failed.
    #[error("the bus failed")]
    Bus(#[from] zbus::Error),
    /// The connection ended.
    #[error("the bus is gone")]
    Gone,
    /// There is no thread or runtime to be had.
    #[error("cannot start the bus thread")]
    Start(#[from] std::io::Error),
}

/// Hands commands to the thread.
#[derive(Clone)]
pub struct Commands(mpsc::Sender<Command>);

impl Commands {
    /// Never blocks; a command too many is dropped, as the child will touch again.
    pub fn send(&self, command: Command) {
        if self.0.try_send(command).is_err() {
            warn!("the bus is not listening, a touch is lost");
        }
    }
}

/// Starts the thread. Events go to `emit`, also the reason for its end to `ended`; both run on the thread.
pub fn start(
    config: BusConfig,
    display: Display,
    emit: impl Fn(Event) + Send + 'static,
    ended: impl FnOnce(BusError) + Send + 'static,
) -> Result<Commands, BusError> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("bus".into()).spawn(move || {
        let Err(error) = runtime.block_on(run(&config, display, receiver, &emit));
        ended(error);
    })?;
    Ok(Commands(sender))
}

/// Serves until the bus is gone.
async fn run(
    config: &BusConfig,
    display: Display,
    commands: mpsc::Receiver<Command>,
    emit: &impl Fn(Event),
) -> Result<std::convert::Infallible, BusError> {
    let bus = daemon::bus::connect(config).await?;
    let access = Access::new(&bus, config.trust);
    bus.object_server().at(paths::DISPLAY, Display1::new(display, access)).await?;
    bus.request_name(names::SHELL).await?;
    // Nothing is cached: what a daemon does not say now is not known.
    let policy = Policy1Proxy::builder(&bus).cache_properties(CacheProperties::No).build().await?;
    let looks = Looks1Proxy::builder(&bus).cache_properties(CacheProperties::No).build().await?;
    let searches = Search1Proxy::builder(&bus).cache_properties(CacheProperties::No).build().await?;
    let guardian = Guardian1Proxy::builder(&bus).cache_properties(CacheProperties::No).build().await?;
    let telephony = Telephony1Proxy::builder(&bus).cache_properties(CacheProperties::No).build().await?;
    let apps = Apps1Proxy::builder(&bus).cache_properties(CacheProperties::No).build().await?;
    let tones = Mutex::new(());
    let daemons = Daemons {
        telephony: &telephony,
        guardian: &guardian,
        searches: &searches,
        apps: &apps,
        tones: &tones,
    };
    tokio::select! {
        end = watch_policy(&policy, emit) => end,
        end = looks::watch(&looks, emit) => end,
        end = search::watch(&searches, emit) => end,
        end = watch_telephony(&telephony, emit) => end,
        end = watch_apps(&apps, emit) => end,
        end = carry_out(commands, daemons, emit) => end,
    }
}

/// Who carries out what the child touched.
#[derive(Clone, Copy)]
struct Daemons<'a> {
    telephony: &'a Telephony1Proxy<'a>,
    guardian: &'a Guardian1Proxy<'a>,
    searches: &'a Search1Proxy<'a>,
    apps: &'a Apps1Proxy<'a>,
    /// Held while a tone is sent: telephonyd takes one at a time, and a child's finger is faster.
    tones: &'a Mutex<()>,
}

async fn watch_policy(
    policy: &Policy1Proxy<'_>,
    emit: &impl Fn(Event),
) -> Result<std::convert::Infallible, BusError> {
    let mut owner = policy.inner().receive_owner_changed().await?;
    let mut changed = policy.receive_changed().await?;
    let read = async || match (policy.state().await, policy.lost().await) {
        (Ok(state), Ok(lost)) => {
            emit(Event::Policy(state));
            emit(Event::Lost(lost));
        }
        (Err(error), _) | (_, Err(error)) => debug!(%error, "policyd does not tell its state"),
    };
    read().await;
    loop {
        tokio::select! {
            new = owner.next() => {
                // Without policyd the daemons go by its last word, and so does the screen.
                if new.ok_or(BusError::Gone)?.is_some() {
                    read().await;
                }
            }
            signal = changed.next() => {
                if let Ok(arguments) = signal.ok_or(BusError::Gone)?.args() {
                    emit(Event::Policy(arguments.state));
                    read().await;
                }
            }
        }
    }
}

async fn watch_telephony(
    telephony: &Telephony1Proxy<'_>,
    emit: &impl Fn(Event),
) -> Result<std::convert::Infallible, BusError> {
    let mut owner = telephony.inner().receive_owner_changed().await?;
    let mut happened = telephony.receive_happened().await?;
    let read = async || match snapshot(telephony).await {
        Ok(event) => emit(event),
        Err(error) => {
            debug!(%error, "telephonyd does not tell its state");
            emit(Event::TelephonyGone);
        }
    };
    let read_calls = async || match (telephony.missed().await, telephony.calls().await) {
        (Ok(missed), Ok(calls)) => {
            emit(Event::Missed(missed));
            emit(Event::Calls(calls));
        }
        (missed, calls) => {
            debug!(missed = ?missed.err(), calls = ?calls.err(), "telephonyd does not tell its calls");
        }
    };
    read().await;
    read_calls().await;
    loop {
        tokio::select! {
            // In the order they came: a call that changes after the state was read is newer than it.
            biased;
            new = owner.next() => {
                if new.ok_or(BusError::Gone)?.is_some() {
                    read().await;
                    read_calls().await;
                } else {
                    info!("telephonyd is gone");
                    emit(Event::TelephonyGone);
                }
            }
            signal = happened.next() => {
                let signal = signal.ok_or(BusError::Gone)?;
                let Ok(arguments) = signal.args() else { continue };
                match arguments.happening.what {
                    News::Call => emit(Event::Call(arguments.happening.call)),
                    News::State => read().await,
                    News::Calls => read_calls().await,
                }
            }
        }
    }
}

async fn snapshot(telephony: &Telephony1Proxy<'_>) -> zbus::Result<Event> {
    Ok(Event::Telephony {
        contacts: telephony.contacts().await?,
        modem: telephony.modem().await?,
        emergency: telephony.emergency_number().await?,
        // Last, so that it is as new as can be.
        call: telephony.call().await?,
    })
}

async fn watch_apps(
    apps: &Apps1Proxy<'_>,
    emit: &impl Fn(Event),
) -> Result<std::convert::Infallible, BusError> {
    let mut owner = apps.inner().receive_owner_changed().await?;
    let mut session = apps.receive_session_changed().await?;
    let mut drawer = apps.receive_apps_changed().await?;
    let read_drawer = async || match apps.apps().await {
        Ok(apps) => emit(Event::Apps(apps)),
        Err(error) => debug!(%error, "appd does not tell its apps"),
    };
    let read = async || {
        read_drawer().await;
        match apps.session().await {
            Ok(session) => emit(Event::Session(session)),
            Err(error) => debug!(%error, "appd does not tell its state"),
        }
    };
    read().await;
    // What came since the screen was told last. Signals are taken at once, so that calls, which come over the same
    // connection, never wait behind them; the screen hears of the newest alone, and not more often than it draws.
    let (mut newest, mut stale, mut next) = (None, false, Instant::now());
    loop {
        tokio::select! {
            biased;
            new = owner.next() => {
                if new.ok_or(BusError::Gone)?.is_some() {
                    (newest, stale) = (None, false);
                    read().await;
                } else {
                    info!("appd is gone");
                    emit(Event::AppsGone);
                }
            }
            signal = session.next() => {
                if let Ok(arguments) = signal.ok_or(BusError::Gone)?.args() {
                    newest = Some(arguments.session);
                }
            }
            signal = drawer.next() => {
                signal.ok_or(BusError::Gone)?;
                stale = true;
            }
            () = sleep_until(next), if newest.is_some() || stale => {
                next = Instant::now() + PACE;
                if std::mem::take(&mut stale) {
                    read_drawer().await;
                }
                if let Some(session) = newest.take() {
                    emit(Event::Session(session));
                }
            }
        }
    }
}

/// Every command is a call of its own: none waits for the answer to another, but for tones, which keep their order.
async fn carry_out(
    mut commands: mpsc::Receiver<Command>,
    daemons: Daemons<'_>,
    emit: &impl Fn(Event),
) -> Result<std::convert::Infallible, BusError> {
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            command = commands.recv() => {
                under_way.push(perform(command.ok_or(BusError::Gone)?, daemons, emit));
            }
            Some(result) = under_way.next() => {
                if let Err(error) = result {
                    warn!(?error, "a touch was turned down");
                }
            }
        }
    }
}

async fn perform(
    command: Command,
    Daemons { telephony, guardian, searches, apps, tones }: Daemons<'_>,
    emit: &impl Fn(Event),
) -> ipc::Result<()> {
    match command {
        Command::Accept(call) => telephony.accept(call).await.inspect_err(|_| emit(Event::NotAnswered)),
        Command::HangUp(call) => telephony.hang_up(call).await,
        Command::Mute(call) => telephony.mute(call).await,
        Command::Tone(call, key) => {
            let _turn = tones.lock().await;
            telephony.tone(call, &key).await
        }
        Command::SawMissed(newest) => telephony.saw_missed(newest).await,
        Command::Dial(contact) => telephony.dial(&contact).await.inspect_err(|_| emit(Event::Refused)),
        Command::DialEmergency(number) => {
            dial_emergency(telephony, &number).await.inspect_err(|_| emit(Event::Refused))
        }
        Command::OpenEnrolment => guardian
            .open_enrolment()
            .await
            .map(|(code, left)| emit(Event::Code(Some((code, Duration::from_secs(left.into()))))))
            .inspect_err(|_| emit(Event::Code(None))),
        Command::ShowsSearch(search) => searches.shows(search).await,
        Command::StopSearch(search) => searches.stop(search).await,
        Command::OpenApp(app) => apps.open(&app).await.inspect_err(|_| emit(Event::Refused)),
        Command::HideApp(session) => apps.hide(session).await,
        Command::ShowApp(session) => apps.show(session).await,
        Command::EndApp(session, reason) => apps.end(session, reason).await,
    }
}

/// The lifeline is tried again: telephonyd may be on its way back.
async fn dial_emergency(telephony: &Telephony1Proxy<'_>, number: &str) -> ipc::Result<()> {
    for _ in 1..EMERGENCY_TRIES {
        match telephony.dial_emergency(number).await {
            // Busy: it is being called already, the answer to an earlier try was lost.
            Ok(()) | Err(Refusal::Busy(_)) => return Ok(()),
            Err(error) => warn!(?error, "the emergency number is tried again"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    telephony.dial_emergency(number).await
}
