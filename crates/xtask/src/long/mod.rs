//! `./nestling test long`: what takes too long for every change. What it saw is written to `docs/long-lane.md`.
//!
//! A step is a row of [`STEPS`] and a function that counts; one that has something for the record calls
//! [`record::write`].

mod defences;
mod fuzz;
mod mutants;
pub(crate) mod patch;
pub(crate) mod record;
mod seeds;
mod soak;
mod tree;

use std::time::Instant;

use anyhow::Result;

use crate::testing::{self, Count};

/// How a step is run.
#[derive(Debug)]
struct Options {
    /// Only this: lines of the threat list or patches, fuzz targets, crates. Empty means all.
    only: Vec<String>,
    /// How long each target is fuzzed.
    seconds: u32,
    /// How many calls the soak makes.
    calls: u32,
}

impl Options {
    /// Whether something that has these names is looked at.
    fn wants(&self, names: &[&str]) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| names.contains(&only.as_str()))
    }
}

/// Name, what it looks at, how.
type Step = (&'static str, &'static str, fn(&Options) -> Result<Count>);

const STEPS: [Step; 5] = [
    ("defences", "a test fails for each defence that is taken away", defences::run),
    ("fuzz", "parsers of what others wrote, fed with what nobody would write", fuzz::run),
    ("mutants", "tests fail for each change of the rules, or a reader was told why not", mutants::run),
    ("soak", "calls of all kinds on many watches, with faults: every one is accounted for", soak::run),
    ("attack", "storage changed while the watch was off gives nothing and takes no lifeline", attack),
];

fn attack(options: &Options) -> Result<Count> {
    let (passed, failed) = crate::attack::run(&options.only)?;
    Ok(Count { passed, failed })
}

/// Runs all steps, or those named; a name that is no step says what in them is looked at.
///
/// # Errors
/// Anything failed.
pub fn run(names: &[String], seconds: u32, calls: u32) -> Result<()> {
    let started = Instant::now();
    let is_step = |name: &String| STEPS.iter().any(|(step, ..)| step == name);
    let (steps, only): (Vec<_>, Vec<_>) = names.iter().cloned().partition(is_step);
    let options = Options { only, seconds, calls };
    let mut total = Count::default();
    for (name, what, work) in STEPS {
        if steps.is_empty() || steps.iter().any(|wanted| wanted == name) {
            testing::step(&mut total, name, what, || work(&options));
        }
    }
    println!("\nthe long lane took {:.1} minutes", started.elapsed().as_secs_f64() / 60.0);
    total.close()
}
