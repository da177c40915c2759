//! Why a command did not do it.

use std::io;
use std::path::{Path, PathBuf};

use crate::rules::Problem;

/// Why a command did not do it, for the person at the keyboard: what is wrong, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or a folder.
    #[error("{}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {what}", path.display())]
    Not {
        /// Which.
        path: PathBuf,
        /// What it is not.
        what: String,
    },
    /// The key's file can be read by others, so the key may be known to them.
    #[error(
        "{0}: others can read this key. If nobody did: `chmod 600 {0}`; if somebody may have: `recover`",
        path.display()
    )]
    OpenKey {
        /// Which.
        path: PathBuf,
    },
    /// Something in the rules, at a line.
    #[error("{}:{problem}", path.display())]
    Rules {
        /// The file.
        path: PathBuf,
        /// Where and what.
        problem: Problem,
    },
    /// What the person asked for cannot be.
    #[error("{0}")]
    Cannot(String),
    /// The watch said no.
    #[error("{file}: the watch refused it ({name}): {text}\n{advice}")]
    Refused {
        /// The order.
        file: String,
        /// The refusal's name on the bus.
        name: String,
        /// The watch's words.
        text: String,
        /// What it means, and what to do.
        advice: &'static str,
    },
    /// Nobody answered.
    #[error("{}: no answer from the watch; the order still waits in `sent`", socket.display())]
    NoAnswer {
        /// The agent's socket.
        socket: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Error {
    /// The process's exit code: 3 for a refusal, 4 for no answer, otherwise 1 (2 is a wrong command line).
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { .. } => 3,
            Self::NoAnswer { .. } => 4,
            _ => 1,
        }
    }

    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    pub(crate) fn not(path: &Path, what: &impl ToString) -> Self {
        Self::Not { path: path.to_owned(), what: what.to_string() }
    }
}

/// What every command gives.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// A text for the terminal: control and direction marks, which somebody else may have put there, are not sent to it.
pub fn shown(text: &str) -> String {
    let marks = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    text.chars()
        .map(|c| if (c.is_control() && !"\n\t".contains(c)) || marks(c) { '\u{fffd}' } else { c })
        .collect()
}
