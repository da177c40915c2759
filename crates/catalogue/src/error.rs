//! Why a bundle is not handed over: every reason by name, and the one word of it that leaves the launcher.

use std::io;

use launch::{AppId, Refusal};
use rustix::io::Errno;

use crate::entry::EntryError;

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// One of our own folders is not as it must be.
    #[error("{folder} is not a folder of this user's alone")]
    Folder {
        /// Which.
        folder: String,
    },
    /// Reading or writing failed.
    #[error("cannot {step} {name}")]
    Storage {
        /// What was done.
        step: &'static str,
        /// To which file.
        name: String,
        /// Why not.
        source: io::Error,
    },
    /// A file of the catalogue cannot be read, is no plain file, or is too large.
    #[error("the catalogue's {name} cannot be read")]
    Metadata {
        /// Which.
        name: String,
        /// Why not.
        source: io::Error,
    },
    /// The metadata is not signed by the trusted root, damaged, or older than what was seen before.
    #[error("the catalogue's metadata is not believed")]
    Tuf(#[source] Box<tough::error::Error>),
    /// The metadata delegates to others, whom nobody here looks after.
    #[error("the catalogue delegates to other signers")]
    Delegation,
    /// More bundles than a catalogue may have.
    #[error("the catalogue has too many bundles")]
    TooMany,
    /// What reviewers signed about a bundle is not understood.
    #[error("the catalogue's entry of {target} is refused")]
    Entry {
        /// The target's name.
        target: String,
        /// Why.
        source: EntryError,
    },
    /// A bundle is larger than one may be.
    #[error("{target} is larger than a bundle may be")]
    Size {
        /// The target's name.
        target: String,
    },
    /// The catalogue has no such app.
    #[error("the catalogue does not list {}", .0.as_str())]
    NotListed(AppId),
    /// Two publishers claim one id.
    #[error("the bundles of {} are not of one publisher", .0.as_str())]
    Publisher(AppId),
    /// Its `not_after` has come.
    #[error("the reviewers' word for {name} is over")]
    Over {
        /// The bundle.
        name: String,
    },
    /// It is not installed, and nothing is installed from an expired catalogue.
    #[error("{name} is not installed, and the catalogue is out of date")]
    Expired {
        /// The bundle.
        name: String,
    },
    /// A newer version is installed than the catalogue has.
    #[error("version {installed} is installed, and {name} is older")]
    Older {
        /// The bundle of the catalogue.
        name: String,
        /// What is installed.
        installed: u64,
    },
    /// The installed file is not what was signed. It was removed.
    #[error("the installed {name} is not what was signed: {why}")]
    Altered {
        /// The bundle.
        name: String,
        /// In what way.
        why: Wrong,
    },
    /// The catalogue's file is not what was signed.
    #[error("the catalogue's {name} is not what was signed")]
    Target {
        /// The bundle.
        name: String,
        /// What tough found; none where the fs-verity digest differs.
        source: Option<Box<tough::error::Error>>,
    },
}

/// What is wrong with an installed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// A link, a folder, a pipe.
    #[error("it is no plain file")]
    Kind,
    /// Somebody else's.
    #[error("it has another owner")]
    Owner,
    /// It has another name as well, under which it could be opened.
    #[error("it has more than one name")]
    Links,
    /// The kernel does not guard its content.
    #[error("it is not sealed by fs-verity")]
    NotSealed,
    /// The kernel guards another content.
    #[error("its digest is another")]
    Digest,
}

impl Error {
    /// The word for it in the answer to appd.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Folder { .. } | Self::Storage { .. } => Refusal::Storage,
            Self::Metadata { .. }
            | Self::Tuf(_)
            | Self::Delegation
            | Self::TooMany
            | Self::Entry { .. }
            | Self::Size { .. } => Refusal::Catalogue,
            Self::NotListed(_) | Self::Publisher(_) | Self::Over { .. } | Self::Older { .. } => {
                Refusal::NotSigned
            }
            Self::Expired { .. } => Refusal::Expired,
            Self::Altered { .. } | Self::Target { .. } => Refusal::Altered,
        }
    }

    /// For `map_err`: a step with one of our files failed.
    pub(crate) fn storage(step: &'static str, name: &str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::Storage { step, name: name.to_owned(), source: errno.into() }
    }
}
