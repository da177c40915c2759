//! What is done to the storage: to every file, and to all of it at once.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::storage::{Found, Storage, copy};

/// Images made before the attack.
#[derive(Debug)]
pub(super) struct Lives {
    /// The watch as it was switched off.
    pub(super) now: PathBuf,
    /// The same watch, some orders earlier.
    pub(super) earlier: PathBuf,
    /// Another watch, whose guardian is the attacker.
    pub(super) other: PathBuf,
    /// A watch that was never bound.
    pub(super) unbound: PathBuf,
}

/// In which watch the storage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watch {
    Its,
    Others,
    New,
}

/// One attack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deed {
    /// Which file, or `everything`.
    pub(super) whom: String,
    /// What is done to it.
    pub(super) what: &'static str,
}

impl Deed {
    /// Whose TPM sees the storage.
    pub(super) fn watch(&self) -> Watch {
        match self.what {
            ANOTHER_TPM => Watch::Others,
            NEW_TPM => Watch::New,
            _ => Watch::Its,
        }
    }

    /// Not an attack: afterwards the watch is nobody's.
    pub(super) fn is_a_wipe(&self) -> bool {
        self.what == BY_ORDER
    }

    /// The attacker wrote the list of guardians, and the watch is sealed: then he chooses who rings, and no more.
    pub(super) fn chooses_who_rings(&self) -> bool {
        self.whom == "everything" && self.what == "another watch's"
    }
}

/// To one file.
const TO_A_FILE: [&str; 9] = [
    "edited",
    "truncated",
    "zeroed",
    "removed",
    "swapped with another",
    "restored from earlier",
    "another watch's",
    "a folder in its place",
    "a link in its place",
];

/// To all of it.
const TO_ALL: [&str; 7] =
    ["as it is", "restored from earlier", "another watch's", "a new watch's", ANOTHER_TPM, NEW_TPM, BY_ORDER];
const ANOTHER_TPM: &str = "put into another family's watch";
const NEW_TPM: &str = "put into a watch that was never bound";
/// What the family itself does, so that somebody else may have the watch.
const BY_ORDER: &str = "wiped by the family's order";

/// Folders that daemons begin with.
const FOLDERS: [&str; 4] =
    ["/lib/nestling/policy", "/lib/nestling/telephony", "/lib/nestling/launcher", "/lib/nestling"];

/// Every attack there is on this storage.
pub(super) fn all(files: &[Found]) -> Vec<Deed> {
    let of_files = files.iter().flat_map(|file| TO_A_FILE.map(|what| Deed { whom: file.path.clone(), what }));
    let of_all = TO_ALL.map(|what| Deed { whom: "everything".into(), what });
    let of_folders = FOLDERS.map(|folder| Deed { whom: folder.into(), what: "a file in its place" });
    let marks = [Deed { whom: MARK.into(), what: "made" }];
    of_all.into_iter().chain(of_folders).chain(marks).chain(of_files).collect()
}

/// The mark that has storage erased.
const MARK: &str = "/lib/nestling/policy/erase";

/// Does it to the image in `target`. `false` where there is nothing to do, such as no earlier version of a file.
pub(super) fn commit(deed: &Deed, files: &[Found], lives: &Lives, target: &Path) -> Result<bool> {
    let whole = match deed.what {
        _ if deed.whom != "everything" => None,
        "restored from earlier" => Some(&lives.earlier),
        "another watch's" => Some(&lives.other),
        "a new watch's" => Some(&lives.unbound),
        _ => Some(&lives.now),
    };
    copy(whole.unwrap_or(&lives.now), target)?;
    if whole.is_some() {
        return Ok(true);
    }
    let storage = Storage::open(target)?;
    if deed.what == "a file in its place" {
        storage.flatten(&deed.whom)?;
        return Ok(true);
    }
    if deed.whom == MARK {
        let pattern = files.first().context("a watch without files")?;
        storage.put(&Found { path: MARK.into(), ..pattern.clone() }, b"")?;
        return Ok(true);
    }
    let place = files.iter().position(|file| file.path == deed.whom).context("no such file")?;
    let file = &files[place];
    let held = storage.read(&file.path)?.context("a file that cannot be read")?;
    let from = |image: &Path| Storage::open(image)?.read(&file.path);
    let bytes = match deed.what {
        "edited" => Some(edited(&held)),
        "truncated" => Some(held[..held.len() / 2].to_vec()),
        "zeroed" => Some(vec![0; held.len()]),
        "swapped with another" => storage.read(&files[(place + 1) % files.len()].path)?,
        "restored from earlier" => from(&lives.earlier)?,
        "another watch's" => from(&lives.other)?,
        "removed" => {
            storage.remove(file)?;
            return Ok(true);
        }
        "a folder in its place" => {
            storage.make_folder(file)?;
            return Ok(true);
        }
        "a link in its place" => {
            storage.link(file, "/etc/passwd")?;
            return Ok(true);
        }
        _ => None,
    };
    match bytes {
        Some(bytes) if bytes != held => {
            storage.replace(file, &bytes)?;
            ensure!(storage.read(&file.path)?.as_deref() == Some(&bytes[..]), "the storage was not changed");
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// One bit in the middle.
fn edited(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    } else {
        bytes.push(1);
    }
    bytes
}
