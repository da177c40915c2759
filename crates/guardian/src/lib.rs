//! A guardian's hand: keeps a family's key and rules on a laptop, and signs orders to one watch.
//!
//! What a guardian writes is `policy.toml`, in his words and with his comments ([`rules`]); what leaves is an envelope
//! of crate `orders`. Everything lies in one folder (`family`).
//!
//! **Invariants:** a key that others can read is not used; a counter is on the disk before the order that carries it
//! exists; every file is replaced whole; nothing secret is printed but a new recovery key, once; what somebody else
//! wrote is never shown with its control characters.

mod arguments;
mod commands;
mod error;
mod family;
pub mod rules;
mod until;
mod words;

pub use arguments::Arguments;
pub use error::{Error, shown};
