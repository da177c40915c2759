//! Folders and files that are the launcher's alone.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::error::{Error, Wrong};

/// Makes a folder where it is missing, and opens it if nobody else can enter it.
pub(crate) fn private_folder(path: &Path) -> Result<OwnedFd, Error> {
    let name = path.display().to_string();
    match mkdirat(CWD, path, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(Error::storage("make", &name)(errno)),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = openat(CWD, path, flags, Mode::empty()).map_err(Error::storage("open", &name))?;
    let stat = fstat(&folder).map_err(Error::storage("look at", &name))?;
    if stat.st_uid != geteuid().as_raw() || stat.st_mode & 0o077 != 0 {
        return Err(Error::Folder { folder: name });
    }
    Ok(folder)
}

/// What is wrong with a file before its content is looked at.
pub(crate) fn unfit(stat: &Stat, owner: u32) -> Option<Wrong> {
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        Some(Wrong::Kind)
    } else if stat.st_uid != owner {
        Some(Wrong::Owner)
    } else if stat.st_nlink != 1 {
        Some(Wrong::Links)
    } else {
        None
    }
}
