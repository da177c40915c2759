//! Public keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::envelope::{Envelope, Signature, pre_authentication_encoding};
use crate::names::KeyId;

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

    /// Reads the base64 of the 32 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?;
        Self::from_bytes(&bytes.try_into().ok()?)
    }

    /// The 32 bytes of RFC 8032.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The key's name.
    pub fn id(&self) -> KeyId {
        KeyId::of_key(self.0.as_bytes())
    }

    /// True if this key made the signature over exactly this payload (strict verification: one
    /// signature has one spelling).
    pub fn verifies(&self, payload: &[u8], signature: &Signature) -> bool {
        let bytes = ed25519_dalek::Signature::from_bytes(&signature.bytes);
        self.0.verify_strict(&pre_authentication_encoding(payload), &bytes).is_ok()
    }

    /// True if the envelope has a signature under this key's name, and the key made it.
    pub fn signed(&self, envelope: &Envelope) -> bool {
        let id = self.id();
        envelope.signatures.iter().any(|s| s.key == id && self.verifies(&envelope.payload, s))
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self.0.as_bytes()))
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not the base64 of an Ed25519 key"))
    }
}
