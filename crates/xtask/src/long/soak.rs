//! Many simulated modems with the real ModemManager and the real telephonyd, called in all ways with faults switched on
//! and off: `crates/telephonyd/benches/soak`, which may use what it needs; here its books are read.

use std::collections::BTreeMap;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::Options;
use super::record::{self, Now, Rows};
use crate::debian;
use crate::testing::{self, Count};

const TITLES: [&str; 12] = [
    "watch",
    "date",
    "commit",
    "calls",
    "rang",
    "turned away",
    "gave up first",
    "waited in vain",
    "dialled",
    "lost to a fault",
    "not back in 30 s",
    "not accounted for",
];

/// What the soak says of one watch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Books {
    watch: u8,
    calls: u32,
    rang: u32,
    turned_away: u32,
    gave_up: u32,
    waited: u32,
    dialled: u32,
    lost: BTreeMap<String, u32>,
    /// By the fault: not reached half a minute after it ended.
    late: BTreeMap<String, u32>,
    seconds: u64,
    wrong: Vec<String>,
}

impl Books {
    /// Every call has one outcome.
    fn balances(&self) -> bool {
        let accounted = self.rang + self.turned_away + self.gave_up + self.waited + self.dialled;
        self.wrong.is_empty() && accounted + self.lost.values().sum::<u32>() == self.calls
    }

    fn cells(&self, now: &Now) -> Vec<String> {
        let by_fault = |counts: &BTreeMap<String, u32>| {
            let counts: Vec<String> =
                counts.iter().map(|(fault, count)| format!("{fault} {count}")).collect();
            counts.join(", ")
        };
        let numbers = [self.calls, self.rang, self.turned_away, self.gave_up, self.waited, self.dialled];
        let mut cells = vec![now.date.clone(), now.commit.clone()];
        cells.extend(numbers.map(|number| number.to_string()));
        cells.extend([&self.lost, &self.late].map(by_fault));
        cells.push(self.wrong.len().to_string());
        cells
    }
}

pub(super) fn run(options: &Options) -> Result<Count> {
    // ModemManager comes from there.
    debian::tree::ensure(false)?;
    let now = Now::ask()?;
    let mut cargo = testing::cargo();
    cargo.args(["bench", "--quiet", "--profile", "release", "--package", "nestling-telephonyd"]);
    cargo.args(["--bench", "soak", "--", "--calls", &options.calls.to_string()]);
    // It says on standard error how far it is.
    let output = cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("starting the soak")?;
    ensure!(output.status.success(), "the soak ended with {}", output.status);
    let (mut count, mut rows) = (Count::default(), Rows::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let books: Books = serde_json::from_str(line).with_context(|| format!("reading `{line}`"))?;
        count.add(books.balances());
        println!("   watch {}: {} calls in {} s", books.watch, books.calls, books.seconds);
        for wrong in &books.wrong {
            println!("   watch {}: {wrong}", books.watch);
        }
        rows.insert(format!("{:02}", books.watch), books.cells(&now));
    }
    ensure!(!rows.is_empty(), "the soak said nothing");
    record::write("soak", count, &TITLES, &rows)?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_books_balance_only_when_every_call_has_an_outcome() {
        let line = r#"{"watch":3,"calls":13,"rang":4,"turned_away":3,"gave_up":1,"waited":1,"dialled":2,"lost":{"hung":2},
            "late":{"hung":1},"seconds":60,"wrong":[]}"#;
        let books: Books = serde_json::from_str(line).unwrap();
        assert!(books.balances());
        assert!(!Books { calls: 14, ..serde_json::from_str(line).unwrap() }.balances());
        assert!(!Books { wrong: vec!["x".into()], ..books }.balances());
    }
}
