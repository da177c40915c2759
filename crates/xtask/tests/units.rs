//! The units as they are in the product image, judged by Debian 13's own systemd-analyze.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use tempfile::TempDir;
use xtask::debian::tree;
use xtask::image::files::Files;
use xtask::image::{self, Kind};

/// Score of each unit, as reviewed: a change is a readable difference. `NESTLING_BLESS=1` writes it anew.
const REVIEWED: &str = "services/exposure.txt";
const UNITS: &str = "usr/lib/systemd/system/";

/// What may be asked of whom (design, "Numbers to hold").
fn limit(unit: &str) -> f64 {
    match unit {
        "nestling-policyd.service" => 2.0,
        "ModemManager.service" | "nestling-gpsd.service" => 3.0,
        // Mounts, once, before anything else runs.
        "nestling-var.service" | "nestling-var-fallback.service" => 3.5,
        // Root, because it mounts and becomes other users: services/README.md says why for each point.
        "nestling-launcher.service" => 4.5,
        _ => 1.5,
    }
}

/// An image without our programs: a unit is judged by what it says.
fn unpacked(kind: Kind) -> Result<(TempDir, Files)> {
    let mut files = image::assemble(kind, &tree::ensure(false)?, &[])?;
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

fn ours(files: &Files) -> Vec<String> {
    files
        .iter()
        .filter_map(|(path, _)| path.strip_prefix(UNITS))
        .filter(|unit| !unit.contains('/'))
        .filter(|unit| unit.starts_with("nestling-") || *unit == "ModemManager.service")
        .map(str::to_owned)
        .collect()
}

/// What systemd-analyze says, and what it complains about.
fn analyze(root: &Path, arguments: &[&str]) -> Result<(String, String)> {
    let mut command = tree::tool("usr/bin/systemd-analyze");
    command.arg("--no-pager").arg(format!("--root={}", root.display())).args(arguments);
    let output = command.output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((text(&output.stdout), text(&output.stderr)))
}

#[test]
fn every_unit_of_the_image_is_understood_by_systemd() {
    // The image that has all of them.
    let (root, files) = unpacked(Kind::Development).unwrap();
    let units = ours(&files);
    assert!(units.len() > 5 && units.iter().any(|unit| unit == "nestling-agent.service"), "{units:?}");
    assert_eq!(complaints(root.path(), &units).unwrap(), "");

    // A key in the wrong section is ignored by systemd as it runs: the unit looks fine and does something else.
    let policyd = root.path().join(UNITS).join("nestling-policyd.service");
    let wrong = std::fs::read_to_string(&policyd).unwrap();
    let wrong = wrong.replace("[Service]\n", "[Service]\nStartLimitIntervalSec=0\n");
    std::fs::write(&policyd, wrong).unwrap();
    let complaints = complaints(root.path(), &units).unwrap();
    assert!(complaints.contains("Unknown key"), "{complaints}");
}

/// What systemd-analyze has against units and what they need.
fn complaints(root: &Path, units: &[String]) -> Result<String> {
    let units: Vec<&str> = units.iter().map(String::as_str).collect();
    Ok(analyze(root, &[&["verify", "--man=no"], &units[..]].concat())?.1)
}

#[test]
fn exposure_is_as_reviewed_and_within_its_limit() {
    let (root, files) = unpacked(Kind::Product).unwrap();
    let mut scores = String::new();
    for unit in ours(&files).iter().filter(|unit| unit.ends_with(".service")) {
        let (report, _) = analyze(root.path(), &["security", "--offline=yes", unit]).unwrap();
        let score = report
            .lines()
            .find_map(|line| line.split_once("exposure level for")?.1.split_whitespace().nth(1))
            .and_then(|score| score.parse::<f64>().ok())
            .unwrap_or_else(|| panic!("no score of {unit}: {report}"));
        assert!(score <= limit(unit), "{unit} is exposed by {score}, more than {}:\n{report}", limit(unit));
        writeln!(scores, "{score:>4} {unit}").unwrap();
    }
    testkit::golden::kept(xtask::paths::root().join(REVIEWED), &scores);
}

#[test]
fn t23_the_product_differs_from_the_development_image_by_the_agent_alone() {
    let tree = tree::ensure(false).unwrap();
    let listing = |kind| image::assemble(kind, &tree, &[]).unwrap().listing();
    let different = image::difference(&listing(Kind::Product), &listing(Kind::Development));
    let accounts = ["etc/group", "etc/gshadow", "etc/passwd", "etc/shadow"];
    let (accounts_differ, rest): (Vec<_>, Vec<_>) =
        different.iter().map(String::as_str).partition(|path| accounts.contains(path));
    assert_eq!(accounts_differ, accounts);
    assert!(!rest.is_empty());
    assert!(
        rest.iter().all(|path| path.contains("nestling-agent") || path.contains("org.nestling.Agent")),
        "{rest:?}"
    );
}
