//! Who may do what on the bus of the watch, as its own broker sees it: every account of the image tries every door,
//! and `services/access.txt` holds who came through. `NESTLING_BLESS=1` writes it anew.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod broker;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use broker::{Broker, Peer};
use xtask::image::Kind;

const HEAD: &str = "\
# Who may do what on the bus of the development image; everyone else in its /etc/passwd is denied.
# Measured by crates/xtask/tests/bus_policy.rs, written by NESTLING_BLESS=1: read every line that changed.
# own: have the name. call: its object, interface and member (`-` for a call without an interface).
# tell: send a signal to it. hear: get its broadcasts, with the names one has, or without a name.
";

const NAMES: [&str; 8] = [
    "org.freedesktop.ModemManager1",
    "org.freedesktop.PolicyKit1",
    "org.freedesktop.systemd1",
    "org.nestling.Apps",
    "org.nestling.Location",
    "org.nestling.Policy",
    "org.nestling.Shell",
    "org.nestling.Telephony",
];

const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const MODEM: &str = "/org/freedesktop/ModemManager1/Modem/0";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";

/// Name, object, interface, members.
type Door = (&'static str, &'static str, &'static str, &'static [&'static str]);

const DOORS: [Door; 38] = [
    ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.Monitoring", &["BecomeMonitor"]),
    ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.Debug.Stats", &["GetStats"]),
    (
        "org.freedesktop.DBus",
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus",
        &["UpdateActivationEnvironment"],
    ),
    ("org.freedesktop.ModemManager1", MODEM, "org.freedesktop.ModemManager1.Modem.Voice", &["CreateCall"]),
    ("org.freedesktop.ModemManager1", MODEM, "org.freedesktop.ModemManager1.Modem.Messaging", &["Create"]),
    ("org.freedesktop.ModemManager1", MODEM, "org.freedesktop.ModemManager1.Modem", &["Command"]),
    ("org.freedesktop.ModemManager1", MODEM, PROPERTIES, &["Get", "GetAll", "Set"]),
    (
        "org.freedesktop.ModemManager1",
        "/org/freedesktop/ModemManager1",
        "org.freedesktop.DBus.ObjectManager",
        &["GetManagedObjects"],
    ),
    ("org.freedesktop.ModemManager1", MODEM, "", &["CreateCall"]),
    (
        "org.freedesktop.PolicyKit1",
        "/org/freedesktop/PolicyKit1/Authority",
        "org.freedesktop.PolicyKit1.Authority",
        &["CheckAuthorization", "RegisterAuthenticationAgent"],
    ),
    ("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority", PROPERTIES, &["Get", "Set"]),
    (
        "org.freedesktop.systemd1",
        "/org/freedesktop/systemd1",
        MANAGER,
        &[
            "GetUnit",
            "GetUnitByPIDFD",
            "KillUnit",
            "ListUnits",
            "PowerOff",
            "StartTransientUnit",
            "StartUnit",
        ],
    ),
    ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", PROPERTIES, &["Get", "Set"]),
    ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "", &["PowerOff"]),
    ("org.nestling.Apps", ipc::paths::APPS, "org.nestling.Apps1", &["End", "Hide", "Open", "Show"]),
    ("org.nestling.Apps", ipc::paths::APPS, "", &["Open"]),
    ("org.nestling.Apps", ipc::paths::APPS, PROPERTIES, &["Get", "GetAll", "Set"]),
    ("org.nestling.Location", ipc::paths::LOCATION, "org.nestling.Location1", &["HelpCalled"]),
    ("org.nestling.Location", ipc::paths::LOCATION, PROPERTIES, &["Get", "GetAll", "Set"]),
    ("org.nestling.Location", ipc::paths::LOCATION, "org.freedesktop.DBus.Introspectable", &["Introspect"]),
    ("org.nestling.Location", ipc::paths::LOCATION, "", &["Get", "HelpCalled"]),
    ("org.nestling.Policy", ipc::paths::DIARY, "org.nestling.Diary1", &["Read", "Record"]),
    ("org.nestling.Policy", ipc::paths::DIARY, "", &["Read", "Record"]),
    ("org.nestling.Policy", ipc::paths::GUARDIAN, "org.nestling.Guardian1", &["OpenEnrolment"]),
    ("org.nestling.Policy", ipc::paths::GUARDIAN, "", &["OpenEnrolment"]),
    ("org.nestling.Policy", ipc::paths::LOOKS, PROPERTIES, &["Get", "GetAll", "Set"]),
    ("org.nestling.Policy", ipc::paths::POLICY, "org.nestling.Policy1", &["Submit"]),
    ("org.nestling.Policy", ipc::paths::POLICY, "", &["Submit"]),
    ("org.nestling.Policy", ipc::paths::POLICY, PROPERTIES, &["Get", "GetAll", "Set"]),
    ("org.nestling.Policy", ipc::paths::SEARCH, PROPERTIES, &["Get", "GetAll", "Set"]),
    ("org.nestling.Policy", ipc::paths::SEARCH, "org.nestling.Search1", &["Shows", "Stop"]),
    ("org.nestling.Policy", ipc::paths::SEARCH, "", &["Stop"]),
    ("org.nestling.Shell", "/", "org.nestling.Shell1", &["Anything"]),
    ("org.nestling.Shell", ipc::paths::DISPLAY, "org.nestling.Display1", &["Attach", "Detach"]),
    ("org.nestling.Shell", ipc::paths::DISPLAY, "", &["Attach"]),
    (
        "org.nestling.Telephony",
        ipc::paths::TELEPHONY,
        "org.nestling.Telephony1",
        &[
            "Accept",
            "Calls",
            "Cell",
            "Dial",
            "DialEmergency",
            "Events",
            "HangUp",
            "Mute",
            "SawMissed",
            "Tone",
        ],
    ),
    ("org.nestling.Telephony", ipc::paths::TELEPHONY, "", &["Dial"]),
    ("org.nestling.Telephony", ipc::paths::TELEPHONY, PROPERTIES, &["Get", "GetAll", "Set"]),
];

/// What was tried, and who came through.
type Table = BTreeMap<String, Vec<String>>;

/// Everyone in the image, once with the names it may have, once without any.
struct House {
    named: Vec<Peer>,
    nameless: Vec<Peer>,
    /// Who has which name.
    holders: BTreeMap<&'static str, usize>,
}

async fn gather(broker: &Broker, table: &mut Table) -> House {
    let (mut named, mut nameless) = (Vec::new(), Vec::new());
    for user in &broker.users {
        named.push(broker.connect(user).await.unwrap());
        nameless.push(broker.connect(user).await.unwrap());
    }
    let mut holders = BTreeMap::new();
    for name in NAMES {
        let row = table.entry(format!("own {name}")).or_default();
        for (at, peer) in named.iter().enumerate() {
            if peer.owns(name).await {
                row.push(peer.user.clone());
                assert!(holders.insert(name, at).is_none(), "{name} may be had by {row:?}");
            }
        }
        assert!(holders.contains_key(name), "{name} may be had by nobody");
    }
    House { named, nameless, holders }
}

async fn call(house: &House, table: &mut Table) {
    for (name, path, interface, members) in DOORS {
        let unique = house.holders.get(name).map(|at| house.named[*at].unique_name());
        for member in members {
            let shown = if interface.is_empty() { "-" } else { interface };
            let row = table.entry(format!("call {name} {path} {shown} {member}")).or_default();
            let interface = (!interface.is_empty()).then_some(interface);
            for peer in &house.nameless {
                let came = peer.reaches(name, path, interface, member).await;
                if let Some(unique) = &unique {
                    let around = peer.reaches(unique, path, interface, member).await;
                    assert_eq!(came, around, "{}: {member} by the unique name of {name}", peer.user);
                }
                if came {
                    row.push(peer.user.clone());
                }
            }
        }
    }
}

async fn tell_and_hear(house: &House, table: &mut Table) {
    let everyone = || house.named.iter().chain(&house.nameless);
    let marker = |verb: &str, who: &str, name: &str| format!("{verb}_{who}_{name}").replace(['.', '-'], "_");
    for name in NAMES {
        house.named[house.holders[name]].signal(None, &marker("hear", "", name)).await.unwrap();
        for peer in &house.nameless {
            peer.signal(Some(name), &marker("tell", &peer.user, name)).await.unwrap();
        }
    }
    for _ in 0..2 {
        for peer in everyone() {
            peer.settle().await.unwrap();
        }
    }
    // What has arrived is still to be taken note of.
    tokio::time::sleep(Duration::from_millis(200)).await;
    for name in NAMES {
        let holder = &house.named[house.holders[name]];
        let told = house.nameless.iter().filter(|peer| holder.heard(&marker("tell", &peer.user, name)));
        table.insert(format!("tell {name}"), told.map(|peer| peer.user.clone()).collect());
        for (how, peers) in [("with names", &house.named), ("nameless", &house.nameless)] {
            let heard = peers.iter().filter(|peer| peer.heard(&marker("hear", "", name)));
            table.insert(format!("hear {name} {how}"), heard.map(|peer| peer.user.clone()).collect());
        }
    }
}

async fn measure(kind: Kind) -> Table {
    let broker = Broker::start(kind).unwrap();
    let mut table = Table::new();
    let house = gather(&broker, &mut table).await;
    tell_and_hear(&house, &mut table).await;
    call(&house, &mut table).await;
    table
}

#[tokio::test]
async fn t2_on_the_bus_everyone_may_do_what_was_reviewed_and_no_more() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: to be each account of the image takes root");
        return;
    }
    let mut table = measure(Kind::Development).await;
    let mut text = HEAD.to_owned();
    for (what, who) in &table {
        let who = if who.is_empty() { "nobody".to_owned() } else { who.join(" ") };
        writeln!(text, "{what}: {who}").unwrap();
    }
    testkit::golden::kept(xtask::paths::root().join("services/access.txt"), &text);
    for who in table.values_mut() {
        who.retain(|user| user != "nestling-agent");
    }
    assert_eq!(measure(Kind::Product).await, table, "the agent gives others something as well");
}
