//! The developer's hand inside the development image: lines of JSON over a virtio port.
//!
//! **Invariants:** in no product image (a test compares the file lists); has no more say in the rules than
//! anybody: it carries signed orders to the same door, and otherwise reads, kills and damages.

pub mod hand;
pub mod protocol;
