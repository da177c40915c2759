//! Starting an app: what a sandbox costs when the one who builds it is there already.

use anyhow::{Result, ensure};

use super::program::measure;
use super::row::{Row, Target};

/// Our launcher beside bubblewrap.
pub(super) fn run() -> Result<Vec<Row>> {
    ensure!(nix::unistd::geteuid().is_root(), "this needs root: both sides make namespaces and mounts");
    measure("nestling-launcher", "launch", &[Target::Ratio(0.5)])
}
