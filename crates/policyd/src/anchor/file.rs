//! The anchor in two files. **Weak**: whoever writes the storage of a watch that is off can restore it together with an
//! old log, or read the key and add orders. It detects damage and mistakes, not a technician; a TPM does.

use std::io;
use std::path::{Path, PathBuf};

use daemon::files;
use serde::Deserialize;

use super::{Anchor, AnchorError, Home, LogKey, may_raise};
use crate::core::boot::{AnchorFound, Anchored, Bound};

/// An anchor in a folder.
#[derive(Debug)]
pub struct FileAnchor {
    anchor: PathBuf,
    key: PathBuf,
}

impl FileAnchor {
    /// In `directory`.
    pub fn new(directory: &Path) -> Self {
        Self { anchor: directory.join("anchor.json"), key: directory.join("anchor.key") }
    }
}

/// What is in the file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Wire {
    Now(Anchored),
    /// From before logs had a key and watches could be released.
    Old {
        bound: [u8; 32],
        epoch: u64,
    },
}

impl FileAnchor {
    fn wire(&self) -> io::Result<Option<Wire>> {
        let Some(bytes) = files::read_small(&self.anchor, 4096)? else { return Ok(None) };
        Ok(Some(serde_json::from_slice(&bytes)?))
    }
}

impl Anchor for FileAnchor {
    fn read(&mut self) -> AnchorFound {
        match self.wire() {
            Ok(None) => AnchorFound::Empty,
            Ok(Some(Wire::Now(held))) => AnchorFound::Held(held),
            Ok(Some(Wire::Old { bound, epoch })) => {
                AnchorFound::Held(Anchored { epoch, bound: Bound::To(bound) })
            }
            Err(error) => {
                tracing::error!(%error, "the anchor cannot be read");
                AnchorFound::Unreadable
            }
        }
    }

    fn key(&mut self) -> Result<LogKey, AnchorError> {
        let damaged = || failed("read")(io::Error::new(io::ErrorKind::InvalidData, "not 32 bytes"));
        if let Some(bytes) = files::read_small(&self.key, 32).map_err(failed("read"))? {
            return bytes.try_into().map(LogKey::from_bytes).map_err(|_| damaged());
        }
        if !matches!(self.wire(), Ok(None | Some(Wire::Old { .. }))) {
            return Err(AnchorError::KeyGone);
        }
        let key = LogKey::random()?;
        files::write_whole(&self.key, key.as_bytes()).map_err(failed("write"))?;
        Ok(key)
    }

    fn raise(&mut self, to: Anchored) -> Result<(), AnchorError> {
        // Also what it holds already: the sync of the first time may have failed.
        may_raise(self.read(), to)?;
        serde_json::to_vec(&to)
            .map_err(io::Error::from)
            .and_then(|bytes| files::write_whole(&self.anchor, &bytes))
            .map_err(failed("write"))
    }

    fn home(&self) -> Home {
        Home::File
    }
}

fn failed(action: &'static str) -> impl Fn(io::Error) -> AnchorError {
    move |source| AnchorError::File { action, source }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::core::boot::Bound;

    #[test]
    fn a19_what_was_raised_is_read_and_is_never_lowered() {
        let folder = tempfile::tempdir().unwrap();
        let mut anchor = FileAnchor::new(folder.path());
        let two = Anchored { epoch: 2, bound: Bound::To([7; 32]) };
        assert_eq!(anchor.read(), AnchorFound::Empty);
        anchor.raise(two).unwrap();
        anchor.raise(two).unwrap();
        for lower in [Anchored { epoch: 1, ..two }, Anchored { bound: Bound::Released, ..two }] {
            assert!(matches!(anchor.raise(lower), Err(AnchorError::Lowered)));
        }
        assert_eq!(FileAnchor::new(folder.path()).read(), AnchorFound::Held(two));
        let released = Anchored { epoch: 3, bound: Bound::Released };
        anchor.raise(released).unwrap();
        assert_eq!(anchor.read(), AnchorFound::Held(released));
        fs::write(folder.path().join("anchor.json"), r#"{"epoch":3}"#).unwrap();
        assert_eq!(anchor.read(), AnchorFound::Unreadable);
    }

    #[test]
    fn a31_the_key_is_made_once_and_not_again_for_an_anchor_that_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("anchor.key");
        let mut anchor = FileAnchor::new(folder.path());
        let key = anchor.key().unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        anchor.raise(Anchored { epoch: 1, bound: Bound::To([7; 32]) }).unwrap();
        assert!(FileAnchor::new(folder.path()).key().unwrap() == key);
        fs::write(&file, "short").unwrap();
        assert!(matches!(anchor.key(), Err(AnchorError::File { action: "read", .. })));
        fs::remove_file(&file).unwrap();
        assert!(matches!(anchor.key(), Err(AnchorError::KeyGone)));
    }
}
