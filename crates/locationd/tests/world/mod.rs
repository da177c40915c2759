//! A watch for a test: sky, gpsd, a bus, a policyd that only takes lines, and the real locationd.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use ipc::{DiaryRecord, PolicyState, names, paths};
use nestling_locationd::track::{Row, parse};
use policy::{Contact, Kind, May, Policy, Region, Zone};
use sim::{LatLon, World, WorldConfig};
use testkit::{Gpsd, PrivateBus};
use tokio::sync::watch;
use zbus::Connection;
use zbus::names::BusName;
use zbus::object_server::SignalEmitter;

pub(crate) const SCHOOL: (f64, f64) = (60.171, 24.941);

/// What stands for the kernel's folder of batteries.
const POWER: &str = "power";

/// A place on the meridian of the school.
pub(crate) fn south_of_school(metres: f64) -> LatLon {
    LatLon::new(SCHOOL.0 - metres / 111_195.0, SCHOOL.1).unwrap()
}

/// Where every watch lies at first.
pub(crate) fn home() -> LatLon {
    south_of_school(400.0)
}

pub(crate) fn school_zone() -> Zone {
    Zone {
        id: "school".into(),
        name: "School".into(),
        latitude_e6: 60_171_000,
        longitude_e6: 24_941_000,
        radius_m: 120,
        expect: Vec::new(),
    }
}

/// What policyd's diary was told.
pub(crate) struct Policyd {
    connection: Connection,
    lines: watch::Sender<Vec<DiaryRecord>>,
}

struct Diary(watch::Sender<Vec<DiaryRecord>>);

#[zbus::interface(name = "org.nestling.Diary1")]
impl Diary {
    fn record(&self, record: DiaryRecord) -> u64 {
        self.0.send_modify(|lines| lines.push(record));
        self.0.borrow().len() as u64
    }
}

impl Policyd {
    async fn start(bus: &PrivateBus) -> Self {
        let connection = bus.connect().await.unwrap();
        let lines = watch::Sender::new(Vec::new());
        connection.object_server().at(paths::DIARY, Diary(lines.clone())).await.unwrap();
        connection.request_name(names::POLICY).await.unwrap();
        Self { connection, lines }
    }

    pub(crate) fn lines(&self) -> Vec<DiaryRecord> {
        self.lines.borrow().clone()
    }

    /// The line with this index, from 0.
    pub(crate) async fn line(&self, index: usize, limit: Duration) -> DiaryRecord {
        let mut lines = self.lines.subscribe();
        let there = tokio::time::timeout(limit, lines.wait_for(|lines| lines.len() > index)).await;
        let there = there.unwrap_or_else(|_| panic!("no line {index} in the diary")).unwrap();
        there[index].clone()
    }

    pub(crate) async fn leave(&self) {
        self.connection.release_name(names::POLICY).await.unwrap();
    }

    pub(crate) async fn come_back(&self) {
        self.connection.request_name(names::POLICY).await.unwrap();
    }
}

pub(crate) struct Watch {
    // Ends first.
    daemon: Child,
    pub(crate) gpsd: Gpsd,
    pub(crate) world: World,
    pub(crate) policyd: Policyd,
    /// A connection without a name.
    pub(crate) agent: Connection,
    store: PathBuf,
    config: PathBuf,
    log: PathBuf,
    pub(crate) bus: PrivateBus,
}

fn locationd(config: &Path, log: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_nestling-locationd"))
        .arg("--config")
        .arg(config)
        .env("NESTLING_LOG", "trace,zbus=info")
        .stderr(File::options().append(true).open(log).unwrap())
        .spawn()
        .unwrap()
}

impl Watch {
    /// Starts everything and waits for locationd's name.
    pub(crate) async fn start(zones: &[Zone]) -> Self {
        Self::start_with(zones, true).await
    }

    /// With a receiver that is on for looks only, where it is not `always_on`.
    pub(crate) async fn start_with(zones: &[Zone], always_on: bool) -> Self {
        Self::configured(zones, always_on, "").await
    }

    /// With `more` lines of configuration.
    pub(crate) async fn configured(zones: &[Zone], always_on: bool, more: &str) -> Self {
        let bus = PrivateBus::start().await.unwrap();
        let world = World::start(WorldConfig { home: home(), ..WorldConfig::default() });
        let gpsd = Gpsd::start(&world).unwrap();
        let policyd = Policyd::start(&bus).await;
        let (store, log) = (bus.folder().join("store"), bus.folder().join("locationd.log"));
        fs::create_dir_all(&store).unwrap();
        store::publish(&store, 1, &family(zones).into()).unwrap();
        let state = bus.folder().join("state");
        fs::create_dir(&state).unwrap();
        let config = bus.folder().join("locationd.toml");
        let state = state.display();
        let text = format!(
            "{more}gpsd = '{}'\ngpsd_commands = '{}'\nreceiver = '{}'\nreceiver_always_on = {always_on}\npower_supply = '{}'\niio = '{}'\nstore = '{}'\nstate = '{state}'\nruntime = '{state}'\n[bus]\naddress = '{}'\ntrust = 'same-user'\n",
            gpsd.socket().display(),
            gpsd.commands().display(),
            gpsd.device().display(),
            bus.folder().join(POWER).display(),
            bus.folder().join("iio").display(),
            store.display(),
            bus.address()
        );
        fs::write(&config, text).unwrap();
        let agent = bus.connect().await.unwrap();
        File::create(&log).unwrap();
        let daemon = locationd(&config, &log);
        let mut watch = Self { daemon, gpsd, world, policyd, agent, store, config, log, bus };
        watch.wait_for_name().await;
        watch
    }

    /// locationd is killed; meanwhile something happens.
    pub(crate) async fn restart(&mut self, meanwhile: impl FnOnce(&World)) {
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
        meanwhile(&self.world);
        self.daemon = locationd(&self.config, &self.log);
        self.wait_for_name().await;
    }

    async fn wait_for_name(&mut self) {
        let dbus = zbus::fdo::DBusProxy::new(&self.agent).await.unwrap();
        for _ in 0..1000 {
            if dbus.name_has_owner(BusName::try_from(names::LOCATION).unwrap()).await.unwrap() {
                return;
            }
            assert_eq!(self.daemon.try_wait().unwrap(), None, "locationd ended");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("locationd did not take its name");
    }

    /// Until the file of the zones' sides has this.
    pub(crate) async fn keeps(&self, inside: &str) {
        let file = self.bus.folder().join("state/sides.json");
        let end = tokio::time::Instant::now() + Duration::from_secs(40);
        while !fs::read_to_string(&file).is_ok_and(|text| text.contains(inside)) {
            assert!(tokio::time::Instant::now() < end, "the side is not kept");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the track's file holds.
    pub(crate) fn track(&self) -> Vec<Row> {
        let bytes = fs::read(self.bus.folder().join("state/track")).unwrap();
        parse(&bytes).unwrap().rows().copied().collect()
    }

    /// The kernel says that the battery has so many percent.
    pub(crate) fn battery(&self, percent: u8) {
        let folder = self.bus.folder().join(POWER).join("battery");
        fs::create_dir_all(&folder).unwrap();
        for (file, value) in
            [("type", "Battery"), ("status", "Discharging"), ("capacity", &percent.to_string())]
        {
            fs::write(folder.join(file), value).unwrap();
        }
    }

    /// As policyd does after an order.
    pub(crate) async fn publish(&self, revision: u64, zones: &[Zone]) {
        store::publish(&self.store, revision, &family(zones).into()).unwrap();
        let emitter = SignalEmitter::new(&self.policyd.connection, paths::POLICY).unwrap();
        let emitter = emitter.set_destination(BusName::try_from(names::LOCATION).unwrap());
        emitter.emit("org.nestling.Policy1", "Changed", &(revision, PolicyState::Bound)).await.unwrap();
    }

    /// The sky of these tests is all around 60.17 N, 24.94 E.
    pub(crate) fn log_holds_no_coordinate(&self) {
        let log = fs::read_to_string(&self.log).unwrap();
        assert!(log.contains("rules read"), "the log is written: {log}");
        assert!(!log.contains("60.1") && !log.contains("24.9"), "{log}");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        if std::thread::panicking() {
            eprintln!("{}", fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

fn family(zones: &[Zone]) -> Policy {
    let mum = Contact {
        id: "mum".into(),
        name: "Mum".into(),
        kind: Kind::Guardian,
        numbers: vec!["+358405550001".parse().unwrap()],
        picture: "face:mum".into(),
        may: May { ring: true, be_called: true, write: false, be_written: false },
    };
    Policy { zones: zones.to_vec(), ..Policy::of(Region::Eu, vec![mum]) }
}
