//! The order log: every accepted order, as it was signed, in one SQLite file only policyd can open.
//!
//! Each row's link covers the link before it and is keyed with the anchor's secret (HMAC-SHA-256, RFC 2104), so that
//! whoever only writes storage can neither change an order nor add one, not even an order that was properly signed.
//!
//! **Invariants:** an order that [`OrderLog::append`] returned is on the disk; a file that does not hold together is
//! left as it was found; a file of an older version is copied before it is migrated.

mod migrate;

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use orders::{Door, Ledger, Refused};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::anchor::LogKey;

/// Name of the file.
pub const FILE: &str = "orders.db";

const APPLICATION_ID: i64 = 0x4e4f_5244; // "NORD"
const VERSION: i64 = 2;

/// Version 2. `origin` says where the log begins: the anchor's epoch then, and, where it was migrated from version 1,
/// how many orders came over and the head the anchor may still hold for them.
const SCHEMA: &str = "
CREATE TABLE origin (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    epoch    INTEGER NOT NULL CHECK (epoch >= 0),
    migrated INTEGER NOT NULL CHECK (migrated >= 0),
    previous BLOB CHECK (length(previous) = 32),
    link     BLOB NOT NULL CHECK (length(link) = 32),
    CHECK ((migrated > 0) = (previous IS NOT NULL))
) STRICT;
CREATE TABLE entry (
    seq         INTEGER PRIMARY KEY CHECK (seq > 0),
    accepted_at INTEGER NOT NULL,
    envelope    BLOB NOT NULL CHECK (length(envelope) <= 262144),
    link        BLOB NOT NULL CHECK (length(link) = 32)
) STRICT;
";

/// What can go wrong with the log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file system.
    #[error("the order log cannot be opened")]
    Io(#[from] io::Error),
    /// SQLite.
    #[error("the order log cannot be read or written")]
    Sqlite(#[from] rusqlite::Error),
    /// There is none, and none may be begun.
    #[error("there is no order log")]
    Missing,
    /// Another format.
    #[error("the order log has another format")]
    Format,
    /// A link or a number is wrong.
    #[error("order {0} of the log does not follow from the one before")]
    Link(u64),
    /// An order that would not be accepted.
    #[error("order {seq} of the log is refused")]
    Order {
        /// Its number.
        seq: u64,
        /// Why.
        #[source]
        source: Box<Refused>,
    },
}

/// Where a log begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The anchor's epoch before the log's first order: 0 on a watch that was never released.
    pub epoch: u64,
    /// Orders that came over from version 1, and the head that version had for them.
    pub migrated: Option<(u64, [u8; 32])>,
}

/// What the anchor says of a log that is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begins {
    /// Where there is no log it may be begun at this epoch.
    pub at: Option<u64>,
    /// The epoch and the head a log of version 1 must have to be migrated.
    pub old: Option<(u64, [u8; 32])>,
}

/// The open log.
#[derive(Debug)]
pub struct OrderLog {
    db: Connection,
    key: LogKey,
    origin: Origin,
    last: u64,
    link: [u8; 32],
}

impl OrderLog {
    /// Opens the log in `directory` and reads all of it into `ledger`, calling `after` with the head after each order. Where
    /// there is none it is begun, if it may be.
    ///
    /// # Errors
    /// See [`LogError`]. The file is left as it was found.
    pub fn open(
        directory: &Path,
        key: LogKey,
        begins: Begins,
        ledger: &mut Ledger,
        mut after: impl FnMut([u8; 32]),
    ) -> Result<Self, LogError> {
        let path = directory.join(FILE);
        if begins.at.is_none() && !path.try_exists()? {
            return Err(LogError::Missing);
        }
        migrate::to_newest(&path, &key, ledger, begins.old)?;
        let db = connect(&path)?;
        match begins.at {
            Some(epoch) if is_empty(&db)? => create(&db, &key, Origin { epoch, migrated: None })?,
            _ => {}
        }
        check(&db, VERSION, SCHEMA)?;
        let (origin, link) = read_origin(&db, &key)?;
        let (last, link) = replay(&db, link, &Links::Keyed(&key), ledger, &mut after)?;
        if origin.migrated.is_some_and(|(count, _)| count > last) {
            return Err(LogError::Link(last + 1));
        }
        Ok(Self { db, key, origin, last, link })
    }

    /// Number of orders.
    pub fn len(&self) -> u64 {
        self.last
    }

    /// True before the first order.
    pub fn is_empty(&self) -> bool {
        self.last == 0
    }

    /// Where it begins.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The anchor's epoch that fits: one step for each order, and one for a migration.
    pub fn epoch(&self) -> u64 {
        self.origin.epoch + self.last
    }

    /// What the anchor holds: the keyring and, by the chain of links, every order there is.
    pub fn head(&self, ledger: &Ledger) -> [u8; 32] {
        head(&self.link, ledger)
    }

    /// Writes one more order and syncs it.
    ///
    /// # Errors
    /// Nothing was written.
    pub fn append(&mut self, accepted_at: i64, envelope: &[u8]) -> Result<u64, LogError> {
        let seq = self.last + 1;
        let link = Links::Keyed(&self.key).link(&self.link, seq, accepted_at, envelope);
        let written = self.db.execute(
            "INSERT INTO entry VALUES (?1, ?2, ?3, ?4)",
            params![seq.cast_signed(), accepted_at, envelope, link.as_slice()],
        );
        let written = match written {
            // Something in the file threw it away.
            Ok(0) => return Err(LogError::Format),
            other => other,
        };
        if let Err(error) = written {
            // When the very last sync failed the order is there, and must go before the next one.
            let _ = self.db.execute("DELETE FROM entry WHERE seq = ?1", [seq.cast_signed()]);
            return Err(error.into());
        }
        self.last = seq;
        self.link = link;
        Ok(seq)
    }
}

fn connect(path: &Path) -> Result<Connection, LogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    db.execute_batch(
        // The journal stays: an app that uses up all inodes must not keep an order out.
        "PRAGMA journal_mode = PERSIST; PRAGMA synchronous = EXTRA; PRAGMA trusted_schema = OFF;",
    )?;
    Ok(db)
}

/// Also true after a power cut between the file and its first table.
fn is_empty(db: &Connection) -> Result<bool, LogError> {
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(tables == 0)
}

fn create(db: &Connection, key: &LogKey, origin: Origin) -> Result<(), LogError> {
    let (migrated, previous) = origin.migrated.unzip();
    db.execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA}"))?;
    db.execute(
        "INSERT INTO origin VALUES (1, ?1, ?2, ?3, ?4)",
        params![
            origin.epoch.cast_signed(),
            migrated.unwrap_or(0).cast_signed(),
            previous,
            origin_link(key, origin).as_slice()
        ],
    )?;
    db.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
    ))?;
    Ok(())
}

fn read_origin(db: &Connection, key: &LogKey) -> Result<(Origin, [u8; 32]), LogError> {
    let (epoch, migrated, previous, stored): (i64, i64, Option<[u8; 32]>, [u8; 32]) =
        db.query_row("SELECT epoch, migrated, previous, link FROM origin", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
    let migrated = previous.map(|head| (migrated.cast_unsigned(), head));
    let origin = Origin { epoch: epoch.cast_unsigned(), migrated };
    if stored == origin_link(key, origin) { Ok((origin, stored)) } else { Err(LogError::Link(0)) }
}

/// Reads every order into `ledger`: how many there are, and the last link.
fn replay(
    db: &Connection,
    origin: [u8; 32],
    links: &Links<'_>,
    ledger: &mut Ledger,
    after: &mut impl FnMut([u8; 32]),
) -> Result<(u64, [u8; 32]), LogError> {
    let mut statement = db.prepare("SELECT seq, accepted_at, envelope, link FROM entry ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let (mut last, mut link) = (0_u64, origin);
    while let Some(row) = rows.next()? {
        let (seq, accepted_at): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (envelope, stored): (Vec<u8>, Vec<u8>) = (row.get(2)?, row.get(3)?);
        let expected = last + 1;
        link = links.link(&link, expected, accepted_at, &envelope);
        if seq.cast_unsigned() != expected || stored != link {
            return Err(LogError::Link(expected));
        }
        ledger
            .apply(&envelope, Door::Log)
            .map_err(|source| LogError::Order { seq: expected, source: Box::new(source) })?;
        after(head(&link, ledger));
        last = expected;
    }
    Ok((last, link))
}

/// Whether the file is a whole log of this version, with its tables and nothing else: a trigger or a view could throw orders
/// away.
fn check(db: &Connection, version: i64, schema: &str) -> Result<(), LogError> {
    let reference = Connection::open_in_memory()?;
    reference.execute_batch(schema)?;
    if holds(db)? != holds(&reference)? {
        return Err(LogError::Format);
    }
    let id: i64 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let verdict: Option<String> = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).optional()?;
    if id == APPLICATION_ID && found == version && verdict.as_deref() == Some("ok") {
        Ok(())
    } else {
        Err(LogError::Format)
    }
}

fn holds(db: &Connection) -> Result<Vec<(String, Option<String>)>, LogError> {
    let mut all = db.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name LIMIT 20")?;
    let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn head(link: &[u8; 32], ledger: &Ledger) -> [u8; 32] {
    Sha256::new().chain_update(ledger.keyring().fingerprint()).chain_update(link).finalize().into()
}

/// How a row is tied to the one before.
enum Links<'k> {
    /// Version 1: SHA-256, which anybody can compute.
    Plain,
    /// Version 2.
    Keyed(&'k LogKey),
}

impl Links<'_> {
    fn link(&self, previous: &[u8; 32], seq: u64, accepted_at: i64, envelope: &[u8]) -> [u8; 32] {
        let (seq, accepted_at) = (seq.to_le_bytes(), accepted_at.to_le_bytes());
        let parts = [previous.as_slice(), &seq, &accepted_at, envelope];
        match self {
            Self::Plain => parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize().into(),
            Self::Keyed(key) => keyed(key, &parts),
        }
    }
}

fn origin_link(key: &LogKey, origin: Origin) -> [u8; 32] {
    let (count, head) = origin.migrated.unwrap_or_default();
    keyed(key, &[b"nestling order log 2\n", &origin.epoch.to_le_bytes(), &count.to_le_bytes(), &head])
}

fn keyed(key: &LogKey, parts: &[&[u8]]) -> [u8; 32] {
    // RFC 2104, clause 2: a key shorter than the hash's block is filled up with zeros.
    let mut block = Zeroizing::new([0; 64]);
    block[..32].copy_from_slice(key.as_bytes());
    let mac = Hmac::<Sha256>::new((&*block).into());
    parts.iter().fold(mac, Mac::chain_update).finalize().into_bytes().into()
}
