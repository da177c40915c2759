//! The anchor: a few bytes that remember which log is the right one, outside of the log.
//!
//! It holds an epoch (the number of orders), what the watch was bound to then, and the key of the order log's links.
//! Where that is kept is its home; the configuration names one, and there is no second choice: an anchor that cannot
//! be had seals the watch.
//!
//! **Invariants:** the epoch never goes back; raising happens or it does not, also when the power is cut; the key is
//! made once and never changes; an anchor that was held and has no key any more is not given another.

mod file;
pub mod tpm;

use std::path::PathBuf;

use serde::Deserialize;
use zeroize::Zeroizing;

pub use self::file::FileAnchor;
pub use self::tpm::TpmAnchor;
use crate::core::boot::{AnchorFound, Anchored};

/// A home of the anchor.
pub trait Anchor: Send {
    /// What it holds.
    fn read(&mut self) -> AnchorFound;

    /// 32 secret bytes born with the anchor, kept where the anchor is: the order log's links are keyed with them, so
    /// that nobody who only writes storage can add an order. Made at the first call.
    ///
    /// # Errors
    /// There is none though the anchor is held, or it can neither be read nor made.
    fn key(&mut self) -> Result<LogKey, AnchorError>;

    /// Raises it; it is never lowered. Raising it to what it holds already is fine.
    ///
    /// # Errors
    /// It could not be written. The log is one ahead then, which the next boot accepts.
    fn raise(&mut self, to: Anchored) -> Result<(), AnchorError>;

    /// Where it is.
    fn home(&self) -> Home;
}

/// Where an anchor lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// In a TPM 2.0.
    Tpm,
    /// In a file: **weak**, whoever writes the storage writes the anchor too.
    File,
}

/// The home a configuration names, as `{ home = "tpm", device = "/dev/tpmrm0" }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "home", rename_all = "lowercase", deny_unknown_fields)]
pub enum HomeConfig {
    /// In a TPM 2.0.
    Tpm {
        /// The kernel's device with its resource manager.
        device: PathBuf,
    },
    /// In files; weak, see [`Home::File`].
    File {
        /// Their folder.
        directory: PathBuf,
    },
}

impl HomeConfig {
    /// The anchor that lives there. Whether it can be had shows when it is asked.
    pub fn anchor(&self) -> Box<dyn Anchor> {
        match self {
            Self::Tpm { device } => Box::new(TpmAnchor::new(device.clone())),
            Self::File { directory } => Box::new(FileAnchor::new(directory)),
        }
    }
}

/// The key of the order log's links. It never shows itself and is wiped from memory at its end.
#[derive(Clone, PartialEq, Eq)]
pub struct LogKey(Zeroizing<[u8; 32]>);

impl LogKey {
    /// A key of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A key nobody ever had.
    fn random() -> Result<Self, AnchorError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(AnchorError::Random)?;
        Ok(Self(bytes))
    }

    /// The bytes, for a keyed hash and nothing else.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for LogKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogKey(..)")
    }
}

/// What can go wrong with an anchor.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// There is something that is no anchor of ours.
    #[error("the anchor cannot be read")]
    Unreadable,
    /// Its epoch would go back, or stand still with another content.
    #[error("an anchor is never lowered")]
    Lowered,
    /// An order was anchored, and the key of the log is not there.
    #[error("the key of the order log is gone")]
    KeyGone,
    /// The kernel gave no random numbers.
    #[error("no random numbers")]
    Random(#[source] getrandom::Error),
    /// The TPM.
    #[error("the TPM does not keep the anchor")]
    Tpm(#[from] tpm::TpmError),
    /// A file of the file home.
    #[error("cannot {action} the anchor's files")]
    File {
        /// `read` or `write`.
        action: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// Whether an anchor that was `found` may be raised `to`; `false` where it is there already.
fn may_raise(found: AnchorFound, to: Anchored) -> Result<bool, AnchorError> {
    match found {
        AnchorFound::Unreadable => Err(AnchorError::Unreadable),
        AnchorFound::Held(held) if held == to => Ok(false),
        AnchorFound::Held(held) if held.epoch >= to.epoch => Err(AnchorError::Lowered),
        AnchorFound::Empty if to.epoch == 0 => Err(AnchorError::Lowered),
        AnchorFound::Held(_) | AnchorFound::Empty => Ok(true),
    }
}
