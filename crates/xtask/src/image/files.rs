//! The content of the image, in memory: path → owner, mode, content. Built from `.deb` files and folders,
//! written as one tar for mkfs.erofs. Sorted, without times, without set-uid bits: the same input gives the
//! same bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use sha2::{Digest as _, Sha256};
use tar::{Archive, Builder, EntryType, Header};

use super::verity;

/// What a path holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A folder.
    Folder,
    /// A file.
    File(Arc<[u8]>),
    /// A symbolic link and where it points.
    Link(String),
}

/// One path of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Permission bits.
    pub mode: u32,
    /// Owning user.
    pub uid: u32,
    /// Owning group.
    pub gid: u32,
    /// What it holds.
    pub content: Content,
}

/// Every path of an image, without a leading slash.
#[derive(Debug, Clone, Default)]
pub struct Files(BTreeMap<String, Entry>);

impl Files {
    /// Adds a folder of root's; nothing happens where it exists.
    pub fn folder(&mut self, path: &str, mode: u32) {
        self.parents(path);
        self.0.entry(path.to_owned()).or_insert(Entry { mode, uid: 0, gid: 0, content: Content::Folder });
    }

    /// Adds or replaces a file of root's.
    pub fn file(&mut self, path: &str, mode: u32, bytes: impl Into<Arc<[u8]>>) {
        self.put(path, Entry { mode, uid: 0, gid: 0, content: Content::File(bytes.into()) });
    }

    /// Adds or replaces a symbolic link.
    pub fn link(&mut self, path: &str, to: &str) {
        self.put(path, Entry { mode: 0o777, uid: 0, gid: 0, content: Content::Link(to.to_owned()) });
    }

    /// Takes out every path `unwanted` names.
    pub fn remove(&mut self, unwanted: &dyn Fn(&str) -> bool) {
        self.0.retain(|path, _| !unwanted(path));
    }

    fn put(&mut self, path: &str, entry: Entry) {
        self.parents(path);
        self.0.insert(path.to_owned(), entry);
    }

    fn parents(&mut self, path: &str) {
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.folder(parent, 0o755);
        }
    }

    /// Adds what `takes` lets through of a package's tar. Folders come only with what lies in them.
    pub fn package(&mut self, tar: impl Read, takes: &dyn Fn(&str) -> bool) -> Result<()> {
        let mut hard_links = Vec::new();
        for entry in Archive::new(tar).entries()? {
            let mut entry = entry?;
            let path = clean(&entry.path()?)?;
            let kind = entry.header().entry_type();
            if kind.is_dir() || !takes(&path) {
                continue;
            }
            match kind {
                EntryType::Regular => {
                    let mut bytes = Vec::new();
                    entry.read_to_end(&mut bytes)?;
                    self.file(&path, entry.header().mode()? & 0o1777, bytes);
                }
                EntryType::Symlink => {
                    let to = entry.link_name()?.context("a link without a target")?;
                    self.link(&path, &to.to_string_lossy());
                }
                EntryType::Link => {
                    hard_links.push((path, clean(&entry.link_name()?.context("a link without a target")?)?));
                }
                other => bail!("{path} is a {other:?}"),
            }
        }
        for (path, to) in hard_links {
            let target =
                self.0.get(&to).cloned().with_context(|| format!("{path} links to {to}, not taken"))?;
            self.put(&path, target);
        }
        Ok(())
    }

    /// Adds a folder of the workspace as it is, below `to`.
    pub fn copy_folder(&mut self, from: &Path, to: &str) -> Result<()> {
        let mut names = fs::read_dir(from)
            .with_context(|| format!("reading {}", from.display()))?
            .collect::<std::io::Result<Vec<_>>>()?;
        names.sort_by_key(fs::DirEntry::file_name);
        for name in names {
            let source = name.path();
            let target = format!("{to}/{}", name.file_name().to_string_lossy());
            let target = target.trim_start_matches('/');
            let kind = name.file_type()?;
            if kind.is_dir() {
                self.folder(target, 0o755);
                self.copy_folder(&source, target)?;
            } else if kind.is_symlink() {
                self.link(target, &fs::read_link(&source)?.to_string_lossy());
            } else {
                // Of the mode only the executable bit is the workspace's; the rest is the umask of a checkout.
                let executable = source.metadata()?.permissions().mode() & 0o100;
                let mode = if executable == 0 { 0o644 } else { 0o755 };
                self.file(target, mode, fs::read(&source)?);
            }
        }
        Ok(())
    }

    /// Every path, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.0.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// What a path holds.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.0.get(path)
    }

    /// The bytes of a file.
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        match &self.0.get(path)?.content {
            Content::File(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// `mode owner:group path`, and of a file its size and SHA-256, a line each: what an
    /// auditor compares.
    pub fn listing(&self) -> String {
        let mut text = String::new();
        for (path, entry) in self.iter() {
            let (kind, size) = match &entry.content {
                Content::Folder => ('d', String::new()),
                Content::File(bytes) => {
                    let hash = verity::hex(&Sha256::digest(bytes));
                    ('-', format!(" {} {hash}", bytes.len()))
                }
                Content::Link(to) => ('l', format!(" -> {to}")),
            };
            let _ = writeln!(text, "{kind}{:04o} {}:{} /{path}{size}", entry.mode, entry.uid, entry.gid);
        }
        text
    }

    /// Writes what `takes` lets through below a folder, as files of the user who runs this, for tools that look at
    /// an image with `--root`.
    pub fn unpack(&self, root: &Path, takes: &dyn Fn(&str) -> bool) -> Result<()> {
        for (path, entry) in self.iter().filter(|(path, _)| takes(path)) {
            let target = root.join(path);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            match &entry.content {
                Content::Folder => fs::create_dir_all(&target)?,
                Content::File(bytes) => {
                    fs::write(&target, bytes)?;
                    fs::set_permissions(&target, fs::Permissions::from_mode(entry.mode | 0o600))?;
                }
                Content::Link(to) => symlink(to, &target)?,
            }
        }
        Ok(())
    }

    /// Writes everything as a tar.
    pub fn write_tar(&self, out: impl Write) -> Result<()> {
        let mut builder = Builder::new(out);
        for (path, entry) in self.iter() {
            let mut header = Header::new_gnu();
            header.set_mode(entry.mode);
            header.set_uid(entry.uid.into());
            header.set_gid(entry.gid.into());
            header.set_mtime(0);
            match &entry.content {
                Content::Folder => {
                    header.set_entry_type(EntryType::Directory);
                    header.set_size(0);
                    builder.append_data(&mut header, path, std::io::empty())?;
                }
                Content::File(bytes) => {
                    header.set_entry_type(EntryType::Regular);
                    header.set_size(bytes.len() as u64);
                    builder.append_data(&mut header, path, &bytes[..])?;
                }
                Content::Link(to) => {
                    header.set_entry_type(EntryType::Symlink);
                    header.set_size(0);
                    builder.append_link(&mut header, path, to)?;
                }
            }
        }
        builder.into_inner()?.flush()?;
        Ok(())
    }
}

/// A path of a package: relative, without `.` and never with `..`.
fn clean(path: &Path) -> Result<String> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            std::path::Component::Normal(name) => parts.push(name.to_string_lossy()),
            std::path::Component::CurDir | std::path::Component::RootDir => {}
            _ => bail!("{} leaves its package", path.display()),
        }
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (path, kind, text) in entries {
            let mut header = Header::new_gnu();
            header.set_mode(0o4755);
            header.set_entry_type(*kind);
            if *kind == EntryType::Regular {
                header.set_size(text.len() as u64);
                builder.append_data(&mut header, path, text.as_bytes()).unwrap();
            } else {
                header.set_size(0);
                builder.append_link(&mut header, path, text).unwrap();
            }
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn only_what_is_taken_is_in_and_no_set_uid_bit_survives() {
        let tar = package(&[
            ("./usr/bin/mount", EntryType::Regular, "m"),
            ("./usr/bin/sh", EntryType::Regular, "s"),
            ("./usr/bin/second", EntryType::Link, "./usr/bin/mount"),
        ]);
        let mut files = Files::default();
        files.package(&tar[..], &|path| path != "usr/bin/sh").unwrap();
        assert_eq!(files.get("usr/bin/mount").unwrap().mode, 0o755);
        assert_eq!(files.bytes("usr/bin/second"), Some(&b"m"[..]));
        assert!(files.get("usr/bin/sh").is_none());
        assert_eq!(files.get("usr").unwrap().content, Content::Folder);
    }

    #[test]
    fn a_written_tar_reads_back_in_order_with_its_owners() {
        let mut files = Files::default();
        files.file("b/c", 0o600, *b"text");
        files.link("a", "b/c");
        let mut tar = Vec::new();
        files.write_tar(&mut tar).unwrap();
        let paths: Vec<_> = Archive::new(&tar[..])
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        assert_eq!(paths, ["a", "b", "b/c"]);
        assert!(
            files.listing().contains(
                "-0600 0:0 /b/c 4 982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1\n"
            )
        );
    }
}
