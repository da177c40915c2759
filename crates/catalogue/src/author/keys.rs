//! The private keys of the four roles: Ed25519 (RFC 8032), PKCS#8 (RFC 5958), one file each.
//!
//! A catalogue that ships keeps `root` and `targets` offline; the build's own keys are for the virtual watch.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use tough::key_source::{KeySource, LocalKeySource};
use tough::schema::RoleType;

use super::AuthorError;

/// Who signs what (TUF 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The root: who the others are.
    Root,
    /// The bundles: the reviewers.
    Targets,
    /// Which metadata belongs together.
    Snapshot,
    /// How new it is.
    Timestamp,
}

impl Role {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Root, Self::Targets, Self::Snapshot, Self::Timestamp];

    pub(super) fn kind(self) -> RoleType {
        match self {
            Self::Root => RoleType::Root,
            Self::Targets => RoleType::Targets,
            Self::Snapshot => RoleType::Snapshot,
            Self::Timestamp => RoleType::Timestamp,
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Root => "root.pk8",
            Self::Targets => "targets.pk8",
            Self::Snapshot => "snapshot.pk8",
            Self::Timestamp => "timestamp.pk8",
        }
    }
}

/// A folder with the four keys.
#[derive(Debug, Clone)]
pub struct Keys {
    folder: PathBuf,
}

impl Keys {
    /// Opens the folder, making it and the keys that are missing.
    pub fn open_or_make(folder: &Path) -> Result<Self, AuthorError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(AuthorError::file("make", folder))?;
        let keys = Self { folder: folder.to_owned() };
        for role in Role::ALL {
            keys.make(role)?;
            keys.check(role)?;
        }
        Ok(keys)
    }

    pub(super) fn path(&self, role: Role) -> PathBuf {
        self.folder.join(role.file())
    }

    /// The key of a role as tough asks for it.
    pub(super) fn source(&self, role: Role) -> Box<dyn KeySource> {
        Box::new(LocalKeySource { path: self.path(role) })
    }

    fn make(&self, role: Role) -> Result<(), AuthorError> {
        let path = self.path(role);
        let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
            Err(error) => return Err(AuthorError::file("create", &path)(error)),
        };
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| AuthorError::NoKey)?;
        file.write_all(key.as_ref()).map_err(AuthorError::file("write", &path))
    }

    fn check(&self, role: Role) -> Result<(), AuthorError> {
        let path = self.path(role);
        let metadata =
            File::open(&path).and_then(|file| file.metadata()).map_err(AuthorError::file("open", &path))?;
        if matches!(metadata.mode() & 0o077, 0) { Ok(()) } else { Err(AuthorError::Exposed { path }) }
    }
}
