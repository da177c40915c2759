//! `./nestling test`: the short lane, all that CI runs. Every step counts as one test beside the tests that
//! cargo-nextest counts, and the closing line is `N passed, N failed`.

pub(crate) mod nextest;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::image::{self, Kind};
use crate::{demo, paths, probes, process, product};

/// What was counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Count {
    /// One more, of either kind.
    pub(crate) fn add(&mut self, passed: bool) {
        if passed { self.passed += 1 } else { self.failed += 1 }
    }

    /// Prints the closing line.
    ///
    /// # Errors
    /// Something failed.
    pub(crate) fn close(self) -> Result<()> {
        println!("{} passed, {} failed", self.passed, self.failed);
        ensure!(self.failed == 0, "tests failed");
        Ok(())
    }
}

type Step = (&'static str, &'static str, fn() -> Result<Count>);

/// Name, what it looks at, how.
const STEPS: [Step; 8] = [
    ("fmt", "the sources are formatted", fmt),
    ("clippy", "clippy finds nothing", clippy),
    ("deny", "licences, sources and banned crates", deny),
    ("rust", "unit, property, bus, modem, gpsd, screen and unit-file tests", || rust(&[])),
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
    let is_step = |name: &String| STEPS.iter().any(|(step, ..)| step == name);
    let filters: Vec<&String> = names.iter().filter(|name| !is_step(name)).collect();
    let mut total = Count::default();
    for (name, what, work) in STEPS {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            step(&mut total, name, what, work);
        }
    }
    if !filters.is_empty() {
        step(&mut total, "rust", "tests by name", || rust(&filters));
    }
    println!("\nthe short lane took {:.1} minutes", started.elapsed().as_secs_f64() / 60.0);
    total.close()
}

/// Does `work`, says how it went and adds what it counted.
pub(crate) fn step(total: &mut Count, name: &str, what: &str, work: impl FnOnce() -> Result<Count>) {
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

/// Cargo, in this workspace.
pub(crate) fn cargo() -> Command {
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

fn rust(filters: &[&String]) -> Result<Count> {
    crate::debian::tree::ensure(false)?;
    let mut arguments = vec!["--workspace", "--no-fail-fast", "--final-status-level", "slow"];
    arguments.extend(filters.iter().map(|filter| filter.as_str()));
    let outcome = nextest::run(&mut cargo(), &arguments, |line| println!("{line}"))?;
    Ok(outcome.count)
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
