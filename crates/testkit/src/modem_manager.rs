//! The image's ModemManager on a private bus, with a simulated modem.
//!
//! Only the generic plugin is loaded: vendor plugins probe for seconds and see nothing in this modem.

use std::collections::HashMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sim::{Registration, World};
use zbus::fdo::{DBusProxy, ObjectManagerProxy};
use zbus::names::{BusName, OwnedInterfaceName};
use zbus::{Connection, OwnedObjectPath, OwnedVariant};

use crate::bus::PrivateBus;
use crate::process::{FixtureError, PATIENCE, Process, io_error};
use crate::tree::Tree;

const NAME: &str = "org.freedesktop.ModemManager1";
const PATH: &str = "/org/freedesktop/ModemManager1";
const MODEM: &str = "org.freedesktop.ModemManager1.Modem";
const VOICE: &str = "org.freedesktop.ModemManager1.Modem.Voice";
/// `MMModemState`: without a SIM, disabled, enabled, registered.
const FAILED: i32 = -1;
const DISABLED: i32 = 3;
const ENABLED: i32 = 6;
const REGISTERED: i32 = 8;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A running ModemManager; it ends when this is dropped.
#[derive(Debug)]
pub struct ModemManager {
    process: Process,
    connection: Connection,
    address: String,
    folder: PathBuf,
    world: World,
    port: String,
    modem: OwnedObjectPath,
    enable: bool,
}

impl ModemManager {
    /// Starts it on a bus with the modem of a world, enables the modem, and waits until it stands as the world
    /// lets it: registered, enabled where it cannot register, or failed where there is no SIM. Voice is always
    /// there.
    pub async fn start(bus: &PrivateBus, world: &World) -> Result<Self, FixtureError> {
        Self::launch(bus, world, true).await
    }

    /// As [`ModemManager::start`], but leaves the modem disabled, as ModemManager does by itself. It holds no
    /// port open then and sees no call: somebody has to enable it.
    pub async fn start_disabled(bus: &PrivateBus, world: &World) -> Result<Self, FixtureError> {
        Self::launch(bus, world, false).await
    }

    async fn launch(bus: &PrivateBus, world: &World, enable: bool) -> Result<Self, FixtureError> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // ModemManager takes this word for the socket's name whole, prefix included.
        let port = format!("abstract:nestling-{}-{count}", std::process::id());
        world.listen_modem(&port).map_err(io_error("listen for ModemManager"))?;
        let folder = bus.folder().join(format!("modem-manager-{count}"));
        let plugins = folder.join("plugins");
        std::fs::create_dir_all(&plugins).map_err(io_error("make a folder for ModemManager"))?;
        let plugin = Tree::find()?.libraries("ModemManager/libmm-plugin-generic.so")?;
        symlink(plugin, plugins.join("libmm-plugin-generic.so"))
            .map_err(io_error("link ModemManager's plugin"))?;
        let process = run(bus.address(), &folder)?;
        let connection = bus.connect().await?;
        let (address, world, modem) = (bus.address().to_owned(), world.clone(), OwnedObjectPath::default());
        let mut manager = Self { process, connection, address, folder, world, port, modem, enable };
        manager.ready().await?;
        Ok(manager)
    }

    /// The modem's object path; it changes with a restart.
    pub fn modem(&self) -> &OwnedObjectPath {
        &self.modem
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Kills it, as a crash does. Its name leaves the bus.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Kills it, starts it again and waits until the modem is back.
    pub async fn restart(&mut self) -> Result<(), FixtureError> {
        self.process.kill();
        // It has ended; on a loaded machine the bus notices a moment later.
        let gone = tokio::time::timeout(PATIENCE, wait_for_name(&self.connection, false)).await;
        gone.unwrap_or_else(|_| Err(self.process.late("leave the bus")))?;
        self.process = run(&self.address, &self.folder)?;
        self.ready().await
    }

    async fn ready(&mut self) -> Result<(), FixtureError> {
        self.process.until("take its name", wait_for_name(&self.connection, true)).await?;
        let profile = async {
            let arguments = ("nestling", "generic", vec![self.port.as_str()]);
            let test = "org.freedesktop.ModemManager1.Test";
            self.connection.call_method(Some(NAME), PATH, Some(test), "SetProfile", &arguments).await?;
            Ok(())
        };
        self.process.until("take the modem's profile", profile).await?;
        let there = wait_for_modem(&self.connection, DISABLED);
        self.modem = self.process.until("show a modem that can call", there).await?;
        if self.enable && self.world.has_sim() {
            let connection = self.connection.clone();
            let enable = async {
                connection.call_method(Some(NAME), &self.modem, Some(MODEM), "Enable", &true).await?;
                Ok(())
            };
            self.process.until("enable the modem", enable).await?;
            let goal = match self.world.status().registration {
                Registration::Home | Registration::Roaming => REGISTERED,
                _ => ENABLED,
            };
            self.process.until("register the modem", wait_for_modem(&self.connection, goal)).await?;
        }
        Ok(())
    }
}

fn run(address: &str, folder: &Path) -> Result<Process, FixtureError> {
    let mut command = Tree::find()?.command("usr/sbin/ModemManager")?;
    command.args(["--test-session", "--no-auto-scan", "--test-no-udev", "--test-no-suspend-resume"]);
    command.args(["--test-no-qrtr", "--test-enable"]);
    command.arg(format!("--test-plugin-dir={}", folder.join("plugins").display()));
    if std::env::var_os("NESTLING_MM_DEBUG").is_some() {
        command.arg("--debug");
    }
    // Both, so that nothing of it ever reaches the host's buses.
    command.env("DBUS_SESSION_BUS_ADDRESS", address).env("DBUS_SYSTEM_BUS_ADDRESS", address);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    Process::start("ModemManager", &mut command, &folder.join("log"))
}

async fn wait_for_name(connection: &Connection, there: bool) -> Result<(), FixtureError> {
    let bus = DBusProxy::new(connection).await?;
    let name = BusName::try_from(NAME)?;
    while bus.name_has_owner(name.clone()).await.map_err(zbus::Error::from)? != there {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

/// Waits for a modem with Voice whose state is at least `state`, or that failed for want of a SIM.
async fn wait_for_modem(connection: &Connection, state: i32) -> Result<OwnedObjectPath, FixtureError> {
    let objects = ObjectManagerProxy::new(connection, NAME, PATH).await?;
    loop {
        let managed = objects.get_managed_objects().await.map_err(zbus::Error::from)?;
        if let Some(modem) = managed.iter().find_map(|(path, all)| ready(all, state).then(|| path.clone())) {
            return Ok(modem);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn ready(interfaces: &HashMap<OwnedInterfaceName, HashMap<String, OwnedVariant>>, wanted: i32) -> bool {
    let state = interfaces.get(MODEM).and_then(|modem| i32::try_from(modem.get("State")?).ok());
    interfaces.contains_key(VOICE) && state.is_some_and(|state| state >= wanted || state == FAILED)
}
