//! Questions to ModemManager, each with an end to its wait: ten seconds by the connection, less where it says so.

use std::time::Duration;

use zbus::fdo::{ManagedObjects, ObjectManagerProxy, PropertiesProxy};
use zbus::names::InterfaceName;
use zbus::proxy::CacheProperties;
use zbus::{Connection, OwnedObjectPath, OwnedVariant};

use super::name_of;
use super::proxies::{MODEM, Modem3gppProxy, ModemProxy, NAME, ROOT, SIM, THREE_GPP, TimeProxy, VOICE};
use super::table::{ModemSeen, Properties};

/// An AT command that nobody answers is given up by ModemManager after 3 s.
const ALIVE: Duration = Duration::from_secs(4);
/// What ModemManager says when the modem did not answer it.
const SERIAL: &str = "org.freedesktop.ModemManager1.Error.Serial.";
/// And when its port was closed by the other side, which is a `Core.Failed` like any.
const CLOSED: &str = "Cannot run AT command";

/// The first modem that can call, by its path, with its SIM and its calls.
pub(super) async fn survey(
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
            Err(error) => tracing::warn!(error = name_of(&error), "the SIM cannot be read"),
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

pub(super) async fn get_all(
    connection: &Connection,
    path: &OwnedObjectPath,
    interface: &str,
) -> zbus::Result<Properties> {
    let proxy = PropertiesProxy::builder(connection).destination(NAME).path(path).build().await?;
    Ok(proxy.get_all(InterfaceName::try_from(interface)?).await?)
}

/// Switches a modem on.
pub(super) async fn enable(connection: &Connection, path: OwnedObjectPath) -> zbus::Result<()> {
    let modem = ModemProxy::builder(connection).cache_properties(CacheProperties::No).path(path);
    modem.build().await?.enable(true).await
}

/// Has ModemManager look for the network: the modem may have one already.
pub(super) async fn register(connection: &Connection, path: OwnedObjectPath) -> zbus::Result<()> {
    let modem = Modem3gppProxy::builder(connection).cache_properties(CacheProperties::No).path(path);
    modem.build().await?.register("").await
}

/// What ModemManager answered, and the modem behind it.
#[derive(Debug)]
pub(super) enum Alive {
    /// It is there, and has no time to tell.
    Yes,
    /// It tells the time.
    Tells(String),
    No,
}

/// Whether ModemManager answers, and the modem behind it; `calling`: only ModemManager is asked. A `NO CARRIER` that comes
/// while an AT command waits for its answer is taken for that answer by ModemManager, and a call that was active stays so.
pub(super) async fn is_alive(connection: &Connection, modem: OwnedObjectPath, calling: bool) -> Alive {
    let question = async {
        if calling {
            return get_all(connection, &modem, VOICE).await.map(|_| Alive::Yes);
        }
        let time = TimeProxy::builder(connection).cache_properties(CacheProperties::No).path(modem);
        // `AT+CCLK?`: the shortest way to the modem and back that an interface of ModemManager has.
        time.build().await?.get_network_time().await.map(Alive::Tells)
    };
    match tokio::time::timeout(ALIVE, question).await {
        Ok(Ok(alive)) => alive,
        // Not registered, or without a clock: an answer all the same.
        Ok(Err(zbus::Error::MethodError(name, text, _))) => {
            let closed = text.is_some_and(|text| text.contains(CLOSED));
            let silent = name.starts_with(SERIAL) || name.as_str() == "org.freedesktop.DBus.Error.NoReply";
            if closed || silent { Alive::No } else { Alive::Yes }
        }
        _ => Alive::No,
    }
}
