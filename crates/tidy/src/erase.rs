//! Erasing what everybody kept, after a guardian wiped the watch.
//!
//! Each file is overwritten before its name goes. On storage that moves blocks about, as flash does, an old copy may be
//! left until the medium erases it by itself: a board that has discard should mount `/var` with it.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::unistd::{Whence, lseek};

/// policyd leaves this name in its folder; it goes last.
pub(crate) const MARK: &str = "lib/nestling/policy/erase";

/// Folders whose contents go. The anchor's is not among them: it remembers that the watch is free, and from when on.
const FOLDERS: &[&str] = &[
    "lib/nestling/policy",
    "lib/nestling/telephony",
    "lib/nestling/location",
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

/// Erases everything, and the mark last, so that a power cut leaves the rest for the next start. What resists does not keep
/// the rest.
///
/// # Errors
/// Something could not be erased, the first of it. The mark stays then, and with it the watch sealed.
pub(crate) fn everything(root: &Path) -> io::Result<()> {
    let mark = root.join(MARK);
    let mut first = None;
    for folder in FOLDERS {
        // What nestling-tidy set aside once is the family's too.
        for place in [root.join(folder), root.join(format!("{folder}.set-aside"))] {
            let keeps = |name: &OsStr| root.join(folder) == place && is_kept(folder, name);
            if let Err(error) = erase(&place, &keeps) {
                first.get_or_insert(error);
            }
        }
    }
    if let Some(error) = first {
        return Err(error);
    }
    fs::remove_file(&mark)?;
    File::open(mark.parent().ok_or(io::ErrorKind::InvalidInput)?)?.sync_all()
}

fn is_kept(folder: &str, name: &OsStr) -> bool {
    let mark = MARK.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
    mark.is_some_and(|mark| name == mark) || KEPT.iter().any(|kept| name == *kept)
}

/// Erases a file, or what a folder holds; nothing there is fine.
fn erase(place: &Path, keeps: &dyn Fn(&OsStr) -> bool) -> io::Result<()> {
    match fs::symlink_metadata(place) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(found) if found.is_dir() => {
            contents(place, keeps)?;
            File::open(place)?.sync_all()
        }
        Ok(found) => remove(place, &found),
        Err(error) => Err(error),
    }
}

/// Folders within are brought up before they are looked into, so that no depth is too deep for a path, a stack or a table of
/// descriptors: an app may have made thousands.
fn contents(folder: &Path, keeps: &dyn Fn(&OsStr) -> bool) -> io::Result<()> {
    let mut first = None;
    let mut moved = 0_u64;
    loop {
        let mut inner = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            match fs::symlink_metadata(&path) {
                Ok(_) if keeps(&entry.file_name()) => {}
                Ok(found) if found.is_dir() => inner.push(path),
                Ok(found) => first = first.or(remove(&path, &found).err()),
                Err(error) => first = first.or(Some(error)),
            }
        }
        if inner.is_empty() {
            return first.map_or(Ok(()), Err);
        }
        let before = moved;
        let mut gone = 0;
        for path in inner {
            for entry in fs::read_dir(&path)? {
                let entry = entry?;
                let found = fs::symlink_metadata(entry.path())?;
                if found.is_dir() {
                    moved += 1;
                    fs::rename(entry.path(), folder.join(format!(".erased-{moved}")))?;
                } else {
                    first = first.or(remove(&entry.path(), &found).err());
                }
            }
            gone += u64::from(fs::remove_dir(&path).is_ok());
        }
        if gone == 0 && moved == before {
            return Err(first.unwrap_or_else(|| io::ErrorKind::DirectoryNotEmpty.into()));
        }
    }
}

fn remove(path: &Path, found: &Metadata) -> io::Result<()> {
    if found.is_file() {
        overwrite(path, found)?;
    }
    fs::remove_file(path)
}

/// Writes zeros over what the file holds on the disk; its holes hold nothing.
fn overwrite(path: &Path, found: &Metadata) -> io::Result<()> {
    let opened = OpenOptions::new().write(true).custom_flags(OFlag::O_NOFOLLOW.bits()).open(path);
    let file = match opened {
        Ok(file) => file,
        // A bundle sealed with fs-verity is never written again; it is no secret either.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
        Err(error) => return Err(error),
    };
    let zeros = [0; 16 * 1024];
    let mut place = 0;
    while let Ok(data) = lseek(&file, place, Whence::SeekData) {
        let hole = lseek(&file, data, Whence::SeekHole).unwrap_or(data);
        let end = hole.min(found.len().cast_signed());
        place = data;
        while place < end {
            let part = zeros.get(..zeros.len().min((end - place) as usize)).unwrap_or_default();
            place += file.write_at(part, place.cast_unsigned())? as i64;
        }
        place = place.max(hole);
        if hole <= data {
            break;
        }
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
    fn t19_a_wipe_takes_what_every_daemon_kept_but_the_anchor() {
        let others = ["lib", "lib/private", "lib/nestling", "lib/nestling/anchor"];
        let kept = crate::folders::FOLDERS.iter().map(|folder| folder.path);
        let wiped: Vec<_> = kept.filter(|path| !others.contains(path)).collect();
        assert_eq!(wiped, FOLDERS);
    }

    #[test]
    fn a43_no_depth_and_no_hole_keeps_a_wipe_from_its_end() {
        let root = tempfile::tempdir().unwrap();
        for folder in FOLDERS {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        fs::write(root.path().join(MARK), "").unwrap();
        // Deeper than a path can say: each is made as the parent of the one before.
        let app = root.path().join("lib/nestling/data/draw");
        fs::create_dir(&app).unwrap();
        fs::write(app.join("deepest"), "secret").unwrap();
        for _ in 0..1500 {
            let (inner, outer) = (root.path().join("inner"), &app);
            fs::rename(outer, &inner).unwrap();
            fs::create_dir(outer).unwrap();
            fs::rename(&inner, outer.join("d")).unwrap();
        }
        // A terabyte of nothing, and a little in the middle.
        let sparse = File::create(root.path().join("lib/nestling/telephony/sparse")).unwrap();
        sparse.set_len(1 << 40).unwrap();
        sparse.write_at(b"secret", 1 << 39).unwrap();
        let kept = root.path().join("kept");
        fs::hard_link(root.path().join("lib/nestling/telephony/sparse"), &kept).unwrap();
        everything(root.path()).unwrap();
        assert!(
            !is_marked(root.path())
                && fs::read_dir(root.path().join("lib/nestling/data")).unwrap().next().is_none()
        );
        let mut held = [1; 6];
        File::open(&kept).unwrap().read_at(&mut held, 1 << 39).unwrap();
        assert_eq!(held, [0; 6]);
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
