//! Orders, the log, the anchor and the store over restarts, damage and attack; without a bus.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use ipc::{PolicyState, Refusal};
use nestling_policyd::anchor::HomeConfig;
use nestling_policyd::config::Config;
use nestling_policyd::office::{Now, Office};
use orders::{Body, Enrolment, PolicyHash, Role, Signer, WatchId};
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
        let (code, _) = office.open_enrolment(now()).unwrap();
        let enrolment = Enrolment {
            code: code.replace(' ', ""),
            key: watch.mum.public(),
            guardian: "mum".into(),
            role: Role::Main,
        };
        watch.submit(&mut office, Body::Enrol(enrolment)).unwrap();
        watch.set(&mut office, family()).unwrap();
        (watch, office)
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
    assert_eq!(kinds(&office), ["enrol", "set-policy", "set-policy", "order-refused", "order-refused"]);
}

#[test]
fn a17_once_bound_no_code_is_shown_again() {
    let (_watch, mut office) = Watch::bound();
    assert!(matches!(office.open_enrolment(now()), Err(Refusal::Enrolment(_))));
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
