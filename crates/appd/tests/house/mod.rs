//! A watch for a test: a bus, a policyd that only takes lines, a shell that only makes places, a launcher that runs
//! nothing, a published store, and the real appd.

mod launcher;

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use futures_util::StreamExt;
use ipc::{AppSession, AppState, Apps1Proxy, DiaryRecord, PolicyState, names, paths};
use policy::{AppGrant, Policy};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use testkit::PrivateBus;
use tokio::sync::watch;
use tokio::time::Instant;
use zbus::names::BusName;
use zbus::object_server::SignalEmitter;
use zbus::proxy::CacheProperties;
use zbus::{Connection, MessageStream, message};

pub(crate) use launcher::Launcher;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn family(grants: &[(&str, Option<i64>)]) -> Policy {
    let mut policy: Policy = serde_json::from_str(include_str!("../../../../tests/family.json")).unwrap();
    let grant = |(app, until): &(&str, Option<i64>)| AppGrant {
        app: (*app).into(),
        until: *until,
        permissions: vec![],
    };
    policy.apps = grants.iter().map(grant).collect();
    policy
}

/// Takes lines for the diary, and nothing else.
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

    pub(crate) async fn leave(&self) {
        self.connection.release_name(names::POLICY).await.unwrap();
    }

    pub(crate) async fn come_back(&self) {
        self.connection.request_name(names::POLICY).await.unwrap();
    }

    pub(crate) async fn line(&self, kind: &str) -> HashMap<String, String> {
        let mut lines = self.lines.subscribe();
        let found = |lines: &Vec<DiaryRecord>| lines.iter().any(|line| line.kind == kind);
        let there = tokio::time::timeout(PATIENCE, lines.wait_for(found)).await.is_ok();
        assert!(there, "no {kind} among {:?}", self.lines.borrow());
        self.lines.borrow().iter().find(|line| line.kind == kind).unwrap().details.clone()
    }
}

/// Owns the shell's name, makes places, and keeps what appd tells it.
pub(crate) struct Shell {
    pub(crate) connection: Connection,
    pub(crate) apps: Apps1Proxy<'static>,
    places: watch::Sender<Places>,
    sessions: watch::Receiver<Vec<(Instant, AppSession)>>,
}

#[derive(Debug, Default)]
struct Places {
    /// The screen's end of each.
    there: HashMap<u64, OwnedFd>,
    detached: Vec<u64>,
}

struct Display(watch::Sender<Places>);

#[zbus::interface(name = "org.nestling.Display1")]
impl Display {
    fn attach(&self, session: u64) -> zbus::OwnedFd {
        let (ours, apps) =
            socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        self.0.send_modify(|places| drop(places.there.insert(session, ours)));
        apps.into()
    }

    fn detach(&self, session: u64) {
        self.0.send_modify(|places| {
            places.there.remove(&session);
            places.detached.push(session);
        });
    }
}

impl Shell {
    pub(crate) async fn start(bus: &PrivateBus) -> Self {
        let connection = bus.connect().await.unwrap();
        let places = watch::Sender::new(Places::default());
        connection.object_server().at(paths::DISPLAY, Display(places.clone())).await.unwrap();
        let (told, sessions) = watch::channel(Vec::new());
        let mut messages = MessageStream::from(&connection);
        tokio::spawn(async move {
            while let Some(Ok(message)) = messages.next().await {
                let header = message.header();
                let signal = message.message_type() == message::Type::Signal;
                if signal && header.member().is_some_and(|member| member == "SessionChanged") {
                    let session = message.body().deserialize::<AppSession>().unwrap();
                    told.send_modify(|sessions| sessions.push((Instant::now(), session)));
                }
            }
        });
        connection.request_name(names::SHELL).await.unwrap();
        Self { apps: apps(&connection).await, connection, places, sessions }
    }

    /// Waits until such a session is told, after the first `skip`. Returns when that was.
    pub(crate) async fn told(&mut self, skip: usize, state: AppState, reason: &str) -> (Instant, AppSession) {
        let is_it =
            |(_, session): &&(Instant, AppSession)| session.state == state && session.reason == reason;
        let told = |all: &Vec<(Instant, AppSession)>| all.iter().skip(skip).any(|one| is_it(&one));
        let in_time = tokio::time::timeout(PATIENCE, self.sessions.wait_for(told)).await.is_ok();
        assert!(in_time, "the shell was not told {state:?} {reason:?} but {:?}", self.sessions.borrow());
        self.sessions.borrow().iter().skip(skip).find(is_it).cloned().unwrap()
    }

    /// How many it was told.
    pub(crate) fn count(&self) -> usize {
        self.sessions.borrow().len()
    }

    pub(crate) fn has_place(&self, session: u64) -> bool {
        self.places.borrow().there.contains_key(&session)
    }

    pub(crate) async fn place_is_gone(&self, session: u64) {
        let mut places = self.places.subscribe();
        let gone = places.wait_for(|places| places.detached.contains(&session));
        assert!(
            tokio::time::timeout(PATIENCE, gone).await.is_ok(),
            "the place of {session} is not given back"
        );
    }

    /// Writes to an app on its place.
    pub(crate) fn write(&self, session: u64, text: &[u8]) {
        rustix::io::write(&self.places.borrow().there[&session], text).unwrap();
    }
}

pub(crate) async fn apps(connection: &Connection) -> Apps1Proxy<'static> {
    Apps1Proxy::builder(connection).cache_properties(CacheProperties::No).build().await.unwrap()
}

pub(crate) struct House {
    // Ends first.
    daemon: Child,
    pub(crate) policyd: Policyd,
    pub(crate) shell: Shell,
    pub(crate) launcher: Launcher,
    /// A connection without a name.
    pub(crate) agent: Connection,
    root: PathBuf,
    revision: u64,
    // Dropped last: the others run on it.
    pub(crate) bus: PrivateBus,
}

impl House {
    /// Everything runs, and these apps are granted.
    pub(crate) async fn start(grants: &[(&str, Option<i64>)]) -> Self {
        let bus = PrivateBus::start().await.unwrap();
        let root = bus.folder().join("appd");
        fs::create_dir_all(root.join("store")).unwrap();
        store::publish(&root.join("store"), 1, &family(grants).into()).unwrap();
        let launcher = Launcher::start(&root.join("launcher.sock"));
        let (policyd, shell) = (Policyd::start(&bus).await, Shell::start(&bus).await);
        let agent = bus.connect().await.unwrap();
        let path = |name: &str| root.join(name).display().to_string();
        let config = format!(
            "store = '{}'\nlauncher = '{}'\n[bus]\naddress = '{}'\ntrust = 'same-user'\n",
            path("store"),
            path("launcher.sock"),
            bus.address(),
        );
        fs::write(root.join("appd.toml"), config).unwrap();
        let daemon = Command::new(env!("CARGO_BIN_EXE_nestling-appd"))
            .arg("--config")
            .arg(root.join("appd.toml"))
            .env("NESTLING_LOG", "debug,zbus=info")
            .stderr(File::create(root.join("log")).unwrap())
            .spawn()
            .unwrap();
        let house = Self { daemon, policyd, shell, launcher, agent, root, revision: 1, bus };
        house
            .eventually("appd knows the catalogue", async |house| {
                let apps = house.shell.apps.apps().await.ok()?;
                apps.iter().all(|app| app.reason != "sandbox").then_some(())
            })
            .await;
        house
    }

    /// As policyd does after an order.
    pub(crate) async fn publish(&mut self, grants: &[(&str, Option<i64>)]) {
        self.revision += 1;
        store::publish(&self.root.join("store"), self.revision, &family(grants).into()).unwrap();
        let emitter = SignalEmitter::new(&self.policyd.connection, paths::POLICY).unwrap();
        let emitter = emitter.set_destination(BusName::try_from(names::APPS).unwrap());
        let news = (self.revision, PolicyState::Bound);
        emitter.emit("org.nestling.Policy1", "Changed", &news).await.unwrap();
    }

    /// Opens an app and waits until it runs. Returns its run.
    pub(crate) async fn run(&mut self, app: &str) -> u64 {
        let skip = self.shell.count();
        self.shell.apps.open(app).await.unwrap();
        self.shell.told(skip, AppState::Running, "").await.1.session
    }

    pub(crate) async fn eventually<T>(&self, what: &str, look: impl AsyncFn(&Self) -> Option<T>) -> T {
        let search = async {
            loop {
                if let Some(found) = look(self).await {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("never: {what}"))
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        if std::thread::panicking() {
            eprintln!("appd said:\n{}", fs::read_to_string(self.root.join("log")).unwrap_or_default());
        }
    }
}
