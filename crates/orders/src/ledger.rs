//! The state that follows from all orders taken: keyring, policy, counters.

use policy::{Policy, PolicyError};

use crate::code::EnrolmentCode;
use crate::envelope::{Envelope, EnvelopeError};
use crate::keyring::{Key, KeyId, Keyring, PublicKey, Role};
use crate::order::{Body, Enrolment, Order, PolicyHash, WatchId};

/// Why an order is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Not an envelope.
    #[error("the envelope cannot be read")]
    Envelope(#[from] EnvelopeError),
    /// No signature of an enrolled key fits the payload.
    #[error("no enrolled key signed this")]
    Signature,
    /// Signed, but not an order of this version.
    #[error("the payload is not an order")]
    Payload(#[source] serde_json::Error),
    /// The order names another key than the one that signed it.
    #[error("the order names another signer")]
    Signer,
    /// For another watch.
    #[error("the order is for another watch")]
    Watch,
    /// The counter is not greater than the last one.
    #[error("the counter {got} was used: the last one is {last}")]
    Replayed {
        /// In the order.
        got: u64,
        /// Of the last order taken from this key.
        last: u64,
    },
    /// The role may not sign this.
    #[error("a key of role {0:?} may not sign this")]
    Role(Role),
    /// Made from another policy than the present one.
    #[error("the order was made from another policy than the present one")]
    StaleBase,
    /// The policy is not valid.
    #[error("the policy is not valid")]
    Policy(#[source] PolicyError),
    /// A first enrolment on a watch that has a guardian, or one without an open window.
    #[error("enrolment is not open")]
    EnrolmentClosed,
    /// The wrong code, a role other than main, or a guardian's name that is no id.
    #[error("the enrolment does not fit")]
    Enrolment,
}

/// How an envelope comes in.
#[derive(Debug, Clone, Copy)]
pub enum Door {
    /// From outside, with the enrolment code the screen shows, if it shows one.
    Submit(Option<EnrolmentCode>),
    /// From the log: it was let in before, when its code was checked.
    Log,
}

/// What an order did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The guardian's contact id.
    pub guardian: String,
    /// Name of the body in the diary: `set-policy`, `enrol`.
    pub kind: &'static str,
    /// True if the keyring changed.
    pub keyring_changed: bool,
}

/// Keyring and policy of one watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    watch: WatchId,
    keyring: Keyring,
    policy: Option<(PolicyHash, Policy)>,
}

impl Ledger {
    /// A watch nobody was enrolled on.
    pub fn new(watch: WatchId) -> Self {
        Self { watch, keyring: Keyring::default(), policy: None }
    }

    /// The watch it is for.
    pub fn watch(&self) -> &WatchId {
        &self.watch
    }

    /// The enrolled keys.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The present policy, if one was set.
    pub fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref().map(|(_, policy)| policy)
    }

    /// What the next `SetPolicy` names as its base.
    pub fn policy_hash(&self) -> Option<&PolicyHash> {
        self.policy.as_ref().map(|(hash, _)| hash)
    }

    /// Takes an order, or refuses it and stays as it was.
    ///
    /// # Errors
    /// The first check that failed, see [`Refused`].
    pub fn apply(&mut self, envelope: &[u8], door: Door) -> Result<Applied, Refused> {
        let envelope = Envelope::parse(envelope)?;
        if self.keyring.is_empty() {
            return self.first_enrolment(&envelope, door);
        }
        let signer = self.signer_of(&envelope).ok_or(Refused::Signature)?;
        let order: Order = serde_json::from_slice(&envelope.payload).map_err(Refused::Payload)?;
        let key = self.check(&order, &signer)?;
        let guardian = key.guardian.clone();
        match order.body {
            Body::SetPolicy { base, policy } => {
                if base.as_ref() != self.policy_hash() {
                    return Err(Refused::StaleBase);
                }
                policy.validate().map_err(Refused::Policy)?;
                self.policy = Some((PolicyHash::of_payload(&envelope.payload), policy));
            }
            Body::Enrol(_) => return Err(Refused::EnrolmentClosed),
        }
        if let Some(key) = self.keyring.key_mut(&signer) {
            key.counter = order.counter;
        }
        Ok(Applied { guardian, kind: "set-policy", keyring_changed: false })
    }

    fn signer_of(&self, envelope: &Envelope) -> Option<KeyId> {
        envelope
            .signatures
            .iter()
            .find(|s| self.keyring.key(&s.key).is_some_and(|key| key.public.verifies(&envelope.payload, s)))
            .map(|signature| signature.key.clone())
    }

    fn check(&self, order: &Order, signer: &KeyId) -> Result<&Key, Refused> {
        let key = self.keyring.key(signer).ok_or(Refused::Signature)?;
        if &order.signer != signer {
            return Err(Refused::Signer);
        }
        if order.watch != self.watch {
            return Err(Refused::Watch);
        }
        if order.counter <= key.counter {
            return Err(Refused::Replayed { got: order.counter, last: key.counter });
        }
        if matches!(order.body, Body::Enrol(_)) {
            return Err(Refused::EnrolmentClosed);
        }
        if !key.role.may_sign(&order.body) {
            return Err(Refused::Role(key.role));
        }
        Ok(key)
    }

    fn first_enrolment(&mut self, envelope: &Envelope, door: Door) -> Result<Applied, Refused> {
        if let Door::Submit(None) = door {
            return Err(Refused::EnrolmentClosed);
        }
        let order: Order = serde_json::from_slice(&envelope.payload).map_err(Refused::Payload)?;
        let Body::Enrol(enrolment) = &order.body else { return Err(Refused::Signature) };
        if order.watch != self.watch {
            return Err(Refused::Watch);
        }
        if order.signer != enrolment.key.id() || !signed_by(envelope, &enrolment.key) {
            return Err(Refused::Signature);
        }
        let right_code = match door {
            Door::Submit(Some(code)) => code.matches(&enrolment.code),
            Door::Submit(None) => false,
            Door::Log => true,
        };
        if !right_code || !fits_first(enrolment) {
            return Err(Refused::Enrolment);
        }
        self.keyring.push(Key {
            public: enrolment.key.clone(),
            guardian: enrolment.guardian.clone(),
            role: enrolment.role,
            counter: order.counter,
        });
        Ok(Applied { guardian: enrolment.guardian.clone(), kind: "enrol", keyring_changed: true })
    }
}

fn signed_by(envelope: &Envelope, key: &PublicKey) -> bool {
    envelope.signatures.iter().any(|s| s.key == key.id() && key.verifies(&envelope.payload, s))
}

fn fits_first(enrolment: &Enrolment) -> bool {
    enrolment.role == Role::Main && policy::is_id(&enrolment.guardian)
}
