//! Reading and verifying a catalogue with tough, and remembering it until one of its files changes.
//!
//! tough verifies signatures, versions against those seen before, and dates by the system's clock. Where only the
//! date is wrong, the catalogue is verified again without dates and marked as not fresh: what is installed may go on.
//! tough also refuses a clock that stands before the latest one it saw; a date cannot be judged by such a clock, so
//! that too is a catalogue that is not fresh.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use futures_util::StreamExt as _;
use launch::AppId;
use rustix::fs::{CWD, Mode, OFlags, openat, stat};
use tough::error::Error as TufError;
use tough::schema::Target;
use tough::{ExpirationEnforcement, Limits, Repository, RepositoryLoader, TargetName};

use crate::Places;
use crate::entry::{Entry, EntryError, limits};
use crate::error::Error;
use crate::folder::{Folder, METADATA_URL, TARGETS_URL};
use crate::seen;

/// A verified catalogue.
#[derive(Debug)]
pub(crate) struct Catalogue {
    repository: Repository,
    /// Bundles of each app, the newest first.
    bundles: BTreeMap<AppId, Vec<Entry>>,
    /// Whether its dates were right when it was read.
    fresh: bool,
    /// When the first of its dates comes.
    expires: SystemTime,
    /// The files it was read from.
    stamp: Stamp,
    /// tough's datastore.
    seen: PathBuf,
}

/// Device, inode, size, and the nanoseconds of the last change, of the files whose change means a new catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp([Option<[i128; 5]>; 3]);

impl Stamp {
    pub(crate) fn of(places: &Places) -> Self {
        let metadata = places.catalogue.join("metadata");
        // Every new catalogue has a new timestamp.json; a new root is a new file in the folder.
        let paths = [&places.root, &metadata.join("timestamp.json"), &metadata];
        Self(paths.map(|path| {
            let stat = stat(path).ok()?;
            Some([
                stat.st_dev.into(),
                stat.st_ino.into(),
                stat.st_size.into(),
                i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec),
                i128::from(stat.st_ctime) * 1_000_000_000 + i128::from(stat.st_ctime_nsec),
            ])
        }))
    }
}

impl Catalogue {
    /// Reads and verifies what is in `places` now.
    pub(crate) fn read(places: &Places) -> Result<Self, Error> {
        let stamp = Stamp::of(places);
        let root = read_root(&places.root)?;
        let folder = Folder::open(&places.catalogue)
            .map_err(|source| Error::Metadata { name: places.catalogue.display().to_string(), source })?;
        let (repository, fresh) = match load(&root, &folder, &places.seen, ExpirationEnforcement::Safe) {
            Ok(repository) => (repository, true),
            Err(Error::Tuf(error)) if matches!(*error, TufError::ExpiredMetadata { .. }) => {
                tracing::warn!("the catalogue is out of date: nothing is installed or updated");
                (load(&root, &folder, &places.seen, ExpirationEnforcement::Unsafe)?, false)
            }
            Err(Error::Tuf(error)) if matches!(*error, TufError::SystemTimeSteppedBackward { .. }) => {
                tracing::warn!("the clock stands before an earlier time: nothing is installed or updated");
                // A clock that was wrong for a while proves nothing: the latest time stays what it was.
                let timeless = || load(&root, &folder, &places.seen, ExpirationEnforcement::Unsafe);
                (seen::without_latest_time(&places.seen, timeless)?, false)
            }
            Err(error) => return Err(error),
        };
        let bundles = bundles(&repository)?;
        let expires = [
            repository.root().signed.expires,
            repository.timestamp().signed.expires,
            repository.snapshot().signed.expires,
            repository.targets().signed.expires,
        ];
        let expires = expires.into_iter().map(SystemTime::from).min().unwrap_or(SystemTime::UNIX_EPOCH);
        Ok(Self { repository, bundles, fresh, expires, stamp, seen: places.seen.clone() })
    }

    /// Whether these files are what was read.
    pub(crate) fn is_of(&self, stamp: &Stamp) -> bool {
        self.stamp == *stamp
    }

    /// Whether something may be installed from it.
    pub(crate) fn is_fresh(&self, now: SystemTime) -> bool {
        self.fresh && now < self.expires
    }

    /// The bundles of an app, the newest first; never empty.
    pub(crate) fn of(&self, app: &AppId) -> Option<&[Entry]> {
        self.bundles.get(app).map(Vec::as_slice)
    }

    /// Every app's bundles.
    pub(crate) fn all(&self) -> impl Iterator<Item = &[Entry]> {
        self.bundles.values().map(Vec::as_slice)
    }

    /// Hands a bundle's bytes to `take`, piece by piece. They are those that were signed if the result is `Ok`.
    pub(crate) fn copy(
        &self,
        entry: &Entry,
        mut take: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let name = entry.file_name();
        let refused = |error| Error::Target { name: name.clone(), source: Some(Box::new(error)) };
        let target = TargetName::new(&name).map_err(refused)?;
        // tough looks at the latest time once more.
        seen::clean(&self.seen)?;
        runtime()?.block_on(async {
            let stream = match self.repository.read_target(&target).await {
                Ok(stream) => stream.ok_or_else(|| Error::NotListed(entry.id.clone()))?,
                Err(TufError::ExpiredMetadata { .. } | TufError::SystemTimeSteppedBackward { .. }) => {
                    return Err(Error::Expired { name: name.clone() });
                }
                Err(error) => return Err(Error::Tuf(Box::new(error))),
            };
            let mut stream = std::pin::pin!(stream);
            while let Some(piece) = stream.next().await {
                take(&piece.map_err(refused)?)?;
            }
            Ok(())
        })
    }
}

/// One for each use: it is dropped with its threads, so that nothing runs beside the launcher when it forks.
fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread().build().map_err(|source| Error::Storage {
        step: "start",
        name: "the reader".to_owned(),
        source,
    })
}

fn read_root(path: &Path) -> Result<Vec<u8>, Error> {
    let refused = |source| Error::Metadata { name: path.display().to_string(), source };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(CWD, path, flags, Mode::empty()).map_err(|errno| refused(errno.into()))?;
    let mut root = Vec::new();
    fs::File::from(file).take(limits::SMALL_METADATA + 1).read_to_end(&mut root).map_err(refused)?;
    if root.len() as u64 > limits::SMALL_METADATA {
        return Err(refused(io::ErrorKind::FileTooLarge.into()));
    }
    Ok(root)
}

fn load(
    root: &[u8],
    folder: &Folder,
    seen: &Path,
    dates: ExpirationEnforcement,
) -> Result<Repository, Error> {
    seen::clean(seen)?;
    let loader = RepositoryLoader::new(&root, url(METADATA_URL)?, url(TARGETS_URL)?)
        .transport(folder.clone())
        .limits(Limits {
            max_root_size: limits::SMALL_METADATA,
            max_targets_size: limits::METADATA,
            max_timestamp_size: limits::SMALL_METADATA,
            max_snapshot_size: limits::METADATA,
            max_root_updates: limits::ROOTS,
        })
        .datastore(seen)
        .expiration_enforcement(dates);
    runtime()?.block_on(loader.load()).map_err(|error| Error::Tuf(Box::new(error)))
}

fn url(text: &str) -> Result<url::Url, Error> {
    text.parse().map_err(|error| Error::Metadata { name: text.to_owned(), source: io::Error::other(error) })
}

/// The bundles of a verified repository, all or none.
fn bundles(repository: &Repository) -> Result<BTreeMap<AppId, Vec<Entry>>, Error> {
    let signed = &repository.targets().signed;
    if signed.delegations.as_ref().is_some_and(|others| !others.roles.is_empty()) {
        return Err(Error::Delegation);
    }
    if signed.targets.len() > limits::BUNDLES {
        return Err(Error::TooMany);
    }
    let mut bundles: BTreeMap<AppId, Vec<Entry>> = BTreeMap::new();
    for (name, target) in &signed.targets {
        let entry = entry(name, target)?;
        bundles.entry(entry.id.clone()).or_default().push(entry);
    }
    for versions in bundles.values_mut() {
        versions.sort_by_key(|entry| std::cmp::Reverse(entry.version));
    }
    Ok(bundles)
}

fn entry(name: &TargetName, target: &Target) -> Result<Entry, Error> {
    if target.length > limits::BUNDLE {
        return Err(Error::Size { target: name.raw().to_owned() });
    }
    let custom = target.custom.clone().into_iter().collect();
    Entry::parse(name.raw(), custom)
        .map_err(|source: EntryError| Error::Entry { target: name.raw().to_owned(), source })
}
