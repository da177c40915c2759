//! A watch that a guardian wiped: policyd marks its storage and asks for a restart, and before any daemon starts again
//! nestling-tidy erases what everybody kept.

use std::fs;
use std::io;
use std::path::Path;

use daemon::files;
use orders::BootKey;

/// While this file is there nothing in the storage counts. nestling-tidy removes it last.
pub const MARK: &str = "erase";
/// The hash of the boot key an owner gave with `unlock`, 64 hex digits, for the boot chain of his board. It stays until
/// the next wipe.
pub const BOOT_KEY: &str = "boot-key";

/// Whether storage waits to be erased.
pub(super) fn is_marked(state: &Path) -> bool {
    // What cannot be looked at counts as there.
    fs::symlink_metadata(state.join(MARK))
        .map_or_else(|error| error.kind() != io::ErrorKind::NotFound, |_| true)
}

/// Keeps an owner's boot key.
///
/// # Errors
/// The disk does not take it.
pub(super) fn keep(state: &Path, boot_key: &BootKey) -> io::Result<()> {
    files::write_whole(&state.join(BOOT_KEY), boot_key.as_str().as_bytes())
}

/// Marks it. Only after the anchor knows that the watch is free.
///
/// # Errors
/// The disk does not take it: the order stands, and the next start tries again.
pub(super) fn mark(state: &Path, keeps_key: bool) -> io::Result<()> {
    if !keeps_key {
        match fs::remove_file(state.join(BOOT_KEY)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    files::write_whole(&state.join(MARK), b"")
}
