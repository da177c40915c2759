//! Where things are. Everything built goes below `target/` of the workspace, whatever CARGO_TARGET_DIR says,
//! so that the image, the fast tests and a second terminal find each other; only cargo's own output follows
//! CARGO_TARGET_DIR.

use std::env;
use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn root() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    // crates/<any> -> the workspace.
    manifest.ancestors().nth(2).map_or(manifest.clone(), Path::to_path_buf)
}

/// `target/` of the workspace.
pub fn target() -> PathBuf {
    root().join("target")
}

/// Debian's packages: the private apt, the `.deb` files and the unpacked tree.
pub fn trixie() -> PathBuf {
    target().join("trixie")
}

/// All packages unpacked into one tree: programs of it are run through [`crate::debian::tree::tool`].
pub fn tree() -> PathBuf {
    trixie().join("tree")
}

/// Programs of other people that ours are measured beside, outside of images.
pub fn peers() -> PathBuf {
    trixie().join("peers")
}

/// The images, one folder each.
pub fn images() -> PathBuf {
    target().join("image")
}

/// What belongs to the running virtual machine `name`: sockets, console log, its copy of `/var`.
pub fn vm(name: &str) -> PathBuf {
    target().join("vm").join(name)
}

/// Where cargo puts what it builds.
pub fn cargo_target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(target, PathBuf::from)
}
