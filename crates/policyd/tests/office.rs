//! Orders, the log, the anchor and the store over restarts, damage and attack; without a bus.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use daemon::wall::Now;
use ipc::{PolicyState, Refusal};
use nestling_policyd::anchor::HomeConfig;
use nestling_policyd::config::Config;
use nestling_policyd::office::Office;
use orders::{Body, Enrolment, EnrolmentCode, PolicyHash, PublicKey, Role, Signer, WatchId};
use policy::Policy;
use store::Reader;
use tempfile::TempDir;

/// A watch's storage, and a guardian far away.
struct Watch {
    dir: TempDir,
    mum: Signer,
    base: Option<PolicyHash>,
}

fn now() -> Now {
    Now { boot: Duration::from_secs(5), unix: 1_790_000_000 }
}

fn family() -> Policy {
    serde_json::from_str(include_str!("../../../tests/family.json")).unwrap()
}

impl Watch {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["state", "anchor", "store"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        Self { dir, mum: Signer::from_secret(&[1; 32]), base: None }
    }

    /// A watch with a guardian and the family's policy.
    fn bound() -> (Self, Office) {
        let mut watch = Self::new();
        let mut office = watch.boot();
        watch.bind(&mut office);
        (watch, office)
    }

    fn bind(&mut self, office: &mut Office) {
        let enrolment = Self::enrolment(office, "mum", Role::Main, self.mum.public());
        self.submit(office, Body::Enrol(enrolment)).unwrap();
        self.set(office, family()).unwrap();
    }

    /// With the code on the screen.
    fn enrolment(office: &mut Office, guardian: &str, role: Role, key: PublicKey) -> Enrolment {
        let (code, _) = office.open_enrolment(now()).unwrap();
        let code = EnrolmentCode::parse(&code.replace(' ', "")).unwrap();
        Enrolment { code, guardian: guardian.into(), role, keys: vec![key], recovery: None }
    }

    /// A second guardian, with the code on the screen, main's signature and his own.
    fn takes_in_dad(&mut self, office: &mut Office) -> Signer {
        let dad = Signer::from_secret(&[2; 32]);
        let enrolment = Self::enrolment(office, "dad", Role::Guardian, dad.public());
        let id = WatchId::parse(office.watch()).unwrap();
        let mut order = self.mum.order(&id, 0, Body::Enrol(enrolment));
        dad.cosign(&mut order);
        office.submit(&order.to_bytes(), now()).unwrap();
        dad
    }

    /// What nestling-tidy does: all but the anchor goes.
    fn erase(&self) {
        fs::remove_dir_all(self.path("state")).unwrap();
        fs::create_dir(self.path("state")).unwrap();
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn boot(&self) -> Office {
        let config = Config {
            state: self.path("state"),
            anchor: HomeConfig::File { directory: self.path("anchor") },
            store: self.path("store"),
            allow_memory: true,
            ..Config::default()
        };
        Office::open(&config, now()).unwrap()
    }

    fn submit(&mut self, office: &mut Office, body: Body) -> Result<u64, Refusal> {
        let watch = WatchId::parse(office.watch()).unwrap();
        let is_policy = matches!(body, Body::SetPolicy { .. });
        let envelope = self.mum.order(&watch, 0, body);
        let taken = office.submit(&envelope.to_bytes(), now())?;
        if is_policy {
            self.base = Some(PolicyHash::of_payload(&envelope.payload));
        }
        Ok(taken)
    }

    fn set(&mut self, office: &mut Office, policy: Policy) -> Result<u64, Refusal> {
        let body = Body::SetPolicy { base: self.base.clone(), policy };
        self.submit(office, body)
    }

    fn published(&self) -> Option<Policy> {
        Reader::open(&self.path("store")).ok().map(|reader| reader.policy().clone())
    }
}

fn kinds(office: &Office) -> Vec<String> {
    office.read_diary(0, 100).unwrap().into_iter().map(|line| line.kind).collect()
}

fn without_aunt() -> Policy {
    let mut policy = family();
    policy.contacts.retain(|contact| contact.id != "aunt");
    policy
}

#[test]
fn t1_a_fresh_watch_is_unbound_and_publishes_nothing() {
    let watch = Watch::new();
    let office = watch.boot();
    assert_eq!((office.state(), office.revision()), (PolicyState::Unbound, 0));
    assert_eq!(watch.published(), None);
}

#[test]
fn a15_two_watches_share_no_key() {
    assert_ne!(Watch::new().boot().watch(), Watch::new().boot().watch());
}

#[test]
fn an_order_is_published_and_stands_after_a_restart() {
    let (mut watch, mut office) = Watch::bound();
    assert_eq!((office.state(), office.revision()), (PolicyState::Bound, 2));
    assert_eq!(watch.published(), Some(family()));
    watch.set(&mut office, without_aunt()).unwrap();
    assert_eq!(watch.published(), Some(without_aunt()));
    drop(office);
    fs::remove_file(watch.path("store").join("policy.db")).unwrap();
    let office = watch.boot();
    assert_eq!((office.state(), office.revision()), (PolicyState::Bound, 3));
    assert_eq!(watch.published(), Some(without_aunt()));
}

#[test]
fn a19_a_replay_is_refused_and_in_the_diary_also_after_a_restart() {
    let (mut watch, mut office) = Watch::bound();
    let id = WatchId::parse(office.watch()).unwrap();
    let body = Body::SetPolicy { base: watch.base.clone(), policy: without_aunt() };
    let envelope = watch.mum.order(&id, 0, body).to_bytes();
    office.submit(&envelope, now()).unwrap();
    assert!(matches!(office.submit(&envelope, now()), Err(Refusal::Replayed(_))));
    drop(office);
    let mut office = watch.boot();
    assert!(matches!(office.submit(&envelope, now()), Err(Refusal::Replayed(_))));
    assert_eq!(
        kinds(&office),
        ["enrol", "guardian-added", "set-policy", "set-policy", "order-refused", "order-refused"]
    );
}

#[test]
fn a17_on_a_bound_watch_the_code_alone_enrols_nobody() {
    let (_watch, mut office) = Watch::bound();
    let mut stranger = Signer::from_secret(&[9; 32]);
    let enrolment = Watch::enrolment(&mut office, "stranger", Role::Guardian, stranger.public());
    let id = WatchId::parse(office.watch()).unwrap();
    let alone = stranger.order(&id, 0, Body::Enrol(enrolment)).to_bytes();
    assert!(matches!(office.submit(&alone, now()), Err(Refusal::BadSignature(_))));
    assert_eq!(office.guardians().len(), 1);
}

#[test]
fn t30_who_may_order_is_in_the_diary_and_for_the_child_to_see() {
    let (mut watch, mut office) = Watch::bound();
    let mut dad = watch.takes_in_dad(&mut office);
    let id = WatchId::parse(office.watch()).unwrap();
    let seen: Vec<_> = office.guardians().into_iter().map(|one| (one.name, one.main)).collect();
    assert_eq!(seen, [("Mum".to_owned(), true), ("Dad".to_owned(), false)]);

    let retire = |guardian: &str| Body::Retire { guardian: guardian.into(), key: None, heir: None };
    let dads = dad.order(&id, 0, retire("mum")).to_bytes();
    assert!(matches!(office.submit(&dads, now()), Err(Refusal::Enrolment(_))), "nobody removes main");
    let mums = watch.mum.order(&id, 0, retire("dad")).to_bytes();
    office.submit(&mums, now()).unwrap();
    let lines = office.read_diary(0, 100).unwrap();
    let told: Vec<_> = lines
        .iter()
        .filter(|line| line.kind.starts_with("guardian-"))
        .map(|line| (line.kind.as_str(), line.details["guardian"].as_str(), line.details["by"].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("guardian-added", "mum", "mum"),
            ("guardian-added", "dad", "mum"),
            ("guardian-removed", "dad", "mum")
        ]
    );
}

#[test]
fn a33_only_mains_order_wipes_and_the_watch_is_free_only_after_it() {
    let (mut watch, mut office) = Watch::bound();
    let old = fs::read(watch.path("state").join("orders.db")).unwrap();
    let mut dad = watch.takes_in_dad(&mut office);
    let id = WatchId::parse(office.watch()).unwrap();
    let dads = dad.order(&id, 0, Body::Wipe {}).to_bytes();
    assert!(matches!(office.submit(&dads, now()), Err(Refusal::RoleForbids(_))));
    watch.submit(&mut office, Body::Wipe {}).unwrap();
    assert!(office.is_erased() && office.state() == PolicyState::Sealed);
    assert_eq!(watch.published(), None);
    drop(office);
    // Before the storage is erased nothing in it counts, and a start does not ask for another one.
    let office = watch.boot();
    assert!(office.state() == PolicyState::Sealed && !office.is_erased());
    drop(office);
    watch.erase();
    let mut office = watch.boot();
    assert_eq!((office.state(), office.revision()), (PolicyState::Unbound, 0));
    // The old family's log is worth nothing, whoever kept it.
    drop(office);
    fs::write(watch.path("state").join("orders.db"), old).unwrap();
    assert_eq!(watch.boot().state(), PolicyState::Sealed);
    watch.erase();
    office = watch.boot();
    watch.mum = Signer::from_secret(&[7; 32]);
    watch.base = None;
    watch.bind(&mut office);
    assert_eq!(office.state(), PolicyState::Bound);
    drop(office);
    assert_eq!(watch.boot().state(), PolicyState::Bound);
}

#[test]
fn a33_a_power_cut_during_a_wipe_ends_in_a_wiped_watch() {
    let (mut watch, mut office) = Watch::bound();
    let before = fs::read(watch.path("anchor").join("anchor.json")).unwrap();
    watch.submit(&mut office, Body::Wipe {}).unwrap();
    drop(office);
    let mark = watch.path("state").join("erase");
    for anchor in [None, Some(before)] {
        fs::remove_file(&mark).unwrap();
        if let Some(anchor) = anchor {
            fs::write(watch.path("anchor").join("anchor.json"), anchor).unwrap();
        }
        let office = watch.boot();
        assert!(office.is_erased() && office.state() == PolicyState::Sealed && mark.exists());
    }
    watch.erase();
    assert_eq!(watch.boot().state(), PolicyState::Unbound);
}

#[test]
fn a33_an_anchor_that_fails_at_the_wipe_leaves_no_mark_before_it_knows() {
    let (mut watch, mut office) = Watch::bound();
    // What is to be written cannot be: a folder has its place.
    let building = watch.path("anchor").join("anchor.building");
    fs::create_dir(&building).unwrap();
    watch.submit(&mut office, Body::Wipe {}).unwrap();
    assert!(office.is_erased() && !watch.path("state").join("erase").exists());
    drop(office);
    // As long as the anchor cannot learn it, nothing is erased.
    assert_eq!(watch.boot().state(), PolicyState::Sealed);
    assert!(!watch.path("state").join("erase").exists());
    fs::remove_dir(&building).unwrap();
    let office = watch.boot();
    assert!(office.is_erased() && watch.path("state").join("erase").exists());
    watch.erase();
    assert_eq!(watch.boot().state(), PolicyState::Unbound);
}

#[test]
fn a31_a_trigger_in_the_log_that_throws_orders_away_seals_the_watch() {
    let (mut watch, office) = Watch::bound();
    drop(office);
    let db = rusqlite::Connection::open(watch.path("state").join("orders.db")).unwrap();
    db.execute_batch("CREATE TRIGGER x BEFORE INSERT ON entry BEGIN SELECT RAISE(IGNORE); END").unwrap();
    drop(db);
    sealed_for(&mut watch, "log-damaged");
}

#[test]
fn a43_an_order_that_is_no_policy_is_short() {
    let (mut watch, mut office) = Watch::bound();
    let id = WatchId::parse(office.watch()).unwrap();
    let order = watch.mum.order(&id, 0, Body::Resume {});
    let padded = [order.payload.as_slice(), &vec![b' '; 20_000]].concat();
    let padded = watch.mum.seal(padded).to_bytes();
    assert!(matches!(office.submit(&padded, now()), Err(Refusal::Malformed(_))));
    assert_eq!(office.revision(), 2);
}

#[test]
fn unlock_keeps_the_owners_boot_key_and_nothing_else() {
    let (mut watch, mut office) = Watch::bound();
    let boot_key = orders::BootKey::of_bytes(b"a key");
    watch.submit(&mut office, Body::Unlock { boot_key: boot_key.clone() }).unwrap();
    assert_eq!(fs::read_to_string(watch.path("state").join("boot-key")).unwrap(), boot_key.as_str());
    assert!(office.is_erased());
}

#[test]
fn what_nobody_on_the_watch_can_do_is_refused_and_does_not_count() {
    let (mut watch, mut office) = Watch::bound();
    assert!(matches!(watch.submit(&mut office, Body::Export {}), Err(Refusal::Unsupported(_))));
    let answer = Body::Answer { request: 1, yes: true, until: None };
    assert!(matches!(watch.submit(&mut office, answer), Err(Refusal::NotFound(_))));
    assert_eq!(office.revision(), 2);
}

#[test]
fn a_pause_is_published_and_ends_by_order() {
    let (mut watch, mut office) = Watch::bound();
    let store = watch.path("store");
    let paused = || Reader::open(&store).unwrap().rules().standing.paused.is_some();
    watch.submit(&mut office, Body::Pause { until: None }).unwrap();
    assert!(paused());
    drop(office);
    let mut office = watch.boot();
    assert!(paused());
    watch.submit(&mut office, Body::Resume {}).unwrap();
    assert!(!paused());
}

#[test]
fn a31_a_touched_store_is_built_again_and_nothing_is_lost() {
    let (watch, mut office) = Watch::bound();
    assert!(!office.mend_store(now()));
    let file = watch.path("store").join("policy.db");
    fs::remove_file(&file).unwrap();
    fs::write(&file, b"garbage").unwrap();
    assert_eq!(watch.published(), None);
    assert!(office.mend_store(now()));
    assert_eq!(watch.published(), Some(family()));
    assert!(!office.mend_store(now()));
    assert_eq!(kinds(&office).last().unwrap(), "store-rebuilt");
}

fn sealed_for(watch: &mut Watch, reason: &str) {
    let before = fs::read(watch.path("state").join("orders.db")).ok();
    let mut office = watch.boot();
    assert_eq!(office.state(), PolicyState::Sealed, "{reason}");
    assert_eq!(watch.published(), None, "a sealed watch publishes nothing");
    assert!(matches!(office.submit(b"{}", now()), Err(Refusal::Sealed(_))));
    assert!(matches!(office.open_enrolment(now()), Err(Refusal::Enrolment(_))));
    let diary = office.read_diary(0, 100).unwrap();
    let line = diary.iter().rfind(|line| line.kind == "sealed").unwrap();
    assert_eq!(line.details["reason"], reason);
    let after = fs::read(watch.path("state").join("orders.db")).ok();
    if before.is_some() {
        assert_eq!(before, after, "the log is left as it was found");
    }
}

fn damage(path: &Path) {
    fs::write(path, b"garbage, not a database, and long enough to be read as a header of one").unwrap();
}

#[test]
fn a31_a_damaged_log_seals_the_watch() {
    let (mut watch, office) = Watch::bound();
    drop(office);
    damage(&watch.path("state").join("orders.db"));
    sealed_for(&mut watch, "log-damaged");
}

/// SQLite cannot open a database beside which a folder stands where a file of its own belongs.
#[test]
fn a31_a_folder_where_a_file_belongs_stops_nobody() {
    for name in ["diary.db", "orders.db", "device.key"]
        .into_iter()
        .flat_map(|name| ["", "-journal", "-wal", "-shm"].map(|ending| format!("{name}{ending}")))
    {
        let (watch, office) = Watch::bound();
        drop(office);
        let place = watch.path("state").join(&name);
        let _ = fs::remove_file(&place);
        fs::create_dir(&place).unwrap();
        fs::write(place.join("file"), "so that nobody removes it as an empty one").unwrap();
        let office = watch.boot();
        let told = office.read_diary(0, 100).unwrap();
        if name.starts_with("diary") {
            assert_eq!(office.state(), PolicyState::Bound, "{name}");
            assert!(told.iter().any(|line| line.kind == "diary-damaged"), "{name}");
        } else {
            assert_ne!(office.state(), PolicyState::Unbound, "{name}");
        }
    }
}

#[test]
fn a31_one_changed_byte_of_an_order_seals_the_watch() {
    let (mut watch, office) = Watch::bound();
    drop(office);
    let db = rusqlite::Connection::open(watch.path("state").join("orders.db")).unwrap();
    db.execute("UPDATE entry SET accepted_at = accepted_at + 1 WHERE seq = 1", []).unwrap();
    drop(db);
    sealed_for(&mut watch, "log-damaged");
}

#[test]
fn a33_a_lost_disk_is_no_first_run() {
    let watch = Watch::new();
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let config = Config {
        state: memory.path().into(),
        anchor: HomeConfig::File { directory: memory.path().into() },
        store: watch.path("store"),
        ..Config::default()
    };
    let mut office = Office::open(&config, now()).unwrap();
    assert_eq!(office.state(), PolicyState::Sealed);
    assert!(office.open_enrolment(now()).is_err());
}

#[test]
fn a33_wiping_the_log_to_enrol_afresh_seals_the_watch() {
    let (mut watch, office) = Watch::bound();
    drop(office);
    fs::remove_file(watch.path("state").join("orders.db")).unwrap();
    sealed_for(&mut watch, "log-rolled-back");
}

#[test]
fn a31_an_older_log_restored_seals_the_watch() {
    let (mut watch, mut office) = Watch::bound();
    let old = fs::read(watch.path("state").join("orders.db")).unwrap();
    watch.set(&mut office, without_aunt()).unwrap();
    drop(office);
    fs::write(watch.path("state").join("orders.db"), old).unwrap();
    sealed_for(&mut watch, "log-rolled-back");
}

#[test]
fn a31_a_damaged_anchor_or_device_key_seals_the_watch() {
    let (mut watch, office) = Watch::bound();
    drop(office);
    let key = fs::read(watch.path("state").join("device.key")).unwrap();
    fs::remove_file(watch.path("state").join("device.key")).unwrap();
    sealed_for(&mut watch, "no-device-key");
    fs::write(watch.path("state").join("device.key"), key).unwrap();
    assert_eq!(watch.boot().state(), PolicyState::Bound);
    damage(&watch.path("anchor").join("anchor.json"));
    sealed_for(&mut watch, "anchor-unreadable");
}

#[test]
fn a46_a_power_cut_between_log_and_anchor_loses_nothing() {
    let (mut watch, mut office) = Watch::bound();
    let anchor = fs::read(watch.path("anchor").join("anchor.json")).unwrap();
    watch.set(&mut office, without_aunt()).unwrap();
    drop(office);
    fs::write(watch.path("anchor").join("anchor.json"), anchor).unwrap();
    let mut office = watch.boot();
    assert_eq!((office.state(), office.revision()), (PolicyState::Bound, 3));
    assert_eq!(watch.published(), Some(without_aunt()));
    watch.set(&mut office, family()).unwrap();
    drop(office);
    assert_eq!(watch.boot().state(), PolicyState::Bound);
}

#[test]
fn a_damaged_diary_is_set_aside_and_the_new_one_says_so() {
    let (watch, office) = Watch::bound();
    drop(office);
    damage(&watch.path("state").join("diary.db"));
    let office = watch.boot();
    assert_eq!(office.state(), PolicyState::Bound);
    assert_eq!(kinds(&office), ["diary-damaged"]);
    let kept = fs::read_dir(watch.path("state"))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".damaged"));
    assert_eq!(kept.count(), 1);
}

#[test]
fn a_line_changed_in_the_diary_is_noticed() {
    let (watch, office) = Watch::bound();
    drop(office);
    let db = rusqlite::Connection::open(watch.path("state").join("diary.db")).unwrap();
    db.execute("UPDATE line SET kind = 'nothing-happened' WHERE seq = 2", []).unwrap();
    drop(db);
    assert_eq!(kinds(&watch.boot()), ["diary-damaged"]);
}
