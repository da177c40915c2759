//! The units as they are in the product image, judged by Debian 13's own systemd-analyze; the peers are the units
//! as Debian packages them.

use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::row::{Row, Target};
use crate::debian::tree;
use crate::image::files::Files;
use crate::image::{self, Kind};
use crate::{paths, process};

const UNITS: &str = "usr/lib/systemd/system/";

/// All services of ours, and ModemManager with our drop-in.
pub(super) fn run() -> Result<Vec<Row>> {
    let (root, files) = product()?;
    let mut rows = Vec::new();
    for unit in units(&files).iter().filter(|unit| unit.ends_with(".service")) {
        let score = security(root.path(), unit)?;
        let peer = packaged(unit).map(|unit| security(&paths::tree(), unit)).transpose()?;
        let limit = Some(Target::Most(target(unit)));
        rows.push(Row::new(unit.as_str(), score, peer, limit));
    }
    Ok(rows)
}

fn target(unit: &str) -> f64 {
    match unit {
        "nestling-policyd.service" => 2.0,
        "ModemManager.service" | "nestling-gpsd.service" => 3.0,
        _ => 1.5,
    }
}

/// Debian's unit for the same program.
fn packaged(unit: &str) -> Option<&'static str> {
    match unit {
        "ModemManager.service" => Some("ModemManager.service"),
        "nestling-gpsd.service" => Some("gpsd.service"),
        _ => None,
    }
}

/// The product unpacked, with a stand-in for each of our programs: a unit is judged by what it says.
fn product() -> Result<(TempDir, Files)> {
    let mut files = image::assemble(Kind::Product, &tree::ensure(false)?, &[])?;
    let paths: Vec<String> = files.iter().map(|(path, _)| path.to_owned()).collect();
    for unit in paths.iter().filter(|path| path.starts_with(UNITS)) {
        let Some(text) = files.bytes(unit) else { continue };
        let text = String::from_utf8_lossy(text).into_owned();
        for program in text.lines().filter_map(|line| line.strip_prefix("ExecStart=/usr/libexec/nestling/")) {
            files.file(&format!("usr/libexec/nestling/{program}"), 0o755, *b"in its place");
        }
    }
    let root = tempfile::tempdir()?;
    files.unpack(root.path(), &|_| true)?;
    Ok((root, files))
}

/// The units that are ours to answer for.
fn units(files: &Files) -> Vec<String> {
    files
        .iter()
        .filter_map(|(path, _)| path.strip_prefix(UNITS))
        .filter(|unit| !unit.contains('/'))
        .filter(|unit| unit.starts_with("nestling-") || *unit == "ModemManager.service")
        .map(str::to_owned)
        .collect()
}

/// The score of a unit of the system in `root`: 0 is best, 10 worst.
fn security(root: &Path, unit: &str) -> Result<f64> {
    let mut command = tree::tool("usr/bin/systemd-analyze");
    command.arg("--no-pager").arg(format!("--root={}", root.display()));
    let report = process::text(command.args(["security", "--offline=yes", unit]))?;
    score(&report).with_context(|| format!("no score of {unit}: {report}"))
}

/// Reads `→ Overall exposure level for gpsd.service: 9.4 UNSAFE`.
fn score(report: &str) -> Option<f64> {
    let line = report.lines().find_map(|line| Some(line.split_once("exposure level for")?.1))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_is_read_and_nothing_else_is_one() {
        let report = "✗ UMask= 0.1\n\n→ Overall exposure level for gpsd.service: 9.4 UNSAFE 😨\n";
        assert_eq!(score(report), Some(9.4));
        assert_eq!(score("✗ UMask= 0.1"), None);
    }
}
