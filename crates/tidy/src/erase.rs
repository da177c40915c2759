//! Erasing what everybody kept, after a guardian wiped the watch.
//!
//! Each file is overwritten before its name goes. On storage that moves blocks about, as flash does, an old copy may be
//! left until the medium erases it by itself: a board that has discard should mount `/var` with it.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

/// policyd leaves this name in its folder; it goes last.
pub(crate) const MARK: &str = "lib/nestling/policy/erase";

/// Folders whose contents go. The anchor's is not among them: it remembers that the watch is free, and from when on.
const FOLDERS: [&str; 5] = [
    "lib/nestling/policy",
    "lib/nestling/telephony",
    "lib/nestling/launcher",
    "lib/nestling/data",
    "lib/nestling/bundles",
];

/// What an owner gave the watch with `unlock`.
const KEPT: [&str; 1] = ["boot-key"];

/// Whether the storage below `root` waits to be erased.
pub(crate) fn is_marked(root: &Path) -> bool {
    fs::symlink_metadata(root.join(MARK)).is_ok()
}

/// Erases everything, and the mark last, so that a power cut leaves the rest for the next start.
///
/// # Errors
/// Something could not be erased. The mark stays then, and with it the watch sealed.
pub(crate) fn everything(root: &Path) -> io::Result<()> {
    let mark = root.join(MARK);
    for folder in FOLDERS {
        let folder = root.join(folder);
        if folder.is_dir() {
            contents(&folder, &|path| {
                path == mark || KEPT.iter().any(|kept| path.file_name() == Some(OsStr::new(kept)))
            })?;
            File::open(&folder)?.sync_all()?;
        }
    }
    fs::remove_file(&mark)?;
    File::open(mark.parent().ok_or(io::ErrorKind::InvalidInput)?)?.sync_all()
}

fn contents(folder: &Path, keeps: &dyn Fn(&Path) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let kind = fs::symlink_metadata(&path)?.file_type();
        if keeps(&path) {
            continue;
        }
        if kind.is_dir() {
            contents(&path, &|_| false)?;
            fs::remove_dir(&path)?;
        } else {
            if kind.is_file() {
                overwrite(&path)?;
            }
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn overwrite(path: &Path) -> io::Result<()> {
    let opened = OpenOptions::new().write(true).custom_flags(OFlag::O_NOFOLLOW.bits()).open(path);
    let mut file = match opened {
        Ok(file) => file,
        // A bundle sealed with fs-verity is never written again; it is no secret either.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
        Err(error) => return Err(error),
    };
    let zeros = [0; 64 * 1024];
    let mut left = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    while left > 0 {
        let part = left.min(zeros.len() as u64);
        file.write_all(zeros.get(..part as usize).unwrap_or_default())?;
        left -= part;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a33_a_wipe_leaves_the_anchor_the_boot_key_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        for folder in FOLDERS.iter().chain(&["lib/nestling/anchor"]) {
            fs::create_dir_all(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join("file"), "secret").unwrap();
        }
        let policy = root.path().join("lib/nestling/policy");
        fs::write(policy.join("boot-key"), "key").unwrap();
        fs::create_dir_all(root.path().join("lib/nestling/data/draw/deep")).unwrap();
        fs::write(root.path().join("lib/nestling/data/draw/deep/picture"), "secret").unwrap();
        // A link is removed, and where it leads nothing is touched.
        std::os::unix::fs::symlink(root.path().join("lib/nestling/anchor"), policy.join("link")).unwrap();
        assert!(!is_marked(root.path()));
        fs::write(root.path().join(MARK), "").unwrap();
        assert!(is_marked(root.path()));
        // Another name of the same file shows what its blocks hold now.
        let other = root.path().join("other-name");
        fs::hard_link(policy.join("file"), &other).unwrap();
        everything(root.path()).unwrap();
        assert_eq!(fs::read(&other).unwrap(), [0; 6]);
        assert!(!is_marked(root.path()));
        for folder in FOLDERS {
            let left: Vec<_> = fs::read_dir(root.path().join(folder))
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            let kept: &[&str] = if folder.ends_with("policy") { &KEPT } else { &[] };
            assert_eq!(left, kept, "{folder}");
        }
        assert_eq!(fs::read_to_string(root.path().join("lib/nestling/anchor/file")).unwrap(), "secret");
    }

    #[test]
    fn a46_what_cannot_be_erased_keeps_the_mark() {
        let root = tempfile::tempdir().unwrap();
        let policy = root.path().join("lib/nestling/policy");
        fs::create_dir_all(&policy).unwrap();
        fs::create_dir(root.path().join(MARK)).unwrap();
        assert!(everything(root.path()).is_err() && is_marked(root.path()));
    }
}
