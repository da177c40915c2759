//! Names made of hex digits: keys, watches, policies.

use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

/// A text of so many lower-case hex digits, and nothing else.
macro_rules! hex_name {
    ($(#[$doc:meta])* $name:ident, $digits:literal, $wrong:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Reads the text; `None` if it has other characters or another length.
            pub fn parse(text: &str) -> Option<Self> {
                let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                (text.len() == $digits && text.bytes().all(digit)).then(|| Self(text.to_owned()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The first digits of a hash.
            fn of_hash(hash: Sha256) -> Self {
                use std::fmt::Write;
                let bytes = hash.finalize();
                let digits = bytes.iter().take($digits / 2).fold(String::new(), |mut text, byte| {
                    let _ = write!(text, "{byte:02x}");
                    text
                });
                Self(digits)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom($wrong))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

hex_name!(
    /// Name of a key: the first 32 hex digits of the SHA-256 of its 32 bytes.
    KeyId,
    32,
    "a key id is 32 hex digits"
);

hex_name!(
    /// Name of a watch: 32 hex digits, derived from the device key born at its first boot.
    WatchId,
    32,
    "a watch id is 32 hex digits"
);

hex_name!(
    /// SHA-256 of the payload that set a policy, 64 hex digits.
    PolicyHash,
    64,
    "a hash is 64 hex digits"
);

hex_name!(
    /// SHA-256 of the key that an owner's own boot images are signed with, 64 hex digits.
    BootKey,
    64,
    "a boot key's hash is 64 hex digits"
);

impl KeyId {
    /// The name of these 32 bytes (RFC 8032).
    pub(crate) fn of_key(key: &[u8; 32]) -> Self {
        Self::of_hash(Sha256::new().chain_update(key))
    }
}

impl WatchId {
    /// The id of the watch with this device key.
    pub fn of_device_key(key: &[u8; 32]) -> Self {
        Self::of_hash(Sha256::new().chain_update(b"nestling watch 1\n").chain_update(key))
    }
}

impl PolicyHash {
    /// The hash of a `set-policy` order's payload.
    pub fn of_payload(payload: &[u8]) -> Self {
        Self::of_hash(Sha256::new().chain_update(payload))
    }
}

impl BootKey {
    /// The hash of a boot key's bytes.
    pub fn of_bytes(key: &[u8]) -> Self {
        Self::of_hash(Sha256::new().chain_update(key))
    }
}
