//! `./nestling bench NAME`: what the design promises in numbers, measured here and now, beside a peer where there is
//! one. Prints a table and writes `target/bench/NAME.json`: `{"rows":[{"what","ours","peer","ratio","target","holds"}]}`.
//!
//! Invariants: ours and the peer are measured alternately in one run, so that what else the machine does slows both;
//! a missed target is a result and is shown, only a measurement that cannot be made is an error.

mod boot;
mod display;
mod exposure;
mod host;
mod launch;
mod location;
mod meter;
mod policy;
mod program;
mod row;
mod telephony;

use std::fs;

use anyhow::{Context, Result};
use serde::Serialize;

use self::row::{Row, table};
use crate::{paths, process};

type Bench = (&'static str, &'static str, fn() -> Result<Vec<Row>>);

/// Name, what it looks at, how.
const BENCHES: [Bench; 7] = [
    ("policy", "a decision, and a new store from its rules to a reader that has them", policy::run),
    ("telephony", "a stranger's call, from the modem's ring to the hang-up at the modem", telephony::run),
    ("location", "what gpsd says as fast as it can, parsed and judged", location::run),
    ("launch", "from the request to the app's main", launch::run),
    ("exposure", "what systemd-analyze security says of the units", exposure::run),
    ("display", "an app at fifty pictures a second, and one that stands still", display::run),
    ("boot", "the first frame in the virtual machine", boot::run),
];

#[derive(Serialize)]
struct Results<'a> {
    rows: &'a [Row],
}

/// Measures what is named; without a name says what can be.
///
/// # Errors
/// A name nobody knows, or a measurement that cannot be made.
pub fn run(names: &[String]) -> Result<()> {
    let mut wanted = Vec::new();
    for name in names {
        let bench = BENCHES.iter().find(|(known, ..)| known == name);
        wanted.push(bench.with_context(|| format!("there is no bench `{name}`; there are\n{}", list()))?);
    }
    if wanted.is_empty() {
        print!("{}", list());
        return Ok(());
    }
    let folder = paths::target().join("bench");
    let _lock = process::lock(&folder)?;
    for (name, _, measure) in wanted {
        let rows = process::step(&format!("Measuring {name}"), measure)?;
        let file = folder.join(format!("{name}.json"));
        fs::write(&file, serde_json::to_string_pretty(&Results { rows: &rows })?)?;
        println!("{}\n{}", table(&rows), file.display());
    }
    Ok(())
}

fn list() -> String {
    BENCHES.map(|(name, what, _)| format!("{name:<10} {what}\n")).concat()
}
