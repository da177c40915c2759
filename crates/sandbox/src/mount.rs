//! Mounts that are not attached anywhere yet: made by the parent, moved into place by the child.
//!
//! **Invariants:** every tree is `nosuid,nodev` and private; a bundle is read-only, a data folder `noexec`.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags};

use crate::raw;

const BUNDLE: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_RDONLY
    .union(MountAttrFlags::MOUNT_ATTR_NOSUID)
    .union(MountAttrFlags::MOUNT_ATTR_NODEV);
const DATA: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_NOEXEC
    .union(MountAttrFlags::MOUNT_ATTR_NOSUID)
    .union(MountAttrFlags::MOUNT_ATTR_NODEV);

/// A mount could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot {step}")]
pub struct MountError {
    step: &'static str,
    source: Errno,
}

fn failed(step: &'static str) -> impl FnOnce(Errno) -> MountError {
    move |source| MountError { step, source }
}

/// A mount that is attached nowhere; gone when dropped.
#[derive(Debug)]
pub struct Tree(OwnedFd);

impl Tree {
    /// The erofs image in `image`, mounted from the file (Documentation/filesystems/erofs.rst).
    ///
    /// # Errors
    /// Not an erofs image, or the kernel does not mount files.
    pub fn erofs(image: BorrowedFd<'_>) -> Result<Self, MountError> {
        let context =
            rustix::mount::fsopen("erofs", FsOpenFlags::FSOPEN_CLOEXEC).map_err(failed("open erofs"))?;
        // The name of a descriptor: the file that was verified is the file that is mounted.
        let source = format!("/proc/self/fd/{}", image.as_raw_fd());
        rustix::mount::fsconfig_set_string(&context, "source", source.as_str())
            .map_err(failed("name the image"))?;
        rustix::mount::fsconfig_set_flag(&context, "ro").map_err(failed("mount the image read-only"))?;
        rustix::mount::fsconfig_create(&context).map_err(failed("read the image"))?;
        rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, BUNDLE)
            .map(Self)
            .map_err(failed("mount the image"))
    }

    /// A folder as a bundle: for tests, and for what was mounted before.
    ///
    /// # Errors
    /// The kernel refused a step.
    pub fn bundle(folder: impl AsFd) -> Result<Self, MountError> {
        Self::copy(folder, BUNDLE)
    }

    /// A folder for an app's own files.
    ///
    /// # Errors
    /// The kernel refused a step.
    pub fn data(folder: impl AsFd) -> Result<Self, MountError> {
        Self::copy(folder, DATA)
    }

    fn copy(folder: impl AsFd, attributes: MountAttrFlags) -> Result<Self, MountError> {
        let flags =
            OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
        let tree = rustix::mount::open_tree(folder, c"", flags).map_err(failed("copy a mount"))?;
        raw::mount_setattr(tree.as_fd(), u64::from(attributes.bits())).map_err(failed("restrict a mount"))?;
        Ok(Self(tree))
    }

    /// Attaches it to the folder `at` of this process's mount namespace, so that it can be copied again and again:
    /// before Linux 6.15 what is attached nowhere cannot be.
    ///
    /// # Errors
    /// The kernel refused.
    pub fn attach(self, at: &Path) -> Result<Attached, MountError> {
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
        rustix::mount::move_mount(&self.0, c"", CWD, at, flags).map_err(failed("attach a mount"))?;
        Ok(Attached { root: self.0, at: at.to_owned() })
    }
}

impl AsFd for Tree {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A bundle that is mounted in the launcher's own namespace; unmounted when dropped.
#[derive(Debug)]
pub struct Attached {
    root: OwnedFd,
    at: PathBuf,
}

impl Attached {
    /// One more mount of the same bundle, attached nowhere.
    ///
    /// # Errors
    /// The kernel refused a step.
    pub fn tree(&self) -> Result<Tree, MountError> {
        Tree::bundle(&self.root)
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        if let Err(error) = rustix::mount::unmount(&self.at, UnmountFlags::DETACH) {
            tracing::warn!(%error, at = %self.at.display(), "a bundle stays mounted");
        }
    }
}
