//! A new store, from rules in memory to a reader that has them, beside plain SQLite doing the same with the same rows
//! on the same disk: write, rename, open, read. Prints JSON for `./nestling bench policy`, microseconds.
//!
//! Twice, because "plain" can mean two things: SQLite as it comes, which keeps a journal and syncs several times; and
//! SQLite with our durability (no journal, file and folder synced once), which leaves only our checks as difference.

#![allow(clippy::unwrap_used, reason = "a bench ends where it is surprised")]

use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

use policy::{AppGrant, Contact, Kind, May, Policy, Region, Zone, limits};
use rusqlite::{Connection, OpenFlags, params};
use store::{FILE, Reader, SCHEMA, publish};

const ROUNDS: u64 = 200;
const NUMBERS: usize = limits::CONTACTS * limits::NUMBERS_OF_A_CONTACT;

/// As large as a policy can be.
fn full() -> Policy {
    let number = |place: usize| format!("+35840{:07}", 1_000_000 + place).parse().unwrap();
    let contact = |person: usize| Contact {
        id: format!("c{person}"),
        name: format!("Contact {person} 妈妈"),
        kind: if person == 0 { Kind::Guardian } else { Kind::Friend },
        numbers: (0..limits::NUMBERS_OF_A_CONTACT)
            .map(|place| number(person * limits::NUMBERS_OF_A_CONTACT + place))
            .collect(),
        picture: "face:mum".into(),
        may: May { ring: true, be_called: false, write: false, be_written: false },
    };
    let zone = |place: usize| Zone {
        id: format!("z{place}"),
        name: format!("Zone {place}"),
        latitude_e6: 60_170_000,
        longitude_e6: 24_940_000 + place as i32,
        radius_m: 150,
        expect: Vec::new(),
    };
    Policy {
        zones: (0..limits::ZONES).map(zone).collect(),
        apps: (0..limits::APPS)
            .map(|place| AppGrant {
                app: format!("app{place}"),
                until: Some(1_780_000_000),
                permissions: vec![],
            })
            .collect(),
        ..Policy::of(Region::Eu, (0..limits::CONTACTS).map(contact).collect())
    }
}

fn ours(folder: &Path, revision: u64, policy: &Policy) {
    publish(folder, revision, &policy.clone().into()).unwrap();
    let reader = Reader::open(folder).unwrap();
    assert_eq!((reader.revision(), reader.policy().contacts.len()), (revision, limits::CONTACTS));
}

/// Writes the rows the shortest way, renames the file, opens it and reads every row.
fn plain(folder: &Path, revision: u64, policy: &Policy, as_it_comes: bool) {
    let building = folder.join("building");
    let mut db = Connection::open(&building).unwrap();
    if !as_it_comes {
        db.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;").unwrap();
    }
    let rows = db.transaction().unwrap();
    rows.execute_batch(SCHEMA).unwrap();
    rows.execute(
        "INSERT INTO policy VALUES (1, ?1, 'eu', 'UTC', NULL, NULL, NULL, NULL, NULL, 72, 90, 30, 30, 0, 0, 0, 0, NULL)",
        [revision.cast_signed()],
    )
    .unwrap();
    {
        let mut person =
            rows.prepare("INSERT INTO contact VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0)").unwrap();
        let mut number = rows.prepare("INSERT INTO number VALUES (?1, ?2, ?3)").unwrap();
        for (position, c) in (0_i64..).zip(&policy.contacts) {
            let kind = c.kind.as_str();
            person
                .execute(params![position, c.id, c.name, kind, c.picture, c.may.ring, c.may.be_called])
                .unwrap();
            for (place, value) in (0_i64..).zip(&c.numbers) {
                number.execute(params![value.to_string(), c.id, place]).unwrap();
            }
        }
        let mut zone = rows.prepare("INSERT INTO zone VALUES (?1, ?2, ?3, ?4, ?5, ?6)").unwrap();
        for (position, z) in (0_i64..).zip(&policy.zones) {
            zone.execute(params![position, z.id, z.name, z.latitude_e6, z.longitude_e6, z.radius_m]).unwrap();
        }
        let mut app = rows.prepare("INSERT INTO app VALUES (?1, ?2, ?3)").unwrap();
        for (position, grant) in (0_i64..).zip(&policy.apps) {
            app.execute(params![position, grant.app, grant.until]).unwrap();
        }
    }
    rows.commit().unwrap();
    db.close().unwrap();
    if !as_it_comes {
        File::open(&building).unwrap().sync_all().unwrap();
    }
    fs::rename(&building, folder.join(FILE)).unwrap();
    if !as_it_comes {
        File::open(folder).unwrap().sync_all().unwrap();
    }
    assert_eq!(read(&folder.join(FILE)), (limits::CONTACTS, NUMBERS, limits::ZONES, limits::APPS));
}

fn read(file: &Path) -> (usize, usize, usize, usize) {
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let _revision: i64 = db.query_row("SELECT revision FROM policy", [], |row| row.get(0)).unwrap();
    let mut people =
        db.prepare("SELECT id, name, kind, picture, may_ring, may_be_called FROM contact").unwrap();
    let people = people.query_map([], |row| {
        Ok((
            (row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?),
            (row.get::<_, String>(3)?, row.get::<_, bool>(4)?, row.get::<_, bool>(5)?),
        ))
    });
    let people: Vec<_> = people.unwrap().map(Result::unwrap).collect();
    let mut numbers = db.prepare("SELECT number, contact, position FROM number").unwrap();
    let numbers = numbers
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?)));
    let numbers: Vec<_> = numbers.unwrap().map(Result::unwrap).collect();
    let mut zones = db.prepare("SELECT id, name, latitude_e6, longitude_e6, radius_m FROM zone").unwrap();
    let zones = zones.query_map([], |row| {
        Ok((
            (row.get::<_, String>(0)?, row.get::<_, String>(1)?),
            (row.get::<_, i32>(2)?, row.get::<_, i32>(3)?, row.get::<_, u32>(4)?),
        ))
    });
    let zones: Vec<_> = zones.unwrap().map(Result::unwrap).collect();
    let mut apps = db.prepare("SELECT app, until FROM app").unwrap();
    let apps = apps.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?)));
    let apps: Vec<_> = apps.unwrap().map(Result::unwrap).collect();
    (people.len(), numbers.len(), zones.len(), apps.len())
}

fn microseconds(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_nanos() as f64 / 1000.0
}

fn main() {
    // On the disk cargo builds on: a folder in memory would hide what syncing costs.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folders = ["ours", "peer"].map(|name| folder.path().join(name));
    for folder in &folders {
        fs::create_dir(folder).unwrap();
    }
    let policy = full();
    policy.validate().unwrap();
    for (peer, as_it_comes) in [("SQLite as it comes", true), ("SQLite without our checks", false)] {
        let mut samples = [Vec::new(), Vec::new()];
        for revision in 1..=ROUNDS {
            samples[0].push(microseconds(|| ours(&folders[0], revision, &policy)));
            samples[1].push(microseconds(|| plain(&folders[1], revision, &policy, as_it_comes)));
        }
        println!(
            r#"{{"what":"new store published and read; peer: {peer}: us","ours":{:?},"peer":{:?}}}"#,
            samples[0], samples[1]
        );
    }
}
