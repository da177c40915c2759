//! Reading gpsd: what it costs that nothing of it is believed.

use anyhow::Result;

use super::program::measure;
use super::row::{Row, Target};
use crate::debian::tree;

/// What locationd does with gpsd's words, beside gpspipe, which copies them.
pub(super) fn run() -> Result<Vec<Row>> {
    // gpsd comes from there.
    tree::ensure(false)?;
    tree::peers()?;
    measure("nestling-locationd", "gpspipe", &[Target::Ratio(1.0), Target::Ratio(3.0)])
}
