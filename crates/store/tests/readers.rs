//! The published store under users of their own: who can read it, and that who reads can change nothing.
//!
//! The users have no names, and no files but these. To become them takes root.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use policy::Policy;
use rusqlite::{Connection, OpenFlags};
use store::{FILE, ReadError, Reader, publish};
use tempfile::TempDir;

/// policyd's user, and the group that may read what it publishes.
const PUBLISHER: u32 = 61_010;
const GROUP: u32 = 61_020;
const READER: u32 = 61_011;
const STRANGER: u32 = 61_012;

/// Where another user finds the store, and what he does with it.
const STORE: &str = "NESTLING_STORE";
const DOES: &str = "NESTLING_STORE_DOES";

/// What others say begins with this, because the test harness talks too.
const SAYS: &str = "the user says: ";

fn policy(revision: u64) -> Policy {
    let mut policy: Policy = serde_json::from_str(include_str!("../../../tests/family.json")).unwrap();
    policy.contacts[0].name = format!("mum {revision}");
    policy
}

/// A store's directory as systemd makes it for policyd, and this test as a program everybody can start.
struct House {
    dir: TempDir,
}

impl House {
    /// `None` for one who is not root, who is told so.
    fn new() -> Option<Self> {
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            println!("skipped: to be other users takes root");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        let house = Self { dir };
        fs::create_dir(house.store()).unwrap();
        chown(house.store(), Some(PUBLISHER), Some(GROUP)).unwrap();
        fs::set_permissions(house.store(), Permissions::from_mode(0o750)).unwrap();
        fs::copy(std::env::current_exe().unwrap(), house.dir.path().join("user")).unwrap();
        house.publish(1);
        Some(house)
    }

    fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// Somebody who does something with the store.
    fn user(&self, user: u32, group: u32, more: Option<u32>, does: &str) -> User {
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
        command.arg(more.map_or("--clear-groups".into(), |more| format!("--groups={more}")));
        command.args(["--no-new-privs", "--pdeathsig=KILL", "--"]).arg(self.dir.path().join("user"));
        command.args(["--exact", "another_user", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env(STORE, self.store()).env(DOES, does).current_dir("/");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (ask, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        User { child, ask, answers }
    }

    fn publish(&self, revision: u64) {
        let mut publisher = self.user(PUBLISHER, GROUP, None, &format!("publish {revision}"));
        assert_eq!(publisher.says(), "published");
        publisher.ends();
    }

    fn reader(&self, does: &str) -> User {
        self.user(READER, READER, Some(GROUP), does)
    }
}

struct User {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl User {
    /// The next thing it says; empty when it has ended.
    fn says(&mut self) -> String {
        let mut line = String::new();
        while self.answers.read_line(&mut line).unwrap() > 0 {
            if let Some((_, said)) = line.trim_end().split_once(SAYS) {
                return said.to_owned();
            }
            line.clear();
        }
        line
    }

    fn go_on(&mut self) {
        self.ask.write_all(b"\n").unwrap();
    }

    fn ends(mut self) {
        assert_eq!(self.says(), "");
        assert!(self.child.wait().unwrap().success());
    }
}

/// The program of the others.
#[test]
#[ignore = "what the other tests run as another user"]
fn another_user() {
    let (Some(store), Ok(does)) = (std::env::var_os(STORE), std::env::var(DOES)) else { return };
    let store = Path::new(&store);
    match does.split_once(' ') {
        Some(("publish", revision)) => {
            let revision = revision.parse().unwrap();
            publish(store, revision, &policy(revision).into()).unwrap();
            says("published");
        }
        _ if does == "read" => match Reader::open(store) {
            Ok(reader) => {
                says(&format!("{} {}", reader.revision(), *reader.policy() == policy(reader.revision())));
            }
            Err(ReadError::Open(error)) => says(&format!("{:?}", error.kind())),
            Err(other) => says(&format!("{other:?}")),
        },
        _ if does == "attack" => attack(store),
        _ if does == "hold" => hold(store),
        _ => panic!("{does}"),
    }
}

fn says(what: &str) {
    println!("{SAYS}{what}");
}

/// Everything one could try, and what came of it.
fn attack(store: &Path) {
    let file = store.join(FILE);
    let said = |what: &str, done: io::Result<()>| match done {
        Ok(()) => says(&format!("{what}: done")),
        Err(error) => says(&format!("{what}: {:?}", error.kind())),
    };
    said("write", OpenOptions::new().write(true).open(&file).map(drop));
    said("append", OpenOptions::new().append(true).open(&file).map(drop));
    said("truncate", File::create(&file).map(drop));
    said("chmod", fs::set_permissions(&file, Permissions::from_mode(0o666)));
    said("chown", chown(&file, Some(READER), None));
    said("rename", fs::rename(&file, store.join("other")));
    said("replace", fs::rename(std::env::current_exe().unwrap(), &file));
    said("remove", fs::remove_file(&file));
    for ending in ["-journal", "-wal", "-shm", ".building"] {
        said(ending, File::create(store.join(format!("{FILE}{ending}"))).map(drop));
    }
    said("chmod the folder", fs::set_permissions(store, Permissions::from_mode(0o777)));
    let db = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    for statement in ["DELETE FROM contact", "CREATE TABLE t (c)", "PRAGMA user_version = 9", "VACUUM"] {
        says(&format!("{statement}: {}", db.execute_batch(statement).is_ok()));
    }
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).unwrap_or_default();
    says(&format!("WAL: {}", mode == "wal"));
}

/// Reads, waits until a newer store is there, and reads again.
fn hold(store: &Path) {
    let reader = Reader::open(store).unwrap();
    let mut held = File::open(store.join(FILE)).unwrap();
    says(&format!("{} {}", reader.revision(), reader.is_current()));
    io::stdin().read_line(&mut String::new()).unwrap();
    let newer = Reader::open(store).unwrap();
    says(&format!("{} {} {}", reader.revision(), reader.is_current(), *reader.policy() == policy(1)));
    says(&format!("{} {} {}", newer.revision(), newer.is_current(), *newer.policy() == policy(2)));
    let inode = |metadata: fs::Metadata| metadata.ino();
    says(&format!(
        "another file: {}",
        inode(held.metadata().unwrap()) != inode(fs::metadata(store.join(FILE)).unwrap())
    ));
    let mut old = Vec::new();
    io::Read::read_to_end(&mut held, &mut old).unwrap();
    says(&format!("old bytes: {}", old.windows(5).any(|bytes| bytes == b"mum 1")));
}

#[test]
fn a38_the_store_is_read_by_its_group_and_by_nobody_else() {
    let Some(house) = House::new() else { return };
    let file = fs::metadata(house.store().join(FILE)).unwrap();
    assert_eq!((file.uid(), file.gid(), file.mode() & 0o7777), (PUBLISHER, GROUP, 0o440));
    for (user, group, more, expected) in [
        (READER, READER, Some(GROUP), "1 true"),
        (READER, GROUP, None, "1 true"),
        (READER, READER, None, "PermissionDenied"),
        (STRANGER, STRANGER, Some(READER), "PermissionDenied"),
    ] {
        let mut other = house.user(user, group, more, "read");
        assert_eq!(other.says(), expected, "{user} {group} {more:?}");
        other.ends();
    }
}

#[test]
fn a31_no_reader_can_change_the_store() {
    let Some(house) = House::new() else { return };
    let before = fs::read(house.store().join(FILE)).unwrap();
    let mut reader = house.reader("attack");
    let mut tries = 0;
    loop {
        let said = reader.says();
        if said.is_empty() {
            break;
        }
        assert!(said.ends_with(": PermissionDenied") || said.ends_with(": false"), "{said}");
        tries += 1;
    }
    assert_eq!(tries, 18);
    reader.ends();
    let names: Vec<_> =
        fs::read_dir(house.store()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [FILE]);
    assert_eq!(fs::read(house.store().join(FILE)).unwrap(), before);
}

#[test]
fn a46_a_reader_keeps_its_rules_until_it_opens_the_new_ones() {
    let Some(house) = House::new() else { return };
    let mut reader = house.reader("hold");
    assert_eq!(reader.says(), "1 true");
    house.publish(2);
    reader.go_on();
    assert_eq!(reader.says(), "1 false true");
    assert_eq!(reader.says(), "2 true true");
    assert_eq!(reader.says(), "another file: true");
    assert_eq!(reader.says(), "old bytes: true");
    reader.ends();
}
