//! Follows ModemManager: its coming and going, the first modem that can call, and that modem's calls.
//!
//! Nothing here waits for an answer while signals are pending: answers come as jobs. Everything is read
//! again when ModemManager comes back.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use zbus::fdo::{DBusProxy, ManagedObjects, NameOwnerChangedStream, ObjectManagerProxy, PropertiesProxy};
use zbus::names::{BusName, InterfaceName, OwnedUniqueName};
use zbus::proxy::CacheProperties;
use zbus::{Connection, MatchRule, Message, MessageStream, OwnedObjectPath, OwnedVariant, message};

use super::proxies::{CALL, MODEM, ModemProxy, NAME, ROOT, SIM, THREE_GPP, VOICE};
use super::table::{Calls, ModemSeen, Properties};
use crate::core::{CallId, Event, ModemView, Sighting};
use crate::service::Input;

/// Signals that may wait: more than ModemManager sends while one job is done.
const QUEUE: std::num::NonZeroUsize = std::num::NonZeroUsize::MIN.saturating_add(1023);
/// Pauses before ModemManager is asked again, doubled from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// Listens, then reads what is there, in a task of its own.
pub(super) async fn start(
    connection: &Connection,
    modem: watch::Sender<Option<OwnedObjectPath>>,
    inputs: mpsc::Sender<Input>,
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
            survey(&connection).await.map_or_else(Found::NoAnswer, Found::Modem)
        });
    }

    fn read_call(&mut self, path: OwnedObjectPath) {
        let connection = self.connection.clone();
        self.jobs.spawn(async move {
            let properties = get_all(&connection, &path, CALL).await;
            Found::Call(path, properties)
        });
    }

    fn enable(&mut self, after: Duration) {
        let Some(path) = self.path.borrow().clone() else { return };
        let connection = self.connection.clone();
        self.jobs.spawn(async move {
            tokio::time::sleep(after).await;
            let modem = ModemProxy::builder(&connection).cache_properties(CacheProperties::No).path(path);
            Found::Enabled(async { modem.build().await?.enable(true).await }.await)
        });
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
                tracing::warn!(%error, "ModemManager does not tell its modems");
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
                tracing::debug!(%error, "a call is no more");
                self.calls.removed(path.as_str());
            }
            Found::Call(path, Err(error)) => {
                tracing::warn!(%error, "a call is not told");
                self.read_call(path);
            }
            Found::Enabled(Ok(())) => self.pause = PAUSES.0,
            Found::Enabled(Err(error)) => {
                tracing::warn!(%error, "the modem is not switched on");
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
                // A survey under way may not have seen this.
                self.survey_again |= self.surveying;
                let (before, was_disabled) = (self.modem.view(), self.modem.is_disabled());
                self.modem.take(properties);
                if self.modem.view() != before {
                    self.tell(Event::Modem(self.modem.view())).await;
                }
                if self.modem.is_disabled() && !was_disabled {
                    self.enable(Duration::ZERO);
                }
            }
            _ => {}
        }
    }
}

/// The first modem that can call, by its path, with its SIM and its calls.
async fn survey(
    connection: &Connection,
) -> zbus::Result<Option<(OwnedObjectPath, ModemSeen, Vec<OwnedObjectPath>)>> {
    let objects = ObjectManagerProxy::new(connection, NAME, ROOT).await?.get_managed_objects().await?;
    let Some((path, interfaces)) = first_with_voice(&objects) else { return Ok(None) };
    let mut modem = ModemSeen::default();
    let of = |name: &str| interfaces.iter().find(|(interface, _)| interface.as_str() == name).map(|(_, p)| p);
    for properties in [MODEM, THREE_GPP, VOICE].into_iter().filter_map(of) {
        modem.take(properties);
    }
    let sim = of(MODEM).and_then(|properties| properties.get("Sim")).and_then(to_path);
    if let Some(sim) = sim.filter(|path| path.as_str() != "/") {
        match get_all(connection, &sim, SIM).await {
            Ok(sim) => modem.take_sim(&sim),
            Err(error) => tracing::warn!(%error, "the SIM cannot be read"),
        }
    }
    let calls = of(VOICE).and_then(|properties| properties.get("Calls")?.try_clone().ok());
    let calls = calls.and_then(|calls| calls.try_into().ok()).unwrap_or_default();
    Ok(Some((path.clone(), modem, calls)))
}

type Interfaces = std::collections::HashMap<zbus::names::OwnedInterfaceName, Properties>;

fn first_with_voice(objects: &ManagedObjects) -> Option<(&OwnedObjectPath, &Interfaces)> {
    let can_call = |(_, interfaces): &(&OwnedObjectPath, &Interfaces)| {
        interfaces.keys().any(|interface| interface.as_str() == VOICE)
    };
    objects.iter().filter(can_call).min_by_key(|(path, _)| path.as_str())
}

fn to_path(value: &OwnedVariant) -> Option<OwnedObjectPath> {
    value.try_clone().ok()?.try_into().ok()
}

async fn get_all(
    connection: &Connection,
    path: &OwnedObjectPath,
    interface: &str,
) -> zbus::Result<Properties> {
    let proxy = PropertiesProxy::builder(connection).destination(NAME).path(path).build().await?;
    Ok(proxy.get_all(InterfaceName::try_from(interface)?).await?)
}
