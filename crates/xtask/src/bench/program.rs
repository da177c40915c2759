//! Measurements that need what only the tests of a crate may use (the peer's library, a bus with ModemManager): a
//! `[[bench]]` of that crate makes them and prints a line of JSON for each; here they are judged.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::row::{Row, Target, quantile};
use crate::{paths, process};

/// What a bench prints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Samples {
    /// What, and its unit.
    what: String,
    ours: Vec<f64>,
    peer: Vec<f64>,
}

/// Runs `bench` of `package`. The median is judged, the slow end shown. One of `targets` is for one line, in their order; a single one for
/// all of them.
pub(super) fn measure(package: &str, bench: &str, targets: &[Target]) -> Result<Vec<Row>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(paths::root());
    // The one profile: what ships is what is measured.
    cargo.args(["bench", "--quiet", "--profile", "release", "--package", package, "--bench", bench]);
    let text = process::text(&mut cargo)?;
    let mut rows = Vec::new();
    for (line, target) in text.lines().zip(targets.iter().cycle()) {
        let samples: Samples = serde_json::from_str(line).with_context(|| format!("reading `{line}`"))?;
        ensure!(!samples.ours.is_empty() && !samples.peer.is_empty(), "{} was not measured", samples.what);
        for (name, part, target) in [("median", 0.5, Some(*target)), ("p95", 0.95, None)] {
            let peer = Some(quantile(&samples.peer, part));
            rows.push(Row::new(
                format!("{}, {name}", samples.what),
                quantile(&samples.ours, part),
                peer,
                target,
            ));
        }
    }
    ensure!(!rows.is_empty(), "{package} printed nothing");
    Ok(rows)
}
