//! Reading the file: as hostile as any other, until every row was checked.

use std::fmt::Write as _;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use policy::{NumberError, Policy, PolicyError, Rulebook};
use rusqlite::{Connection, OpenFlags};

use crate::{APPLICATION_ID, FILE, SCHEMA, VERSION, read};

/// Largest file looked at. A full policy needs less than a tenth.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Why there is no policy to read. Each of these means: sealed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No file, or none that may be opened.
    #[error("the store cannot be opened")]
    Open(#[source] io::Error),
    /// Not a plain file, larger than a store can be, or with more rows.
    #[error("the store is not a file of at most {MAX_BYTES} bytes, or has too many rows")]
    Shape,
    /// SQLite cannot read it.
    #[error("the store is damaged")]
    Damaged(#[from] rusqlite::Error),
    /// Another program's file, or another version's.
    #[error("the store has another format (application {application:#x}, version {version})")]
    Format {
        /// `application_id` of the file.
        application: i64,
        /// `user_version` of the file.
        version: i64,
    },
    /// Other tables, or something else than tables.
    #[error("the store has another schema")]
    Schema,
    /// `PRAGMA quick_check` found something.
    #[error("the store fails its own check")]
    Check,
    /// A row holds a number that is none.
    #[error("the store holds a number that is none")]
    Number(#[from] NumberError),
    /// A word that no table of ours has.
    #[error("the store holds an unknown word")]
    Word,
    /// Read, but not a valid policy.
    #[error("the store holds a policy that is not valid")]
    Policy(#[from] PolicyError),
}

/// Which file was read; another one is another policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Stamp {
    /// The stamp of the store in `directory`; `None` if there is no file.
    pub fn of_store(directory: &Path) -> Option<Self> {
        fs::symlink_metadata(directory.join(FILE)).ok().map(|metadata| Self::of(&metadata))
    }

    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Rules in memory, and where they came from.
#[derive(Debug, Clone)]
pub struct Reader {
    directory: PathBuf,
    stamp: Stamp,
    revision: u64,
    rules: Rulebook,
}

impl Reader {
    /// Opens the store in `directory` and loads it.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn open(directory: &Path) -> Result<Self, ReadError> {
        let path = directory.join(FILE);
        let metadata = fs::symlink_metadata(&path).map_err(ReadError::Open)?;
        if !metadata.is_file() || metadata.len() > MAX_BYTES {
            return Err(ReadError::Shape);
        }
        let stamp = Stamp::of(&metadata);
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let db = Connection::open_with_flags(immutable_uri(&path), flags)?;
        check_format(&db)?;
        let (revision, rules) = read::rulebook(&db)?;
        rules.policy.validate()?;
        rules.standing.validate()?;
        Ok(Self { directory: directory.to_owned(), stamp, revision, rules })
    }

    /// The rules in force.
    pub fn rules(&self) -> &Rulebook {
        &self.rules
    }

    /// The policy among them.
    pub fn policy(&self) -> &Policy {
        &self.rules.policy
    }

    /// Its revision, from 1.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Which file was read.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// False as soon as the file in place is another one, or none.
    pub fn is_current(&self) -> bool {
        Stamp::of_store(&self.directory) == Some(self.stamp)
    }
}

/// `immutable=1`: no locks, no journal, no writes; see SQLite, "Uniform Resource Identifiers".
fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte));
            }
            other => {
                let _ = write!(uri, "%{other:02x}");
            }
        }
    }
    uri.push_str("?immutable=1");
    uri
}

fn check_format(db: &Connection) -> Result<(), ReadError> {
    db.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
    let application = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if application != APPLICATION_ID || version != VERSION {
        return Err(ReadError::Format { application, version });
    }
    let ours = if let Some(ours) = REFERENCE.get() {
        ours
    } else {
        let ours = schema(&reference()?)?;
        REFERENCE.get_or_init(|| ours)
    };
    if schema(db)? != *ours {
        return Err(ReadError::Schema);
    }
    let verdict: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(ReadError::Check) }
}

/// Type, name and text of each thing in a schema.
type Schema = Vec<(String, String, Option<String>)>;

/// That of this version, made once in a process.
static REFERENCE: OnceLock<Schema> = OnceLock::new();

/// An empty store as this version makes it.
fn reference() -> Result<Connection, ReadError> {
    let db = Connection::open_in_memory()?;
    db.execute_batch(SCHEMA)?;
    Ok(db)
}

/// Everything the schema holds. A view or trigger in a hostile file could compute for ever.
fn schema(db: &Connection) -> Result<Schema, ReadError> {
    let mut rows = db.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name LIMIT 50")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
