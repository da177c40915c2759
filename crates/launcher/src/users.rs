//! Which user an app runs as, and the folder of its own files.
//!
//! The folders themselves are the table: `DATA/<id>` belongs to the app's user. So a number cannot be given to another
//! app while data of the first exists, and there is no second list that could say otherwise.
//!
//! **Invariants:** a folder is used only if it is a real folder, of one user of the range that owns no other, on the same file
//! system, in a folder that only root enters; a new one appears under its name by one rename, with its owner; what is in it is
//! never looked at, nor its mode: the app itself can change that (the sandbox sets it back at the next start).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use launch::AppId;
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Stat, Uid};
use rustix::io::Errno;
use sandbox::AppUser;

/// Prefix of a folder that is being made; no app's id holds a dot.
const UNFINISHED: &str = ".new-";

/// Why an app has no place for its files. None of these is repaired: somebody was here.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// The folder of all folders.
    #[error("cannot use {}", path.display())]
    Data {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// One step on the app's own folder failed; a link or a file in its place too.
    #[error("cannot {step} the folder of {}", app.as_str())]
    Folder {
        /// What was to be done.
        step: &'static str,
        /// Whose.
        app: AppId,
        /// Why.
        source: Errno,
    },
    /// It belongs to nobody of the range.
    #[error("the folder of {} belongs to {owner}:{group}", app.as_str())]
    Owner {
        /// Whose.
        app: AppId,
        /// User that owns it.
        owner: u32,
        /// Group that owns it.
        group: u32,
    },
    /// Others could enter the folder of all folders.
    #[error("{} has mode {mode:o}", path.display())]
    Mode {
        /// Where.
        path: PathBuf,
        /// As chmod(2).
        mode: u32,
    },
    /// Something else is mounted there.
    #[error("the folder of {} is on another file system", app.as_str())]
    Elsewhere {
        /// Whose.
        app: AppId,
    },
    /// Two folders belong to one user: two apps would be one.
    #[error("the folder of {} has the owner of another one ({owner})", app.as_str())]
    Shared {
        /// Whose.
        app: AppId,
        /// User that owns both.
        owner: u32,
    },
    /// Every number is taken.
    #[error("there are as many apps with data as there can be")]
    Full,
}

/// One app's user and folder (opened with `O_PATH`).
#[derive(Debug)]
pub struct Home {
    /// Who it runs as.
    pub user: AppUser,
    /// Its own files.
    pub folder: OwnedFd,
}

/// All users there are. Whatever lies where their folders should be is found out by [`Users::home`].
#[derive(Debug)]
pub struct Users {
    path: PathBuf,
    first: u32,
    last: u32,
}

impl Users {
    /// Users from `first` to `last`, with folders in `path`, which only root may enter.
    pub fn new(path: &Path, (first, last): (u32, u32)) -> Self {
        Self { path: path.to_owned(), first, last }
    }

    /// The user and folder of `app`; both are new if it never ran.
    ///
    /// # Errors
    /// See [`UsersError`].
    pub fn home(&self, app: &AppId) -> Result<Home, UsersError> {
        Folders::open(&self.path, (self.first, self.last))?.home(app)
    }
}

/// The folder of all folders, opened for one question.
struct Folders<'a> {
    path: &'a Path,
    folder: OwnedFd,
    device: u64,
    first: u32,
    last: u32,
}

impl<'a> Folders<'a> {
    fn open(path: &'a Path, (first, last): (u32, u32)) -> Result<Self, UsersError> {
        let failed = |errno: Errno| UsersError::Data { path: path.to_owned(), source: errno.into() };
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(failed)?;
        let stat = rustix::fs::fstat(&folder).map_err(failed)?;
        let mode = stat.st_mode & 0o7777;
        if mode & 0o077 != 0 {
            return Err(UsersError::Mode { path: path.to_owned(), mode });
        }
        let folders = Self { path, folder, device: stat.st_dev, first, last };
        folders.remove_unfinished()?;
        Ok(folders)
    }

    fn home(&self, app: &AppId) -> Result<Home, UsersError> {
        let owners = self.owners()?;
        let folder = match self.open_folder(app.as_str()) {
            Ok(folder) => folder,
            Err(Errno::NOENT) => self.make(app, &owners)?,
            Err(source) => return Err(UsersError::Folder { step: "open", app: app.clone(), source }),
        };
        let stat = rustix::fs::fstat(&folder).map_err(|source| UsersError::Folder {
            step: "look at",
            app: app.clone(),
            source,
        })?;
        let user = self.check(app, &stat, &owners)?;
        Ok(Home { user, folder })
    }

    fn check(
        &self,
        app: &AppId,
        stat: &Stat,
        owners: &BTreeMap<u32, Vec<String>>,
    ) -> Result<AppUser, UsersError> {
        let app = || app.clone();
        let (owner, group) = (stat.st_uid, stat.st_gid);
        if stat.st_dev != self.device {
            return Err(UsersError::Elsewhere { app: app() });
        }
        let in_range = (self.first..=self.last).contains(&owner) && group == owner;
        let Some(user) = AppUser::new(owner).filter(|_| in_range) else {
            return Err(UsersError::Owner { app: app(), owner, group });
        };
        let others =
            owners.get(&owner).map_or(0, |names| names.iter().filter(|n| **n != app().as_str()).count());
        if others > 0 {
            return Err(UsersError::Shared { app: app(), owner });
        }
        Ok(user)
    }

    /// Makes the folder aside, gives it away, and puts it in its place: nobody ever sees it with another owner.
    fn make(&self, app: &AppId, owners: &BTreeMap<u32, Vec<String>>) -> Result<OwnedFd, UsersError> {
        let user =
            (self.first..=self.last).find(|number| !owners.contains_key(number)).ok_or(UsersError::Full)?;
        let aside = format!("{UNFINISHED}{}", app.as_str());
        let failed = |step| move |source| UsersError::Folder { step, app: app.clone(), source };
        rustix::fs::mkdirat(&self.folder, &aside, Mode::RWXU).map_err(failed("make"))?;
        let folder = self.open_folder(&aside).map_err(failed("open"))?;
        let (uid, gid) = (Some(Uid::from_raw(user)), Some(Gid::from_raw(user)));
        let flags = AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW;
        rustix::fs::chownat(&folder, c"", uid, gid, flags).map_err(failed("give away"))?;
        let flags = rustix::fs::RenameFlags::NOREPLACE;
        rustix::fs::renameat_with(&self.folder, &aside, &self.folder, app.as_str(), flags)
            .map_err(failed("name"))?;
        rustix::fs::fsync(&self.folder).map_err(failed("save"))?;
        tracing::info!(app = app.as_str(), user, "an app has a place for its files");
        Ok(folder)
    }

    fn open_folder(&self, name: &str) -> Result<OwnedFd, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.folder, name, flags, Mode::empty())
    }

    /// Who owns what now.
    fn owners(&self) -> Result<BTreeMap<u32, Vec<String>>, UsersError> {
        let mut owners: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for (name, stat) in self.entries()? {
            owners.entry(stat.st_uid).or_default().push(name);
        }
        Ok(owners)
    }

    fn entries(&self) -> Result<Vec<(String, Stat)>, UsersError> {
        let failed = |source| UsersError::Data { path: self.path.to_owned(), source };
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let stat = rustix::fs::statat(self.folder.as_fd(), &name, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|errno| failed(errno.into()))?;
            entries.push((name.to_string_lossy().into_owned(), stat));
        }
        Ok(entries)
    }

    /// A launcher was ended while it made one: nobody was in it yet.
    fn remove_unfinished(&self) -> Result<(), UsersError> {
        for (name, stat) in self.entries()? {
            let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
            if !is_folder || !name.starts_with(UNFINISHED) {
                continue;
            }
            if let Err(error) = rustix::fs::unlinkat(&self.folder, &name, AtFlags::REMOVEDIR) {
                tracing::warn!(%error, name, "an unfinished folder stays");
            }
        }
        Ok(())
    }
}
