//! Which folders there are below `/var`, and how one is put right.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// Whose a folder is, and who may enter it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Folder {
    /// Relative to `/var`.
    pub(crate) path: &'static str,
    /// Account that owns it.
    pub(crate) user: &'static str,
    /// Its group.
    pub(crate) group: &'static str,
    /// Permission bits.
    pub(crate) mode: u32,
}

const fn folder(path: &'static str, user: &'static str, group: &'static str, mode: u32) -> Folder {
    Folder { path, user, group, mode }
}

/// Every folder a daemon keeps something in, parents first.
pub(crate) const FOLDERS: [Folder; 10] = [
    folder("lib", "root", "root", 0o755),
    folder("lib/private", "root", "root", 0o700),
    folder("lib/nestling", "root", "root", 0o755),
    folder("lib/nestling/policy", "nestling-policy", "nestling-store", 0o700),
    folder("lib/nestling/anchor", "nestling-policy", "nestling-store", 0o700),
    folder("lib/nestling/telephony", "nestling-telephony", "nestling-telephony", 0o700),
    folder("lib/nestling/location", "nestling-location", "nestling-location", 0o700),
    folder("lib/nestling/launcher", "root", "root", 0o700),
    folder("lib/nestling/data", "root", "root", 0o700),
    folder("lib/nestling/bundles", "root", "root", 0o700),
];

/// What was done to a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was as it should be.
    Fine,
    /// There was none.
    Made,
    /// Owner or mode were others.
    Corrected,
    /// Something else had its place and was set aside under this name.
    SetAside(PathBuf),
}

/// A folder could not be put right.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", path.display())]
pub(crate) struct TidyError {
    action: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Puts `path` right: a directory, no link, with this owner and mode. Whatever else is in its place is moved aside, so
/// that nothing is lost; only the newest such thing is kept.
///
/// # Errors
/// The file system does not let it.
pub(crate) fn put_right(path: &Path, (uid, gid): (u32, u32), mode: u32) -> Result<Outcome, TidyError> {
    let error = |action| move |source| TidyError { action, path: path.to_owned(), source };
    let outcome = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => {
            if (found.uid(), found.gid(), found.mode() & 0o7777) == (uid, gid, mode) {
                return Ok(Outcome::Fine);
            }
            Outcome::Corrected
        }
        Ok(_) => {
            let aside = set_aside(path).map_err(error("set aside"))?;
            fs::create_dir(path).map_err(error("make"))?;
            Outcome::SetAside(aside)
        }
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
            fs::create_dir(path).map_err(error("make"))?;
            Outcome::Made
        }
        Err(source) => return Err(error("look at")(source)),
    };
    // The owner last: until then nobody but root can put anything into a new folder.
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(error("set the mode of"))?;
    chown(path, Some(uid), Some(gid)).map_err(error("give away"))?;
    Ok(outcome)
}

fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(".set-aside");
    let aside = PathBuf::from(name);
    // `rename` replaces a file by a file; a folder of that name would be nobody's of ours.
    if fs::symlink_metadata(&aside).is_ok_and(|found| found.is_dir()) {
        fs::remove_dir_all(&aside)?;
    }
    fs::rename(path, &aside)?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd::{getgid, getuid};

    fn me() -> (u32, u32) {
        (getuid().as_raw(), getgid().as_raw())
    }

    #[test]
    fn a31_whatever_has_a_folders_place_is_set_aside_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let (path, aside) = (dir.path().join("telephony"), dir.path().join("telephony.set-aside"));
        assert_eq!(put_right(&path, me(), 0o700).unwrap(), Outcome::Made);
        assert_eq!(put_right(&path, me(), 0o700).unwrap(), Outcome::Fine);
        for place in 0..2 {
            fs::remove_dir(&path).unwrap();
            fs::write(&path, format!("{place}")).unwrap();
            assert_eq!(put_right(&path, me(), 0o700).unwrap(), Outcome::SetAside(aside.clone()));
            assert_eq!(fs::read_to_string(&aside).unwrap(), format!("{place}"));
            assert!(fs::symlink_metadata(&path).unwrap().is_dir());
        }
        fs::remove_file(&aside).unwrap();
        fs::create_dir(&aside).unwrap();
        fs::remove_dir(&path).unwrap();
        fs::write(&path, "file").unwrap();
        assert_eq!(put_right(&path, me(), 0o700).unwrap(), Outcome::SetAside(aside));
    }

    #[test]
    fn a31_a_link_to_another_daemons_folder_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (mine, others) = (dir.path().join("telephony"), dir.path().join("policy"));
        fs::create_dir(&others).unwrap();
        fs::set_permissions(&others, Permissions::from_mode(0o711)).unwrap();
        std::os::unix::fs::symlink(&others, &mine).unwrap();
        assert!(matches!(put_right(&mine, me(), 0o700).unwrap(), Outcome::SetAside(_)));
        assert_eq!(fs::metadata(&others).unwrap().mode() & 0o777, 0o711);
        assert!(fs::symlink_metadata(&mine).unwrap().is_dir());
    }

    #[test]
    fn a_folder_everybody_may_enter_is_closed_and_keeps_what_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("policy");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("orders.db"), "x").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        assert_eq!(put_right(&path, me(), 0o700).unwrap(), Outcome::Corrected);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::read_to_string(path.join("orders.db")).unwrap(), "x");
    }

    #[test]
    fn parents_come_before_what_is_in_them() {
        for (place, folder) in FOLDERS.iter().enumerate() {
            let Some((parent, _)) = folder.path.rsplit_once('/') else { continue };
            assert!(FOLDERS[..place].iter().any(|earlier| earlier.path == parent), "{}", folder.path);
        }
    }
}
