//! The call-back window over a restart of telephonyd: a file in a folder that a reboot empties.
//!
//! **Invariant:** a file that is not wholly what this version writes is no window.

use std::io;
use std::path::Path;

use crate::core::CallBack;

const FILE: &str = "call-back.json";
const MAX_BYTES: u64 = 256;

/// The window that was kept, if there is one.
pub(crate) fn load(folder: &Path) -> Option<CallBack> {
    let found = daemon::files::read_small(&folder.join(FILE), MAX_BYTES);
    let text =
        found.inspect_err(|error| tracing::warn!(%error, "the call-back window is not read")).ok()??;
    let window = serde_json::from_slice(&text);
    window.inspect_err(|error| tracing::warn!(%error, "the call-back window is damaged")).ok()
}

/// Keeps a window.
///
/// # Errors
/// Whatever the file system says: the window is then lost with the process.
pub(crate) fn save(folder: &Path, window: &CallBack) -> io::Result<()> {
    daemon::files::write_whole(&folder.join(FILE), &serde_json::to_vec(window)?)
}
