//! The diary: append-only, hash-chained, for the child and the guardians to read.
//!
//! A file of its own, so that a damaged order log does not silence it. A diary that does not hold together
//! is set aside, never deleted, and the new one begins by saying so.

use std::collections::HashMap;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ipc::{DiaryEntry, limits};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use crate::core::looks::{Looks, MOST};
use crate::core::past::{Back, Past};

const SCHEMA: &str = "
PRAGMA application_id = 0x4e444941; -- \"NDIA\"
PRAGMA user_version = 1;
CREATE TABLE line (
    seq       INTEGER PRIMARY KEY CHECK (seq > 0),
    unix_time INTEGER NOT NULL,
    source    TEXT NOT NULL,
    kind      TEXT NOT NULL,
    details   TEXT NOT NULL, -- a JSON object of texts, keys sorted
    link      BLOB NOT NULL CHECK (length(link) = 32)
) STRICT;
";

/// What can go wrong with the diary.
#[derive(Debug, thiserror::Error)]
pub enum DiaryError {
    /// The file system.
    #[error("the diary cannot be opened")]
    Io(#[from] io::Error),
    /// SQLite.
    #[error("the diary cannot be read or written")]
    Sqlite(#[from] rusqlite::Error),
    /// A line is not what the chain says.
    #[error("line {0} of the diary is not the one that was written")]
    Chain(u64),
    /// A record that no daemon of ours would send.
    #[error(
        "a record has a kind of a-z and -, and at most {} details of {} bytes",
        limits::DIARY_DETAILS,
        limits::DIARY_TEXT
    )]
    Record,
}

impl DiaryError {
    /// Whether the file may be good, and be opened when there is room again.
    fn is_for_now(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull, OutOfMemory};
        match self {
            Self::Sqlite(error) => error
                .sqlite_error_code()
                .is_some_and(|code| matches!(code, DatabaseBusy | DatabaseLocked | DiskFull | OutOfMemory)),
            _ => false,
        }
    }
}

/// How the names of diaries that were set aside end.
const SET_ASIDE: &str = ".damaged";

/// The open diary.
#[derive(Debug)]
pub struct Diary {
    db: Connection,
    last: u64,
    link: [u8; 32],
}

impl Diary {
    /// Opens the diary in `directory`; one that is damaged is set aside and a new one begun.
    ///
    /// # Errors
    /// There is no room for it now, or not even a new one can be made.
    pub fn open(directory: &Path, now: i64) -> Result<Self, DiaryError> {
        let path = directory.join("diary.db");
        let blocked = clear_the_way(directory, now)?;
        let mut diary = match Self::try_open(&path) {
            Ok(diary) => diary,
            Err(error) if error.is_for_now() => return Err(error),
            Err(error) => {
                tracing::error!(%error, "the diary is damaged and set aside");
                // A clock may tell the same second twice.
                let number = set_aside(directory)?;
                fs::rename(&path, directory.join(format!("diary.{now}-{number}{SET_ASIDE}")))?;
                Self::try_open(&path)?
            }
        };
        // Here, not where it was set aside: the power may have gone between the two.
        if blocked || diary.last == 0 && set_aside(directory)? > 0 {
            diary.append(now, "policy", "diary-damaged", &HashMap::new())?;
        }
        Ok(diary)
    }

    fn try_open(path: &Path) -> Result<Self, DiaryError> {
        let db = Connection::open(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        db.execute_batch(
            // EXTRA: the journal's end is synced too, or it comes back and takes the last line with it.
            "PRAGMA journal_mode = PERSIST; PRAGMA synchronous = EXTRA; PRAGMA trusted_schema = OFF;",
        )?;
        // Also after a power cut between the file and its first table.
        let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables == 0 {
            db.execute_batch(&format!("BEGIN; {SCHEMA} COMMIT;"))?;
        }
        let mut diary = Self { db, last: 0, link: [0; 32] };
        diary.verify()?;
        Ok(diary)
    }

    fn verify(&mut self) -> Result<(), DiaryError> {
        let mut statement =
            self.db.prepare("SELECT seq, unix_time, source, kind, details, link FROM line ORDER BY seq")?;
        let mut rows = statement.query([])?;
        let (mut last, mut head) = (0_u64, [0_u8; 32]);
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            let (source, kind, details): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
            let stored: Vec<u8> = row.get(5)?;
            last += 1;
            head = link(&head, last, row.get(1)?, &[&source, &kind, &details]);
            if seq.cast_unsigned() != last || stored != head {
                return Err(DiaryError::Chain(last));
            }
        }
        drop(rows);
        drop(statement);
        (self.last, self.link) = (last, head);
        Ok(())
    }

    /// Writes a line and returns its number.
    ///
    /// # Errors
    /// The record is over the limits, or the disk does not take it.
    pub fn append(
        &mut self,
        unix_time: i64,
        source: &str,
        kind: &str,
        details: &HashMap<String, String>,
    ) -> Result<u64, DiaryError> {
        if !fits(kind, details) {
            return Err(DiaryError::Record);
        }
        let sorted: std::collections::BTreeMap<_, _> = details.iter().collect();
        let details = serde_json::to_string(&sorted).map_err(|_| DiaryError::Record)?;
        let seq = self.last + 1;
        let link = link(&self.link, seq, unix_time, &[source, kind, &details]);
        let written = self.db.execute(
            "INSERT INTO line VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![seq.cast_signed(), unix_time, source, kind, details, link.as_slice()],
        );
        if let Err(error) = written {
            // When the very last sync failed the line is there, and must go before the next one.
            let _ = self.db.execute("DELETE FROM line WHERE seq = ?1", [seq.cast_signed()]);
            return Err(error.into());
        }
        (self.last, self.link) = (seq, link);
        Ok(seq)
    }

    /// Who did what policyd wrote as `kind`, as far as it still counts at `now`, seconds since 1970; oldest first, the newest
    /// [`MOST`] at most.
    ///
    /// # Errors
    /// SQLite.
    pub fn guardians_of(&self, kind: &str, now: i64) -> Result<Vec<Past>, DiaryError> {
        let mut statement = self.db.prepare(
            "SELECT unix_time, iif(source = 'policy' AND kind = ?1, details, NULL) FROM line ORDER BY seq DESC",
        )?;
        let mut rows = statement.query([kind])?;
        let (mut back, mut past) = (Back::from(now), Vec::new());
        while past.len() < MOST
            && let Some(row) = rows.next()?
        {
            let unix = row.get(0)?;
            // Every line says what time it was.
            let age = back.to(unix);
            let details: Option<String> = row.get(1)?;
            if let Some(details) = details.filter(|_| Looks::remembers(unix, age, now)) {
                let mut details: HashMap<String, String> = serde_json::from_str(&details).unwrap_or_default();
                past.push(Past { guardian: details.remove("guardian").unwrap_or_default(), unix, age });
            }
        }
        past.reverse();
        Ok(past)
    }

    /// Lines after number `after`, oldest first.
    ///
    /// # Errors
    /// SQLite.
    pub fn read(&self, after: u64, limit: u32) -> Result<Vec<DiaryEntry>, DiaryError> {
        let limit = limit.min(limits::DIARY_PAGE);
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let mut statement = self.db.prepare(
            "SELECT seq, unix_time, source, kind, details FROM line WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )?;
        let rows = statement.query_map(params![after, limit], |row| {
            let seq: i64 = row.get(0)?;
            let details: String = row.get(4)?;
            Ok(DiaryEntry {
                seq: seq.cast_unsigned(),
                unix_time: row.get(1)?,
                source: row.get(2)?,
                kind: row.get(3)?,
                details: serde_json::from_str(&details).unwrap_or_default(),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Sets aside what stands where SQLite keeps a file of its own and is none, such as a folder: no diary could ever be
/// opened beside it. Says whether there was such a thing.
fn clear_the_way(directory: &Path, now: i64) -> io::Result<bool> {
    let mut blocked = false;
    for ending in ["-journal", "-wal", "-shm"] {
        let path = directory.join(format!("diary.db{ending}"));
        if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
            tracing::error!(ending, "what stands beside the diary is no file and is set aside");
            let number = set_aside(directory)?;
            fs::rename(&path, directory.join(format!("diary.{now}-{number}{ending}{SET_ASIDE}")))?;
            blocked = true;
        }
    }
    Ok(blocked)
}

/// How many diaries were set aside.
fn set_aside(directory: &Path) -> io::Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(directory)? {
        count += usize::from(entry?.file_name().to_string_lossy().ends_with(SET_ASIDE));
    }
    Ok(count)
}

fn fits(kind: &str, details: &HashMap<String, String>) -> bool {
    let word = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let short = |text: &String| text.len() <= limits::DIARY_TEXT;
    kind.len() <= limits::DIARY_KIND
        && word(kind)
        && details.len() <= limits::DIARY_DETAILS
        && details.iter().all(|(key, value)| word(&key.replace('_', "-")) && short(key) && short(value))
}

fn link(previous: &[u8; 32], seq: u64, unix_time: i64, texts: &[&str; 3]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(seq.to_le_bytes());
    hash.update(unix_time.to_le_bytes());
    for text in texts {
        // Lengths keep two texts from borrowing each other's letters.
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    }
    hash.finalize().into()
}
