//! What reviewers signed about one bundle: the `custom` object of a TUF target (TUF 4.5).
//!
//! ```json
//! {"id": "draw", "version": 3, "name": "Draw", "publisher": "Nestling", "category": "creative", "age": 3,
//!  "permissions": [], "verity": "sha256 in hexadecimal, 64 digits", "not_after": 1924988400}
//! ```
//!
//! `age` is in years, `not_after` in seconds since 1970 and may be left out.
//!
//! **Invariants:** an [`Entry`] is whole and within [`limits`]; the name of its file follows from its id and version
//! and from nothing else, and is never a path; an unknown field or word refuses all of it.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use launch::{AppId, AppInfo};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::verity::{self, Digest};

/// How much a catalogue may hold.
pub mod limits {
    /// Bundles.
    pub const BUNDLES: usize = 256;
    /// Bytes of a bundle.
    pub const BUNDLE: u64 = 64 << 20;
    /// Bytes of `root.json`, `timestamp.json` and each of their successors.
    pub const SMALL_METADATA: u64 = 64 << 10;
    /// Bytes of `targets.json` and `snapshot.json`.
    pub const METADATA: u64 = 1 << 20;
    /// Changes of the root that are followed in one go.
    pub const ROOTS: u64 = 64;
    /// The highest age an app can ask for.
    pub const AGE: u8 = 18;
    /// Permissions of an app.
    pub const PERMISSIONS: usize = 16;
}

/// The end of every bundle's file name.
pub(crate) const ENDING: &str = ".erofs";

/// Permissions an app can ask for. There are none yet, so an app that asks for one is not listed.
const PERMISSIONS: [&str; 0] = [];

/// Why an entry, or a manifest, is refused.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// A field is missing, unknown, or of another kind.
    #[error("the fields are not those of an app")]
    Fields(#[source] serde_json::Error),
    /// The manifest is no TOML, or not this one.
    #[cfg(feature = "author")]
    #[error("the manifest is not that of an app")]
    Manifest(#[source] toml::de::Error),
    /// Versions begin at one.
    #[error("the version is not a positive number")]
    Version,
    /// Not a text a screen can show.
    #[error("the {field} is not 1 to {} characters without control or direction marks", policy::limits::NAME)]
    Text {
        /// Which.
        field: &'static str,
    },
    /// Not a word.
    #[error("the category is not 1 to {} of a-z, 0-9 and -", policy::limits::ID)]
    Category,
    /// Older than any child.
    #[error("the age is above {}", limits::AGE)]
    Age,
    /// Unknown, doubled or too many.
    #[error("a permission is unknown or given twice")]
    Permission,
    /// In an entry it must be there, in a manifest it must not.
    #[error("the fs-verity digest is not 64 digits of 0-9a-f")]
    Verity,
    /// The target is not called after its id and version.
    #[error("the file is not called <id>-<version>{ENDING}")]
    FileName,
}

/// One bundle as reviewers signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The app.
    pub id: AppId,
    /// Higher is newer.
    pub version: u64,
    /// What a screen calls it.
    pub name: String,
    /// Who answers for it.
    pub publisher: String,
    /// Such as `creative` or `game`: what families and regions have rules about.
    pub category: String,
    /// The youngest child it is for, in years.
    pub age: u8,
    /// What it may ask for.
    pub permissions: Vec<String>,
    /// The fs-verity digest of its file.
    pub verity: Digest,
    /// From then on it does not start.
    pub not_after: Option<SystemTime>,
}

/// The fields as they are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fields {
    id: AppId,
    version: u64,
    name: String,
    publisher: String,
    category: String,
    age: u8,
    permissions: Vec<String>,
    verity: Option<String>,
    not_after: Option<u64>,
}

impl Entry {
    /// Reads the `custom` object of the target `file_name`.
    pub fn parse(file_name: &str, custom: Map<String, Value>) -> Result<Self, EntryError> {
        let fields: Fields = serde_json::from_value(Value::Object(custom)).map_err(EntryError::Fields)?;
        let digest = fields.verity.as_deref().and_then(verity::from_hex).ok_or(EntryError::Verity)?;
        let entry = fields.entry(digest)?;
        if entry.file_name() != file_name {
            return Err(EntryError::FileName);
        }
        Ok(entry)
    }

    /// The name of its file, in the catalogue and on the watch.
    pub fn file_name(&self) -> String {
        format!("{}-{}{ENDING}", self.id.as_str(), self.version)
    }

    /// Whether it may not start any more.
    pub fn is_over(&self, now: SystemTime) -> bool {
        self.not_after.is_some_and(|end| now >= end)
    }

    /// What a screen shows of it, and a decision needs.
    pub fn info(&self) -> AppInfo {
        AppInfo {
            id: self.id.clone(),
            name: self.name.clone(),
            category: self.category.clone(),
            age: self.age,
        }
    }
}

impl Fields {
    /// Whether a digest is among them.
    #[cfg(feature = "author")]
    pub(crate) fn has_digest(&self) -> bool {
        self.verity.is_some()
    }

    /// Checks every field.
    pub(crate) fn entry(self, verity: Digest) -> Result<Entry, EntryError> {
        if self.version == 0 {
            return Err(EntryError::Version);
        }
        for (field, text) in [("name", &self.name), ("publisher", &self.publisher)] {
            if !policy::is_name(text) {
                return Err(EntryError::Text { field });
            }
        }
        if !policy::is_id(&self.category) {
            return Err(EntryError::Category);
        }
        if self.age > limits::AGE {
            return Err(EntryError::Age);
        }
        let known = self.permissions.iter().all(|word| PERMISSIONS.contains(&word.as_str()));
        let different: BTreeSet<_> = self.permissions.iter().collect();
        if !known || different.len() != self.permissions.len() || different.len() > limits::PERMISSIONS {
            return Err(EntryError::Permission);
        }
        Ok(Entry {
            id: self.id,
            version: self.version,
            name: self.name,
            publisher: self.publisher,
            category: self.category,
            age: self.age,
            permissions: self.permissions,
            verity,
            // A date no clock reaches is none.
            not_after: self
                .not_after
                .and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds))),
        })
    }
}

/// The id and version in the name of a bundle's file; `None` for any other name.
pub(crate) fn of_file_name(name: &str) -> Option<(AppId, u64)> {
    let (id, version) = name.strip_suffix(ENDING)?.rsplit_once('-')?;
    let number: u64 = version.parse().ok()?;
    // `+7` and `007` are numbers too, and would be second names of one file.
    (number > 0 && number.to_string() == version).then_some(())?;
    Some((AppId::parse(id)?, number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn draw() -> Value {
        json!({"id": "draw", "version": 3, "name": "Draw", "publisher": "Nestling", "category": "creative",
               "age": 3, "permissions": [], "verity": "ab".repeat(32), "not_after": 1_924_988_417})
    }

    fn parse(name: &str, value: Value) -> Result<Entry, EntryError> {
        let Value::Object(map) = value else { panic!("an object") };
        Entry::parse(name, map)
    }

    fn with(field: &str, value: Value) -> Value {
        let mut entry = draw();
        entry[field] = value;
        entry
    }

    #[test]
    fn a_whole_entry_is_read() {
        let entry = parse("draw-3.erofs", draw()).unwrap();
        assert_eq!((entry.id.as_str(), entry.version, entry.verity), ("draw", 3, [0xab; 32]));
        assert!(!entry.is_over(UNIX_EPOCH + Duration::from_secs(1_924_988_416)));
        assert!(entry.is_over(UNIX_EPOCH + Duration::from_secs(1_924_988_417)));
    }

    #[test]
    fn a35_every_damaged_field_refuses_the_entry() {
        for (field, value) in [
            ("id", json!("../draw")),
            ("version", json!(0)),
            ("version", json!(-1)),
            ("version", json!("3")),
            ("name", json!("")),
            ("name", json!("Dr\u{202e}aw")),
            ("name", json!("x".repeat(41))),
            ("publisher", json!("a\nb")),
            ("category", json!("Games")),
            ("age", json!(19)),
            ("permissions", json!(["microphone"])),
            ("verity", json!("AB".repeat(32))),
            ("verity", json!("ab".repeat(31))),
            ("verity", Value::Null),
            ("not_after", json!("tomorrow")),
            ("score", json!(1)),
        ] {
            assert!(parse("draw-3.erofs", with(field, value.clone())).is_err(), "{field}: {value}");
        }
        for field in ["id", "version", "name", "publisher", "category", "age", "permissions", "verity"] {
            let mut entry = draw();
            entry.as_object_mut().unwrap().remove(field);
            assert!(parse("draw-3.erofs", entry).is_err(), "without {field}");
        }
    }

    #[test]
    fn a35_a_target_is_called_after_its_id_and_version_alone() {
        for name in [
            "draw-4.erofs",
            "draw-03.erofs",
            "./draw-3.erofs",
            "a/draw-3.erofs",
            "draw-3.erofs/",
            "sh-3.erofs",
        ] {
            assert!(matches!(parse(name, draw()), Err(EntryError::FileName)), "{name}");
        }
    }

    #[test]
    fn only_a_bundles_own_name_is_a_bundles_name() {
        let id = |name| of_file_name(name).map(|(id, version)| (id.as_str().to_owned(), version));
        assert_eq!(id("draw-2-17.erofs"), Some(("draw-2".to_owned(), 17)));
        for name in
            ["draw.erofs", "draw-.erofs", "draw-+7.erofs", "draw-007.erofs", "draw-0.erofs", "-1.erofs"]
        {
            assert_eq!(id(name), None, "{name}");
        }
        assert_eq!(id("../x-1.erofs"), None);
        assert_eq!(id("draw-1.erofs.new"), None);
    }

    proptest! {
        #[test]
        fn a_name_of_a_file_reads_back(id in "[a-z0-9-]{1,32}", version in 1u64..) {
            let name = format!("{id}-{version}{ENDING}");
            let (back, number) = of_file_name(&name).unwrap();
            prop_assert_eq!((back.as_str(), number), (id.as_str(), version));
        }
    }
}
