//! What was seen of the catalogue: the folder that tough calls its datastore.
//!
//! tough opens a file there by its path, follows links, waits for pipes, reads to the end whatever the size, and writes
//! over what it finds. The folder lies on a disk that somebody may have written to while the watch was off. So before
//! tough looks, everything is removed that it could not have written: what is no plain file, is not ours, has a second
//! name, or is larger than metadata may be. Later than that the folder is guarded by its mode.
//!
//! **What that does to the protection against older catalogues (TUF 5.4.3): nothing new.** A removed file is as one
//! never written, and so is, to tough, one it cannot parse. Who can put a pipe here can as well delete the file, or
//! bring back all of /var as it was. What holds against them is the root and the catalogue in the verified image, with
//! their signatures and versions; this folder only remembers, for an honest disk, what came after.
//!
//! **Invariants:** nothing here is opened but the folder itself; no link is followed; nothing is removed that is not
//! directly in the folder; what cannot be removed refuses the catalogue.

use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, renameat, statat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::entry::limits;
use crate::error::Error;
use crate::private::{private_folder, unfit};

/// Where tough keeps the latest time it saw.
const LATEST_TIME: &str = "latest_known_time.json";
/// Where it lies while a catalogue is verified without it.
const ASIDE: &str = "latest_known_time.new";

/// Removes what tough must not touch. Called before each of its uses of the folder.
pub(crate) fn clean(path: &Path) -> Result<OwnedFd, Error> {
    let folder = private_folder(path)?;
    let listing = |errno| Error::storage("list", &path.display().to_string())(errno);
    // Name by name: nobody says how many there are.
    for entry in Dir::read_from(&folder).map_err(listing)? {
        let entry = entry.map_err(listing)?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            clean_name(&folder, name).map_err(Error::storage("remove", &format!("{name:?}")))?;
        }
    }
    Ok(folder)
}

fn clean_name(folder: &OwnedFd, name: &CStr) -> Result<(), Errno> {
    let stat = match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(()),
        Err(errno) => return Err(errno),
    };
    let why = match unfit(&stat, geteuid().as_raw()) {
        Some(wrong) => wrong.to_string(),
        None if u64::try_from(stat.st_size).is_ok_and(|size| size <= limits::METADATA) => return Ok(()),
        None => "it is too large".to_owned(),
    };
    tracing::warn!(?name, "removed from what was seen of the catalogue: {why}");
    match unlinkat(folder, name, AtFlags::empty()) {
        // Only an empty folder: what is in another is not ours to judge.
        Err(Errno::ISDIR) => unlinkat(folder, name, AtFlags::REMOVEDIR),
        other => other,
    }
}

/// Does something with the latest time put aside, and puts it back, neither of which opens it.
pub(crate) fn without_latest_time<T>(
    path: &Path,
    act: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    let folder = clean(path)?;
    renameat(&folder, LATEST_TIME, &folder, ASIDE).map_err(Error::storage("put aside", LATEST_TIME))?;
    let result = act();
    renameat(&folder, ASIDE, &folder, LATEST_TIME).map_err(Error::storage("put back", LATEST_TIME))?;
    result
}
