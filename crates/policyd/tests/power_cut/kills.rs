//! The real policyd on a private bus, killed again and again while it takes orders.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use ipc::{Diary1Proxy, Guardian1Proxy, Policy1Proxy, PolicyState, Refusal};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use store::Reader;
use testkit::PrivateBus;
use zbus::Connection;
use zbus::fdo::DBusProxy;

use crate::life;
use crate::long;
use crate::watch::{Mum, policy};

/// Orders in one life; more at once are refused as too many.
const ORDERS: u64 = 15;

struct Daemon {
    child: Child,
    client: Connection,
}

impl Daemon {
    /// Starts policyd and waits for its name.
    async fn start(bus: &PrivateBus, root: &Path) -> Self {
        let path = |name: &str| root.join(name).display().to_string();
        let config = format!(
            "state = '{}'\nanchor = {{ home = 'file', directory = '{}' }}\nstore = '{}'\nallow_memory = true\n\
             [bus]\naddress = '{}'\ntrust = 'same-user'\n",
            path("state"),
            path("anchor"),
            path("store"),
            bus.address(),
        );
        let file = bus.folder().join("policyd.toml");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_nestling-policyd"));
        let child = command.arg("--config").arg(file).env("NESTLING_LOG", "error").spawn().unwrap();
        let daemon = Self { child, client: bus.connect().await.unwrap() };
        daemon.until(true).await;
        daemon
    }

    /// Waits until its name is taken, or free.
    async fn until(&self, taken: bool) {
        let dbus = DBusProxy::new(&self.client).await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while dbus.name_has_owner("org.nestling.Policy".try_into().unwrap()).await.unwrap() != taken {
            assert!(Instant::now() < deadline, "policyd's name did not change in 20 s");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn rules(&self) -> Policy1Proxy<'_> {
        Policy1Proxy::new(&self.client).await.unwrap()
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What was promised over all lives.
struct Family {
    root: PathBuf,
    mum: Option<Mum>,
    accepted: u64,
    offered: u64,
}

impl Family {
    /// Everything accepted is there; at most the one order that had no answer is there too.
    async fn finds_its_rules(&mut self, daemon: &Daemon) {
        let rules = daemon.rules().await;
        let revision = rules.revision().await.unwrap();
        assert!((self.accepted..=self.offered).contains(&revision), "{} became {revision}", self.accepted);
        self.accepted = revision;
        let state = if revision == 0 { PolicyState::Unbound } else { PolicyState::Bound };
        assert_eq!(rules.state().await.unwrap(), state);
        let published = Reader::open(&self.root.join("store")).ok();
        let published = published.map(|reader| (reader.revision(), reader.policy().clone()));
        assert_eq!(published, (revision > 1).then(|| (revision, policy(revision))));
    }

    /// Offers the next order. False if policyd died of it.
    async fn offers(&mut self, daemon: &Daemon) -> bool {
        match self.offer(daemon).await {
            Ok(revision) => {
                self.accepted += 1;
                assert_eq!(revision, self.accepted);
                true
            }
            Err(Refusal::ZBus(_)) => false,
            Err(other) => panic!("refused: {other:?}"),
        }
    }

    async fn offer(&mut self, daemon: &Daemon) -> Result<u64, Refusal> {
        let rules = daemon.rules().await;
        if self.mum.is_none() {
            self.mum = Some(Mum::of(&rules.watch().await?));
        }
        let mum = self.mum.as_mut().unwrap();
        let order = if self.accepted == 0 {
            mum.enrolment(&Guardian1Proxy::new(&daemon.client).await?.open_enrolment().await?.0)
        } else {
            mum.order(self.accepted + 1)
        };
        self.offered = self.accepted + 1;
        rules.submit(&order).await
    }
}

/// A plain rule spreads the kills over orders and their parts; that a machine is never as quick twice does the rest.
#[tokio::test]
async fn a46_policyd_killed_while_it_takes_orders_loses_nothing() {
    let bus = PrivateBus::start().await.unwrap();
    let root = life::empty(Path::new(env!("CARGO_TARGET_TMPDIR")));
    let mut family = Family { root: root.path().to_owned(), mum: None, accepted: 0, offered: 0 };
    let (lives, mut cut_short) = (if long() { 400 } else { 30 }, 0);
    for life in 0..lives {
        let mut daemon = Daemon::start(&bus, root.path()).await;
        family.finds_its_rules(&daemon).await;
        let mut end = None;
        for order in 0..ORDERS {
            if order == life % 3 {
                let pid = Pid::from_raw(daemon.child.id() as i32);
                let after = Duration::from_micros(997 * (life * 17 % 53));
                let strike = async move {
                    tokio::time::sleep(after).await;
                    kill(pid, Signal::SIGKILL).unwrap();
                };
                end = Some(tokio::spawn(strike));
            }
            if !family.offers(&daemon).await {
                cut_short += 1;
                break;
            }
        }
        // Before the number is free for somebody else.
        end.inspect(tokio::task::JoinHandle::abort);
        daemon.kill();
        daemon.until(false).await;
    }
    println!("{} orders in {lives} lives, {cut_short} of them cut short", family.accepted);
    assert!(cut_short > lives / 2, "{cut_short} of {lives} is too few to mean something");
    let daemon = Daemon::start(&bus, root.path()).await;
    family.finds_its_rules(&daemon).await;
    assert!(family.offers(&daemon).await);
    let diary = Diary1Proxy::new(&daemon.client).await.unwrap().read(0, 10).await.unwrap();
    assert!(diary.iter().all(|line| line.kind != "diary-damaged"));
}
