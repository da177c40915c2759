//! What a power cut can leave on a disk, and what a disk that fails does to a program.
//!
//! [`record`] runs a program under `strace` and keeps, in their order, everything it did to the files below one
//! folder, and what it told its caller between ([`say`]). [`Disk`] plays that back up to any step and gives the
//! [`Image`]s a disk could hold if the power went there. [`failing`] runs a program whose system calls fail.
//!
//! The disk is the worst one POSIX allows: data is safe after a sync of its file, a name after a sync of its
//! folder, nothing else is. Names of one folder are lost from the newest to the oldest, as a journal loses them;
//! data is lost in any choice of its writes, and a write may be torn at every sector. Modes and owners are not
//! modelled, nor a sync that lies.
//!
//! **Invariants:** a call that changes something below the folder and is not understood is an error, never
//! skipped; nothing here depends on time or chance, a seed gives the same image always.

mod disk;
mod parse;
mod record;

use std::path::PathBuf;

pub use disk::{Cut, Disk, Image};
pub use record::{Fault, failing, heard, record, say};

/// One step of a program, with paths below the recorded folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A file was opened: made if there was none, emptied if so asked.
    Open {
        /// The file.
        path: PathBuf,
        /// Whether it is made if there is none.
        create: bool,
        /// Whether it is emptied.
        truncate: bool,
    },
    /// Bytes were written.
    Write {
        /// The file.
        path: PathBuf,
        /// Where, in bytes from its start.
        at: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// A file was given a length in bytes.
    Length {
        /// The file.
        path: PathBuf,
        /// Its new length.
        length: u64,
    },
    /// A file or a folder was synced.
    Sync(PathBuf),
    /// A name took another's place.
    Rename {
        /// The old name.
        from: PathBuf,
        /// The new one.
        to: PathBuf,
    },
    /// A name was removed.
    Remove(PathBuf),
    /// The program told its caller something.
    Said(String),
}
