//! `./nestling test`: the short lane, all that CI runs. Every step counts as one test beside the tests that
//! cargo-nextest counts, and the closing line is `N passed, N failed`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::image::{self, Kind};
use crate::{demo, paths, probes, process, product};

/// What was counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
}

type Step = (&'static str, &'static str, fn() -> Result<Count>);

/// Name, what it looks at, how.
const STEPS: [Step; 8] = [
    ("fmt", "the sources are formatted", fmt),
    ("clippy", "clippy finds nothing", clippy),
    ("deny", "licences, sources and banned crates", deny),
    ("rust", "unit, property, bus, modem, gpsd, screen and unit-file tests", || nextest(&[])),
    ("probes", "sandbox, catalogue and launcher on the watch's own kernel", on_the_kernel),
    ("image", "both images build, and differ by the agent alone", images),
    ("product", "the product image boots to the face", || counted(product::boots_to_the_face)),
    ("demo", "the whole watch plays the demo", || counted(demo::run)),
];

/// All that the development image has more, or otherwise, than the product: the agent's files, its account in
/// the lists of accounts, and the link that starts it.
const AGENT: [&str; 9] = [
    "etc/group",
    "etc/gshadow",
    "etc/passwd",
    "etc/shadow",
    "etc/systemd/system/multi-user.target.wants/nestling-agent.service",
    "usr/lib/systemd/system/nestling-agent.service",
    "usr/lib/sysusers.d/nestling-agent.conf",
    "usr/libexec/nestling/nestling-agent",
    "usr/share/dbus-1/system.d/org.nestling.Agent.conf",
];

/// Runs all steps, or those named; a name that is no step is a filter for cargo-nextest.
///
/// # Errors
/// Anything failed.
pub fn run(names: &[String]) -> Result<()> {
    let started = Instant::now();
    if names.iter().any(|name| name == "long") {
        bail!("the long lane is not there yet (README, \"Not yet\")");
    }
    let is_step = |name: &String| STEPS.iter().any(|(step, ..)| step == name);
    let filters: Vec<&String> = names.iter().filter(|name| !is_step(name)).collect();
    let mut total = Count::default();
    for (name, what, work) in STEPS {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            add(&mut total, name, what, work);
        }
    }
    if !filters.is_empty() {
        add(&mut total, "rust", "tests by name", || nextest(&filters));
    }
    println!("\nthe short lane took {:.1} minutes", started.elapsed().as_secs_f64() / 60.0);
    println!("{} passed, {} failed", total.passed, total.failed);
    ensure!(total.failed == 0, "tests failed");
    Ok(())
}

fn add(total: &mut Count, name: &str, what: &str, work: impl FnOnce() -> Result<Count>) {
    println!("== {name}: {what}");
    let started = Instant::now();
    let count = work().unwrap_or_else(|error| {
        println!("{error:#}");
        Count { passed: 0, failed: 1 }
    });
    total.passed += count.passed;
    total.failed += count.failed;
    let verdict = if count.failed == 0 { "ok" } else { "FAILED" };
    println!("== {name}: {verdict}, {:.0} s", started.elapsed().as_secs_f64());
}

fn counted(work: impl FnOnce() -> Result<()>) -> Result<Count> {
    work().map(|()| Count { passed: 1, failed: 0 })
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(paths::root());
    command
}

fn fmt() -> Result<Count> {
    counted(|| process::show(cargo().args(["fmt", "--all", "--check"])))
}

fn clippy() -> Result<Count> {
    counted(|| {
        process::show(cargo().args([
            "clippy",
            "--quiet",
            "--release",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    })
}

fn deny() -> Result<Count> {
    counted(|| {
        process::show(cargo().args(["deny", "--log-level", "error", "check", "bans", "licenses", "sources"]))
    })
}

fn nextest(filters: &[&String]) -> Result<Count> {
    crate::debian::tree::ensure(false)?;
    let mut child = cargo()
        .args(["nextest", "run", "--release", "--workspace", "--no-fail-fast", "--cargo-quiet"])
        .args(["--status-level", "fail", "--final-status-level", "slow"])
        .args(filters)
        .env("CARGO_TERM_COLOR", "never")
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start cargo nextest")?;
    let mut count = None;
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines() {
            let line = line?;
            println!("{line}");
            count = summary(&line).or(count);
        }
    }
    let status = child.wait()?;
    match count {
        Some(count) if status.success() == (count.failed == 0) => Ok(count),
        _ => bail!("cargo nextest ended without a count: {status}"),
    }
}

/// Reads `Summary [ 0.3s] 22 tests run: 20 passed (1 slow), 1 failed, 1 timed out, 3 skipped`.
fn summary(line: &str) -> Option<Count> {
    let (_, counts) = line.trim_start().strip_prefix("Summary")?.split_once("run: ")?;
    let mut count = Count::default();
    for part in counts.split(", ") {
        let number: u64 = part.split(' ').next()?.parse().ok()?;
        match part.split(' ').nth(1)? {
            "passed" => count.passed += number,
            "skipped" => {}
            _ => count.failed += number,
        }
    }
    Some(count)
}

fn on_the_kernel() -> Result<Count> {
    let probes::Tally { passed, failed } = probes::run()?;
    Ok(Count { passed, failed })
}

fn images() -> Result<Count> {
    counted(|| {
        let mut listings = Vec::new();
        for kind in [Kind::Product, Kind::Development] {
            listings.push(std::fs::read_to_string(image::build(kind)?.listing)?);
        }
        let different = image::difference(&listings[0], &listings[1]);
        let (of_the_catalogue, rest): (Vec<_>, Vec<_>) =
            different.into_iter().partition(|path| image::is_of_the_catalogue(path));
        ensure!(rest == AGENT, "the images differ in {rest:?}");
        // The agent's app, and what the reviewers' metadata says of it.
        let bundles = of_the_catalogue
            .iter()
            .filter(|path| Path::new(path).extension().is_some_and(|ending| ending == "erofs"));
        ensure!(
            bundles.clone().all(|path| path.contains("flood-")) && bundles.count() == 1,
            "the catalogues differ in {of_the_catalogue:?}"
        );
        println!("   the images differ in {} files, all of the agent", rest.len() + of_the_catalogue.len());
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_nextest_is_read() {
        let line =
            "     Summary [   0.388s] 21 tests run: 18 passed (1 slow), 2 failed, 1 timed out, 4 skipped";
        assert_eq!(summary(line), Some(Count { passed: 18, failed: 3 }));
        assert_eq!(
            summary("     Summary [ 1s] 1 test run: 1 passed, 0 skipped"),
            Some(Count { passed: 1, failed: 0 })
        );
        assert_eq!(summary("PASS [ 1s] x"), None);
    }
}
