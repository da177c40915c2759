//! Nothing that the schema forbids can be in a store: every constraint of `schema.sql` is broken here.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::collections::BTreeSet;

use policy::{Permission, Policy, Rulebook};
use rusqlite::Connection;
use store::{FILE, Reader, SCHEMA, publish};
use tempfile::TempDir;

/// Values that the CHECK constraints of a column refuse: table, column, values.
const REFUSED: &[(&str, &str, &[&str])] = &[
    ("policy", "one", &["0", "2"]),
    ("policy", "revision", &["0", "-1"]),
    ("policy", "region", &["''", "'EU'", "'fr'"]),
    ("policy", "time_zone", &["''", "printf('%65d', 0)"]),
    ("policy", "child_year", &["1899", "10000", "NULL"]),
    ("policy", "child_month", &["0", "13", "NULL"]),
    ("policy", "day_min", &["-1", "1441"]),
    ("policy", "break_after_min", &["0", "1441", "NULL"]),
    ("policy", "break_rest_min", &["0", "1441", "NULL"]),
    ("policy", "track_h", &["-1", "8761"]),
    ("policy", "diary_days", &["-1", "65536"]),
    ("policy", "calls_days", &["-1", "65536"]),
    ("policy", "messages_days", &["-1", "65536"]),
    ("policy", "messages", &["2", "-1"]),
    ("policy", "friend_cards", &["2", "-1"]),
    ("policy", "lost", &["2", "-1"]),
    ("policy", "paused", &["2", "0"]),
    ("policy", "paused_until", &["-1", "253402300800"]),
    ("contact", "may_write", &["2", "-1"]),
    ("contact", "may_be_written", &["2", "-1"]),
    ("schedule", "kind", &["''", "'nap'"]),
    ("schedule", "calls", &["''", "'nobody'"]),
    ("schedule", "apps", &["2", "-1"]),
    ("schedule_window", "days", &["0", "128"]),
    ("schedule_window", "from_time", &["''", "'8:00'", "'30:00'", "'08:60'"]),
    ("schedule_window", "to_time", &["''", "'8:00'", "'30:00'", "'08:60'"]),
    ("category", "day_min", &["-1", "1441"]),
    ("permission", "permission", &["''", "'root'"]),
    ("extra", "until", &["-1", "253402300800"]),
    ("more_time", "minutes", &["0", "1441"]),
    ("more_time", "until", &["-1", "253402300800"]),
    ("contact", "kind", &["''", "'stranger'", "'Guardian'"]),
    ("contact", "may_ring", &["2", "-1"]),
    ("contact", "may_be_called", &["2", "-1"]),
    (
        "number",
        "number",
        &["'358405550001'", "'+058405550001'", "'+358405'", "'+3584055500012345'", "'+'", "''"],
    ),
    ("zone", "latitude_e6", &["-90000001", "90000001"]),
    ("zone", "longitude_e6", &["-180000001", "180000001"]),
    ("zone", "radius_m", &["29", "20001"]),
    ("expectation", "days", &["0", "128"]),
    ("expectation", "by_time", &["''", "'8:15'", "'30:00'", "'08:60'"]),
    ("app", "until", &["-1", "253402300800"]),
];

/// A family that uses all there is.
fn everything() -> Rulebook {
    let mut policy: Policy = serde_json::from_str(include_str!("../../../tests/family.json")).unwrap();
    policy.schedules = serde_json::from_str(
        r#"[{"id": "class", "name": "Class", "kind": "class", "calls": "guardians", "apps": false,
             "windows": [{"days": ["mon", "fri"], "from": "08:00", "to": "14:30"},
                         {"days": ["sun"], "from": "23:00", "to": "01:00"}]}]"#,
    )
    .unwrap();
    policy.allowances = serde_json::from_str(
        r#"{"day_min": 60, "categories": [{"category": "game", "day_min": 20}],
            "break": {"after_min": 30, "rest_min": 10}}"#,
    )
    .unwrap();
    policy.zones[0].expect = serde_json::from_str(
        r#"[{"days": ["mon", "fri"], "by": "08:15"}, {"days": ["sun"], "by": "00:00"}]"#,
    )
    .unwrap();
    policy.apps[0].permissions = vec![Permission::Camera, Permission::Network];
    policy.apps[0].until = Some(1_800_000_000);
    let standing = serde_json::from_str(
        r#"{"paused": {"until": 1800000000}, "lost": true, "grants": [{"app": "chess"}], "revoked": ["beads"],
            "more_time": [{"category": "game", "minutes": 15, "until": 1800000000}]}"#,
    )
    .unwrap();
    Rulebook { policy, standing }
}

#[test]
fn everything_a_family_can_say_reads_back_the_same() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), 7, &everything()).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!((reader.revision(), reader.rules()), (7, &everything()));
}

/// A store with a row in every table, open to be written.
fn open(dir: &TempDir) -> Connection {
    publish(dir.path(), 1, &everything()).unwrap();
    let copy = dir.path().join("copy.db");
    std::fs::write(&copy, std::fs::read(dir.path().join(FILE)).unwrap()).unwrap();
    let db = Connection::open(copy).unwrap();
    db.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    for table in strings(&db, TABLES) {
        let rows: i64 = db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert!(rows > 0, "no {table} in the policy of these tests");
    }
    db
}

const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table'";

fn strings(db: &Connection, query: &str) -> Vec<String> {
    db.prepare(query).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Table and expression of every CHECK in the schema.
fn checks() -> BTreeSet<(String, String)> {
    let mut checks = BTreeSet::new();
    for table in SCHEMA.split("CREATE TABLE ").skip(1) {
        let name = table.split_whitespace().next().unwrap();
        for text in table.split("CHECK (").skip(1) {
            let mut depth = 1;
            let inside = |c: &char| {
                depth += i32::from(*c == '(') - i32::from(*c == ')');
                depth > 0
            };
            checks.insert((name.to_owned(), text.chars().take_while(inside).collect()));
        }
    }
    checks
}

fn refused(db: &Connection, statement: &str) -> String {
    match db.execute(statement, []) {
        Ok(_) => panic!("taken: {statement}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a31_every_check_of_the_schema_refuses_what_it_should() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir);
    let mut broken = BTreeSet::new();
    for (table, column, values) in REFUSED {
        for value in *values {
            let said = refused(&db, &format!("UPDATE {table} SET {column} = {value}"));
            let check = said.strip_prefix("CHECK constraint failed: ").unwrap_or_else(|| {
                panic!("{table}.{column} = {value} is refused for another reason: {said}");
            });
            broken.insert(((*table).to_owned(), check.to_owned()));
        }
    }
    assert_eq!(broken, checks(), "a value for each CHECK, in REFUSED above");
}

#[test]
fn a31_no_column_takes_what_is_not_of_its_kind() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir);
    let mut tried = 0;
    for table in strings(&db, TABLES) {
        let columns = strings(&db, &format!("SELECT name FROM pragma_table_info('{table}')"));
        for column in columns {
            refused(&db, &format!("UPDATE {table} SET {column} = x'00'"));
            tried += 1;
        }
        let needed = format!("SELECT name FROM pragma_table_info('{table}') WHERE \"notnull\" = 1");
        for column in strings(&db, &needed) {
            let said = refused(&db, &format!("UPDATE {table} SET {column} = NULL"));
            assert!(said.contains("NOT NULL"), "{said}");
        }
        let said = refused(&db, &format!("INSERT INTO {table} SELECT * FROM {table}"));
        assert!(said.contains("UNIQUE"), "{said}");
        let foreign = format!("SELECT \"from\" FROM pragma_foreign_key_list('{table}')");
        for column in strings(&db, &foreign) {
            let said = refused(&db, &format!("UPDATE {table} SET {column} = 'nobody'"));
            assert!(said.contains("FOREIGN KEY"), "{said}");
        }
    }
    assert!(tried > 20, "{tried} columns are too few to mean something");
}
