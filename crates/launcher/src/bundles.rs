//! From an app's name to a mount of the bundle that reviewers signed.
//!
//! **Invariants:** a tree is made only of a file that [`catalogue::Shelf`] verified in the same call; what is kept mounted is
//! found by that digest, not by a name.

use std::collections::HashMap;
use std::fs::DirBuilder;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use catalogue::{Places, Shelf};
use launch::{AppId, AppInfo, Refusal};
use sandbox::{Attached, MountError, Tree};

/// Who knows what was signed, and has it.
pub trait Bundles {
    /// Every app of the catalogue, ordered by id.
    ///
    /// # Errors
    /// `Catalogue` or `Storage`.
    fn apps(&mut self) -> Result<Vec<AppInfo>, Refusal>;

    /// What was signed about the newest version of one.
    ///
    /// # Errors
    /// `NotSigned`, `Expired`, `Catalogue` or `Storage`.
    fn info(&mut self, app: &AppId) -> Result<AppInfo, Refusal>;

    /// The verified bundle of one, as a mount, and what was signed about it: the newest version, or an older one that is
    /// installed where nothing may be installed now.
    ///
    /// # Errors
    /// `NotSigned`, `Altered`, `Expired`, `Catalogue`, `Storage` or `Sandbox`.
    fn tree(&mut self, app: &AppId) -> Result<(AppInfo, Tree), Refusal>;
}

/// The catalogue of the watch, and the bundles that were mounted since the launcher started.
#[derive(Debug)]
pub struct Installed {
    places: Places,
    /// `None` until it could be opened.
    shelf: Option<Shelf>,
    /// Whether the journal knows that it cannot.
    told: bool,
    mounts: PathBuf,
    mounted: HashMap<AppId, Mounted>,
}

#[derive(Debug)]
struct Mounted {
    digest: [u8; 32],
    bundle: Attached,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot make {}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("cannot mount the bundle")]
    Mount(#[from] MountError),
}

impl Installed {
    /// Bundles from the shelf in `places`, which is opened when it is first asked, mounted below `mounts`.
    pub fn new(places: Places, mounts: &Path) -> Self {
        Self { places, shelf: None, told: false, mounts: mounts.to_owned(), mounted: HashMap::new() }
    }

    /// The shelf. While something else lies in its place there is none, and every request looks again.
    fn opened(&mut self) -> Result<&mut Shelf, Refusal> {
        let open = match self.shelf.take() {
            Some(open) => open,
            None => Shelf::open(self.places.clone()).map_err(|error| {
                if !std::mem::replace(&mut self.told, true) {
                    tracing::error!(error = crate::chain(&error), "there is no shelf of bundles");
                }
                Refusal::Storage
            })?,
        };
        self.told = false;
        Ok(self.shelf.insert(open))
    }

    fn mount(&mut self, app: &AppId, digest: [u8; 32], file: impl AsFd) -> Result<Tree, Error> {
        if let Some(mounted) = self.mounted.get(app).filter(|mounted| mounted.digest == digest) {
            return Ok(mounted.bundle.tree()?);
        }
        let path = self.mounts.join(format!("{}-{}", app.as_str(), hex(&digest)));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(|source| Error::Folder { path: path.clone(), source })?;
        let bundle = Tree::erofs(file.as_fd())?.attach(&path)?;
        let tree = bundle.tree()?;
        // An older version is unmounted here; an app that still runs it keeps its own mount.
        self.mounted.insert(app.clone(), Mounted { digest, bundle });
        Ok(tree)
    }
}

impl Bundles for Installed {
    fn apps(&mut self) -> Result<Vec<AppInfo>, Refusal> {
        self.opened()?.apps(SystemTime::now())
    }

    fn info(&mut self, app: &AppId) -> Result<AppInfo, Refusal> {
        self.opened()?.info(app, SystemTime::now())
    }

    fn tree(&mut self, app: &AppId) -> Result<(AppInfo, Tree), Refusal> {
        let bundle = self.opened()?.bundle(app, SystemTime::now())?;
        let tree = self.mount(app, bundle.digest, &bundle.file).map_err(|error| {
            tracing::error!(
                app = app.as_str(),
                error = crate::chain(&error),
                "a signed bundle is not mounted"
            );
            Refusal::Sandbox
        })?;
        Ok((bundle.info, tree))
    }
}

fn hex(digest: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
