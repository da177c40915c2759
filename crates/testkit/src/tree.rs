//! The programs of the image, unpacked: Debian trixie's ModemManager and gpsd with their libraries.
//!
//! They run through their own loader and libraries, so the host's distribution does not matter.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{FixtureError, bound};

const LOADER: &str = "usr/lib64/ld-linux-x86-64.so.2";
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

/// A folder with unpacked packages.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// `NESTLING_TREE`, or `target/trixie/tree` of the workspace. An error when it is not there: tests fail then.
    pub fn find() -> Result<Self, FixtureError> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/trixie/tree");
        let root = std::env::var_os("NESTLING_TREE").map_or(workspace, PathBuf::from);
        let tree = Self { root };
        tree.file(LOADER)?;
        Ok(tree)
    }

    /// A file of the tree, which must be there.
    pub fn file(&self, path: &str) -> Result<PathBuf, FixtureError> {
        let file = self.root.join(path);
        if file.exists() { Ok(file) } else { Err(FixtureError::NoTree { missing: file }) }
    }

    /// A folder of the tree's libraries.
    pub fn libraries(&self, folder: &str) -> Result<PathBuf, FixtureError> {
        self.file(&format!("{LIBRARIES}/{folder}"))
    }

    /// A command that runs a program of the tree with the tree's libraries.
    pub fn command(&self, program: &str) -> Result<Command, FixtureError> {
        let mut command = bound(self.file(LOADER)?);
        command.args(self.arguments(program)?);
        Ok(command)
    }

    /// The loader and what it is given to run a program.
    pub(crate) fn words(&self, program: &str) -> Result<Vec<PathBuf>, FixtureError> {
        let mut words = vec![self.file(LOADER)?];
        words.extend(self.arguments(program)?);
        Ok(words)
    }

    fn arguments(&self, program: &str) -> Result<[PathBuf; 3], FixtureError> {
        let libraries = self.file(LIBRARIES)?;
        Ok(["--library-path".into(), libraries, self.file(program)?])
    }
}
