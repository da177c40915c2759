//! Who may sign, and what.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::envelope::{Signature, pre_authentication_encoding};
use crate::order::Body;

/// Name of a key: the first 32 hex digits of the SHA-256 of its 32 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if is_hex(&text, 32) {
            Ok(Self(text))
        } else {
            Err(serde::de::Error::custom("a key id is 32 hex digits"))
        }
    }
}

pub(crate) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// An Ed25519 public key (RFC 8032); base64 in JSON. Weak points of low order are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    pub(crate) fn new(key: VerifyingKey) -> Self {
        Self(key)
    }

    /// The 32 bytes of RFC 8032, if they are a key that can sign.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak()).map(Self)
    }

    /// The 32 bytes of RFC 8032.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The key's name.
    pub fn id(&self) -> KeyId {
        KeyId(hex(&Sha256::digest(self.0.as_bytes())[..16]))
    }

    /// True if this key made the signature over exactly this payload (strict verification: one
    /// signature has one spelling).
    pub fn verifies(&self, payload: &[u8], signature: &Signature) -> bool {
        let bytes = ed25519_dalek::Signature::from_bytes(&signature.bytes);
        self.0.verify_strict(&pre_authentication_encoding(payload), &bytes).is_ok()
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self.0.as_bytes()))
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(|_| D::Error::custom("a key is base64"))?;
        let bytes = bytes.try_into().map_err(|_| D::Error::custom("a key has 32 bytes"))?;
        Self::from_bytes(&bytes).ok_or_else(|| D::Error::custom("not an Ed25519 key"))
    }
}

/// What a signer is in the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The one guardian nobody else can remove.
    Main,
    /// Another guardian.
    Guardian,
}

impl Role {
    /// The table of roles and bodies: what this role may sign.
    pub fn may_sign(self, body: &Body) -> bool {
        match (self, body) {
            (Self::Main | Self::Guardian, Body::SetPolicy { .. }) => true,
            // Enrolment of further guardians is not part of the watch yet; the first one is the ledger's.
            (_, Body::Enrol(_)) => false,
        }
    }
}

/// An enrolled key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Verifies its signatures.
    pub public: PublicKey,
    /// Whose it is: the contact's id.
    pub guardian: String,
    /// What it may sign.
    pub role: Role,
    /// Counter of the last order taken from this key. The next one is greater.
    pub counter: u64,
}

/// All enrolled keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyring(Vec<Key>);

impl Keyring {
    /// No guardian was ever enrolled.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys, in the order they were enrolled.
    pub fn keys(&self) -> &[Key] {
        &self.0
    }

    /// The key with this name.
    pub fn key(&self, id: &KeyId) -> Option<&Key> {
        self.0.iter().find(|key| &key.public.id() == id)
    }

    pub(crate) fn key_mut(&mut self, id: &KeyId) -> Option<&mut Key> {
        self.0.iter_mut().find(|key| &key.public.id() == id)
    }

    pub(crate) fn push(&mut self, key: Key) {
        self.0.push(key);
    }

    /// A hash over the keys, their owners and roles (not the counters): what the anchor holds.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"nestling keyring 1\n");
        for key in &self.0 {
            hash.update(format!("{} {} {:?}\n", key.public.id().as_str(), key.guardian, key.role));
        }
        hash.finalize().into()
    }
}
