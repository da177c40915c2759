//! A watch whose log was written by version 1 goes on with it.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use daemon::wall::Now;
use ipc::PolicyState;
use nestling_policyd::anchor::HomeConfig;
use nestling_policyd::config::Config;
use nestling_policyd::office::Office;
use orders::{Body, Door, EnrolmentCode, Ledger, PolicyHash, Signer, WatchId};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const SCHEMA: &str = "
PRAGMA application_id = 0x4e4f5244;
PRAGMA user_version = 1;
CREATE TABLE entry (
    seq         INTEGER PRIMARY KEY CHECK (seq > 0),
    accepted_at INTEGER NOT NULL,
    envelope    BLOB NOT NULL CHECK (length(envelope) <= 262144),
    link        BLOB NOT NULL CHECK (length(link) = 32)
) STRICT;
";

struct Watch {
    dir: TempDir,
    mum: Signer,
    base: PolicyHash,
}

impl Watch {
    /// A watch as version 1 left it, after an enrolment in the shape of that time and a policy.
    fn of_version_1() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["state", "anchor", "store"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let device = [3; 32];
        fs::write(dir.path().join("state/device.key"), device).unwrap();
        let watch = WatchId::of_device_key(&Signer::from_secret(&device).public().to_bytes());
        let mut mum = Signer::from_secret(&[1; 32]);
        let (code, key) =
            (EnrolmentCode::from_random([5; 8]).digits(), serde_json::to_value(mum.public()).unwrap());
        let enrol = serde_json::json!({
            "watch": watch, "signer": mum.public().id(), "counter": 1, "issued_at": 0,
            "body": {"enrol": {"code": code, "key": key, "guardian": "mum", "role": "main"}},
        });
        let enrol = mum.seal(serde_json::to_vec(&enrol).unwrap());
        mum = mum.after(1);
        let policy = serde_json::from_str(include_str!("../../../tests/family.json")).unwrap();
        let set = mum.order(&watch, 0, Body::SetPolicy { base: None, policy });
        let base = PolicyHash::of_payload(&set.payload);
        write_version_1(dir.path(), &watch, &[enrol.to_bytes(), set.to_bytes()]);
        Self { dir, mum, base }
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

    fn goes_on(&mut self, office: &mut Office) {
        let policy = serde_json::from_str(include_str!("../../../tests/family.json")).unwrap();
        let body = Body::SetPolicy { base: Some(self.base.clone()), policy };
        let order = self.mum.order(&WatchId::parse(office.watch()).unwrap(), 0, body);
        self.base = PolicyHash::of_payload(&order.payload);
        office.submit(&order.to_bytes(), now()).unwrap();
    }
}

fn now() -> Now {
    Now { boot: Duration::from_secs(5), unix: 1_790_000_000 }
}

fn write_version_1(root: &Path, watch: &WatchId, envelopes: &[Vec<u8>]) {
    let db = Connection::open(root.join("state/orders.db")).unwrap();
    db.execute_batch(SCHEMA).unwrap();
    let mut ledger = Ledger::new(watch.clone());
    let mut link = [0_u8; 32];
    for (seq, envelope) in (1_u64..).zip(envelopes) {
        let hash = Sha256::new().chain_update(link).chain_update(seq.to_le_bytes());
        link = hash.chain_update(0_i64.to_le_bytes()).chain_update(envelope).finalize().into();
        db.execute("INSERT INTO entry VALUES (?1, 0, ?2, ?3)", params![seq.cast_signed(), envelope, link])
            .unwrap();
        ledger.apply(envelope, Door::Log).unwrap();
    }
    let head = Sha256::new().chain_update(ledger.keyring().fingerprint()).chain_update(link).finalize();
    let anchor = serde_json::json!({"bound": <[u8; 32]>::from(head), "epoch": envelopes.len()});
    fs::write(root.join("anchor/anchor.json"), anchor.to_string()).unwrap();
}

#[test]
fn a_log_of_version_1_is_copied_migrated_and_gone_on_with() {
    let mut watch = Watch::of_version_1();
    let before = fs::read(watch.path("state/orders.db")).unwrap();
    let mut office = watch.boot();
    assert_eq!((office.state(), office.revision()), (PolicyState::Bound, 2));
    assert_eq!(fs::read(watch.path("state/orders.v1.db")).unwrap(), before, "the copy is the old file");
    watch.goes_on(&mut office);
    drop(office);
    let mut office = watch.boot();
    assert_eq!((office.state(), office.revision()), (PolicyState::Bound, 3));
    watch.goes_on(&mut office);
}

#[test]
fn a46_a_power_cut_between_migration_and_anchor_loses_nothing() {
    let mut watch = Watch::of_version_1();
    let anchor = fs::read(watch.path("anchor/anchor.json")).unwrap();
    drop(watch.boot());
    fs::write(watch.path("anchor/anchor.json"), anchor).unwrap();
    let mut office = watch.boot();
    assert_eq!((office.state(), office.revision()), (PolicyState::Bound, 2));
    watch.goes_on(&mut office);
}

#[test]
fn a19_the_old_log_restored_after_a_migration_seals_the_watch() {
    let mut watch = Watch::of_version_1();
    let old = fs::read(watch.path("state/orders.db")).unwrap();
    let mut office = watch.boot();
    watch.goes_on(&mut office);
    drop(office);
    fs::write(watch.path("state/orders.db"), old).unwrap();
    assert_eq!(watch.boot().state(), PolicyState::Sealed);
}

#[test]
fn a31_a_changed_log_of_version_1_is_not_migrated() {
    let watch = Watch::of_version_1();
    let db = Connection::open(watch.path("state/orders.db")).unwrap();
    db.execute("UPDATE entry SET accepted_at = 1 WHERE seq = 1", []).unwrap();
    drop(db);
    let before = fs::read(watch.path("state/orders.db")).unwrap();
    assert_eq!(watch.boot().state(), PolicyState::Sealed);
    assert_eq!(fs::read(watch.path("state/orders.db")).unwrap(), before, "the log is left as it was found");
}

#[test]
fn a31_a_log_of_version_1_that_the_anchor_does_not_hold_is_not_migrated() {
    let watch = Watch::of_version_1();
    fs::remove_file(watch.path("anchor/anchor.json")).unwrap();
    let before = fs::read(watch.path("state/orders.db")).unwrap();
    assert_eq!(watch.boot().state(), PolicyState::Sealed);
    assert_eq!(fs::read(watch.path("state/orders.db")).unwrap(), before, "the log is left as it was found");
}

#[test]
fn a_migration_that_was_cut_short_is_done_again() {
    let watch = Watch::of_version_1();
    fs::write(watch.path("state/orders.db.migrating"), b"half of it").unwrap();
    assert_eq!(watch.boot().state(), PolicyState::Bound);
    assert!(!watch.path("state/orders.db.migrating").exists());
}
