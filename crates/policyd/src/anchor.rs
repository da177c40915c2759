//! The anchor: a few bytes that remember which log is the right one, outside of the log.

use std::io;
use std::path::{Path, PathBuf};

use daemon::files;
use serde::{Deserialize, Serialize};

use crate::core::boot::{AnchorFound, Anchored};

/// A home of the anchor.
pub trait Anchor {
    /// What it holds.
    fn read(&self) -> AnchorFound;

    /// Raises it; it is never lowered. Once more to the same is good: the first time may have failed after the
    /// new value was there.
    ///
    /// # Errors
    /// It could not be written. The log is one ahead then, which the next boot accepts.
    fn raise(&mut self, to: Anchored) -> io::Result<()>;
}

/// An anchor in a file. **Weak**: whoever writes the storage of a watch that is off can restore it together
/// with an old log. It detects damage and mistakes, not a technician; a TPM or RPMB does.
#[derive(Debug)]
pub struct FileAnchor {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    bound: [u8; 32],
    epoch: u64,
}

impl FileAnchor {
    /// In `directory`.
    pub fn new(directory: &Path) -> Self {
        Self { path: directory.join("anchor.json") }
    }
}

impl Anchor for FileAnchor {
    fn read(&self) -> AnchorFound {
        match files::read_small(&self.path, 4096) {
            Ok(None) => AnchorFound::Empty,
            Ok(Some(bytes)) => match serde_json::from_slice::<Wire>(&bytes) {
                Ok(wire) => AnchorFound::Bound(Anchored { bound: wire.bound, epoch: wire.epoch }),
                Err(_) => AnchorFound::Unreadable,
            },
            Err(error) => {
                tracing::error!(%error, "the anchor cannot be read");
                AnchorFound::Unreadable
            }
        }
    }

    fn raise(&mut self, to: Anchored) -> io::Result<()> {
        if let AnchorFound::Bound(held) = self.read()
            && held != to
            && held.epoch >= to.epoch
        {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "an anchor is never lowered"));
        }
        let bytes = serde_json::to_vec(&Wire { bound: to.bound, epoch: to.epoch })?;
        files::write_whole(&self.path, &bytes)
    }
}
