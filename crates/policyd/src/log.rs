//! The order log: every accepted order, as it was signed, in one SQLite file only policyd can open.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use orders::{Door, Ledger, Refused};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use sha2::{Digest, Sha256};

/// Version 1. A row's link covers the link before it, so that a row cannot be changed alone.
const SCHEMA: &str = "
PRAGMA application_id = 0x4e4f5244; -- \"NORD\"
PRAGMA user_version = 1;
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

/// The open log.
#[derive(Debug)]
pub struct OrderLog {
    db: Connection,
    last: u64,
    link: [u8; 32],
}

impl OrderLog {
    /// Opens the log in `directory`, makes it if there is none, and reads all of it into `ledger`, calling
    /// `after` with the head after each order.
    ///
    /// # Errors
    /// See [`LogError`]. The file is left as it was found.
    pub fn open(
        directory: &Path,
        ledger: &mut Ledger,
        mut after: impl FnMut([u8; 32]),
    ) -> Result<Self, LogError> {
        let path = directory.join("orders.db");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&path, flags)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        db.execute_batch(
            "PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; PRAGMA trusted_schema = OFF;",
        )?;
        // Also after a power cut between the file and its first table.
        let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables == 0 {
            db.execute_batch(&format!("BEGIN; {SCHEMA} COMMIT;"))?;
        }
        check(&db)?;
        let mut log = Self { db, last: 0, link: [0; 32] };
        log.replay(ledger, &mut after)?;
        Ok(log)
    }

    /// Number of orders.
    pub fn len(&self) -> u64 {
        self.last
    }

    /// What the anchor holds: the keyring and, by the chain of links, every order there is.
    pub fn head(&self, ledger: &Ledger) -> [u8; 32] {
        head(&self.link, ledger)
    }

    /// True before the first order.
    pub fn is_empty(&self) -> bool {
        self.last == 0
    }

    /// Writes one more order and syncs it.
    ///
    /// # Errors
    /// Nothing was written.
    pub fn append(&mut self, accepted_at: i64, envelope: &[u8]) -> Result<u64, LogError> {
        let seq = self.last + 1;
        let link = link(&self.link, seq, accepted_at, envelope);
        let written = self.db.execute(
            "INSERT INTO entry VALUES (?1, ?2, ?3, ?4)",
            params![seq.cast_signed(), accepted_at, envelope, link.as_slice()],
        );
        if let Err(error) = written {
            // When the very last sync failed the order is there, and must go before the next one.
            let _ = self.db.execute("DELETE FROM entry WHERE seq = ?1", [seq.cast_signed()]);
            return Err(error.into());
        }
        self.last = seq;
        self.link = link;
        Ok(seq)
    }

    fn replay(&mut self, ledger: &mut Ledger, after: &mut impl FnMut([u8; 32])) -> Result<(), LogError> {
        let mut statement =
            self.db.prepare("SELECT seq, accepted_at, envelope, link FROM entry ORDER BY seq")?;
        let mut rows = statement.query([])?;
        let (mut last, mut head) = (0_u64, [0_u8; 32]);
        while let Some(row) = rows.next()? {
            let (seq, accepted_at): (i64, i64) = (row.get(0)?, row.get(1)?);
            let (envelope, stored): (Vec<u8>, Vec<u8>) = (row.get(2)?, row.get(3)?);
            let expected = last + 1;
            head = link(&head, expected, accepted_at, &envelope);
            if seq.cast_unsigned() != expected || stored != head {
                return Err(LogError::Link(expected));
            }
            ledger
                .apply(&envelope, Door::Log)
                .map_err(|source| LogError::Order { seq: expected, source: Box::new(source) })?;
            after(self::head(&head, ledger));
            last = expected;
        }
        drop(rows);
        drop(statement);
        (self.last, self.link) = (last, head);
        Ok(())
    }
}

fn check(db: &Connection) -> Result<(), LogError> {
    let id: i64 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let verdict: Option<String> = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).optional()?;
    if id == 0x4e4f_5244 && version == 1 && verdict.as_deref() == Some("ok") {
        Ok(())
    } else {
        Err(LogError::Format)
    }
}

fn head(link: &[u8; 32], ledger: &Ledger) -> [u8; 32] {
    Sha256::new().chain_update(ledger.keyring().fingerprint()).chain_update(link).finalize().into()
}

fn link(previous: &[u8; 32], seq: u64, accepted_at: i64, envelope: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(seq.to_le_bytes());
    hash.update(accepted_at.to_le_bytes());
    hash.update(envelope);
    hash.finalize().into()
}
