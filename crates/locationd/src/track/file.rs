//! The file of the track: bytes in their places, synced.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::TrackError;
use super::row::{Contents, Head, ROW, Row, SIZE, offset, parse};

const NAME: &str = "track";
/// Of what stands in our file's place no more than this is overwritten: no version of ours was larger.
const LARGEST: u64 = 16 << 20;

/// An open track.
#[derive(Debug)]
pub(super) struct File(fs::File);

/// What stands in its place.
pub(super) enum Found {
    /// A track.
    Track(File, Contents),
    /// Nothing.
    Nothing,
    /// Something else, and what.
    Other(String),
}

fn disk(what: &'static str) -> impl Fn(io::Error) -> TrackError {
    move |source| TrackError::Disk { what, source }
}

impl File {
    /// Looks what is there.
    pub(super) fn open(folder: &Path) -> Result<Found, TrackError> {
        let path = folder.join(NAME);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(disk("look at")(error)),
            Ok(found) if !found.is_file() => return Ok(Found::Other("it is no file".into())),
            Ok(_) => {}
        }
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let mut file = match OpenOptions::new().read(true).write(true).custom_flags(flags.bits()).open(path) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Ok(Found::Other("it is somebody else's".into()));
            }
            opened => opened.map_err(disk("open"))?,
        };
        let mut bytes = Vec::with_capacity(SIZE + 1);
        (&mut file).take(SIZE as u64 + 1).read_to_end(&mut bytes).map_err(disk("read"))?;
        Ok(match parse(&bytes) {
            Ok(contents) => Found::Track(Self(file), contents),
            Err(error) => Found::Other(error.to_string()),
        })
    }

    /// Makes an empty one where nothing is. All of its blocks are written, so that no row waits for one.
    pub(super) fn make(folder: &Path, head: &Head) -> Result<Self, TrackError> {
        let make = || {
            let mut options = OpenOptions::new();
            let file = options.read(true).write(true).create_new(true).mode(0o600).open(folder.join(NAME))?;
            file.write_all_at(&vec![0; SIZE], 0)?;
            let (bytes, place) = head.bytes();
            file.write_all_at(&bytes, place)?;
            file.sync_all()?;
            fs::File::open(folder)?.sync_all()?;
            Ok(Self(file))
        };
        make().map_err(disk("make"))
    }

    pub(super) fn write(&self, slot: usize, row: &Row) -> Result<(), TrackError> {
        self.put(&row.bytes(), offset(slot)).map_err(disk("write into"))
    }

    pub(super) fn write_head(&self, head: &Head) -> Result<(), TrackError> {
        let (bytes, place) = head.bytes();
        self.put(&bytes, place).map_err(disk("write into"))
    }

    /// Zeros over slots.
    pub(super) fn erase(&self, slots: &BTreeSet<usize>) -> Result<(), TrackError> {
        let erase = || {
            slots.iter().try_for_each(|slot| self.0.write_all_at(&[0; ROW], offset(*slot)))?;
            self.0.sync_data()
        };
        erase().map_err(disk("erase rows of"))
    }

    fn put(&self, bytes: &[u8], place: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, place)?;
        self.0.sync_data()
    }
}

/// Erases whatever stands in the track's place: it may have been one, so its bytes go before its name.
pub(super) fn erase(folder: &Path) -> Result<(), TrackError> {
    let path = folder.join(NAME);
    erase_path(&path).map_err(disk("erase what stands in the place of"))
}

fn erase_path(path: &PathBuf) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_dir() {
        return fs::remove_dir_all(path);
    }
    if found.is_file() {
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        match OpenOptions::new().write(true).custom_flags(flags.bits()).open(path) {
            Ok(file) => {
                let length = found.len().min(LARGEST) as usize;
                file.write_all_at(&vec![0; length], 0)?;
                file.sync_data()?;
            }
            // Not ours to write, so nothing of ours is in it.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
            Err(error) => return Err(error),
        }
    }
    fs::remove_file(path)
}
