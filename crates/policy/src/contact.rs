//! People the family put on the watch.

use serde::{Deserialize, Serialize};

use crate::number::E164;
use crate::rules::{PolicyError, limits};

/// What somebody is to the child. It decides how much may be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Signs orders. A guardian's call is protected: no switch of the family turns it away.
    Guardian,
    /// Someone to reach in need, who signs nothing: rings and is called wherever a guardian would be, as far as his
    /// [`May`] goes.
    Emergency,
    /// Grandparents, aunts, neighbours.
    Family,
    /// Other children.
    Friend,
}

impl Kind {
    /// The word in orders, tables and on the bus.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guardian => "guardian",
            Self::Emergency => "emergency",
            Self::Family => "family",
            Self::Friend => "friend",
        }
    }
}

/// What a contact may do; a guardian may do all of it whatever stands here. Orders from before there were texts say
/// nothing of them, and allow none.
#[expect(clippy::struct_excessive_bools, reason = "four rights, each of its own")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct May {
    /// The contact's calls ring.
    pub ring: bool,
    /// The child may call the contact.
    pub be_called: bool,
    /// The contact's texts are shown.
    #[serde(default)]
    pub write: bool,
    /// The child may write to the contact.
    #[serde(default)]
    pub be_written: bool,
}

/// One person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Stable id: 1 to 32 of `a-z`, `0-9`, `-`.
    pub id: String,
    /// What the family calls the person: 1 to 40 characters, none of them control or direction marks.
    pub name: String,
    /// What the person is to the child.
    pub kind: Kind,
    /// 1 to 4 numbers. No number belongs to two people.
    pub numbers: Vec<E164>,
    /// Key of the drawn picture: up to 32 of `a-z`, `0-9`, `-`, `:`.
    #[serde(default)]
    pub picture: String,
    /// What the contact may do.
    pub may: May,
}

/// Names and numbers stay out of logs.
impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contact").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Contact {
    pub(crate) fn validate(&self) -> Result<(), PolicyError> {
        valid_id(&self.id)?;
        valid_name(&self.name)?;
        if self.numbers.is_empty() || self.numbers.len() > limits::NUMBERS_OF_A_CONTACT {
            return Err(PolicyError::Numbers { contact: self.id.clone() });
        }
        let picture_ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b':';
        if self.picture.len() > limits::ID || !self.picture.bytes().all(picture_ok) {
            return Err(PolicyError::Picture { contact: self.id.clone() });
        }
        Ok(())
    }
}

/// Whether a text can be an id: 1 to 32 of `a-z`, `0-9`, `-`.
pub fn is_id(id: &str) -> bool {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=limits::ID).contains(&id.len()) && id.bytes().all(fine)
}

pub(crate) fn valid_id(id: &str) -> Result<(), PolicyError> {
    if is_id(id) { Ok(()) } else { Err(PolicyError::Id) }
}

/// Whether a text can be a name, which a screen draws as it stands: 1 to 40 characters, no white space at either end,
/// no control characters (Unicode `Cc`), and no marks that are not seen or turn the direction of the text.
pub fn is_name(name: &str) -> bool {
    let marks = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    (1..=limits::NAME).contains(&name.chars().count())
        && name.trim() == name
        && !name.chars().any(|c| c.is_control() || marks(c))
}

pub(crate) fn valid_name(name: &str) -> Result<(), PolicyError> {
    if is_name(name) { Ok(()) } else { Err(PolicyError::Name) }
}
