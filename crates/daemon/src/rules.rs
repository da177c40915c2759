//! The rules in force, as this daemon reads them from the published store.
//!
//! **Invariants:** what cannot be read is no policy, never the old one; a file that could not be read is not
//! read again before it changes.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use ipc::Policy1Proxy;
use policy::Rulebook;
use store::Reader;
use zbus::Connection;
use zbus::proxy::{CacheProperties, OwnerChangedStream, SignalStream};

/// The directory policyd publishes into.
pub const DIRECTORY: &str = "/run/nestling/policy";

/// The policy of the newest file.
#[derive(Debug)]
pub struct Rules {
    directory: PathBuf,
    reader: Option<Reader>,
    /// Identity of a file that could not be read.
    unreadable: Option<FileId>,
}

type FileId = (u64, u64, u64, i64, i64);

impl Rules {
    /// Reads the store in `directory`, where there is one.
    pub fn open(directory: &Path) -> Self {
        let mut rules = Self { directory: directory.to_owned(), reader: None, unreadable: None };
        rules.refresh();
        rules
    }

    /// The rules in force; `None` means sealed, or no guardian yet.
    pub fn in_force(&self) -> Option<&Rulebook> {
        self.reader.as_ref().map(Reader::rules)
    }

    /// Its revision; 0 without a policy.
    pub fn revision(&self) -> u64 {
        self.reader.as_ref().map_or(0, Reader::revision)
    }

    /// Looks whether another file is in place (one `lstat`), and reads it then. Returns whether the policy
    /// is another one now.
    pub fn refresh(&mut self) -> bool {
        if self.reader.as_ref().is_some_and(Reader::is_current) {
            return false;
        }
        let had_policy = self.reader.take().is_some();
        let Some(id) = self.file_id() else {
            self.unreadable = None;
            if had_policy {
                tracing::warn!("the policy store is gone");
            }
            return had_policy;
        };
        if self.unreadable == Some(id) {
            return had_policy;
        }
        match Reader::open(&self.directory) {
            Ok(reader) => {
                tracing::info!(revision = reader.revision(), "rules read");
                self.unreadable = None;
                self.reader = Some(reader);
                true
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "no rules");
                self.unreadable = Some(id);
                had_policy
            }
        }
    }

    fn file_id(&self) -> Option<FileId> {
        let file = fs::symlink_metadata(self.directory.join(store::FILE)).ok()?;
        Some((file.dev(), file.ino(), file.len(), file.ctime(), file.ctime_nsec()))
    }
}

/// Hints that [`Rules::refresh`] is worth a call: policyd says `Changed`, comes or goes.
pub struct RulesChanged {
    signals: SignalStream<'static>,
    owners: OwnerChangedStream<'static>,
}

impl RulesChanged {
    /// Listens from now on.
    ///
    /// # Errors
    /// The bus itself is gone.
    pub async fn listen(connection: &Connection) -> zbus::Result<Self> {
        let proxy = Policy1Proxy::builder(connection).cache_properties(CacheProperties::No).build().await?;
        Ok(Self {
            signals: proxy.inner().receive_signal("Changed").await?,
            owners: proxy.inner().receive_owner_changed().await?,
        })
    }

    /// Comes with the next hint. Cancel-safe. `false` when the bus is gone.
    pub async fn next(&mut self) -> bool {
        tokio::select! {
            signal = self.signals.next() => signal.is_some(),
            owner = self.owners.next() => owner.is_some(),
        }
    }
}
