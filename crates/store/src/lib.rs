//! The published policy store: one SQLite file that policyd builds and everybody else only reads.
//!
//! policyd calls [`publish`] after every accepted order: a new file, synced, renamed over the old one.
//! Readers call [`Reader::open`], which loads the whole policy into memory, and [`Reader::is_current`] to
//! learn that a newer file is there. WAL is not used: readers of another user cannot open it.
//!
//! **Invariants:** a published file is never written again; a reader trusts nothing in it before it was
//! checked; a reader that cannot read has no policy, which everywhere means sealed.

mod publish;
mod read;
mod reader;
mod write;

pub use publish::{PublishError, publish, withdraw};
pub use reader::{ReadError, Reader, Stamp};

/// Name of the file inside its directory.
pub const FILE: &str = "policy.db";

/// The schema, for reviewers and tests.
pub const SCHEMA: &str = include_str!("schema.sql");

const APPLICATION_ID: i64 = 0x4e45_5354;
const VERSION: i64 = 3;
