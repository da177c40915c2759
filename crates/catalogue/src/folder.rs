//! A catalogue's folder as tough's transport.
//!
//! The folder may have been filled by somebody who fetched it. So a path never leaves it, no link is followed,
//! nothing that could block is opened, and no metadata file is read beyond its limit.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;
use tough::{Bytes, Transport, TransportError, TransportErrorKind, TransportStream, async_trait};
use url::Url;

use crate::entry::limits;

/// The URLs under which tough asks this transport; the host is none, the paths are those below the folder.
pub(crate) const METADATA_URL: &str = "file:///metadata/";
pub(crate) const TARGETS_URL: &str = "file:///targets/";
const PIECE: u64 = 64 << 10;

/// An opened catalogue.
#[derive(Debug, Clone)]
pub(crate) struct Folder(Arc<OwnedFd>);

impl Folder {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(Arc::new(openat(CWD, path, flags, Mode::empty())?)))
    }

    /// Opens a path name by name, as openat2(2) with `RESOLVE_BENEATH` would; that call itself is refused to a unit with
    /// `RestrictSUIDSGID=`, which cannot look into its arguments.
    fn beneath(&self, path: &str) -> io::Result<OwnedFd> {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let plain = |name: &str| !name.is_empty() && name != "." && name != "..";
        if !plain(name) || !folders.split('/').all(|folder| folders.is_empty() || plain(folder)) {
            return Err(Errno::NOENT.into());
        }
        let mut at = self.0.as_fd().try_clone_to_owned()?;
        for folder in folders.split('/').filter(|folder| !folder.is_empty()) {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            at = openat(&at, folder, flags, Mode::empty())?;
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(openat(&at, name, flags, Mode::empty())?)
    }

    /// Opens a plain file of at most `most` bytes.
    fn file(&self, path: &str, most: u64) -> io::Result<File> {
        let file = self.beneath(path)?;
        let stat = fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no plain file"));
        }
        if u64::try_from(stat.st_size).is_ok_and(|size| size <= most) {
            Ok(file.into())
        } else {
            Err(Errno::FBIG.into())
        }
    }
}

#[async_trait]
impl Transport for Folder {
    async fn fetch(&self, url: Url) -> Result<TransportStream, TransportError> {
        let most = if url.as_str().starts_with(TARGETS_URL) { limits::BUNDLE } else { limits::METADATA };
        // Never decoded: a `%2f` stays three characters of a name that no file has.
        let file =
            self.file(url.path().trim_start_matches('/'), most).map_err(|error| failed(&url, error))?;
        Ok(Box::pin(futures_util::stream::iter(Pieces { file: Some(file.take(most)), url })))
    }
}

fn failed(url: &Url, error: io::Error) -> TransportError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => TransportErrorKind::FileNotFound,
        _ => TransportErrorKind::Other,
    };
    TransportError::new_with_cause(kind, url, error)
}

/// A file, piece by piece; ends after an error.
struct Pieces {
    file: Option<io::Take<File>>,
    url: Url,
}

impl Iterator for Pieces {
    type Item = Result<Bytes, TransportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let file = self.file.as_mut()?;
        let mut piece = Vec::new();
        match file.by_ref().take(PIECE).read_to_end(&mut piece) {
            Ok(0) => {
                self.file = None;
                None
            }
            Ok(_) => Some(Ok(piece.into())),
            Err(error) => {
                self.file = None;
                Some(Err(failed(&self.url, error)))
            }
        }
    }
}
