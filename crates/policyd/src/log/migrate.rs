//! From an older version of the log to this one.
//!
//! The old file is verified whole, copied (`orders.v1.db`), and written again under another name, which then takes the old
//! one's place: a power cut at any point leaves the old file or the new one.
//!
//! What was rejected: changing the file in place (a cut leaves half of each), and reading two versions for ever.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use orders::Ledger;
use rusqlite::{Connection, params};

use super::{Links, LogError, Origin, VERSION, check, connect, create, head, is_empty, origin_link, replay};
use crate::anchor::LogKey;

/// Where the old file is kept.
const KEPT: &str = "orders.v1.db";
/// What is being written. One left by a power cut is removed.
const WRITING: &str = "orders.db.migrating";

/// The tables of version 1.
const OLD: &str = "
CREATE TABLE entry (
    seq         INTEGER PRIMARY KEY CHECK (seq > 0),
    accepted_at INTEGER NOT NULL,
    envelope    BLOB NOT NULL CHECK (length(envelope) <= 262144),
    link        BLOB NOT NULL CHECK (length(link) = 32)
) STRICT;
";

/// Brings the file at `path` to this version, where it is an older one and the anchor holds exactly it: anybody could have
/// written its links. `ledger` is the empty one the log begins with.
pub(super) fn to_newest(
    path: &Path,
    key: &LogKey,
    ledger: &Ledger,
    anchored: Option<(u64, [u8; 32])>,
) -> Result<(), LogError> {
    remove(&path.with_file_name(WRITING))?;
    if !path.try_exists()? {
        return Ok(());
    }
    let old = connect(path)?;
    let version: i64 = old.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if is_empty(&old)? || version != VERSION - 1 {
        return Ok(());
    }
    let (count, plain) = verify(&old, ledger)?;
    if count > 0 && anchored != Some((count, plain)) {
        return Err(LogError::Format);
    }
    tracing::info!(orders = count, "the order log is migrated");
    let kept = path.with_file_name(KEPT);
    fs::copy(path, &kept)?;
    File::open(&kept)?.sync_all()?;
    let new = path.with_file_name(WRITING);
    write(&new, key, &old, count, plain)?;
    drop(old);
    File::open(&new)?.sync_all()?;
    fs::rename(&new, path)?;
    Ok(sync_folder(path)?)
}

/// The number of orders and the head, by the rules of version 1.
fn verify(old: &Connection, ledger: &Ledger) -> Result<(u64, [u8; 32]), LogError> {
    check(old, VERSION - 1, OLD)?;
    let mut ledger = ledger.clone();
    let (count, link) = replay(old, [0; 32], &Links::Plain, &mut ledger, &mut |_| {})?;
    Ok((count, head(&link, &ledger)))
}

fn write(new: &Path, key: &LogKey, old: &Connection, count: u64, plain: [u8; 32]) -> Result<(), LogError> {
    // Version 1 had no epoch but the number of its orders; the migration is one more step.
    let origin = if count == 0 {
        Origin { epoch: 0, migrated: None }
    } else {
        Origin { epoch: 1, migrated: Some((count, plain)) }
    };
    let mut db = connect(new)?;
    create(&db, key, origin)?;
    let tx = db.transaction()?;
    let mut link = origin_link(key, origin);
    {
        let mut rows = old.prepare("SELECT seq, accepted_at, envelope FROM entry ORDER BY seq")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let (seq, accepted_at, envelope): (i64, i64, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            link = Links::Keyed(key).link(&link, seq.cast_unsigned(), accepted_at, &envelope);
            tx.execute(
                "INSERT INTO entry VALUES (?1, ?2, ?3, ?4)",
                params![seq, accepted_at, envelope, link.as_slice()],
            )?;
        }
    }
    tx.commit()?;
    db.close().map_err(|(_, error)| error)?;
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().ok_or(ErrorKind::InvalidInput)?)?.sync_all()
}
