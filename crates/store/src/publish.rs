//! Building the file: the whole of it, beside the old one, then a rename.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use policy::Rulebook;
use rusqlite::{Connection, OpenFlags};

use crate::reader::Stamp;
use crate::{FILE, SCHEMA, write};

/// Name of a file that is being built. One left by a crash is removed by the next build.
const BUILDING: &str = "policy.db.building";

/// Why a store could not be published. The old one, if any, is still in place.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A file could not be made, synced or renamed.
    #[error("cannot {action} in the store's directory")]
    Io {
        /// What was being done.
        action: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// SQLite refused the rows.
    #[error("cannot build the store")]
    Build(#[from] rusqlite::Error),
}

fn io_error(action: &'static str) -> impl FnOnce(io::Error) -> PublishError {
    move |source| PublishError::Io { action, source }
}

/// Publishes rules into `directory` as revision `revision` (from 1). Returns which file that is: whoever puts another one in
/// its place, however soon, is noticed.
///
/// # Errors
/// See [`PublishError`]; readers keep seeing the old file then.
pub fn publish(directory: &Path, revision: u64, rules: &Rulebook) -> Result<Stamp, PublishError> {
    let building = directory.join(BUILDING);
    match fs::remove_file(&building) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(PublishError::Io { action: "remove an unfinished file", source: error });
        }
        _ => {}
    }
    // Made by us with our mode; SQLite then opens what is already there.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o640)
        .open(&building)
        .map_err(io_error("create a file"))?;
    build(&building, revision, rules)?;
    let file = File::open(&building).map_err(io_error("open the file"))?;
    file.set_permissions(Permissions::from_mode(0o440)).map_err(io_error("set the mode"))?;
    file.sync_all().map_err(io_error("sync the file"))?;
    fs::rename(&building, directory.join(FILE)).map_err(io_error("rename the file"))?;
    // Of the file itself, not of the name.
    let stamp = file.metadata().map(|metadata| Stamp::of(&metadata)).map_err(io_error("look at the file"))?;
    File::open(directory).and_then(|d| d.sync_all()).map_err(io_error("sync the directory"))?;
    Ok(stamp)
}

/// Takes the published store away: readers without a file are sealed.
///
/// # Errors
/// The file is there and cannot be removed.
pub fn withdraw(directory: &Path) -> Result<(), PublishError> {
    match fs::remove_file(directory.join(FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(PublishError::Io { action: "remove the store", source: error })
        }
        _ => Ok(()),
    }
}

fn build(path: &Path, revision: u64, rules: &Rulebook) -> Result<(), PublishError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    // The file is nobody's until it is renamed: no journal, and one sync at the end.
    db.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;")?;
    let tx = db.transaction()?;
    tx.execute_batch(SCHEMA)?;
    write::rulebook(&tx, revision, rules)?;
    tx.commit()?;
    db.close().map_err(|(_, error)| error)?;
    Ok(())
}
