//! Screening: what it costs that a decision is made at all.

use anyhow::Result;

use super::program::measure;
use super::row::{Row, Target};
use crate::debian::tree;

/// Our telephonyd beside a bare client that hangs up on everybody.
pub(super) fn run() -> Result<Vec<Row>> {
    // ModemManager comes from there.
    tree::ensure(false)?;
    measure("nestling-telephonyd", "stranger", &[Target::Ratio(1.2)])
}
