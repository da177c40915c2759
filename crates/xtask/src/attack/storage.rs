//! The storage of a watch that is off, in the hands of a technician: debugfs, so that nothing here needs root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process;

/// An image of `/var`.
#[derive(Debug)]
pub(super) struct Storage(PathBuf);

/// A file in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// From the root of the image, `/lib/nestling/…`.
    pub(super) path: String,
    pub(super) mode: String,
    pub(super) uid: String,
    pub(super) gid: String,
}

impl Storage {
    /// The image in `file`, its journal played back, as mounting would do.
    pub(super) fn open(file: &Path) -> Result<Self> {
        // 1: it was repaired, which playing the journal back counts as.
        let status = Command::new("e2fsck").args(["-f", "-y"]).arg(file).output().context("e2fsck")?.status;
        ensure!(matches!(status.code(), Some(0 | 1)), "e2fsck: {status}");
        Ok(Self(file.to_owned()))
    }

    fn debugfs(&self, request: &str) -> Result<String> {
        let mut command = Command::new("debugfs");
        let output = command.args(["-w", "-R", request]).arg(&self.0).output().context("debugfs")?;
        let said = String::from_utf8_lossy(&output.stderr);
        // It says its version first, and does not fail when what it was asked fails.
        let complaint = said.lines().skip(1).collect::<Vec<_>>().join(" ");
        ensure!(output.status.success() && complaint.is_empty(), "debugfs {request}: {complaint}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Every plain file below a folder, ordered by path.
    pub(super) fn files(&self, folder: &str) -> Result<Vec<Found>> {
        let mut files = Vec::new();
        for line in self.debugfs(&format!("ls -p {folder}"))?.lines() {
            let fields: Vec<_> = line.split('/').collect();
            let &[_, _, mode, uid, gid, name, ..] = fields.as_slice() else { continue };
            let path = format!("{}/{name}", folder.trim_end_matches('/'));
            if mode.starts_with("04") && !matches!(name, "." | ".." | "lost+found" | "tmp") {
                files.extend(self.files(&path)?);
            } else if mode.starts_with("10") {
                let (mode, uid, gid) = (mode.to_owned(), uid.to_owned(), gid.to_owned());
                files.push(Found { path, mode, uid, gid });
            }
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    /// What a file holds; `None` where there is none.
    pub(super) fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let folder = tempfile::tempdir()?;
        let copy = folder.path().join("copy");
        // debugfs writes nothing where there is nothing to read.
        let _ = self.debugfs(&format!("dump {path} {}", copy.display()));
        if copy.exists() { Ok(Some(fs::read(copy)?)) } else { Ok(None) }
    }

    /// Puts bytes in the place of a file, with its owner and mode.
    pub(super) fn replace(&self, file: &Found, bytes: &[u8]) -> Result<()> {
        self.remove(file)?;
        self.put(file, bytes)
    }

    /// Makes a file where there is none.
    pub(super) fn put(&self, file: &Found, bytes: &[u8]) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let copy = folder.path().join("copy");
        fs::write(&copy, bytes)?;
        self.debugfs(&format!("write {} {}", copy.display(), file.path))?;
        let Found { path, mode, uid, gid } = file;
        for (field, value) in [("mode", format!("0{mode}")), ("uid", uid.clone()), ("gid", gid.clone())] {
            self.debugfs(&format!("set_inode_field {path} {field} {value}"))?;
        }
        Ok(())
    }

    /// Takes a file away.
    pub(super) fn remove(&self, file: &Found) -> Result<()> {
        self.debugfs(&format!("rm {}", file.path)).map(drop)
    }

    /// Puts a folder in the place of a file.
    pub(super) fn make_folder(&self, file: &Found) -> Result<()> {
        self.remove(file)?;
        self.debugfs(&format!("mkdir {}", file.path)).map(drop)
    }

    /// Puts a link in the place of a file.
    pub(super) fn link(&self, file: &Found, to: &str) -> Result<()> {
        self.remove(file)?;
        self.debugfs(&format!("symlink {} {to}", file.path)).map(drop)
    }

    /// Puts a plain file in the place of a folder and all that is in it.
    pub(super) fn flatten(&self, folder: &str) -> Result<()> {
        self.empty(folder)?;
        let (mode, uid, gid) = ("100644".into(), "0".into(), "0".into());
        self.put(&Found { path: folder.to_owned(), mode, uid, gid }, b"")
    }
}

impl Storage {
    /// Removes a folder and all that is in it.
    fn empty(&self, folder: &str) -> Result<()> {
        for line in self.debugfs(&format!("ls -p {folder}"))?.lines() {
            let fields: Vec<_> = line.split('/').collect();
            let &[_, _, mode, _, _, name, ..] = fields.as_slice() else { continue };
            match (mode, name) {
                (_, "." | "..") => {}
                (mode, name) if mode.starts_with("04") => self.empty(&format!("{folder}/{name}"))?,
                (mode, name) if mode.starts_with('1') => {
                    self.debugfs(&format!("rm {folder}/{name}"))?;
                }
                // What debugfs calls a name without a file.
                _ => {}
            }
        }
        self.debugfs(&format!("rmdir {folder}")).map(drop)
    }
}

/// Copies an image, holes and all.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    process::run(Command::new("cp").args(["--sparse=always", "--"]).arg(from).arg(to))
}
