//! Small files that must be whole or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::sys::statfs::{TMPFS_MAGIC, statfs};

/// Writes a file beside its place with mode 0600, syncs it, renames it, syncs the directory.
///
/// # Errors
/// Whatever the file system says; the old file is still there then.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let building = path.with_extension("building");
    match fs::remove_file(&building) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&building)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&building, path)?;
    File::open(directory)?.sync_all()
}

/// Reads a file of at most `limit` bytes; `None` if there is none.
///
/// # Errors
/// It is there and cannot be read, or is longer.
pub fn read_small(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if !metadata.is_file() || metadata.len() > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a small file"));
    }
    fs::read(path).map(Some)
}

/// Whether a folder is lost at the next power cut. A folder that cannot be asked counts as lost.
pub fn is_in_memory(path: &Path) -> bool {
    statfs(path).map_or(true, |fs| fs.filesystem_type() == TMPFS_MAGIC)
}
