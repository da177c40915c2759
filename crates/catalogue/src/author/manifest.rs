//! `app.toml`: what an author says about an app, and reviewers sign.
//!
//! ```toml
//! id = "draw"                # 1 to 32 of a-z, 0-9 and -
//! version = 1                # a whole number; a higher one is newer
//! name = "Draw"              # on the screen: 1 to 40 characters
//! publisher = "Nestling"     # who answers for it; one for all versions
//! category = "creative"      # what families and regions have rules about
//! age = 3                    # the youngest child it is for, in years
//! permissions = []           # there are none yet
//! # not_after = 1924988400   # seconds since 1970: from then on it does not start
//! ```
//!
//! Every field but the last is required, and there are no others.

use std::collections::HashMap;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use super::AuthorError;
use crate::entry::Fields;
use crate::verity::{self, Digest};
use crate::{Entry, EntryError};

/// A valid `app.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// All but the digest, which is zeros.
    entry: Entry,
}

impl Manifest {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, EntryError> {
        let fields: Fields = toml::from_str(text).map_err(EntryError::Manifest)?;
        if fields.has_digest() {
            return Err(EntryError::Verity);
        }
        Ok(Self { entry: fields.entry([0; 32])? })
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, AuthorError> {
        let text = std::fs::read_to_string(path).map_err(AuthorError::file("read", path))?;
        Self::parse(&text).map_err(|source| AuthorError::Manifest { path: path.to_owned(), source })
    }

    /// The app's id.
    pub fn id(&self) -> &str {
        self.entry.id.as_str()
    }

    /// Its version.
    pub fn version(&self) -> u64 {
        self.entry.version
    }

    /// The name of its bundle: `<id>-<version>.erofs`.
    pub fn file_name(&self) -> String {
        self.entry.file_name()
    }

    /// What is signed about it: the `custom` object of its target.
    pub(super) fn custom(&self, digest: &Digest) -> HashMap<String, Value> {
        let Entry { id, version, name, publisher, category, age, permissions, not_after, .. } = &self.entry;
        let mut custom = HashMap::from([
            ("id".to_owned(), json!(id)),
            ("version".to_owned(), json!(version)),
            ("name".to_owned(), json!(name)),
            ("publisher".to_owned(), json!(publisher)),
            ("category".to_owned(), json!(category)),
            ("age".to_owned(), json!(age)),
            ("permissions".to_owned(), json!(permissions)),
            ("verity".to_owned(), json!(verity::to_hex(digest))),
        ]);
        if let Some(since) = not_after.and_then(|end| end.duration_since(UNIX_EPOCH).ok()) {
            custom.insert("not_after".to_owned(), json!(since.as_secs()));
        }
        custom
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAW: &str = "id = \"draw\"\nversion = 1\nname = \"Draw\"\npublisher = \"Nestling\"\n\
                        category = \"creative\"\nage = 3\npermissions = []\n";

    #[test]
    fn a_manifest_is_signed_as_it_is_read() {
        let manifest = Manifest::parse(&format!("{DRAW}not_after = 1924988400\n")).unwrap();
        assert_eq!(manifest.file_name(), "draw-1.erofs");
        let custom = manifest.custom(&[7; 32]).into_iter().collect();
        let entry = Entry::parse("draw-1.erofs", custom).unwrap();
        assert_eq!(entry, Entry { verity: [7; 32], ..manifest.entry });
    }

    #[test]
    fn a_manifest_with_an_unknown_field_or_a_digest_is_refused() {
        assert!(Manifest::parse(DRAW).is_ok());
        assert!(Manifest::parse(&format!("{DRAW}level = 1\n")).is_err());
        assert!(Manifest::parse(&format!("{DRAW}verity = \"{}\"\n", "00".repeat(32))).is_err());
        assert!(Manifest::parse(&DRAW.replace("\"draw\"", "\"../draw\"")).is_err());
        assert!(Manifest::parse("").is_err());
    }
}
