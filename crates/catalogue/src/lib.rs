//! The signed allowlist of apps, and the bundles on the watch.
//!
//! A catalogue is a TUF repository (The Update Framework, specification 1.0): a folder with `metadata/` and
//! `targets/`, believed only as far as the root in the verified image says. [`Shelf`] is what the launcher asks: it
//! finds an app in the catalogue, installs its bundle where it is missing, and hands over the opened file whose
//! fs-verity digest is the signed one. Whether the app is granted is not decided here.
//!
//! **Invariants**
//! - A descriptor leaves [`Shelf::bundle`] only after the digest measured *on that descriptor* was the signed one;
//!   fs-verity keeps the file's content what it was.
//! - Nothing of a catalogue is believed that its root did not sign, and no older one after a newer one.
//! - Nothing that lies in one of the launcher's folders is followed, waited for, or read without a limit.
//! - An expired catalogue installs and updates nothing, and stops nothing that is installed.
//! - What cannot be written whole is not there: a bundle appears under its name by one rename, after it was measured.
//! - No clock is read here but tough's own look at the metadata's dates; everything else gets `now`.
//! - `unsafe` is in [`verity`]'s module `ioctl` alone.

#[cfg(feature = "author")]
pub mod author;
mod entry;
mod error;
mod folder;
mod private;
mod reader;
mod seen;
mod shelf;
pub mod verity;

use std::path::{Path, PathBuf};

pub use entry::{Entry, EntryError, limits};
pub use error::Error;
pub use shelf::{Bundle, Shelf};
pub use verity::{KernelVerity, Verity};

/// Where everything is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The trusted root, a file of the verified image.
    pub root: PathBuf,
    /// The catalogue: a folder with `metadata/` and `targets/`. Believed only after it was verified.
    pub catalogue: PathBuf,
    /// What was seen of the catalogue, so that no older one follows (TUF 5.4.3). A folder of the launcher's.
    pub seen: PathBuf,
    /// The installed bundles. A folder of the launcher's.
    pub bundles: PathBuf,
}

impl Places {
    /// The places of the watch, below `/`; a test chooses another folder.
    pub fn below(root: &Path) -> Self {
        let catalogue = root.join("usr/share/nestling/catalogue");
        Self {
            root: catalogue.join("root.json"),
            catalogue,
            seen: root.join("var/lib/nestling/launcher/tuf"),
            bundles: root.join("var/lib/nestling/bundles"),
        }
    }
}

impl Default for Places {
    fn default() -> Self {
        Self::below(Path::new("/"))
    }
}
