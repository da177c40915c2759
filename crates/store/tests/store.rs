//! Publishing and reading, with the damage a hostile or dying disk can do.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::fs;
use std::path::Path;

use policy::{AppGrant, Contact, Day, Days, Expect, Kind, May, Policy, Region, Zone};
use proptest::prelude::*;
use store::{FILE, ReadError, Reader, publish, withdraw};
use tempfile::tempdir;

fn family(aunt: bool) -> Policy {
    let person = |id: &str, kind, number: &str| Contact {
        id: id.into(),
        name: format!("{id} 妈"),
        kind,
        numbers: vec![number.parse().unwrap(), format!("{number}9").parse().unwrap()],
        picture: "face:mum".into(),
        may: May { ring: true, be_called: false, write: false, be_written: false },
    };
    let mut contacts = vec![person("mum", Kind::Guardian, "+358405550001")];
    if aunt {
        contacts.push(person("aunt", Kind::Family, "+358405550002"));
    }
    let zone = Zone {
        id: "school".into(),
        name: "School".into(),
        latitude_e6: 60_170_000,
        longitude_e6: -24_940_000,
        radius_m: 150,
        expect: vec![
            Expect { days: Days::of(&[Day::Mon, Day::Tue]), by: "08:15".parse().unwrap() },
            Expect { days: Days::ALL, by: "00:00".parse().unwrap() },
        ],
    };
    // Not in the order of their ids: the family's order is kept.
    let apps = [("draw", None), ("beads", Some(1_780_000_000))]
        .map(|(app, until)| AppGrant { app: app.into(), until, permissions: vec![] })
        .into();
    Policy { zones: vec![zone], apps, ..Policy::of(Region::Eu, contacts) }
}

#[test]
fn what_is_published_is_what_is_read() {
    let dir = tempdir().unwrap();
    publish(dir.path(), 7, &family(true).into()).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.policy(), &family(true));
    assert_eq!(reader.revision(), 7);
}

#[test]
fn a_reader_sees_that_a_newer_store_is_there() {
    let dir = tempdir().unwrap();
    publish(dir.path(), 1, &family(true).into()).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    assert!(reader.is_current());
    publish(dir.path(), 2, &family(false).into()).unwrap();
    assert!(!reader.is_current());
    assert_eq!(Reader::open(dir.path()).unwrap().policy(), &family(false));
    withdraw(dir.path()).unwrap();
    withdraw(dir.path()).unwrap();
    assert!(matches!(Reader::open(dir.path()), Err(ReadError::Open(_))));
}

#[test]
fn a_build_cut_short_leaves_the_old_store_and_no_rubbish() {
    let dir = tempdir().unwrap();
    publish(dir.path(), 1, &family(true).into()).unwrap();
    fs::write(dir.path().join("policy.db.building"), b"half a file").unwrap();
    assert_eq!(Reader::open(dir.path()).unwrap().revision(), 1);
    publish(dir.path(), 2, &family(true).into()).unwrap();
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, [FILE]);
}

#[test]
fn a38_readers_get_no_right_to_write() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempdir().unwrap();
    publish(dir.path(), 1, &family(true).into()).unwrap();
    let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o440);
}

fn replace(dir: &Path, bytes: &[u8]) {
    fs::remove_file(dir.join(FILE)).unwrap();
    fs::write(dir.join(FILE), bytes).unwrap();
}

#[test]
fn a31_files_that_are_no_store_are_refused() {
    let dir = tempdir().unwrap();
    publish(dir.path(), 1, &family(true).into()).unwrap();
    for bytes in [&b""[..], b"garbage", b"SQLite format 3\0", &[0xff; 8192]] {
        replace(dir.path(), bytes);
        assert!(Reader::open(dir.path()).is_err());
    }
    replace(dir.path(), &vec![0; 5 << 20]);
    assert!(matches!(Reader::open(dir.path()), Err(ReadError::Shape)));
    fs::remove_file(dir.path().join(FILE)).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", dir.path().join(FILE)).unwrap();
    assert!(matches!(Reader::open(dir.path()), Err(ReadError::Shape)));
}

#[test]
fn a31_another_programs_database_is_refused() {
    let dir = tempdir().unwrap();
    let db = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    db.execute_batch("CREATE TABLE policy (one, revision, region)").unwrap();
    drop(db);
    assert!(matches!(Reader::open(dir.path()), Err(ReadError::Format { .. })));
}

#[test]
fn another_versions_store_is_refused() {
    let dir = tempdir().unwrap();
    publish(dir.path(), 1, &family(true).into()).unwrap();
    let path = dir.path().join(FILE);
    let bytes = fs::read(&path).unwrap();
    replace(dir.path(), &bytes);
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("PRAGMA user_version = 1").unwrap();
    drop(db);
    assert!(matches!(Reader::open(dir.path()), Err(ReadError::Format { version: 1, .. })));
}

#[test]
fn grants_that_are_none_can_not_be_published() {
    let dir = tempdir().unwrap();
    let grant = |app: &str, until| AppGrant { app: app.into(), until, permissions: vec![] };
    for apps in [vec![grant("draw", Some(-1))], vec![grant("draw", None), grant("draw", Some(1))]] {
        let policy = Policy { apps, ..family(true) };
        assert!(publish(dir.path(), 1, &policy.into()).is_err());
        assert!(matches!(Reader::open(dir.path()), Err(ReadError::Open(_))));
    }
}

#[test]
fn a43_a_store_that_computes_for_ever_is_refused_before_it_is_read() {
    let dir = tempdir().unwrap();
    let db = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    db.execute_batch(
        "PRAGMA application_id = 0x4e455354; PRAGMA user_version = 3;
         CREATE VIEW policy AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r)
             SELECT x AS revision, 'eu' AS region FROM r WHERE x < 0;",
    )
    .unwrap();
    drop(db);
    assert!(matches!(Reader::open(dir.path()), Err(ReadError::Schema)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a31_no_damage_panics(at in any::<prop::sample::Index>(), with in proptest::collection::vec(any::<u8>(), 1..64)) {
        let dir = tempdir().unwrap();
        publish(dir.path(), 1, &family(true).into()).unwrap();
        let mut bytes = fs::read(dir.path().join(FILE)).unwrap();
        let start = at.index(bytes.len());
        for (place, byte) in bytes[start..].iter_mut().zip(&with) {
            *place = *byte;
        }
        replace(dir.path(), &bytes);
        let _ = Reader::open(dir.path());
    }
}
