//! Follows ModemManager: its coming and going, the first modem that can call, and that modem's calls.
//!
//! Nothing here waits for an answer while signals are pending: answers come as jobs. Everything is read
//! again when ModemManager comes back. A modem or a ModemManager that hangs is noticed (see `health`).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use daemon::clock::boot_time;
use futures_util::StreamExt;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use zbus::fdo::{DBusProxy, NameOwnerChangedStream};
use zbus::names::{BusName, OwnedUniqueName};
use zbus::{Connection, MatchRule, Message, MessageStream, OwnedObjectPath, message};

use super::ask::{self, Alive};
use super::clock;
use super::health::{Health, Verdict};
use super::lost::Lost;
use super::name_of;
use super::proxies::{CALL, MODEM, NAME, ROOT, SIM, THREE_GPP, VOICE};
use super::sim::Sims;
use super::table::{Calls, ModemSeen, Properties};
use crate::core::{CallId, Event, ModemView, Sighting};
use crate::service::Input;

/// Signals that may wait: more than ModemManager sends while one job is done.
const QUEUE: std::num::NonZeroUsize = std::num::NonZeroUsize::MIN.saturating_add(1023);
/// Pauses before ModemManager is asked again, doubled from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(20));

/// Listens, then reads what is there, in a task of its own.
pub(super) async fn start(
    connection: &Connection,
    modem: watch::Sender<Option<OwnedObjectPath>>,
    inputs: mpsc::Sender<Input>,
    sims: Sims,
    again: PathBuf,
    doubts: Arc<Notify>,
) -> zbus::Result<()> {
    let bus = DBusProxy::new(connection).await?;
    let owners = bus.receive_name_owner_changed_with_args(&[(0, NAME)]).await?;
    let rule =
        MatchRule::builder().msg_type(message::Type::Signal).sender(NAME).path_namespace(ROOT).build()?;
    let signals = MessageStream::for_match_rule(rule, connection, Some(QUEUE)).await?;
    let owner = bus.get_name_owner(BusName::try_from(NAME)?).await.ok();
    let mut follower = Follower {
        connection: connection.clone(),
        inputs,
        path: modem,
        owner: None,
        modem: ModemSeen::default(),
        calls: Calls::default(),
        jobs: JoinSet::new(),
        surveying: false,
        survey_again: false,
        pause: PAUSES.0,
        sims,
        again,
        health: Health::new(),
        lost: Lost::new(),
        look: Instant::now(),
        looking: false,
        doubts,
    };
    follower.owned_by(owner).await;
    tokio::spawn(follower.run(owners, signals));
    Ok(())
}

/// What a job found.
enum Found {
    Modem(Option<(OwnedObjectPath, ModemSeen, Vec<OwnedObjectPath>)>),
    NoAnswer(zbus::Error),
    Call(OwnedObjectPath, zbus::Result<Properties>),
    Enabled(zbus::Result<()>),
    Alive(Alive),
    Registered(zbus::Result<()>),
}

struct Follower {
    connection: Connection,
    inputs: mpsc::Sender<Input>,
    /// The modem in use, for whoever gives it orders.
    path: watch::Sender<Option<OwnedObjectPath>>,
    owner: Option<OwnedUniqueName>,
    modem: ModemSeen,
    calls: Calls,
    /// Dropped with everything in it when ModemManager goes.
    jobs: JoinSet<Found>,
    surveying: bool,
    survey_again: bool,
    pause: Duration,
    sims: Sims,
    /// Written, it has ModemManager started again.
    again: PathBuf,
    health: Health,
    lost: Lost,
    /// When it is next asked whether the modem is alive, unless it is being asked.
    look: Instant,
    looking: bool,
    /// Told when a command failed: the modem itself is asked then, also in a call.
    doubts: Arc<Notify>,
}

impl Follower {
    async fn run(mut self, mut owners: NameOwnerChangedStream, mut signals: MessageStream) {
        loop {
            tokio::select! {
                biased;
                owner = owners.next() => match owner {
                    Some(change) => {
                        let owner = change.args().ok().and_then(|args| args.new_owner().as_ref().map(|name| name.to_owned().into()));
                        self.owned_by(owner).await;
                    }
                    None => return,
                },
                signal = signals.next() => match signal {
                    Some(Ok(signal)) => self.signal(&signal).await,
                    Some(Err(_)) => {}
                    None => return,
                },
                Some(found) = self.jobs.join_next() => match found {
                    Ok(found) => self.found(found).await,
                    Err(error) => tracing::error!(%error, "a job ended early"),
                },
                () = self.doubts.notified() => {
                    self.health.doubt();
                    self.look = Instant::now();
                }
                // Where there is no ModemManager systemd is starting it.
                () = sleep_until(self.look), if self.owner.is_some() && !self.looking => self.look(),
            }
        }
    }

    async fn tell(&self, event: Event) {
        // The loop has ended: so does the daemon.
        let _ = self.inputs.send(Input::Event(event)).await;
    }

    async fn tell_call(&self, sighting: Option<Sighting>) {
        if let Some(sighting) = sighting {
            self.tell(Event::Seen(sighting)).await;
        }
    }

    async fn owned_by(&mut self, owner: Option<OwnedUniqueName>) {
        if self.owner == owner {
            return;
        }
        tracing::info!(there = owner.is_some(), "ModemManager");
        self.owner = owner;
        self.jobs = JoinSet::new();
        self.surveying = false;
        self.survey_again = false;
        self.pause = PAUSES.0;
        self.health.other_manager();
        self.look = Instant::now();
        self.looking = false;
        self.use_modem(None).await;
        if self.owner.is_some() {
            self.survey(Duration::ZERO);
        }
    }

    /// Another modem, or none: whatever was known is not true any more.
    async fn use_modem(&mut self, path: Option<OwnedObjectPath>) {
        if *self.path.borrow() == path {
            return;
        }
        self.calls.clear();
        self.modem = ModemSeen::default();
        self.path.send_replace(path);
        self.look = Instant::now();
        self.tell(Event::Modem(ModemView::absent())).await;
    }

    /// Looks for the modem; once more if it is asked while it looks.
    fn survey(&mut self, after: Duration) {
        if self.surveying {
            self.survey_again = true;
            return;
        }
        self.surveying = true;
        let connection = self.connection.clone();
        self.jobs.spawn(async move {
            tokio::time::sleep(after).await;
            ask::survey(&connection).await.map_or_else(Found::NoAnswer, Found::Modem)
        });
    }

    fn read_call(&mut self, path: OwnedObjectPath) {
        let connection = self.connection.clone();
        self.jobs.spawn(async move {
            let properties = ask::get_all(&connection, &path, CALL).await;
            Found::Call(path, properties)
        });
    }

    fn enable(&mut self, after: Duration) {
        let Some(path) = self.path.borrow().clone() else { return };
        let connection = self.connection.clone();
        self.jobs.spawn(async move {
            tokio::time::sleep(after).await;
            Found::Enabled(ask::enable(&connection, path).await)
        });
    }

    /// Looks whether there is a modem that is alive.
    fn look(&mut self) {
        let Some(modem) = self.path.borrow().clone() else {
            let verdict = self.health.alone(boot_time());
            return self.judged(verdict);
        };
        self.looking = true;
        let (connection, calling) =
            (self.connection.clone(), self.calls.is_any_active() && !self.health.is_doubted());
        self.jobs.spawn(async move { Found::Alive(ask::is_alive(&connection, modem, calling).await) });
    }

    fn network_changed(&mut self) {
        if !self.modem.has_no_network() {
            return self.lost.found();
        }
        let now = boot_time();
        let doubted_in = self.lost.gone(now).saturating_sub(now);
        self.look = self.look.min(Instant::now() + doubted_in);
    }

    /// A call is not disturbed: one for help may go without being registered.
    fn doubt_the_network(&mut self) {
        let Some(path) = self.path.borrow().clone().filter(|_| self.modem.has_no_network()) else {
            return self.lost.found();
        };
        if self.lost.is_doubtful(boot_time()) && self.calls.is_empty() {
            let connection = self.connection.clone();
            self.jobs.spawn(async move { Found::Registered(ask::register(&connection, path).await) });
        }
    }

    fn judged(&mut self, verdict: Verdict) {
        self.look = Instant::now() + verdict.again_in;
        if verdict.restart {
            tracing::warn!("ModemManager or the modem does not answer: asking for a restart");
            // In memory: nothing waits.
            if let Err(error) = std::fs::write(&self.again, "") {
                tracing::error!(%error, "nobody can be asked to start ModemManager again");
            }
        }
    }

    async fn found(&mut self, found: Found) {
        match found {
            Found::Modem(found) => {
                self.surveying = false;
                self.pause = PAUSES.0;
                self.found_modem(found).await;
                if std::mem::take(&mut self.survey_again) {
                    self.survey(Duration::ZERO);
                }
            }
            Found::NoAnswer(error) => {
                tracing::warn!(error = name_of(&error), "ModemManager does not tell its modems");
                self.surveying = false;
                let after = self.next_pause();
                self.survey(after);
            }
            Found::Call(path, Ok(properties)) => {
                let sighting = self.calls.read(path.as_str(), &properties);
                self.tell_call(sighting).await;
            }
            // It ended before it could be read.
            Found::Call(path, Err(error @ zbus::Error::MethodError(..))) => {
                tracing::debug!(error = name_of(&error), "a call is no more");
                self.calls.removed(path.as_str());
            }
            Found::Call(path, Err(error)) => {
                tracing::warn!(error = name_of(&error), "a call is not told");
                self.read_call(path);
            }
            Found::Alive(alive) => {
                self.looking = false;
                let dead = matches!(alive, Alive::No);
                let verdict = if dead { self.health.missed() } else { self.health.answered() };
                self.judged(verdict);
                if let Some(time) = clock::read(&alive) {
                    let _ = self.inputs.send(Input::NetworkTime(time)).await;
                }
                self.doubt_the_network();
            }
            Found::Registered(Ok(())) => {}
            Found::Registered(Err(error)) => {
                tracing::info!(error = name_of(&error), "there is no network");
            }
            Found::Enabled(Ok(())) => self.pause = PAUSES.0,
            Found::Enabled(Err(error)) => {
                tracing::warn!(error = name_of(&error), "the modem is not switched on");
                if self.modem.is_disabled() {
                    let after = self.next_pause();
                    self.enable(after);
                }
            }
        }
    }

    fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = PAUSES.1.min(pause * 2);
        pause
    }

    async fn found_modem(&mut self, found: Option<(OwnedObjectPath, ModemSeen, Vec<OwnedObjectPath>)>) {
        let Some((path, modem, calls)) = found else { return self.use_modem(None).await };
        self.use_modem(Some(path)).await;
        if let Some(card) = modem.card() {
            self.sims.seen(card);
        }
        self.modem = modem;
        self.tell(Event::Modem(self.modem.view())).await;
        if self.modem.is_disabled() {
            self.enable(Duration::ZERO);
        }
        for call in calls {
            self.call_added(call);
        }
    }

    fn call_added(&mut self, path: OwnedObjectPath) {
        if self.calls.added(path.as_str()) {
            self.read_call(path);
        }
    }

    async fn signal(&mut self, signal: &Message) {
        let header = signal.header();
        // The bus matched the name; a unicast signal of anybody else matches our rule too.
        if header.sender().is_none() || header.sender() != self.owner.as_deref() {
            return;
        }
        let (Some(path), Some(interface), Some(member)) =
            (header.path(), header.interface(), header.member())
        else {
            return;
        };
        // What a survey under way has not seen: its answer comes after this, and the modem may not be known before it.
        self.survey_again |= self.surveying;
        let body = signal.body();
        match (interface.as_str(), member.as_str()) {
            (VOICE, "CallAdded") if self.is_ours(path.as_str()) => {
                if let Ok(call) = body.deserialize::<OwnedObjectPath>() {
                    self.call_added(call);
                }
            }
            (VOICE, "CallDeleted") => {
                if let Ok(call) = body.deserialize::<OwnedObjectPath>()
                    && self.calls.removed(call.as_str())
                {
                    self.tell(Event::Gone(CallId(call.as_str().to_owned()))).await;
                }
            }
            (CALL, "StateChanged") => {
                if let Ok((_, state, _)) = body.deserialize::<(i32, i32, u32)>() {
                    let sighting = self.calls.state(path.as_str(), state);
                    self.tell_call(sighting).await;
                }
            }
            ("org.freedesktop.DBus.Properties", "PropertiesChanged") => {
                if let Ok((interface, changed, _)) = body.deserialize::<(String, Properties, Vec<String>)>() {
                    self.changed(path.as_str(), &interface, &changed).await;
                }
            }
            ("org.freedesktop.DBus.ObjectManager", _) => self.survey(Duration::ZERO),
            _ => {}
        }
    }

    fn is_ours(&self, path: &str) -> bool {
        self.path.borrow().as_ref().is_some_and(|modem| modem.as_str() == path)
    }

    async fn changed(&mut self, path: &str, interface: &str, properties: &Properties) {
        match interface {
            CALL => {
                let sighting = self.calls.changed(path, properties);
                self.tell_call(sighting).await;
            }
            // Another SIM, or it was read to its end only now.
            SIM => self.survey(Duration::ZERO),
            MODEM if properties.contains_key("Sim") => self.survey(Duration::ZERO),
            MODEM | THREE_GPP | VOICE if self.is_ours(path) => {
                let (before, was_disabled) = (self.modem.view(), self.modem.is_disabled());
                self.modem.take(properties);
                if self.modem.view() != before {
                    self.tell(Event::Modem(self.modem.view())).await;
                }
                if self.modem.is_disabled() && !was_disabled {
                    self.enable(Duration::ZERO);
                }
                self.network_changed();
            }
            _ => {}
        }
    }
}
