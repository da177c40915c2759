//! The family's folder: one guardian's key, the rules, and the orders that were signed.
//!
//! | file | holds |
//! |---|---|
//! | `key` | 32 secret bytes; nobody else may read the file |
//! | `counter` | of the last order, in digits |
//! | `public.toml` | the guardian's id and public keys: what another guardian is given |
//! | `watch.toml` | the watch's id, and what this guardian is on it |
//! | `policy.toml` | the rules as people write them |
//! | `base.json` | the order that set the rules in force, as far as is known here |
//! | `guardians/` | what other guardians gave: their `public.toml` |
//! | `sent/` | `0001-enrol.json` waits; `.taken.json` and `.refused.json` say what the watch said |
//!
//! **Invariants:** files are replaced whole, and only under the lock; a [`Signer`] comes with a counter that is on the
//! disk already, higher than any before it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use orders::{Body, Envelope, MAX_ENVELOPE, Order, PublicKey, RecoveryKey, Role, Signer, WatchId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::until::{now, now_ms};

/// What everybody may know of a guardian's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Public {
    /// The contact's id.
    pub(crate) guardian: String,
    /// The key of one laptop.
    pub(crate) key: PublicKey,
    /// The key on paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recovery: Option<PublicKey>,
}

/// The watch, and what the guardian is on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bond {
    /// Which watch.
    pub(crate) watch: WatchId,
    /// Main or guardian.
    pub(crate) role: Role,
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It was not sent yet, or there was no answer.
    Waiting,
    /// The watch took it.
    Taken,
    /// The watch refused it.
    Refused,
}

impl State {
    const ALL: [(Self, &str); 3] =
        [(Self::Taken, ".taken.json"), (Self::Refused, ".refused.json"), (Self::Waiting, ".json")];
}

/// An order in `sent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// `0003-pause`.
    pub(crate) name: String,
    /// What became of it.
    pub(crate) state: State,
}

impl Letter {
    fn number(&self) -> Option<u32> {
        self.name.split('-').next()?.parse().ok()
    }
}

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct Family {
    folder: PathBuf,
}

/// The folder, while nobody else changes anything in it.
pub(crate) struct Locked<'a> {
    family: &'a Family,
    _lock: File,
}

impl Family {
    /// This folder, or the user's own.
    ///
    /// # Errors
    /// There is neither a folder nor a home.
    pub(crate) fn at(folder: Option<PathBuf>) -> Result<Self> {
        let data = || std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share"));
        let folder = folder.or_else(|| Some(data().or_else(home)?.join("nestling")));
        let none = || Error::Cannot("there is no home folder: say --family DIR".to_owned());
        Ok(Self { folder: folder.ok_or_else(none)? })
    }

    /// A file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Whether a file is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Waits until nobody else changes anything.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub(crate) fn lock(&self) -> Result<Locked<'_>> {
        let sent = self.path("sent");
        DirBuilder::new().recursive(true).mode(0o700).create(&sent).map_err(Error::file(&sent))?;
        let path = self.path("lock");
        let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let lock = open.map_err(Error::file(&path))?;
        lock.lock().map_err(Error::file(&path))?;
        Ok(Locked { family: self, _lock: lock })
    }

    /// The guardian's public keys.
    ///
    /// # Errors
    /// There is no family here yet, or the file is broken.
    pub(crate) fn public(&self) -> Result<Public> {
        if !self.has("public.toml") {
            let folder = self.folder.display();
            return Err(Error::Cannot(format!("{folder}: no guardian is here yet: begin with `new`")));
        }
        read_toml(&self.path("public.toml"))
    }

    /// The watch.
    ///
    /// # Errors
    /// No enrolment was made, or the file is broken.
    pub(crate) fn bond(&self) -> Result<Bond> {
        if !self.has("watch.toml") {
            return Err(Error::Cannot("there is no watch yet: `enrol` first".to_owned()));
        }
        read_toml(&self.path("watch.toml"))
    }

    /// Public keys that other guardians gave.
    ///
    /// # Errors
    /// One of the files cannot be read.
    pub(crate) fn others(&self) -> Result<Vec<Public>> {
        self.list("guardians")?.iter().map(|path| read_toml(path)).collect()
    }

    /// The order that set the rules in force, as far as is known here.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn base(&self) -> Result<Option<Envelope>> {
        let path = self.path("base.json");
        self.has("base.json").then(|| read_envelope(&path)).transpose()
    }

    /// All orders, oldest first.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn letters(&self) -> Result<Vec<Letter>> {
        let letter = |path: PathBuf| {
            let file = path.file_name()?.to_str()?;
            let (name, state) =
                State::ALL.iter().find_map(|(state, end)| Some((file.strip_suffix(end)?, *state)))?;
            Some(Letter { name: name.to_owned(), state, path })
        };
        let mut letters: Vec<_> = self.list("sent")?.into_iter().filter_map(letter).collect();
        letters.sort_by_key(Letter::number);
        Ok(letters)
    }

    fn list(&self, name: &str) -> Result<Vec<PathBuf>> {
        let folder = self.path(name);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(Error::file(&folder))?,
        };
        let paths: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.path())).collect();
        let mut paths = paths.map_err(Error::file(&folder))?;
        paths.retain(|path| path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b".")));
        paths.sort();
        Ok(paths)
    }

    /// The secret key as it is, without a counter: for signatures under another's order.
    ///
    /// # Errors
    /// Others can read the key's file, or it is no key.
    pub(crate) fn key(&self) -> Result<Signer> {
        let path = self.path("key");
        let mut file = File::open(&path).map_err(Error::file(&path))?;
        let mode = file.metadata().map_err(Error::file(&path))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(Error::OpenKey { path });
        }
        let mut secret = Zeroizing::new([0; 32]);
        let whole = file.read_exact(&mut *secret).and_then(|()| file.read(&mut [0]));
        if whole.map_err(Error::file(&path))? != 0 {
            return Err(Error::not(&path, &"a key has 32 bytes"));
        }
        Ok(Signer::from_secret(&secret))
    }
}

impl Locked<'_> {
    /// Puts a file in the place of the one before: after a power cut there is the one or the other.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.family.path(name);
        self.replace(&path, bytes).map_err(Error::file(&path))
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let folder = path.parent().unwrap_or(&self.family.folder);
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let new = folder.join(".new");
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        File::open(folder)?.sync_all()
    }

    /// Writes a value as TOML.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write_toml(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let text = toml_edit::ser::to_string_pretty(value);
        let text = text.map_err(|error| Error::not(&self.family.path(name), &error))?;
        self.write(name, text.as_bytes())
    }

    /// A counter that no order has had. It is on the disk when this returns: an order that never came to be costs a
    /// number, and never is a number used twice. It is not less than the clock's milliseconds, so that an old copy of the folder does
    /// not fall behind what the watch has seen.
    fn next_counter(&self) -> Result<u64> {
        let path = self.family.path("counter");
        let text = fs::read_to_string(&path).map_err(Error::file(&path))?;
        let last: u64 = text.trim().parse().map_err(|_| Error::not(&path, &"not a number"))?;
        let next = last.saturating_add(1).max(now_ms());
        self.write("counter", format!("{next}\n").as_bytes())?;
        Ok(next)
    }

    /// Signs an order with this guardian's key, or with the one on his paper; `others` sign it too.
    ///
    /// # Errors
    /// The key cannot be used, the role may not sign it, or the folder cannot be written.
    pub(crate) fn sign(&self, body: Body, paper: Option<&RecoveryKey>, others: &[&Signer]) -> Result<Letter> {
        let Bond { watch, role } = self.family.bond()?;
        let (key, role) = match paper {
            Some(paper) => (paper.signer(), Role::Recovery),
            None => (self.family.key()?, role),
        };
        let kind = body.kind();
        if !role.may_sign(kind) {
            return Err(Error::Cannot(format!(
                "only main may sign {}. If main left and named you: write role = \"main\" into watch.toml",
                kind.as_str()
            )));
        }
        let mut envelope = key.after(self.next_counter()? - 1).order(&watch, now(), body);
        for other in others {
            other.cosign(&mut envelope);
        }
        self.keep(&envelope, kind.as_str())
    }

    /// Puts an order into `sent`.
    ///
    /// # Errors
    /// It is too long, or the folder cannot be written.
    pub(crate) fn keep(&self, envelope: &Envelope, kind: &str) -> Result<Letter> {
        let mut bytes = envelope.to_bytes();
        if bytes.len() > MAX_ENVELOPE {
            return Err(Error::Cannot("this is too much for one order: leave something out".to_owned()));
        }
        bytes.push(b'\n');
        let last = self.family.letters()?.last().and_then(Letter::number).unwrap_or_default();
        let name = format!("{:04}-{kind}", last.saturating_add(1));
        let file = format!("sent/{name}.json");
        self.write(&file, &bytes)?;
        Ok(Letter { path: self.family.path(&file), name, state: State::Waiting })
    }

    /// Remembers what the watch said of an order. Rules that were taken are what the next ones are made from.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn settle(&self, letter: &Letter, state: State) -> Result<()> {
        let envelope = read_envelope(&letter.path)?;
        match order_of(&envelope).map(|order| order.body) {
            Some(Body::SetPolicy { .. }) if state == State::Taken => {
                self.write("base.json", &envelope.to_bytes())?;
            }
            // A watch that begins anew has no rules.
            Some(Body::Wipe {} | Body::Unlock { .. })
                if state == State::Taken && self.family.has("base.json") =>
            {
                let path = self.family.path("base.json");
                fs::remove_file(&path).map_err(Error::file(&path))?;
            }
            _ => {}
        }
        let end = State::ALL.iter().find(|(other, _)| *other == state).map_or(".json", |(_, end)| *end);
        let path = self.family.path(&format!("sent/{}{end}", letter.name));
        fs::rename(&letter.path, &path).map_err(Error::file(&path))
    }
}

/// Reads a file of TOML, and says the line where it is wrong.
pub(crate) fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = read_text(path, 64 * 1024)?;
    toml_edit::de::from_str(&text).map_err(|error| Error::not(path, &error))
}

/// Reads a text of bounded length.
pub(crate) fn read_text(path: &Path, most: usize) -> Result<String> {
    let mut text = String::new();
    let file = File::open(path).map_err(Error::file(path))?;
    let length = file.take(most as u64 + 1).read_to_string(&mut text).map_err(Error::file(path))?;
    if length > most { Err(Error::not(path, &format!("longer than {most} bytes"))) } else { Ok(text) }
}

/// Reads an envelope. Nothing in it was verified.
pub(crate) fn read_envelope(path: &Path) -> Result<Envelope> {
    let text = read_text(path, MAX_ENVELOPE + 1)?;
    Envelope::parse(text.trim_end().as_bytes()).map_err(|error| Error::not(path, &error))
}

/// The order in an envelope, if it is one. Nothing of it was verified.
pub(crate) fn order_of(envelope: &Envelope) -> Option<Order> {
    serde_json::from_slice(&envelope.payload).ok()
}
