//! Making a catalogue: keys, signatures, folders. For the build and for reviewers' laptops; no program of the watch
//! has it.
//!
//! ```text
//! catalogue/
//!   root.json                     goes into the verified image: what the watch believes
//!   metadata/1.root.json          the same, as the first of its successors
//!   metadata/timestamp.json       signed often: how old may a catalogue be
//!   metadata/<n>.snapshot.json    which targets.json belongs to it
//!   metadata/<n>.targets.json     the bundles: length, SHA-256, and what `Entry` reads
//!   targets/<sha256>.<id>-<version>.erofs
//! ```
//!
//! **Invariants:** the same keys, bundles, revision and dates give the same bytes; a private key is readable by its
//! owner alone, and is never written into a catalogue.

mod keys;
mod manifest;
mod rehash;
mod repository;

use std::io;
use std::path::PathBuf;

pub use keys::{Keys, Role};
pub use manifest::Manifest;
pub use rehash::Rehash;
pub use repository::{Release, Root, sign};

use crate::EntryError;

/// Why no catalogue was made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorError {
    /// A file could not be read or written.
    #[error("cannot {step} {}", path.display())]
    File {
        /// What was done.
        step: &'static str,
        /// To which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others than its owner can read a private key.
    #[error("{} must be readable by its owner alone", path.display())]
    Exposed {
        /// Which.
        path: PathBuf,
    },
    /// The key library refused.
    #[error("no key could be made")]
    NoKey,
    /// An app's manifest is refused.
    #[error("{}", path.display())]
    Manifest {
        /// Which.
        path: PathBuf,
        /// Why.
        source: EntryError,
    },
    /// Two bundles have one id and version.
    #[error("{0} is given twice")]
    Twice(String),
    /// A date outside years 1 to 9999, or a revision of zero.
    #[error("a date or revision is out of range")]
    Range,
    /// tough refused.
    #[error("signing failed")]
    Sign(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl AuthorError {
    fn file(step: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { step, path: path.to_owned(), source }
    }

    fn sign(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Sign(error.into())
    }
}
