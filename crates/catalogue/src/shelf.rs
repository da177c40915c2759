//! The installed bundles: `<id>-<version>.erofs` in a folder only the launcher enters.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::SystemTime;

use launch::{AppId, AppInfo, Refusal};
use rustix::fs::{AtFlags, Dir, Mode, OFlags, fchmod, fstat, fsync, openat, renameat, unlinkat};
use rustix::io::{Errno, write};
use rustix::process::geteuid;

use crate::Places;
use crate::entry::{Entry, of_file_name};
use crate::error::{Error, Wrong};
use crate::private::{private_folder, unfit};
use crate::reader::{Catalogue, Stamp};
use crate::verity::{Digest, KernelVerity, Verity};

/// Ends the name of a bundle that is being written.
const UNFINISHED: &str = ".new";

/// A bundle that is what reviewers signed.
#[derive(Debug)]
pub struct Bundle {
    /// The erofs image, open for reading; its content cannot change.
    pub file: OwnedFd,
    /// Its version.
    pub version: u64,
    /// Its fs-verity digest, signed and measured.
    pub digest: Digest,
    /// What a screen shows of it.
    pub info: AppInfo,
    /// All that reviewers signed about it.
    pub entry: Entry,
}

/// The catalogue and the bundles installed from it.
#[derive(Debug)]
pub struct Shelf<V = KernelVerity> {
    places: Places,
    folder: OwnedFd,
    verity: V,
    catalogue: Option<Catalogue>,
}

impl Shelf<KernelVerity> {
    /// Opens the shelf of the watch. Its folders are made where they are missing; the catalogue is read when it is
    /// first asked for.
    pub fn open(places: Places) -> Result<Self, Error> {
        Self::with(places, KernelVerity)
    }
}

impl<V: Verity> Shelf<V> {
    /// As [`Shelf::open`], with something else that measures.
    pub fn with(places: Places, verity: V) -> Result<Self, Error> {
        private_folder(&places.seen)?;
        let folder = private_folder(&places.bundles)?;
        let shelf = Self { places, folder, verity, catalogue: None };
        shelf.remove_all(|name| name.ends_with(UNFINISHED));
        Ok(shelf)
    }

    /// Every app that may be started or installed, by id.
    pub fn apps(&mut self, now: SystemTime) -> Result<Vec<AppInfo>, Refusal> {
        self.refresh().map_err(|error| refused(&error))?;
        let Some(catalogue) = &self.catalogue else { return Err(Refusal::Catalogue) };
        let newest = catalogue.all().filter_map(|bundles| chosen(bundles, now).ok());
        Ok(newest.map(Entry::info).collect())
    }

    /// What reviewers signed about the newest version of an app.
    pub fn info(&mut self, app: &AppId, now: SystemTime) -> Result<AppInfo, Refusal> {
        let catalogue = self.refresh().map_err(|error| refused(&error))?;
        let bundles = catalogue.of(app).ok_or(Refusal::NotSigned)?;
        chosen(bundles, now).map(Entry::info).map_err(|error| refused(&error))
    }

    /// The bundle of an app, ready to be mounted: the installed one if it is what was signed, else, where the
    /// catalogue is fresh, newly installed. Takes microseconds when it is installed.
    pub fn bundle(&mut self, app: &AppId, now: SystemTime) -> Result<Bundle, Refusal> {
        self.find(app, now).map_err(|error| refused(&error))
    }

    /// As [`Shelf::bundle`], with every detail of a refusal.
    pub fn find(&mut self, app: &AppId, now: SystemTime) -> Result<Bundle, Error> {
        let catalogue = self.refresh()?;
        let bundles = catalogue.of(app).ok_or_else(|| Error::NotListed(app.clone()))?;
        let newest = chosen(bundles, now)?.clone();
        if let Some(file) = self.installed(&newest)? {
            return Ok(bundle(file, newest));
        }
        self.not_installed(newest, now)
    }

    /// Installs the newest bundle, or takes an older one that is installed where nothing may be installed now.
    fn not_installed(&mut self, newest: Entry, now: SystemTime) -> Result<Bundle, Error> {
        if !self.refresh()?.is_fresh(now) {
            // The dates may be right by now, or the clock.
            self.catalogue = None;
        }
        let catalogue = self.refresh()?;
        if !catalogue.is_fresh(now) {
            let older = catalogue.of(&newest.id).unwrap_or_default().iter().skip(1);
            let older: Vec<Entry> = older.filter(|entry| !entry.is_over(now)).cloned().collect();
            for entry in older {
                if let Some(file) = self.installed(&entry)? {
                    return Ok(bundle(file, entry));
                }
            }
            return Err(Error::Expired { name: newest.file_name() });
        }
        if let Some(installed) =
            self.versions(&newest.id)?.into_iter().find(|version| *version > newest.version)
        {
            return Err(Error::Older { name: newest.file_name(), installed });
        }
        let file = self.install(&newest)?;
        tracing::info!(app = newest.id.as_str(), version = newest.version, "installed");
        self.remove_all(|name| {
            of_file_name(name).is_some_and(|(id, version)| id == newest.id && version < newest.version)
        });
        Ok(bundle(file, newest))
    }

    /// The catalogue as it is now.
    fn refresh(&mut self) -> Result<&Catalogue, Error> {
        let stamp = Stamp::of(&self.places);
        let known = self.catalogue.take().filter(|catalogue| catalogue.is_of(&stamp));
        let catalogue = match known {
            Some(catalogue) => catalogue,
            None => Catalogue::read(&self.places)?,
        };
        Ok(self.catalogue.insert(catalogue))
    }

    /// Opens and measures an installed bundle; `None` where there is none. One that is not what was signed is
    /// removed, so that the next touch installs it afresh.
    fn installed(&self, entry: &Entry) -> Result<Option<OwnedFd>, Error> {
        let name = entry.file_name();
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let wrong = match openat(self.folder.as_fd(), &name, flags, Mode::empty()) {
            Ok(file) => match self.check(&file, entry)? {
                None => return Ok(Some(file)),
                Some(wrong) => wrong,
            },
            Err(Errno::NOENT) => return Ok(None),
            // A symbolic link, a socket, a device without a driver.
            Err(Errno::LOOP | Errno::NXIO | Errno::NODEV) => Wrong::Kind,
            Err(errno) => return Err(Error::storage("open", &name)(errno)),
        };
        self.remove(&name);
        Err(Error::Altered { name, why: wrong })
    }

    /// What is wrong with an opened bundle.
    fn check(&self, file: &OwnedFd, entry: &Entry) -> Result<Option<Wrong>, Error> {
        let name = entry.file_name();
        let stat = fstat(file).map_err(Error::storage("look at", &name))?;
        if let Some(wrong) = unfit(&stat, geteuid().as_raw()) {
            return Ok(Some(wrong));
        }
        let measured = self.verity.measure(file.as_fd()).map_err(|source| Error::Storage {
            step: "measure",
            name,
            source,
        })?;
        Ok(match measured {
            None => Some(Wrong::NotSealed),
            Some(digest) if digest != entry.verity => Some(Wrong::Digest),
            Some(_) => None,
        })
    }

    /// Copies a bundle out of the catalogue, seals it, and only then gives it its name.
    fn install(&self, entry: &Entry) -> Result<OwnedFd, Error> {
        let unfinished = format!("{}{UNFINISHED}", entry.file_name());
        let result = self.write(entry, &unfinished).and_then(|()| self.finish(entry, &unfinished));
        if result.is_err() {
            self.remove(&unfinished);
        }
        result
    }

    /// Writes the bytes and forces them to the disk; the only descriptor that can write is closed at the end.
    fn write(&self, entry: &Entry, unfinished: &str) -> Result<(), Error> {
        let Some(catalogue) = &self.catalogue else { return Err(Error::NotListed(entry.id.clone())) };
        self.remove(unfinished);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(self.folder.as_fd(), unfinished, flags, Mode::RUSR | Mode::WUSR)
            .map_err(Error::storage("create", unfinished))?;
        catalogue.copy(entry, |mut bytes| {
            while !bytes.is_empty() {
                match write(&file, bytes) {
                    Ok(0) => return Err(Error::storage("write", unfinished)(Errno::IO)),
                    Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                    Err(Errno::INTR) => {}
                    Err(errno) => return Err(Error::storage("write", unfinished)(errno)),
                }
            }
            Ok(())
        })?;
        // Sealing asks for the right to write, which root without CAP_DAC_OVERRIDE has by the mode alone.
        fchmod(&file, Mode::RUSR | Mode::WUSR).map_err(Error::storage("protect", unfinished))?;
        fsync(&file).map_err(Error::storage("flush", unfinished))
    }

    /// Seals and measures what was written, and renames it.
    fn finish(&self, entry: &Entry, unfinished: &str) -> Result<OwnedFd, Error> {
        let folder = self.folder.as_fd();
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file =
            openat(folder, unfinished, flags, Mode::empty()).map_err(Error::storage("open", unfinished))?;
        self.verity.seal(file.as_fd()).map_err(|source: io::Error| Error::Storage {
            step: "seal",
            name: unfinished.to_owned(),
            source,
        })?;
        fchmod(&file, Mode::RUSR).map_err(Error::storage("protect", unfinished))?;
        if let Some(wrong) = self.check(&file, entry)? {
            tracing::warn!(bundle = unfinished, "a fresh copy is refused: {wrong}");
            return Err(Error::Target { name: entry.file_name(), source: None });
        }
        let name = entry.file_name();
        renameat(folder, unfinished, folder, &name).map_err(Error::storage("name", &name))?;
        fsync(&self.folder).map_err(Error::storage("flush the folder of", &name))?;
        Ok(file)
    }

    /// The installed versions of an app, by the names of the files.
    fn versions(&self, app: &AppId) -> Result<Vec<u64>, Error> {
        let names = names(&self.folder).map_err(Error::storage("list", "the bundles"))?;
        let ours = names.iter().filter_map(|name| of_file_name(name));
        Ok(ours.filter(|(id, _)| id == app).map(|(_, version)| version).collect())
    }

    /// Removes what `unwanted` names; what cannot be removed only costs space.
    fn remove_all(&self, unwanted: impl Fn(&str) -> bool) {
        for name in names(&self.folder).unwrap_or_default() {
            if unwanted(&name) {
                self.remove(&name);
            }
        }
    }

    /// Removes a name, whatever it is. What stays is found wrong again at the next start.
    fn remove(&self, name: &str) {
        let folder = self.folder.as_fd();
        let removed = match unlinkat(folder, name, AtFlags::empty()) {
            Err(Errno::ISDIR) => unlinkat(folder, name, AtFlags::REMOVEDIR),
            other => other,
        };
        match removed {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => tracing::warn!(name, %error, "cannot be removed"),
        }
    }
}

fn bundle(file: OwnedFd, entry: Entry) -> Bundle {
    Bundle { file, version: entry.version, digest: entry.verity, info: entry.info(), entry }
}

/// The bundle that counts: the newest, if all are of one publisher and its time is not over.
fn chosen(bundles: &[Entry], now: SystemTime) -> Result<&Entry, Error> {
    let newest = bundles.first().ok_or(Error::TooMany)?;
    if bundles.iter().any(|entry| entry.publisher != newest.publisher) {
        return Err(Error::Publisher(newest.id.clone()));
    }
    if newest.is_over(now) {
        return Err(Error::Over { name: newest.file_name() });
    }
    Ok(newest)
}

fn names(folder: &OwnedFd) -> rustix::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        // A name that is no text is none of ours.
        names.extend(entry?.file_name().to_str().ok().map(str::to_owned));
    }
    names.retain(|name| name != "." && name != "..");
    Ok(names)
}

/// Writes down why, and gives the word for it.
fn refused(error: &Error) -> Refusal {
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    let refusal = error.refusal();
    match refusal {
        Refusal::Expired | Refusal::NotSigned => tracing::info!(refusal = refusal.as_str(), "{reason}"),
        _ => tracing::warn!(refusal = refusal.as_str(), "{reason}"),
    }
    refusal
}
