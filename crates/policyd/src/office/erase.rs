//! A watch that a guardian wiped: policyd marks its storage and asks for a restart, and before any daemon starts again
//! nestling-tidy erases what everybody kept.

use std::io;
use std::path::Path;

use daemon::files;
use orders::BootKey;

/// While this file is there nothing in the storage counts. nestling-tidy removes it last.
pub const MARK: &str = "erase";
/// The hash of the boot key an owner gave with `unlock`, 64 hex digits, for the boot chain of his board. It stays.
pub const BOOT_KEY: &str = "boot-key";

/// Whether storage waits to be erased.
pub(super) fn is_marked(state: &Path) -> bool {
    // What cannot be looked at counts as there.
    std::fs::symlink_metadata(state.join(MARK))
        .map_or_else(|error| error.kind() != io::ErrorKind::NotFound, |_| true)
}

/// Marks it.
///
/// # Errors
/// The disk does not take it: the order stands, and the next start tries again.
pub(super) fn mark(state: &Path, boot_key: Option<&BootKey>) -> io::Result<()> {
    if let Some(key) = boot_key {
        files::write_whole(&state.join(BOOT_KEY), key.as_str().as_bytes())?;
    }
    files::write_whole(&state.join(MARK), b"")
}
