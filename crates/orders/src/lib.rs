//! Signed orders: the only way a rule changes.
//!
//! A guardian's [`Signer`] wraps an [`Order`] into a DSSE [`Envelope`]; the watch's [`Ledger`] takes the
//! envelope's bytes, checks them step by step, and holds the keyring, the policy and the [`Standing`] orders that
//! follow from every order taken so far. The same `Ledger` reads the log again at boot, so what was accepted once is
//! accepted again, and nothing else is. `docs/orders.md` has an example of every body; `tests/vectors/` is for
//! guardians' tools in other languages.
//!
//! **Invariants:** no I/O, no clock, no panic; a payload is parsed only after its signature was checked,
//! except for the very first enrolment, which brings its own keys; a refused order changes nothing; once there is a
//! guardian there is exactly one main, whom nobody else removes; no key is enrolled that did not sign its enrolment,
//! and none twice; a key's counter never goes back, also when the key is enrolled again.

mod bounds;
mod code;
mod contacts;
mod envelope;
mod key;
mod keyring;
mod ledger;
mod names;
mod order;
mod people;
mod recovery;
mod refused;
mod role;
mod signer;
mod standing;
mod strict;

pub use code::EnrolmentCode;
pub use envelope::{Envelope, EnvelopeError, MAX_ENVELOPE, MAX_SIGNATURES, PAYLOAD_TYPE, Signature};
pub use key::PublicKey;
pub use keyring::{Change, Guardian, Keyring, MAX_GUARDIANS};
pub use ledger::{Applied, Door, Effect, Ledger, WATCH};
pub use names::{BootKey, KeyId, PolicyHash, WatchId};
pub use order::{Body, Enrolment, MAX_KEYS, Order, What};
pub use recovery::{RecoveryError, RecoveryKey};
pub use refused::Refused;
pub use role::{BodyKind, Role};
pub use signer::Signer;
