//! A watch's folders in a temporary one, and a reviewer who fills its catalogue.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use catalogue::author::{Keys, Manifest, Rehash, Release, Root, sign};
use catalogue::{Places, Shelf};
use launch::AppId;
use tempfile::TempDir;

pub const DAY: Duration = Duration::from_hours(24);

pub struct Stage {
    folder: TempDir,
    pub places: Places,
    pub keys: Keys,
}

/// A bundle to publish: id, version, publisher, content.
pub type Item<'a> = (&'a str, u64, &'a str, &'a [u8]);

pub const DRAW: Item<'static> = ("draw", 1, "Nestling", b"the first drawing pad");
pub const DRAW_2: Item<'static> = ("draw", 2, "Nestling", b"the second drawing pad");

impl Stage {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let places = Places::below(folder.path());
        fs::create_dir_all(places.seen.parent().unwrap()).unwrap();
        let keys = Keys::open_or_make(&folder.path().join("keys")).unwrap();
        Self { folder, places, keys }
    }

    /// A watch whose catalogue has one app.
    pub fn with_draw() -> Self {
        let stage = Self::new();
        stage.publish(1, &[DRAW]);
        stage
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn release(&self, revision: u64, items: &[Item]) -> Release {
        let images = self.path("images");
        fs::create_dir_all(&images).unwrap();
        let bundles = items.iter().map(|(id, version, publisher, content)| {
            let manifest = Manifest::parse(&format!(
                "id = \"{id}\"\nversion = {version}\nname = \"Draw\"\npublisher = \"{publisher}\"\n\
                 category = \"creative\"\nage = 3\npermissions = []\n"
            ))
            .unwrap();
            let image = images.join(manifest.file_name());
            fs::write(&image, content).unwrap();
            (manifest, image)
        });
        let bundles = bundles.collect();
        let later = SystemTime::now() + 30 * DAY;
        Release { revision, targets_expire: later, timestamp_expires: later, bundles }
    }

    /// Replaces the catalogue.
    pub fn publish_as(&self, keys: &Keys, release: &Release) {
        let _ = fs::remove_dir_all(&self.places.catalogue);
        sign(keys, Root { expires: SystemTime::now() + 300 * DAY }, release, &self.places.catalogue).unwrap();
    }

    pub fn publish(&self, revision: u64, items: &[Item]) {
        self.publish_as(&self.keys, &self.release(revision, items));
    }

    /// Replaces the catalogue by one whose dates are over.
    pub fn publish_expired(&self, revision: u64, items: &[Item]) {
        let mut release = self.release(revision, items);
        release.timestamp_expires = SystemTime::now() - DAY;
        self.publish_as(&self.keys, &release);
    }

    /// Replaces metadata and targets, and keeps the root that the watch believes.
    pub fn keep_root<T>(&self, replace: impl FnOnce(&Self) -> T) -> T {
        let root = fs::read(&self.places.root).unwrap();
        let result = replace(self);
        fs::write(&self.places.root, root).unwrap();
        result
    }

    pub fn shelf(&self) -> Shelf<Rehash> {
        Shelf::with(self.places.clone(), Rehash).unwrap()
    }

    pub fn metadata(&self, name: &str) -> PathBuf {
        self.places.catalogue.join("metadata").join(name)
    }

    /// The one file in `targets/`.
    pub fn target(&self) -> PathBuf {
        only_file(&self.places.catalogue.join("targets"))
    }

    pub fn installed(&self, name: &str) -> PathBuf {
        self.places.bundles.join(name)
    }

    /// The names on the shelf.
    pub fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.places.bundles).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub fn only_file(folder: &Path) -> PathBuf {
    let mut files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = files.next().unwrap();
    assert!(files.next().is_none());
    file
}

pub fn draw() -> AppId {
    AppId::parse("draw").unwrap()
}

pub fn now() -> SystemTime {
    SystemTime::now()
}

pub fn read(bundle: &catalogue::Bundle) -> Vec<u8> {
    use std::io::{Read as _, Seek as _};
    let mut file = fs::File::from(bundle.file.try_clone().unwrap());
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}
