//! The real policyd on a private bus.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use futures_util::{FutureExt as _, StreamExt as _};
use ipc::{
    Diary1Proxy, DiaryRecord, Guardian1Proxy, Looks1Proxy, Policy1Proxy, PolicyState, Refusal, Search,
    Search1Proxy,
};
use orders::{Body, Enrolment, EnrolmentCode, Role, Signer, WatchId};
use store::Reader;
use testkit::PrivateBus;
use zbus::proxy::{CacheProperties, SignalStream};
use zbus::{Connection, Proxy};

struct Daemon {
    child: Child,
    root: PathBuf,
}

impl Daemon {
    /// Starts policyd with its files under the bus's folder and waits for its name.
    async fn start(bus: &PrivateBus, client: &Connection) -> Self {
        let root = bus.folder().join("policyd");
        for name in ["state", "anchor", "store"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        let path = |name: &str| root.join(name).display().to_string();
        let config = format!(
            "state = '{}'\nanchor = {{ home = 'file', directory = '{}' }}\nstore = '{}'\nallow_memory = true\n[bus]\naddress = '{}'\ntrust = 'same-user'\n",
            path("state"),
            path("anchor"),
            path("store"),
            bus.address(),
        );
        fs::write(root.join("policyd.toml"), config).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_nestling-policyd"))
            .arg("--config")
            .arg(root.join("policyd.toml"))
            .spawn()
            .unwrap();
        let dbus = zbus::fdo::DBusProxy::new(client).await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while !dbus.name_has_owner("org.nestling.Policy".try_into().unwrap()).await.unwrap() {
            assert!(Instant::now() < deadline, "policyd did not take its name in 20 s");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self { child, root }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn bind(client: &Connection, mum: &mut Signer) {
    let policy1 = Policy1Proxy::new(client).await.unwrap();
    let (code, left) = Guardian1Proxy::new(client).await.unwrap().open_enrolment().await.unwrap();
    assert!((590..=600).contains(&left));
    let watch = WatchId::parse(&policy1.watch().await.unwrap()).unwrap();
    let enrolment = Enrolment {
        code: EnrolmentCode::parse(&code.replace(' ', "")).unwrap(),
        keys: vec![mum.public()],
        recovery: None,
        guardian: "mum".into(),
        role: Role::Main,
    };
    let order = mum.order(&watch, 0, Body::Enrol(enrolment)).to_bytes();
    policy1.submit(&order).await.unwrap();
    let policy = serde_json::from_str(include_str!("../../../tests/family.json")).unwrap();
    let order = mum.order(&watch, 0, Body::SetPolicy { base: None, policy }).to_bytes();
    assert_eq!(policy1.submit(&order).await.unwrap(), 2);
    assert!(matches!(policy1.submit(&order).await, Err(Refusal::Replayed(_))));
}

#[tokio::test]
async fn a_guardian_enrols_and_orders_over_the_bus() {
    let bus = PrivateBus::start().await.unwrap();
    let client = bus.connect().await.unwrap();
    let daemon = Daemon::start(&bus, &client).await;
    let policy1 = Policy1Proxy::new(&client).await.unwrap();
    assert_eq!(policy1.state().await.unwrap(), PolicyState::Unbound);
    bind(&client, &mut Signer::from_secret(&[3; 32])).await;
    assert_eq!(policy1.state().await.unwrap(), PolicyState::Bound);
    assert_eq!(policy1.revision().await.unwrap(), 2);
    assert_eq!(Reader::open(&daemon.root.join("store")).unwrap().revision(), 2);
    let diary = Diary1Proxy::new(&client).await.unwrap().read(0, 50).await.unwrap();
    let kinds: Vec<_> = diary.iter().map(|line| line.kind.as_str()).collect();
    assert_eq!(kinds, ["enrol", "guardian-added", "set-policy", "order-refused"]);
    assert!(diary.iter().all(|line| line.source == "policy"));
}

#[tokio::test]
async fn the_watch_is_lost_until_a_guardian_says_that_it_is_found_also_after_a_restart() {
    let bus = PrivateBus::start().await.unwrap();
    let client = bus.connect().await.unwrap();
    let daemon = Daemon::start(&bus, &client).await;
    let mut mum = Signer::from_secret(&[3; 32]);
    let policy1 = Policy1Proxy::builder(&client).cache_properties(CacheProperties::No).build().await.unwrap();
    assert!(!policy1.lost().await.unwrap());
    bind(&client, &mut mum).await;
    assert!(!policy1.lost().await.unwrap());
    let watch = WatchId::parse(&policy1.watch().await.unwrap()).unwrap();
    let screen = bus.connect().await.unwrap();
    screen.request_name("org.nestling.Shell").await.unwrap();
    let mut changed = Policy1Proxy::new(&screen).await.unwrap().receive_changed().await.unwrap();
    policy1.submit(&mum.order(&watch, 0, Body::Lost { on: true }).to_bytes()).await.unwrap();
    assert!(policy1.lost().await.unwrap());
    // The screen is told to look.
    tokio::time::timeout(Duration::from_secs(10), changed.next()).await.unwrap().unwrap();
    drop(daemon);
    let _daemon = Daemon::start(&bus, &client).await;
    assert!(policy1.lost().await.unwrap());
    policy1.submit(&mum.order(&watch, 0, Body::Lost { on: false }).to_bytes()).await.unwrap();
    assert!(!policy1.lost().await.unwrap());
}

#[tokio::test]
async fn a31_garbage_in_the_published_store_is_gone_within_two_seconds() {
    let bus = PrivateBus::start().await.unwrap();
    let client = bus.connect().await.unwrap();
    let daemon = Daemon::start(&bus, &client).await;
    bind(&client, &mut Signer::from_secret(&[3; 32])).await;
    let store = daemon.root.join("store");
    let good = Reader::open(&store).unwrap().policy().clone();
    for touch in ["overwrite", "remove", "replace"] {
        let file = store.join("policy.db");
        match touch {
            "remove" => fs::remove_file(&file).unwrap(),
            "replace" => {
                fs::write(store.join("other"), b"x").unwrap();
                fs::rename(store.join("other"), &file).unwrap();
            }
            _ => {
                fs::remove_file(&file).unwrap();
                fs::write(&file, [0xaa; 4096]).unwrap();
            }
        }
        let deadline = Instant::now() + Duration::from_secs(2);
        while Reader::open(&store).ok().is_none_or(|reader| *reader.policy() != good) {
            assert!(Instant::now() < deadline, "{touch}: the store was not rebuilt");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn t2_only_daemons_write_the_diary() {
    let bus = PrivateBus::start().await.unwrap();
    let client = bus.connect().await.unwrap();
    let _daemon = Daemon::start(&bus, &client).await;
    let record = DiaryRecord { kind: "call-refused".into(), details: HashMap::new() };
    let refused = Diary1Proxy::new(&client).await.unwrap().record(&record).await;
    assert!(matches!(refused, Err(Refusal::NotAllowed(_))));

    let telephony = bus.connect().await.unwrap();
    telephony.request_name("org.nestling.Telephony").await.unwrap();
    let diary = Diary1Proxy::new(&telephony).await.unwrap();
    assert_eq!(diary.record(&record).await.unwrap(), 1);
    for kind in ["", "Upper", "a b", &"a".repeat(41)] {
        let record = DiaryRecord { kind: kind.into(), details: HashMap::new() };
        assert!(matches!(diary.record(&record).await, Err(Refusal::Malformed(_))), "{kind}");
    }
    let apps = bus.connect().await.unwrap();
    apps.request_name("org.nestling.Apps").await.unwrap();
    assert_eq!(Diary1Proxy::new(&apps).await.unwrap().record(&record).await.unwrap(), 2);
    let lines = Diary1Proxy::new(&client).await.unwrap().read(0, 10).await.unwrap();
    let sources: Vec<_> = lines.iter().map(|line| line.source.as_str()).collect();
    assert_eq!(sources, ["telephony", "apps"]);
}

/// Calls one method with bodies nobody would send, and some that somebody might. Returns how many were refused.
async fn pester(child: &Connection, path: &str, interface: &str, member: &str) -> usize {
    let long = "x".repeat(70_000);
    let value = |text: &'static str| zbus::zvariant::Variant::from(text);
    let record = DiaryRecord { kind: "order-taken".into(), details: HashMap::new() };
    let to = Proxy::new(child, "org.nestling.Policy", path, interface).await.unwrap();
    let outcomes = [
        to.call_method(member, &()).await,
        to.call_method(member, &(b"{}".to_vec(),)).await,
        to.call_method(member, &(vec![0xff_u8; 300_000],)).await,
        to.call_method(member, &(long.as_str(), u64::MAX)).await,
        to.call_method(member, &(0_u64, u32::MAX)).await,
        to.call_method(member, &("org.nestling.Policy1", "State", value("unbound"))).await,
        to.call_method(member, &("org.nestling.Guardian1", "Guardians", value("me"))).await,
        to.call_method(member, &(record,)).await,
    ];
    outcomes.iter().filter(|outcome| outcome.is_err()).count()
}

#[tokio::test]
async fn t2_nothing_the_childs_screen_can_call_changes_a_rule() {
    let bus = PrivateBus::start().await.unwrap();
    let guardian = bus.connect().await.unwrap();
    let daemon = Daemon::start(&bus, &guardian).await;
    let mut mum = Signer::from_secret(&[3; 32]);
    bind(&guardian, &mut mum).await;
    let policy1 = Policy1Proxy::new(&guardian).await.unwrap();
    let child = bus.connect().await.unwrap();
    child.request_name("org.nestling.Shell").await.unwrap();
    let before = (fs::read(daemon.root.join("store/policy.db")).unwrap(), policy1.revision().await.unwrap());

    // Even a right order comes through no door of the child's.
    let watch = WatchId::parse(&policy1.watch().await.unwrap()).unwrap();
    let order = mum.order(&watch, 0, Body::Pause { until: None }).to_bytes();
    let by_child = Policy1Proxy::new(&child).await.unwrap().submit(&order).await;
    assert!(matches!(by_child, Err(Refusal::NotAllowed(_))));

    let mut refused = 0;
    for (path, interface, members) in [
        ("/org/nestling/Policy1", "org.nestling.Policy1", &["Submit", "Changed", "Reset"][..]),
        ("/org/nestling/Diary1", "org.nestling.Diary1", &["Record", "Read", "Delete"][..]),
        ("/org/nestling/Guardian1", "org.nestling.Guardian1", &["OpenEnrolment", "Enrol"][..]),
        ("/org/nestling/Policy1", "org.freedesktop.DBus.Properties", &["Set", "Get", "GetAll"][..]),
        ("/org/nestling/Guardian1", "org.freedesktop.DBus.Properties", &["Set"][..]),
        ("/org/nestling/Looks1", "org.freedesktop.DBus.Properties", &["Set"][..]),
        ("/org/nestling/Looks1", "org.nestling.Looks1", &["Look", "Changed"][..]),
        ("/org/nestling/Search1", "org.freedesktop.DBus.Properties", &["Set"][..]),
        ("/org/nestling/Search1", "org.nestling.Search1", &["Shows", "Stop", "Begin"][..]),
    ] {
        for member in members {
            refused += pester(&child, path, interface, member).await;
        }
    }
    assert!(refused > 50, "{refused}");
    let after = (fs::read(daemon.root.join("store/policy.db")).unwrap(), policy1.revision().await.unwrap());
    assert!(before == after);
    assert_eq!(policy1.state().await.unwrap(), PolicyState::Bound);
}

#[tokio::test]
async fn t14_the_screen_and_locationd_alone_are_told_of_a_look() {
    let bus = PrivateBus::start().await.unwrap();
    let client = bus.connect().await.unwrap();
    let _daemon = Daemon::start(&bus, &client).await;
    let mut mum = Signer::from_secret(&[3; 32]);
    bind(&client, &mut mum).await;
    let mut told = Vec::new();
    for name in ["org.nestling.Shell", "org.nestling.Location", "org.nestling.Apps"] {
        let connection = bus.connect().await.unwrap();
        connection.request_name(name).await.unwrap();
        let looks1 = Looks1Proxy::new(&connection).await.unwrap();
        told.push((name, looks1.receive_looks_changed().await.unwrap(), looks1));
    }
    let policy1 = Policy1Proxy::new(&client).await.unwrap();
    let watch = WatchId::parse(&policy1.watch().await.unwrap()).unwrap();
    policy1.submit(&mum.order(&watch, 0, Body::Locate {}).to_bytes()).await.unwrap();
    for (name, signals, looks1) in &mut told {
        if *name == "org.nestling.Apps" {
            assert!(looks1.looking().await.is_err() && looks1.today().await.is_err(), "{name}");
            // What is sent to one alone comes before what he asks for later.
            assert!(signals.next().now_or_never().is_none(), "{name}");
            continue;
        }
        let signal = tokio::time::timeout(Duration::from_secs(10), signals.next()).await.unwrap().unwrap();
        let seen = signal.args().unwrap();
        let [look] = seen.looking.as_slice() else { panic!("{name}: {seen:?}") };
        assert_eq!((look.guardian.as_str(), look.name.as_str(), seen.today), ("mum", "Mum", 1), "{name}");
        assert_eq!(look.until_ms, look.since_ms + 120_000);
        assert_eq!((&looks1.looking().await.unwrap(), looks1.today().await.unwrap()), (&seen.looking, 1));
        // Who looked earlier is the screen's alone.
        let looked = looks1.looked().await.ok().map(|looks| looks.len());
        assert_eq!(looked, (*name == "org.nestling.Shell").then_some(1), "{name}");
    }
}

/// Waits for what is told next.
async fn next_search(signals: &mut SignalStream<'static>) -> Search {
    let signal = tokio::time::timeout(Duration::from_secs(10), signals.next()).await.unwrap().unwrap();
    signal.body().deserialize().unwrap()
}

#[tokio::test]
async fn t15_a_search_is_an_order_and_is_heard_only_where_the_screen_said_that_it_shows_it() {
    let bus = PrivateBus::start().await.unwrap();
    let client = bus.connect().await.unwrap();
    let _daemon = Daemon::start(&bus, &client).await;
    let mut mum = Signer::from_secret(&[3; 32]);
    bind(&client, &mut mum).await;
    let mut peers = Vec::new();
    for name in ["org.nestling.Shell", "org.nestling.Telephony", "org.nestling.Apps"] {
        let connection = bus.connect().await.unwrap();
        connection.request_name(name).await.unwrap();
        let own = connection.unique_name().unwrap().to_string();
        let search1 = Search1Proxy::builder(&connection).cache_properties(CacheProperties::No).build().await;
        let search1 = search1.unwrap();
        peers.push((search1.inner().receive_signal("SearchChanged").await.unwrap(), search1, own));
    }
    let [(screen_hears, screen, own), (telephony_hears, telephony, _), (apps_hear, apps, _)] =
        peers.as_mut_slice()
    else {
        panic!()
    };
    assert_eq!(telephony.search().await.unwrap(), Search::none());
    let policy1 = Policy1Proxy::new(&client).await.unwrap();
    let watch = WatchId::parse(&policy1.watch().await.unwrap()).unwrap();
    let id = policy1.submit(&mum.order(&watch, 0, Body::Ring {}).to_bytes()).await.unwrap();
    let told = next_search(screen_hears).await;
    assert_eq!((told.id, told.name.as_str(), told.screen.as_str()), (id, "Mum", ""));
    assert_eq!(told.until_ms, told.since_ms + 60_000);
    assert_eq!(next_search(telephony_hears).await, told);
    // Nobody but the screen says that it is shown, and nobody else ends it.
    for other in [&*telephony, &*apps] {
        assert!(matches!(other.shows(id).await, Err(Refusal::NotAllowed(_))));
        assert!(matches!(other.stop(id).await, Err(Refusal::NotAllowed(_))));
    }
    assert!(matches!(screen.shows(id + 1).await, Err(Refusal::NotFound(_))));
    screen.shows(id).await.unwrap();
    let shown = Search { screen: own.clone(), ..told };
    assert_eq!(next_search(screen_hears).await, shown);
    assert_eq!(next_search(telephony_hears).await, shown);
    assert_eq!((telephony.search().await.unwrap(), screen.search().await.unwrap()), (shown.clone(), shown));
    // The child found it.
    screen.stop(id).await.unwrap();
    assert_eq!(next_search(telephony_hears).await, Search::none());
    assert!(matches!(screen.stop(id).await, Err(Refusal::NotFound(_))));
    assert!(matches!(screen.shows(id).await, Err(Refusal::NotFound(_))));
    assert!(apps.search().await.is_err());
    assert!(apps_hear.next().now_or_never().is_none());
    let diary = Diary1Proxy::new(&client).await.unwrap().read(0, 50).await.unwrap();
    let line = diary.iter().find(|line| line.kind == "searched").unwrap();
    assert_eq!((line.source.as_str(), line.details["name"].as_str()), ("policy", "Mum"));
}

#[tokio::test]
async fn the_interfaces_are_the_golden_ones() {
    let bus = PrivateBus::start().await.unwrap();
    let client = bus.connect().await.unwrap();
    let _daemon = Daemon::start(&bus, &client).await;
    let policy1 = Policy1Proxy::new(&client).await.unwrap().inner().introspect().await.unwrap();
    testkit::golden::interface(&policy1, "org.nestling.Policy1");
    let diary1 = Diary1Proxy::new(&client).await.unwrap().inner().introspect().await.unwrap();
    testkit::golden::interface(&diary1, "org.nestling.Diary1");
    let guardian1 = Guardian1Proxy::new(&client).await.unwrap().inner().introspect().await.unwrap();
    testkit::golden::interface(&guardian1, "org.nestling.Guardian1");
    let looks1 = Looks1Proxy::new(&client).await.unwrap().inner().introspect().await.unwrap();
    testkit::golden::interface(&looks1, "org.nestling.Looks1");
    let search1 = Search1Proxy::new(&client).await.unwrap().inner().introspect().await.unwrap();
    testkit::golden::interface(&search1, "org.nestling.Search1");
}
