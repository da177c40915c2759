//! Signed orders: the only way a rule changes.
//!
//! A guardian's [`Signer`] wraps an [`Order`] into a DSSE [`Envelope`]; the watch's [`Ledger`] takes the
//! envelope's bytes, checks them step by step, and holds the keyring and the policy that follow from
//! every order taken so far. The same `Ledger` reads the log again at boot, so what was accepted once is
//! accepted again, and nothing else is.
//!
//! **Invariants:** no I/O, no clock, no panic; a payload is parsed only after its signature was checked,
//! except for the very first enrolment, which brings its own key; a refused order changes nothing.

mod code;
mod envelope;
mod keyring;
mod ledger;
mod order;
mod signer;

pub use code::EnrolmentCode;
pub use envelope::{Envelope, EnvelopeError, MAX_ENVELOPE, PAYLOAD_TYPE, Signature};
pub use keyring::{Key, KeyId, Keyring, PublicKey, Role};
pub use ledger::{Applied, Door, Ledger, Refused};
pub use order::{Body, Enrolment, Order, PolicyHash, WatchId};
pub use signer::Signer;
