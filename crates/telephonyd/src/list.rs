//! The guardians of the last store that could be read, in telephonyd's own folder: while the watch is sealed
//! they, and nobody else, may call and be called.
//!
//! **Invariants:** replaced by rename, never written in place; a file that is not wholly valid is an empty
//! list; it holds guardians alone.

use std::io;
use std::path::Path;

use policy::{Contact, E164, Kind, May, Policy, Region};
use serde::{Deserialize, Serialize};

const FILE: &str = "guardians.json";
const VERSION: u32 = 1;
/// Two hundred guardians with four numbers and the longest names take less than half.
const MAX_BYTES: u64 = 256 * 1024;

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListError {
    /// The file cannot be read or written.
    #[error("cannot {action} the list of guardians")]
    Io {
        action: &'static str,
        #[source]
        source: io::Error,
    },
    /// Longer than a list can be.
    #[error("the list of guardians is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Not the JSON it should be.
    #[error("the list of guardians is damaged")]
    Format(#[from] serde_json::Error),
    /// Another version's.
    #[error("the list of guardians has version {0}")]
    Version(u32),
    /// The JSON holds people who could not be in a policy.
    #[error("the list of guardians is not valid")]
    Invalid(#[from] policy::PolicyError),
}

fn io_error(action: &'static str) -> impl FnOnce(io::Error) -> ListError {
    move |source| ListError::Io { action, source }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    guardians: Vec<Guardian>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Guardian {
    id: String,
    name: String,
    picture: String,
    numbers: Vec<E164>,
}

/// The policy of a sealed watch: these guardians and nothing else.
pub(crate) fn sealed(guardians: Vec<Contact>) -> Policy {
    Policy::of(Region::Neutral, guardians)
}

/// The guardians of a policy.
pub(crate) fn guardians(policy: &Policy) -> Vec<Contact> {
    policy.contacts.iter().filter(|contact| contact.kind == Kind::Guardian).cloned().collect()
}

/// Reads the list in `folder`; no file is an empty list.
///
/// # Errors
/// See [`ListError`].
pub(crate) fn load(folder: &Path) -> Result<Vec<Contact>, ListError> {
    let found = daemon::files::read_small(&folder.join(FILE), MAX_BYTES).map_err(io_error("read"))?;
    found.map_or_else(|| Ok(vec![]), |text| parse(&text))
}

fn parse(text: &[u8]) -> Result<Vec<Contact>, ListError> {
    if text.len() as u64 > MAX_BYTES {
        return Err(ListError::TooLong);
    }
    let Document { version, guardians } = serde_json::from_slice(text)?;
    if version != VERSION {
        return Err(ListError::Version(version));
    }
    let to_contact = |guardian: Guardian| {
        let Guardian { id, name, picture, numbers } = guardian;
        let may = May { ring: true, be_called: true, write: true, be_written: true };
        Contact { id, name, kind: Kind::Guardian, numbers, picture, may }
    };
    let policy = sealed(guardians.into_iter().map(to_contact).collect());
    policy.validate()?;
    Ok(policy.contacts)
}

fn format(guardians: &[Contact]) -> Result<Vec<u8>, ListError> {
    let to_guardian = |contact: &Contact| Guardian {
        id: contact.id.clone(),
        name: contact.name.clone(),
        picture: contact.picture.clone(),
        numbers: contact.numbers.clone(),
    };
    let guardians = guardians.iter().map(to_guardian).collect();
    Ok(serde_json::to_vec_pretty(&Document { version: VERSION, guardians })?)
}

/// Replaces the list in `folder`; after an error the old one is still there.
///
/// # Errors
/// See [`ListError`].
pub(crate) fn save(folder: &Path, guardians: &[Contact]) -> Result<(), ListError> {
    let text = format(guardians)?;
    daemon::files::write_whole(&folder.join(FILE), &text).map_err(io_error("write"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mum() -> Contact {
        Contact {
            id: "mum".into(),
            name: "Mum".into(),
            kind: Kind::Guardian,
            numbers: vec!["+358405550001".parse().unwrap()],
            picture: "face:mum".into(),
            may: May { ring: true, be_called: true, write: true, be_written: true },
        }
    }

    #[test]
    fn a_list_that_was_saved_is_read_again_and_a_new_one_replaces_it() {
        let folder = tempfile::tempdir().unwrap();
        assert!(load(folder.path()).unwrap().is_empty());
        save(folder.path(), &[mum()]).unwrap();
        assert_eq!(load(folder.path()).unwrap(), [mum()]);
        let dad = Contact { id: "dad".into(), name: "Dad".into(), ..mum() };
        std::fs::write(folder.path().join("guardians.building"), "left by a crash").unwrap();
        save(folder.path(), std::slice::from_ref(&dad)).unwrap();
        assert_eq!(load(folder.path()).unwrap(), [dad]);
    }

    #[test]
    fn the_longest_list_fits() {
        let contact = |at: u64| Contact {
            id: format!("{at:032}"),
            name: "\u{1d400}".repeat(40),
            picture: "x".repeat(32),
            numbers: (0..4)
                .map(|n| format!("+{}", 100_000_000_000_000 + at * 4 + n).parse().unwrap())
                .collect(),
            ..mum()
        };
        let longest: Vec<_> = (0..200).map(contact).collect();
        assert_eq!(parse(&format(&longest).unwrap()).unwrap(), longest);
    }

    #[test]
    fn a31_a_list_that_is_not_wholly_valid_lets_nobody_through() {
        let good = String::from_utf8(format(&[mum()]).unwrap()).unwrap();
        assert!(parse(good.as_bytes()).is_ok());
        for bad in [
            String::new(),
            good.replace("\"version\": 1", "\"version\": 2"),
            good.replace("+358405550001", "0405550001"),
            good.replace("\"name\": \"Mum\"", "\"name\": \"Mum\\u202e\""),
            good.replace("\"picture\"", "\"likes\": 1, \"picture\""),
            good.replace("\"mum\"", "\"../mum\""),
            good.replace('\n', &" ".repeat(100_000)),
            good[..good.len() / 2].to_owned(),
            r#"{"version":1,"guardians":[]}"#.into(),
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad:.200}");
        }
    }

    proptest! {
        #[test]
        fn a26_no_list_panics(text in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&text);
        }
    }
}
