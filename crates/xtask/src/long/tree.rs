//! A copy of the sources in which defences are taken away and code is mutated: `target/long/tree`, with a target folder
//! of its own, so that the checkout and what was built from it are not touched.
//!
//! **Invariant:** a file that did not change keeps its time, so that cargo builds only what did.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::patch::Patch;
use crate::{paths, process, testing};

/// Folders without sources, wherever they are.
const NO_SOURCES: [&str; 4] = [".git", "target", "corpus", "artifacts"];

/// The copy, ours until it is dropped.
#[derive(Debug)]
pub(super) struct Tree {
    root: PathBuf,
    _lock: fs::File,
}

impl Tree {
    /// Makes the copy, or makes it like the checkout again. What is edited there later is not seen.
    pub(super) fn open() -> Result<Self> {
        let long = paths::target().join("long");
        let lock = process::lock(&long)?;
        let tree = Self { root: long.join("tree"), _lock: lock };
        fs::create_dir_all(tree.target())?;
        // Debian's programs are where the tests look for them.
        let (trixie, link) = (paths::trixie(), tree.target().join("trixie"));
        if fs::symlink_metadata(&link).is_err() {
            symlink(trixie, &link)?;
        }
        let (from, to) = (sources(&paths::root())?, sources(&tree.root)?);
        for gone in to.difference(&from) {
            fs::remove_file(tree.root.join(gone))?;
        }
        for file in &from {
            copy(&paths::root().join(file), &tree.root.join(file))
                .with_context(|| format!("copying {}", file.display()))?;
        }
        Ok(tree)
    }

    /// Where it is.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Does `work` while a defence is taken away.
    pub(super) fn without<T>(&self, patch: &Patch, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let changed = patch.applied_to(&self.root)?;
        let read = |file: &str| fs::read_to_string(self.root.join(file));
        let whole = changed.iter().map(|(file, _)| read(file)).collect::<Result<Vec<_>, _>>()?;
        for (file, text) in &changed {
            fs::write(self.root.join(file), text)?;
        }
        let result = work();
        for ((file, _), text) in changed.iter().zip(whole) {
            fs::write(self.root.join(file), text).with_context(|| format!("{file} stays changed"))?;
        }
        result
    }

    /// Cargo, in the copy.
    pub(super) fn cargo(&self) -> Command {
        let mut cargo = testing::cargo();
        cargo.current_dir(&self.root).env("CARGO_TARGET_DIR", self.target());
        cargo
    }

    fn target(&self) -> PathBuf {
        self.root.join("target")
    }
}

/// All files below `root`, relative to it.
fn sources(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            if NO_SOURCES.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                found.insert(entry.path().strip_prefix(root)?.to_owned());
            }
        }
    }
    Ok(found)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Ok(link) = fs::read_link(from) {
        if fs::read_link(to).ok().as_ref() != Some(&link) {
            fs::create_dir_all(to.parent().context("no folder")?)?;
            let _ = fs::remove_file(to);
            symlink(link, to)?;
        }
    } else if fs::read(to).ok() != Some(fs::read(from)?) {
        fs::create_dir_all(to.parent().context("no folder")?)?;
        fs::copy(from, to)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn sources_are_copied_when_they_differ_and_nothing_else_is() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let write = |name: &str, text: &str| {
            let path = from.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("a/b.rs", "1");
        write("target/release/x", "");
        write("fuzz/corpus/x", "");
        symlink("b.rs", from.path().join("a/link")).unwrap();
        let files = sources(from.path()).unwrap();
        assert_eq!(files, [PathBuf::from("a/b.rs"), PathBuf::from("a/link")].into());
        let copy_all = || {
            for file in &files {
                copy(&from.path().join(file), &to.path().join(file)).unwrap();
            }
        };
        copy_all();
        let file = fs::File::options().write(true).open(to.path().join("a/b.rs")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let time = || fs::metadata(to.path().join("a/b.rs")).unwrap().modified().unwrap();
        copy_all();
        assert_eq!(time(), SystemTime::UNIX_EPOCH);
        write("a/b.rs", "2");
        copy_all();
        assert_eq!(fs::read_to_string(to.path().join("a/link")).unwrap(), "2");
        assert_ne!(time(), SystemTime::UNIX_EPOCH);
    }
}
