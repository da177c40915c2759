//! Who reaches the modem: Debian 13's own ModemManager on the bus of the watch, as its user, and every account of the
//! image at every method, property and signal it says it has.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it is surprised")]

mod broker;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{File, Permissions, create_dir, set_permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use broker::{Broker, Peer};
use sim::{Event, World, WorldConfig};
use xtask::image::Kind;
use zbus::{OwnedObjectPath, OwnedVariant, Variant};

const NAME: &str = "org.freedesktop.ModemManager1";
const ROOT: &str = "/org/freedesktop/ModemManager1";
const MODEM: &str = "org.freedesktop.ModemManager1.Modem";
const VOICE: &str = "org.freedesktop.ModemManager1.Modem.Voice";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const MANAGER: &str = "org.freedesktop.DBus.ObjectManager";
const TELEPHONY: &str = "nestling-telephony";
const AGENT: &str = "nestling-agent";
const MUM: &str = "+358405550001";
const PATIENCE: Duration = Duration::from_secs(40);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// What has more is not looked at: a generic modem with one call, one text and one bearer has a hundred.
const FEWEST_DOORS: usize = 100;

/// All that telephonyd may do at ModemManager: the reviewed list. Its source and its bus policy are held to it.
const MAY_CALL: [(&str, &str); 13] = [
    (MANAGER, "GetManagedObjects"),
    (PROPERTIES, "GetAll"),
    ("org.freedesktop.ModemManager1.Call", "Accept"),
    ("org.freedesktop.ModemManager1.Call", "Hangup"),
    ("org.freedesktop.ModemManager1.Call", "SendDtmf"),
    ("org.freedesktop.ModemManager1.Call", "Start"),
    (MODEM, "Enable"),
    ("org.freedesktop.ModemManager1.Modem.Location", "GetLocation"),
    ("org.freedesktop.ModemManager1.Modem.Modem3gpp", "Register"),
    ("org.freedesktop.ModemManager1.Modem.Time", "GetNetworkTime"),
    (VOICE, "CreateCall"),
    (VOICE, "DeleteCall"),
    (VOICE, "HangupAll"),
];

/// What the developer's agent may, which is in no product: look.
const AGENT_MAY_CALL: [(&str, &str); 3] =
    [(MANAGER, "GetManagedObjects"), (PROPERTIES, "Get"), (PROPERTIES, "GetAll")];

/// What is tried with which arguments. Most methods are called without theirs: the bus looks at none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Arguments {
    None,
    Interface(String),
    Property(String, String),
    Setting(String, String),
}

/// A call that can be made at an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Door {
    path: String,
    /// Empty for a call that names none.
    interface: String,
    member: String,
    arguments: Arguments,
}

impl Door {
    fn new(path: &str, interface: &str, member: &str, arguments: Arguments) -> Self {
        Self { path: path.into(), interface: interface.into(), member: member.into(), arguments }
    }

    /// What a peer hears who goes there.
    async fn tried_by(&self, peer: &Peer, to: &str) -> Result<(), String> {
        let interface = (!self.interface.is_empty()).then_some(self.interface.as_str());
        let (path, member) = (self.path.as_str(), self.member.as_str());
        let answer = match &self.arguments {
            Arguments::None => peer.call(to, path, interface, member, &()).await,
            Arguments::Interface(of) => peer.call(to, path, interface, member, &of).await,
            Arguments::Property(of, name) => peer.call(to, path, interface, member, &(of, name)).await,
            Arguments::Setting(of, name) => {
                peer.call(to, path, interface, member, &(of, name, Variant::from(0_u32))).await
            }
        };
        answer.map(drop)
    }
}

/// All calls ModemManager takes, and the signals it sends.
#[derive(Debug, Default)]
struct Doors {
    calls: BTreeSet<Door>,
    signals: BTreeSet<String>,
}

impl Doors {
    fn add(&mut self, path: &str, xml: &str) {
        let mut interface = String::new();
        for line in xml.lines().map(str::trim) {
            let Some(name) = attribute(line, "name") else { continue };
            let mut call = |interface: &str, member: &str, arguments| {
                self.calls.insert(Door::new(path, interface, member, arguments));
            };
            if line.starts_with("<interface") {
                name.clone_into(&mut interface);
                call(PROPERTIES, "GetAll", Arguments::Interface(name.into()));
            } else if line.starts_with("<method") {
                call(&interface, name, Arguments::None);
                call("", name, Arguments::None);
            } else if line.starts_with("<property") {
                call(PROPERTIES, "Get", Arguments::Property(interface.clone(), name.into()));
                call(PROPERTIES, "Set", Arguments::Setting(interface.clone(), name.into()));
            } else if line.starts_with("<signal") {
                self.signals.insert(name.into());
            }
        }
    }
}

fn attribute<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    line.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

type Interfaces = HashMap<String, HashMap<String, OwnedVariant>>;

/// ModemManager with one modem, on the bus of an image.
struct House {
    manager: Child,
    world: World,
    /// May do all, and is in no image.
    hand: Peer,
    modem: String,
    broker: Broker,
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.manager.kill();
        let _ = self.manager.wait();
    }
}

/// Only the plugin of the simulated modem, which is quick to look for one.
fn manager(broker: &Broker) -> Child {
    let plugins = broker.root().join("plugins");
    create_dir(&plugins).unwrap();
    set_permissions(&plugins, Permissions::from_mode(0o755)).unwrap();
    let plugin = "libmm-plugin-generic.so";
    symlink(format!("/usr/lib/x86_64-linux-gnu/ModemManager/{plugin}"), plugins.join(plugin)).unwrap();
    let user = broker.users.iter().find(|user| user.name == "nestling-modem").unwrap();
    let log = File::create(broker.root().join("manager-log")).unwrap();
    broker
        .program(user, "/usr/sbin/ModemManager")
        .args(["--test-session", "--no-auto-scan", "--test-no-udev", "--test-no-suspend-resume"])
        .args(["--test-no-qrtr", "--test-enable", "--test-plugin-dir=/plugins"])
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

impl House {
    async fn start(kind: Kind) -> Self {
        let (broker, hand) = Broker::start_with_a_hand(kind, NAME).unwrap();
        let world = World::start(WorldConfig::default());
        let port = format!("abstract:nestling-doors-{}-{}", kind.name(), std::process::id());
        world.listen_modem(&port).unwrap();
        let manager = manager(&broker);
        let hand = broker.connect(&hand).await.unwrap();
        let mut house = Self { manager, world, hand, modem: String::new(), broker };
        let profile = ("nestling", "generic", vec![port.as_str()]);
        let test = "org.freedesktop.ModemManager1.Test";
        house
            .until("the profile", async |house| house.ask(ROOT, test, "SetProfile", &profile).await.ok())
            .await;
        house.modem = house.until("a modem that can call", async |house| house.voice().await).await;
        house.ask(&house.modem, MODEM, "Enable", &true).await.unwrap();
        house
    }

    async fn until<T>(&self, what: &str, look: impl AsyncFn(&Self) -> Option<T>) -> T {
        let search = async {
            loop {
                if let Some(found) = look(self).await {
                    return found;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, search).await;
        let log = || std::fs::read_to_string(self.broker.root().join("manager-log")).unwrap_or_default();
        found.unwrap_or_else(|_| panic!("never: {what}\n{}", log()))
    }

    async fn ask(
        &self,
        path: &str,
        interface: &str,
        member: &str,
        body: &(impl serde::Serialize + zbus::zvariant::DynamicType),
    ) -> Result<zbus::Message, String> {
        self.hand.call(NAME, path, Some(interface), member, body).await
    }

    async fn voice(&self) -> Option<String> {
        let answer = self.ask(ROOT, MANAGER, "GetManagedObjects", &()).await.ok()?;
        let objects: HashMap<OwnedObjectPath, Interfaces> = answer.body().deserialize().ok()?;
        objects.iter().find_map(|(path, all)| all.contains_key(VOICE).then(|| path.as_str().to_owned()))
    }

    /// Makes one object of every kind there is.
    async fn furnish(&self) {
        let number = || ("number", Variant::from(MUM));
        let text = HashMap::from([number(), ("text", Variant::from("on my way"))]);
        let bearer = HashMap::from([("apn", Variant::from("internet"))]);
        let messaging = "org.freedesktop.ModemManager1.Modem.Messaging";
        self.ask(&self.modem, VOICE, "CreateCall", &HashMap::from([number()])).await.unwrap();
        self.ask(&self.modem, messaging, "Create", &text).await.unwrap();
        self.ask(&self.modem, MODEM, "CreateBearer", &bearer).await.unwrap();
    }

    /// All there is, by ModemManager's own introspection.
    async fn doors(&self) -> Doors {
        let (mut doors, mut left) = (Doors::default(), vec![ROOT.to_owned()]);
        while let Some(path) = left.pop() {
            let answer = self.ask(&path, "org.freedesktop.DBus.Introspectable", "Introspect", &()).await;
            let xml: String = answer.unwrap().body().deserialize().unwrap();
            doors.add(&path, &xml);
            let nodes = xml.lines().map(str::trim).filter(|line| line.starts_with("<node"));
            left.extend(
                nodes.filter_map(|line| attribute(line, "name")).map(|name| format!("{path}/{name}")),
            );
        }
        doors
    }
}

async fn peers(broker: &Broker) -> Vec<Peer> {
    let mut peers = Vec::new();
    for user in &broker.users {
        peers.push(broker.connect(user).await.unwrap());
    }
    peers
}

/// Who came through where.
async fn who_comes_through(
    doors: &Doors,
    peers: &[Peer],
    unique: &str,
) -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut came: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for door in &doors.calls {
        for peer in peers {
            for to in [NAME, unique] {
                if !door.tried_by(peer, to).await.is_err_and(|error| error.starts_with(broker::DENIED)) {
                    came.entry(peer.user.clone())
                        .or_default()
                        .insert((door.interface.clone(), door.member.clone()));
                }
            }
        }
    }
    came
}

fn owned(list: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    list.iter().map(|(interface, member)| ((*interface).to_owned(), (*member).to_owned())).collect()
}

fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        println!("skipped: to be each account of the image takes root");
    }
    root
}

async fn only_telephony_reaches_the_modem(kind: Kind) {
    let house = House::start(kind).await;
    house.furnish().await;
    let doors = house.doors().await;
    assert!(doors.calls.len() >= FEWEST_DOORS, "{doors:?}");
    for (interface, member) in [
        (MODEM, "Command"),
        ("org.freedesktop.ModemManager1.Modem.Modem3gpp.Ussd", "Initiate"),
        ("org.freedesktop.ModemManager1.Sim", "SendPin"),
        ("org.freedesktop.ModemManager1.Modem.Location", "Setup"),
        ("org.freedesktop.ModemManager1.Modem.Messaging", "Create"),
        ("org.freedesktop.ModemManager1.Call", "Accept"),
        ("org.freedesktop.ModemManager1.Sms", "Send"),
        ("org.freedesktop.ModemManager1.Bearer", "Connect"),
    ] {
        let there = doors.calls.iter().any(|door| door.interface == interface && door.member == member);
        assert!(there, "the real ModemManager shows no {interface} {member}");
    }
    let peers = peers(&house.broker).await;
    let unique = house.hand.owner(NAME).await.unwrap();
    let mut expected = BTreeMap::from([(TELEPHONY.to_owned(), owned(&MAY_CALL))]);
    if peers.iter().any(|peer| peer.user == AGENT) {
        expected.insert(AGENT.to_owned(), owned(&AGENT_MAY_CALL));
    }
    assert_eq!(who_comes_through(&doors, &peers, &unique).await, expected);
}

#[tokio::test]
async fn t15_a07_a10_nobody_but_telephonyd_reaches_the_modem_and_telephonyd_reaches_only_what_it_needs() {
    if is_root() {
        only_telephony_reaches_the_modem(Kind::Product).await;
    }
}

#[tokio::test]
async fn a10_the_agent_of_the_development_image_only_looks_at_the_modem() {
    if is_root() {
        only_telephony_reaches_the_modem(Kind::Development).await;
    }
}

#[tokio::test]
async fn a04_nobody_but_telephonyd_hears_the_modem() {
    if !is_root() {
        return;
    }
    let house = House::start(Kind::Development).await;
    let peers = peers(&house.broker).await;
    let signals = house.doors().await.signals;
    assert!(signals.contains("CallAdded") && signals.contains("PropertiesChanged"), "{signals:?}");
    house.world.call(Some(MUM)).unwrap();
    house.until("the call is told", async |house| house.hand.heard("CallAdded").then_some(())).await;
    house.world.hang_up().unwrap();
    house.world.wait_for(0, PATIENCE, |event| matches!(event, Event::HungUpByRemote { .. })).await.unwrap();
    house.until("its end is told", async |house| house.hand.heard("StateChanged").then_some(())).await;
    for _ in 0..2 {
        for peer in &peers {
            peer.settle().await.unwrap();
        }
    }
    house
        .until("telephonyd hears it too", async |_| {
            let telephony = peers.iter().find(|peer| peer.user == TELEPHONY)?;
            (telephony.heard("CallAdded") && telephony.heard("StateChanged")).then_some(())
        })
        .await;
    for peer in peers.iter().filter(|peer| peer.user != TELEPHONY) {
        let heard: Vec<_> = peer.all_heard().into_iter().filter(|member| signals.contains(member)).collect();
        assert_eq!(heard, [""; 0], "{} hears the modem", peer.user);
    }
}

/// Besides the bus: as the image starts it, ModemManager itself does not pass commands on.
#[tokio::test]
async fn a10_modem_manager_without_debug_passes_no_at_command_on() {
    if !is_root() {
        return;
    }
    let house = House::start(Kind::Product).await;
    let mark = house.world.mark();
    let dial = format!("D{MUM};");
    let answer = house.ask(&house.modem, MODEM, "Command", &(dial, 3_u32)).await;
    assert!(answer.as_ref().is_err_and(|error| error.contains("debug mode")), "{answer:?}");
    house.ask(&house.modem, MODEM, "Enable", &true).await.unwrap();
    assert_eq!(house.world.events(mark), []);
}

/// The sources of telephonyd: a method that is not declared in one place is called nowhere.
#[test]
fn a10_a06_telephonyd_declares_what_it_calls_of_modem_manager_in_one_place_and_no_more() {
    let source = xtask::paths::root().join("crates/telephonyd/src");
    let mut left = vec![source.clone()];
    // The bus's own interfaces, which zbus brings.
    let mut declared = owned(&MAY_CALL[..2]);
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            if path.strip_prefix(&source).unwrap() == Path::new("modem/proxies.rs") {
                declared.extend(declarations(&text));
                continue;
            }
            for other in [
                "#[proxy",
                "#[zbus::proxy",
                "proxy]",
                "call_method",
                "call_noreply",
                "zbus::Proxy",
                "method_call(",
            ] {
                assert!(!text.contains(other), "{} calls by itself: {other}", path.display());
            }
        }
    }
    assert_eq!(declared, owned(&MAY_CALL));
}

/// Interfaces and methods of zbus proxies.
fn declarations(text: &str) -> BTreeSet<(String, String)> {
    let (mut interface, mut found) = (String::new(), BTreeSet::new());
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.split_once("interface = \"").and_then(|(_, rest)| rest.split('"').next()) {
            name.clone_into(&mut interface);
        }
        if let Some(name) = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next()) {
            let capital = |word: &str| {
                word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default()
            };
            found.insert((interface.clone(), name.split('_').map(capital).collect()));
        }
    }
    found
}

/// With `--debug` its `Command` passes everything on, and its log holds numbers.
#[test]
fn a10_no_image_starts_modem_manager_with_debug() {
    for kind in [Kind::Product, Kind::Development] {
        let files = xtask::image::assemble(kind, &xtask::debian::tree::ensure(false).unwrap(), &[]).unwrap();
        let unit = |path: &str| path.contains("/ModemManager.service");
        let texts = files.iter().filter(|(path, _)| unit(path)).filter_map(|(path, _)| files.bytes(path));
        let texts: Vec<_> = texts.map(|text| String::from_utf8_lossy(text).into_owned()).collect();
        let starts: Vec<_> = texts
            .iter()
            .flat_map(|text| text.lines())
            .filter(|line| {
                line.starts_with("ExecStart")
                    || line.starts_with("Environment")
                    || line.starts_with("PassEnv")
            })
            .collect();
        let ours = "ExecStart=/usr/sbin/ModemManager --filter-policy=ALLOWLIST-ONLY";
        assert_eq!(starts, ["ExecStart=/usr/sbin/ModemManager", "ExecStart=", ours], "{}", kind.name());
    }
}
