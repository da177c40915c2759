//! The guardian's side: signing orders on a phone or laptop.

use ed25519_dalek::{Signer as _, SigningKey};

use crate::envelope::{Envelope, Signature, pre_authentication_encoding};
use crate::key::PublicKey;
use crate::names::WatchId;
use crate::order::{Body, Order};

/// A private key and the counter of its last order.
pub struct Signer {
    key: SigningKey,
    counter: u64,
}

impl Signer {
    /// A signer from 32 secret bytes, which come from a random source of the caller's.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(secret), counter: 0 }
    }

    /// The same signer, going on after `counter`.
    #[must_use]
    pub fn after(self, counter: u64) -> Self {
        Self { counter, ..self }
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey::new(self.key.verifying_key())
    }

    /// The counter of the last order signed.
    pub fn counter(&self) -> u64 {
        self.counter
    }

    /// Signs the next order to a watch.
    pub fn order(&mut self, watch: &WatchId, issued_at: i64, body: Body) -> Envelope {
        self.counter = self.counter.saturating_add(1);
        let order = Order {
            watch: watch.clone(),
            signer: self.public().id(),
            counter: self.counter,
            issued_at,
            body,
        };
        self.seal(serde_json::to_vec(&order).unwrap_or_default())
    }

    /// Adds this key's signature to an order that another key gave: a new key shows that somebody has it.
    pub fn cosign(&self, envelope: &mut Envelope) {
        let signature = self.sign(&envelope.payload);
        envelope.signatures.retain(|other| other.key != signature.key);
        envelope.signatures.push(signature);
    }

    /// Signs any payload; tests use it for orders that are wrong.
    pub fn seal(&self, payload: Vec<u8>) -> Envelope {
        Envelope { signatures: vec![self.sign(&payload)], payload }
    }

    fn sign(&self, payload: &[u8]) -> Signature {
        let bytes = self.key.sign(&pre_authentication_encoding(payload)).to_bytes();
        Signature { key: self.public().id(), bytes }
    }
}
