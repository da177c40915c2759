//! Who is enrolled, with which keys, and how far each key has counted.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::key::PublicKey;
use crate::names::KeyId;
use crate::role::Role;

/// Guardians one watch may have.
pub const MAX_GUARDIANS: usize = 8;

/// Somebody who signs orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guardian {
    /// The contact's id.
    pub id: String,
    /// Main or guardian.
    pub role: Role,
    /// 1 to 4 keys, in the order they were enrolled.
    pub keys: Vec<PublicKey>,
    /// The key on paper, if there is one.
    pub recovery: Option<PublicKey>,
}

impl Guardian {
    /// Without a key yet.
    pub(crate) fn new(id: &str, role: Role) -> Self {
        Self { id: id.to_owned(), role, keys: Vec::new(), recovery: None }
    }

    /// True if it is one of his keys, or his recovery key.
    pub fn has(&self, key: &KeyId) -> bool {
        self.keys_and_roles().any(|(own, _)| own.id() == *key)
    }

    /// Every key and the role it signs in.
    pub fn keys_and_roles(&self) -> impl Iterator<Item = (&PublicKey, Role)> {
        let recovery = self.recovery.iter().map(|key| (key, Role::Recovery));
        self.keys.iter().map(|key| (key, self.role)).chain(recovery)
    }

    fn keys_missing_in(&self, other: Option<&Self>) -> impl Iterator<Item = KeyId> {
        let there: Vec<_> =
            other.iter().flat_map(|other| other.keys_and_roles()).map(|(key, _)| key.id()).collect();
        self.keys_and_roles().map(|(key, _)| key.id()).filter(move |id| !there.contains(id))
    }
}

/// All guardians. Once there is one there is exactly one main, and no key stands twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyring {
    guardians: Vec<Guardian>,
    /// Of every key that ever signed an order taken here, also of one that is gone: if it is enrolled again, its old
    /// orders stay used.
    counters: BTreeMap<KeyId, u64>,
}

/// Something that changed in a keyring.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "a guardian is a contact's id, a key its name")]
pub enum Change {
    /// A guardian came.
    Added { guardian: String },
    /// A guardian went.
    Removed { guardian: String },
    /// A guardian has one more key, or another recovery key.
    KeyAdded { guardian: String, key: KeyId },
    /// A guardian has a key less.
    KeyRemoved { guardian: String, key: KeyId },
    /// Another guardian is main.
    Main { guardian: String },
}

impl Keyring {
    /// No guardian was ever enrolled.
    pub fn is_empty(&self) -> bool {
        self.guardians.is_empty()
    }

    /// The guardians, in the order they were enrolled.
    pub fn guardians(&self) -> &[Guardian] {
        &self.guardians
    }

    /// The guardian with this contact id.
    pub fn guardian(&self, id: &str) -> Option<&Guardian> {
        self.guardians.iter().find(|guardian| guardian.id == id)
    }

    /// The guardian nobody else can remove. None only before the first enrolment.
    pub fn main(&self) -> Option<&Guardian> {
        self.guardians.iter().find(|guardian| guardian.role == Role::Main)
    }

    /// The key with this name, whose it is, and the role it signs in.
    pub fn key(&self, id: &KeyId) -> Option<(&Guardian, &PublicKey, Role)> {
        self.guardians.iter().find_map(|guardian| {
            let (key, role) = guardian.keys_and_roles().find(|(key, _)| &key.id() == id)?;
            Some((guardian, key, role))
        })
    }

    /// The counter of the last order taken from a key; 0 if there was none. The next one is greater.
    pub fn counter(&self, id: &KeyId) -> u64 {
        self.counters.get(id).copied().unwrap_or_default()
    }

    /// A hash over the keys, their owners and roles: what the anchor holds. Counters are no part of it, they follow
    /// from the log.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"nestling keyring 1\n");
        for guardian in &self.guardians {
            for (key, role) in guardian.keys_and_roles() {
                hash.update(format!("{} {} {role:?}\n", key.id(), guardian.id));
            }
        }
        hash.finalize().into()
    }

    /// What is otherwise in `self` than it was `before`: first what went, then what came.
    pub(crate) fn changes_since(&self, before: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for old in &before.guardians {
            let now = self.guardian(&old.id);
            if now.is_none() {
                changes.push(Change::Removed { guardian: old.id.clone() });
            }
            changes.extend(
                old.keys_missing_in(now).map(|key| Change::KeyRemoved { guardian: old.id.clone(), key }),
            );
        }
        for new in &self.guardians {
            let was = before.guardian(&new.id);
            if was.is_none() {
                changes.push(Change::Added { guardian: new.id.clone() });
            }
            changes.extend(
                new.keys_missing_in(was).map(|key| Change::KeyAdded { guardian: new.id.clone(), key }),
            );
            if new.role == Role::Main && was.is_none_or(|was| was.role != Role::Main) {
                changes.push(Change::Main { guardian: new.id.clone() });
            }
        }
        changes
    }

    pub(crate) fn count(&mut self, key: &KeyId, counter: u64) {
        self.counters.insert(key.clone(), counter);
    }

    /// Puts a guardian where he was, or at the end.
    pub(crate) fn put(&mut self, guardian: Guardian) {
        match self.guardians.iter_mut().find(|other| other.id == guardian.id) {
            Some(place) => *place = guardian,
            None => self.guardians.push(guardian),
        }
    }

    pub(crate) fn remove_key(&mut self, id: &KeyId) {
        for guardian in &mut self.guardians {
            guardian.keys.retain(|key| key.id() != *id);
            guardian.recovery.take_if(|key| key.id() == *id);
        }
    }

    /// Takes a guardian away; an heir is main from now on.
    pub(crate) fn remove(&mut self, id: &str, heir: Option<&str>) {
        self.guardians.retain(|guardian| guardian.id != id);
        for guardian in self.guardians.iter_mut().filter(|guardian| Some(guardian.id.as_str()) == heir) {
            guardian.role = Role::Main;
        }
    }
}
