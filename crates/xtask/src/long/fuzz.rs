//! Every target of `fuzz/`, built with the address sanitizer and run for a while. What was learnt stays in
//! `target/fuzz/corpus`, beside the [`seeds`]; what was found in `target/fuzz/artifacts`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::record::{self, Now, Record};
use super::{Options, seeds};
use crate::testing::{self, Count};
use crate::{paths, process};

const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// An input that takes longer, in seconds, is a finding; so is one that takes more memory, in MiB.
const LIMITS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=2048"];
const TITLES: [&str; 6] = ["target", "date", "commit", "seconds", "inputs", "result"];

pub(super) fn run(options: &Options) -> Result<Count> {
    let all = targets()?;
    let targets: Vec<&String> = all.iter().filter(|target| options.wants(&[target])).collect();
    ensure!(!targets.is_empty(), "no such target in fuzz/");
    let now = Now::ask()?;
    let _lock = process::lock(&folder())?;
    process::step("Building the targets", || build(&targets))?;
    let mut rows = Record::load()?.rows("fuzz");
    rows.retain(|target, _| all.contains(target));
    let mut count = Count::default();
    for target in targets {
        let ran = fuzz(target, options.seconds);
        count.add(ran.is_ok());
        let (inputs, result) = match ran {
            Ok(inputs) => (inputs.to_string(), "nothing found".to_owned()),
            Err(error) => {
                println!("{error:#}");
                ("–".to_owned(), "**failed**".to_owned())
            }
        };
        println!("   {target}: {inputs} inputs in {} s, {result}", options.seconds);
        let seconds = options.seconds.to_string();
        rows.insert(target.clone(), vec![now.date.clone(), now.commit.clone(), seconds, inputs, result]);
    }
    record::write("fuzz", count, &TITLES, &rows)?;
    Ok(count)
}

fn folder() -> PathBuf {
    paths::target().join("fuzz")
}

/// The targets: the files of `fuzz/fuzz_targets/`.
fn targets() -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in fs::read_dir(paths::root().join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        targets.push(path.file_stem().unwrap_or_default().to_string_lossy().into_owned());
    }
    targets.sort();
    Ok(targets)
}

fn build(targets: &[&String]) -> Result<()> {
    let mut cargo = testing::cargo();
    // The stable compiler has the sanitizers, but says so to nobody.
    cargo.env("RUSTC_BOOTSTRAP", "1").args(["fuzz", "build", "--target-dir"]).arg(folder().join("build"));
    if let [target] = targets {
        cargo.arg(target);
    }
    process::show(&mut cargo)
}

/// Runs one target and returns how many inputs it took.
fn fuzz(target: &str, seconds: u32) -> Result<u64> {
    let place = |kind: &str| -> Result<PathBuf> {
        let place = folder().join(kind).join(target);
        fs::create_dir_all(&place)?;
        Ok(place)
    };
    let (corpus, artifacts) = (place("corpus")?, place("artifacts")?);
    seeds::write(target, &corpus).with_context(|| format!("the seeds of {target}"))?;
    let log = folder().join(format!("{target}.log"));
    let output = File::create(&log)?;
    let status = Command::new(folder().join("build").join(TRIPLE).join("release").join(target))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(LIMITS)
        .arg("-print_final_stats=1")
        .arg(&corpus)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .with_context(|| format!("cannot start {target}"))?;
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if !status.success() {
        bail!("{target}: {status}, repeat it with: {}", reproducer(&text, &log));
    }
    let inputs = inputs(&text).with_context(|| format!("{} has no count", log.display()))?;
    ensure!(inputs > 0, "{target}: no input was tried");
    Ok(inputs)
}

/// What libFuzzer says at the end: `stat::number_of_executed_units: 12345`.
fn inputs(log: &str) -> Option<u64> {
    let count = log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))?;
    count.trim().parse().ok()
}

/// The file of the input that did it, or where to read on.
fn reproducer(log: &str, place: &Path) -> String {
    let written = log.lines().find_map(|line| line.split_once("Test unit written to "));
    written.map_or_else(|| place.display().to_string(), |(_, file)| file.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_run_is_read() {
        let log = "#2 INITED\nDone 12 runs in 1 second(s)\nstat::number_of_executed_units: 12\nstat::x: 1\n";
        assert_eq!(inputs(log), Some(12));
        assert_eq!(inputs("==1== ERROR"), None);
    }

    #[test]
    fn a_finding_names_its_file() {
        let log = "panicked\nartifact_prefix='/a/'; Test unit written to /a/crash-1\nBase64: eA==\n";
        assert_eq!(reproducer(log, Path::new("/b/x.log")), "/a/crash-1");
        assert_eq!(reproducer("killed", Path::new("/b/x.log")), "/b/x.log");
    }

    #[test]
    fn every_target_has_seeds() {
        for target in targets().unwrap() {
            let folder = tempfile::tempdir().unwrap();
            seeds::write(&target, folder.path()).unwrap();
            assert!(fs::read_dir(folder.path()).unwrap().count() > 0, "{target}");
        }
    }
}
