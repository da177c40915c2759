//! What an order says.

use policy::Policy;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use crate::keyring::{KeyId, PublicKey, Role, hex, is_hex};

/// Name of a watch: 32 hex digits, derived from the device key born at its first boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct WatchId(String);

impl WatchId {
    /// The id of the watch with this device key.
    pub fn of_device_key(key: &[u8; 32]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"nestling watch 1\n");
        hash.update(key);
        Self(hex(&hash.finalize()[..16]))
    }

    /// Reads an id.
    pub fn parse(text: &str) -> Option<Self> {
        is_hex(text, 32).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for WatchId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a watch id is 32 hex digits"))
    }
}

/// SHA-256 of the payload that set a policy, 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PolicyHash(String);

impl PolicyHash {
    /// The hash of a `SetPolicy` order's payload.
    pub fn of_payload(payload: &[u8]) -> Self {
        Self(hex(&Sha256::digest(payload)))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for PolicyHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if is_hex(&text, 64) {
            Ok(Self(text))
        } else {
            Err(serde::de::Error::custom("a hash is 64 hex digits"))
        }
    }
}

/// An order: who tells which watch what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The one watch it is for.
    pub watch: WatchId,
    /// The key that signs it.
    pub signer: KeyId,
    /// Greater than in any earlier order of this key.
    pub counter: u64,
    /// When the guardian wrote it, seconds since 1970 UTC. For people: nothing is decided by it.
    pub issued_at: i64,
    /// What is ordered.
    pub body: Body,
}

/// The things a guardian can order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Body {
    /// Puts a policy in the place of the present one.
    SetPolicy {
        /// Hash of the policy this one was made from; `null` for the first. Of two guardians who edit
        /// at once the second is told, and nothing of the first is lost.
        base: Option<PolicyHash>,
        /// All rules.
        policy: Policy,
    },
    /// Enrols the first guardian.
    Enrol(Enrolment),
}

/// The first guardian's key, and the proof of having seen the watch's screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// The code on the watch's screen: 20 digits.
    pub code: String,
    /// The guardian's public key; it signs this order too.
    pub key: PublicKey,
    /// The guardian's contact id.
    pub guardian: String,
    /// Must be `main` for the first.
    pub role: Role,
}
