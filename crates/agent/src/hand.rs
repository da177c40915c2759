//! Does what a request says.

use std::fs;

use anyhow::{Context, Result, bail};
use ipc::{Apps1Proxy, Diary1Proxy, Guardian1Proxy, Location1Proxy, Policy1Proxy, Refusal, Telephony1Proxy};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use zbus::{Connection, DBusError, OwnedObjectPath, Proxy};

use crate::protocol::{MmCall, Reply, Request, Unit};

const MODEM_MANAGER: &str = "org.freedesktop.ModemManager1";

/// Answers one request; every failure becomes [`Reply::Refused`].
pub async fn answer(bus: &Connection, request: Request) -> Reply {
    match act(bus, request).await {
        Ok(reply) => reply,
        Err(error) => {
            let name = error.downcast_ref::<Refusal>().map_or_else(
                || "Failed".to_owned(),
                |refusal| refusal.name().rsplit('.').next().unwrap_or_default().to_owned(),
            );
            Reply::Refused { name, text: format!("{error:#}") }
        }
    }
}

async fn act(bus: &Connection, request: Request) -> Result<Reply> {
    Ok(match request {
        Request::Status => {
            let policy = Policy1Proxy::new(bus).await?;
            Reply::Status {
                state: policy.state().await?,
                revision: policy.revision().await?,
                watch: policy.watch().await?,
            }
        }
        Request::OpenEnrolment => Reply::Code(Guardian1Proxy::new(bus).await?.open_enrolment().await?.0),
        Request::Submit(envelope) => {
            Reply::Revision(Policy1Proxy::new(bus).await?.submit(envelope.as_bytes()).await?)
        }
        Request::Diary { after } => {
            Reply::Diary(Diary1Proxy::new(bus).await?.read(after, ipc::limits::DIARY_PAGE).await?)
        }
        Request::Pid(unit) => Reply::Pid(main_pid(bus, unit).await?),
        Request::Kill { unit, signal } => {
            let pid = i32::try_from(main_pid(bus, unit).await?).context("no such process")?;
            if pid <= 1 {
                bail!("{} does not run", unit.name());
            }
            kill(Pid::from_raw(pid), Signal::try_from(signal)?)?;
            Reply::Done
        }
        Request::Damage(victim) => {
            let length = fs::metadata(victim.path())?.len().max(4096);
            fs::write(victim.path(), vec![0xa5; usize::try_from(length)?])
                .with_context(|| format!("cannot overwrite {}", victim.path()))?;
            Reply::Done
        }
        Request::DialEmergency(number) => {
            Telephony1Proxy::new(bus).await?.dial_emergency(&number).await?;
            Reply::Done
        }
        Request::Calls => Reply::Calls(calls(bus).await?),
        Request::Call => Reply::Call(Telephony1Proxy::new(bus).await?.call().await?),
        Request::App => Reply::App(Apps1Proxy::new(bus).await?.session().await?),
        Request::World => Reply::World {
            modem: Telephony1Proxy::new(bus).await?.modem().await?,
            position: Location1Proxy::new(bus).await?.position().await?,
        },
    })
}

async fn main_pid(bus: &Connection, unit: Unit) -> Result<u32> {
    const SYSTEMD: &str = "org.freedesktop.systemd1";
    let manager =
        Proxy::new(bus, SYSTEMD, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager").await?;
    let path: OwnedObjectPath = manager.call("GetUnit", &(unit.name(),)).await?;
    let service = Proxy::new(bus, SYSTEMD, path, "org.freedesktop.systemd1.Service").await?;
    Ok(service.get_property("MainPID").await?)
}

async fn calls(bus: &Connection) -> Result<Vec<MmCall>> {
    let objects = zbus::fdo::ObjectManagerProxy::builder(bus)
        .destination(MODEM_MANAGER)
        .path("/org/freedesktop/ModemManager1")
        .build()
        .await?
        .get_managed_objects()
        .await?;
    let mut calls = Vec::new();
    for modem in objects.into_keys() {
        let voice =
            Proxy::new(bus, MODEM_MANAGER, modem, "org.freedesktop.ModemManager1.Modem.Voice").await?;
        for path in voice.get_property::<Vec<OwnedObjectPath>>("Calls").await? {
            let call = Proxy::new(bus, MODEM_MANAGER, path, "org.freedesktop.ModemManager1.Call").await?;
            // A call that ended meanwhile is none.
            if let Ok(state) = call.get_property("State").await {
                let direction = call.get_property("Direction").await.unwrap_or_default();
                let number = call.get_property("Number").await.unwrap_or_default();
                calls.push(MmCall { state, direction, number });
            }
        }
    }
    Ok(calls)
}
