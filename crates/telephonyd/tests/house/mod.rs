//! A watch for a test: a network with its modem, the real ModemManager, a bus, a policyd that only takes lines,
//! a shell that only listens, and the real telephonyd.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use futures_util::StreamExt;
use ipc::{Call, CallState, DiaryRecord, Happening, News, PolicyState, Telephony1Proxy, names, paths};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use policy::Policy;
use sim::{Event, Stamped, World, WorldConfig};
use testkit::{ModemManager, PrivateBus};
use tokio::sync::watch;
use tokio::time::Instant;
use zbus::names::BusName;
use zbus::object_server::SignalEmitter;
use zbus::proxy::CacheProperties;
use zbus::{Connection, MessageStream, message};

pub(crate) const MUM: &str = "+358405550001";
pub(crate) const AUNT: &str = "+358405550004";
pub(crate) const STRANGER: &str = "+358405550666";
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Mum, Dad, Gran, the aunt and Bo.
pub(crate) fn family() -> Policy {
    serde_json::from_str(include_str!("../../../../tests/family.json")).unwrap()
}

pub(crate) fn without(id: &str) -> Policy {
    let mut policy = family();
    policy.contacts.retain(|contact| contact.id != id);
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
    pub(crate) async fn start(bus: &PrivateBus) -> Self {
        let connection = bus.connect().await.unwrap();
        let lines = watch::Sender::new(Vec::new());
        connection.object_server().at(paths::DIARY, Diary(lines.clone())).await.unwrap();
        connection.request_name(names::POLICY).await.unwrap();
        Self { connection, lines }
    }

    /// Says `Changed` to telephonyd alone, as policyd does.
    pub(crate) async fn say_changed(&self, revision: u64, state: PolicyState) {
        let emitter = SignalEmitter::new(&self.connection, paths::POLICY).unwrap();
        let emitter = emitter.set_destination(BusName::try_from(names::TELEPHONY).unwrap());
        emitter.emit("org.nestling.Policy1", "Changed", &(revision, state)).await.unwrap();
    }

    pub(crate) async fn line(&self, kind: &str) -> HashMap<String, String> {
        let mut lines = self.lines.subscribe();
        let found = async {
            loop {
                let found = lines.borrow_and_update().iter().find(|line| line.kind == kind).cloned();
                if let Some(line) = found {
                    return line.details;
                }
                lines.changed().await.unwrap();
            }
        };
        let found = tokio::time::timeout(PATIENCE, found).await;
        found.unwrap_or_else(|_| panic!("no {kind} among {:?}", self.lines.borrow()))
    }

    pub(crate) fn kinds(&self) -> Vec<String> {
        self.lines.borrow().iter().map(|line| line.kind.clone()).collect()
    }
}

/// Owns the shell's name and keeps what telephonyd tells it.
pub(crate) struct Shell {
    pub(crate) telephony: Telephony1Proxy<'static>,
    calls: watch::Receiver<Vec<(Instant, Call)>>,
}

impl Shell {
    async fn start(bus: &PrivateBus) -> Self {
        let connection = bus.connect().await.unwrap();
        connection.request_name(names::SHELL).await.unwrap();
        let (told, calls) = watch::channel(Vec::new());
        let mut messages = MessageStream::from(&connection);
        tokio::spawn(async move {
            while let Some(Ok(message)) = messages.next().await {
                let header = message.header();
                let signal = message.message_type() == message::Type::Signal;
                if signal && header.member().is_some_and(|member| member == "Happened") {
                    let happening = message.body().deserialize::<Happening>().unwrap();
                    if happening.what == News::Call {
                        told.send_modify(|calls| calls.push((Instant::now(), happening.call)));
                    }
                }
            }
        });
        Self { telephony: telephony(&connection).await, calls }
    }

    /// Waits until a call in this state is told, after the first `skip` calls. Returns when that was.
    pub(crate) async fn told(&mut self, skip: usize, state: CallState) -> (Instant, Call) {
        let told =
            |calls: &Vec<(Instant, Call)>| calls.iter().skip(skip).any(|(_, call)| call.state == state);
        let in_time = tokio::time::timeout(PATIENCE, self.calls.wait_for(told)).await.is_ok();
        assert!(in_time, "the shell was not told {state:?} but {:?}", self.states());
        self.calls.borrow().iter().skip(skip).find(|(_, call)| call.state == state).cloned().unwrap()
    }

    /// A touch on the green button of the call it was told last.
    pub(crate) async fn accept(&self) -> ipc::Result<()> {
        self.telephony.accept(self.id()).await
    }

    /// A touch on the red one.
    pub(crate) async fn hang_up(&self) -> ipc::Result<()> {
        self.telephony.hang_up(self.id()).await
    }

    fn id(&self) -> u64 {
        self.calls.borrow().last().map_or(0, |(_, call)| call.id)
    }

    /// All it was told so far.
    pub(crate) fn states(&self) -> Vec<CallState> {
        self.calls.borrow().iter().map(|(_, call)| call.state).collect()
    }
}

pub(crate) async fn telephony(connection: &Connection) -> Telephony1Proxy<'static> {
    Telephony1Proxy::builder(connection).cache_properties(CacheProperties::No).build().await.unwrap()
}

/// The watch, without a policyd: tests start one where they need it.
pub(crate) struct House {
    pub(crate) world: World,
    pub(crate) manager: ModemManager,
    pub(crate) shell: Shell,
    pub(crate) root: PathBuf,
    /// Tables for the end of telephonyd's configuration.
    pub(crate) more: String,
    daemon: Option<Child>,
    revision: u64,
    // Dropped last: the others run on it.
    pub(crate) bus: PrivateBus,
}

impl House {
    /// The family's rules, a registered modem, everything running.
    pub(crate) async fn start() -> (Self, Policyd) {
        Self::with(WorldConfig::default()).await
    }

    /// As [`House::start`], in another world.
    pub(crate) async fn with(config: WorldConfig) -> (Self, Policyd) {
        let mut house = Self::quiet(config, true).await;
        let policyd = Policyd::start(&house.bus).await;
        house.publish(&family());
        house.start_daemon().await;
        house.modem_is(ipc::ModemState::Registered).await;
        (house, policyd)
    }

    /// Everything but rules and telephonyd.
    pub(crate) async fn quiet(config: WorldConfig, enable: bool) -> Self {
        Self::around(World::start(config), enable).await
    }

    /// As [`House::quiet`], around a world that is there.
    pub(crate) async fn around(world: World, enable: bool) -> Self {
        let bus = PrivateBus::start().await.unwrap();
        let manager = if enable {
            ModemManager::start(&bus, &world).await.unwrap()
        } else {
            ModemManager::start_disabled(&bus, &world).await.unwrap()
        };
        let root = bus.folder().join("telephonyd");
        for folder in ["store", "state", "runtime"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let shell = Shell::start(&bus).await;
        Self { world, manager, shell, root, more: String::new(), daemon: None, revision: 0, bus }
    }

    pub(crate) fn publish(&mut self, policy: &Policy) {
        self.revision += 1;
        store::publish(&self.root.join("store"), self.revision, &policy.clone().into()).unwrap();
    }

    pub(crate) fn withdraw(&self) {
        store::withdraw(&self.root.join("store")).unwrap();
    }

    pub(crate) async fn start_daemon(&mut self) {
        let path = |name: &str| self.root.join(name).display().to_string();
        let config = format!(
            "store = '{}'\nstate = '{}'\nruntime = '{}'\n[bus]\naddress = '{}'\ntrust = 'same-user'\n",
            path("store"),
            path("state"),
            path("runtime"),
            self.bus.address(),
        );
        fs::write(self.root.join("telephonyd.toml"), config + &self.more).unwrap();
        let log = File::options().create(true).append(true).open(self.root.join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_nestling-telephonyd"))
            .arg("--config")
            .arg(self.root.join("telephonyd.toml"))
            // All that a developer could switch on.
            .env("NESTLING_LOG", "info,nestling_telephonyd=trace,daemon=trace")
            .stderr(log)
            .spawn();
        self.daemon = Some(child.unwrap());
        self.eventually("telephonyd has its name", async |house| {
            house.shell.telephony.call().await.is_ok().then_some(())
        })
        .await;
    }

    /// SIGKILL.
    pub(crate) fn kill_daemon(&mut self) {
        if let Some(mut child) = self.daemon.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM, as systemd ends it.
    pub(crate) fn stop_daemon(&mut self, limit: Duration) {
        let Some(mut child) = self.daemon.take() else { return };
        kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
        let end = std::time::Instant::now() + limit;
        while child.try_wait().unwrap().is_none() {
            assert!(std::time::Instant::now() < end, "telephonyd does not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.root.join("log")).unwrap_or_default()
    }

    pub(crate) async fn modem_is(&self, state: ipc::ModemState) {
        self.eventually("the modem is as it should be", async |house| {
            (house.shell.telephony.modem().await.ok()? == state).then_some(())
        })
        .await;
    }

    pub(crate) async fn eventually<T>(&self, what: &str, look: impl AsyncFn(&Self) -> Option<T>) -> T {
        self.within(PATIENCE, what, look).await
    }

    pub(crate) async fn within<T>(
        &self,
        limit: Duration,
        what: &str,
        look: impl AsyncFn(&Self) -> Option<T>,
    ) -> T {
        let search = async {
            loop {
                if let Some(found) = look(self).await {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(limit, search).await.unwrap_or_else(|_| panic!("never: {what}"))
    }

    /// Waits for what the network sees.
    pub(crate) async fn seen(&self, since: u64, wanted: impl Fn(&Event) -> bool) -> Stamped {
        self.world.wait_for(since, PATIENCE, wanted).await.unwrap()
    }

    /// Somebody calls and is ended by the watch.
    pub(crate) async fn is_turned_away(&self, who: Option<&str>) {
        let mark = self.world.mark();
        self.world.call(who).unwrap();
        self.seen(mark, |event| {
            matches!(event, Event::HungUpByWatch { number, answered: false, .. } if number.as_deref() == who)
        })
        .await;
        self.eventually("the network holds no call", async |house| {
            house.world.status().calls.is_empty().then_some(())
        })
        .await;
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.kill_daemon();
        if std::thread::panicking() {
            eprintln!("telephonyd said:\n{}", self.log());
        } else {
            testkit::private::assert_says_nothing_of(&self.log(), &family());
        }
    }
}
