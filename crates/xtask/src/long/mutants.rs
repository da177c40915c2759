//! The rules, changed at every place cargo-mutants knows to change: tests of the crate must fail. A change that no test
//! notices is in `tests/mutants-explained.txt` with the reason, or the step fails; so does a reason nothing needs.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::Options;
use super::record::{self, Now, Record};
use super::tree::Tree;
use crate::paths;
use crate::testing::Count;

/// Whose code is changed.
const CRATES: [&str; 3] = ["policy", "orders", "lifeline"];
const EXPLAINED: &str = "tests/mutants-explained.txt";
const TITLES: [&str; 8] = [
    "crate",
    "date",
    "commit",
    "noticed",
    "of them by hanging",
    "explained",
    "not noticed",
    "do not compile",
];

pub(super) fn run(options: &Options) -> Result<Count> {
    let crates: Vec<&str> = CRATES.into_iter().filter(|name| options.wants(&[name])).collect();
    ensure!(!crates.is_empty(), "cargo-mutants is run for {}", CRATES.join(", "));
    let now = Now::ask()?;
    let mut explained =
        Explained::parse(&fs::read_to_string(paths::root().join(EXPLAINED)).context(EXPLAINED)?)?;
    let tree = Tree::open()?;
    let mut rows = Record::load()?.rows("mutants");
    rows.retain(|name, _| CRATES.contains(&name.as_str()));
    let mut total = Count::default();
    for name in crates {
        let outcomes = mutate(&tree, name)?;
        let tally = judge(name, outcomes, tree.root(), &mut explained)?;
        println!("   {name}: {tally:?}");
        let numbers = [tally.caught, tally.hung, tally.explained, tally.missed, tally.unviable];
        let cells = [now.date.clone(), now.commit.clone()];
        rows.insert(name.to_owned(), cells.into_iter().chain(numbers.map(|n| n.to_string())).collect());
        total.passed += tally.caught + tally.explained;
        total.failed += tally.missed + explained.stale(name);
    }
    record::write("mutants", total, &TITLES, &rows)?;
    Ok(total)
}

/// Changes the code of a crate in the copy, once at each place, and runs its tests.
fn mutate(tree: &Tree, name: &str) -> Result<Outcomes> {
    let output = tempfile::tempdir_in(paths::target())?;
    let mut cargo = tree.cargo();
    let status = cargo
        .args(["mutants", "--in-place", "--profile", "mutants", "--test-tool", "nextest"])
        .args(["--no-config", "--no-times", "--colors", "never", "--package", name, "--output"])
        .arg(output.path())
        // What follows is nextest's: its profile has the same name as cargo's.
        .args(["--", "--profile", "mutants"])
        .status()
        .context("cannot start cargo mutants")?;
    let outcomes = output.path().join("mutants.out/outcomes.json");
    let Ok(text) = fs::read(&outcomes) else { bail!("cargo mutants: {status}") };
    Ok(serde_json::from_slice(&text)?)
}

/// `outcomes.json` of cargo-mutants, as far as we need it.
#[derive(Debug, Deserialize)]
struct Outcomes {
    outcomes: Vec<OneOutcome>,
}

#[derive(Debug, Deserialize)]
struct OneOutcome {
    scenario: Scenario,
    summary: String,
}

#[derive(Debug, Deserialize)]
enum Scenario {
    Baseline,
    Mutant(Changed),
}

/// A change: `crates/a/src/b.rs:7:9: replace x with y in f`, and where it begins.
#[derive(Debug, Deserialize)]
struct Changed {
    name: String,
    file: String,
    span: Span,
}

#[derive(Debug, Deserialize)]
struct Span {
    start: Place,
}

#[derive(Debug, Deserialize)]
struct Place {
    line: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    /// Noticed, `hung` ones included.
    caught: u64,
    hung: u64,
    unviable: u64,
    explained: u64,
    missed: u64,
}

fn judge(name: &str, outcomes: Outcomes, root: &Path, explained: &mut Explained) -> Result<Tally> {
    let mut tally = Tally::default();
    for OneOutcome { scenario, summary } in outcomes.outcomes {
        match (scenario, summary.as_str()) {
            (Scenario::Baseline, "Success") => {}
            (Scenario::Baseline, _) => bail!("the tests of {name} fail without a change"),
            (Scenario::Mutant(_), "CaughtMutant") => tally.caught += 1,
            (Scenario::Mutant(_), "Timeout") => {
                tally.caught += 1;
                tally.hung += 1;
            }
            (Scenario::Mutant(_), "Unviable") => tally.unviable += 1,
            (Scenario::Mutant(changed), "MissedMutant") => {
                let survivor = Survivor::of(&changed, root)?;
                if explained.has(&survivor) {
                    tally.explained += 1;
                } else {
                    println!("no test notices:\n{survivor}");
                    tally.missed += 1;
                }
            }
            (_, summary) => bail!("cargo mutants says {summary:?}, which we do not know"),
        }
    }
    ensure!(tally.caught > 0, "nothing in {name} was changed");
    Ok(tally)
}

/// A change that no test notices, by what stands in the file rather than by where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Survivor {
    /// `crates/a/src/b.rs: replace x with y in f`
    change: String,
    /// The line it begins in.
    line: String,
}

impl Survivor {
    fn of(changed: &Changed, root: &Path) -> Result<Self> {
        let text = fs::read_to_string(root.join(&changed.file)).with_context(|| changed.file.clone())?;
        let line = text.lines().nth(changed.span.start.line.saturating_sub(1)).unwrap_or_default();
        let what = changed.name.splitn(4, ':').last().unwrap_or_default().trim();
        Ok(Self { change: format!("{}: {what}", changed.file), line: line.trim().to_owned() })
    }
}

impl fmt::Display for Survivor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  in: {}", self.change, self.line)
    }
}

/// The survivors somebody gave a reason for, and whether they were met.
#[derive(Debug, Default)]
struct Explained(BTreeMap<Survivor, bool>);

impl Explained {
    /// Reads entries of three lines: the change, `in:` and its line, `why:` and the reason. Lines that begin with `#`
    /// and empty ones are for readers.
    fn parse(text: &str) -> Result<Self> {
        let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut entries = BTreeMap::new();
        while let Some(change) = lines.next() {
            let line = lines.next().and_then(|line| line.strip_prefix("  in: "));
            let why = lines.next().and_then(|line| line.strip_prefix("  why: "));
            let (Some(line), Some(_)) = (line, why) else {
                bail!("{EXPLAINED}: after {change:?} come `  in: …` and `  why: …`");
            };
            let survivor = Survivor { change: change.to_owned(), line: line.to_owned() };
            ensure!(entries.insert(survivor, false).is_none(), "{EXPLAINED}: {change:?} is there twice");
        }
        Ok(Self(entries))
    }

    fn has(&mut self, survivor: &Survivor) -> bool {
        self.0.get_mut(survivor).is_some_and(|met| {
            *met = true;
            true
        })
    }

    /// Names the reasons for code of a crate that nothing needed, and counts them.
    fn stale(&self, name: &str) -> u64 {
        let of_it = format!("crates/{name}/");
        let stale = self.0.iter().filter(|(survivor, met)| !**met && survivor.change.starts_with(&of_it));
        stale.inspect(|(survivor, _)| println!("{EXPLAINED} explains what tests notice:\n{survivor}")).count()
            as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As cargo-mutants 27 writes it, shortened.
    fn outcomes() -> Outcomes {
        let mutant = |summary: &str, line: u32| {
            let name = format!("crates/a/src/b.rs:{line}:5: replace x::y -> z with 1");
            let function = r#""function":{"function_name":"y","return_type":"","span":null}"#;
            let span =
                format!(r#""span":{{"start":{{"line":{line},"column":5}},"end":{{"line":9,"column":1}}}}"#);
            let mutant =
                format!(r#"{{"name":"{name}","package":"a","file":"crates/a/src/b.rs",{function},{span}}}"#);
            format!(r#"{{"scenario":{{"Mutant":{mutant}}},"summary":"{summary}","phase_results":[]}}"#)
        };
        let baseline =
            r#"{"scenario":"Baseline","summary":"Success","log_path":"log/baseline.log"}"#.to_owned();
        let caught = [mutant("CaughtMutant", 1), mutant("Timeout", 3), mutant("Unviable", 1)];
        let all = [vec![baseline], caught.to_vec(), vec![mutant("MissedMutant", 2)]].concat().join(",");
        serde_json::from_str(&format!(r#"{{"outcomes":[{all}],"total_mutants":4,"missed":1}}"#)).unwrap()
    }

    fn judged(explained: &str) -> (Tally, u64) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("crates/a/src")).unwrap();
        fs::write(folder.path().join("crates/a/src/b.rs"), "one\n    two\nthree\n").unwrap();
        let mut explained = Explained::parse(explained).unwrap();
        let tally = judge("a", outcomes(), folder.path(), &mut explained).unwrap();
        (tally, explained.stale("a"))
    }

    const REASON: &str =
        "# Why.\n\ncrates/a/src/b.rs: replace x::y -> z with 1\n  in: two\n  why: nobody sees it\n";

    #[test]
    fn what_no_test_notices_is_explained_or_counted() {
        let tally = Tally { caught: 2, hung: 1, unviable: 1, ..Tally::default() };
        assert_eq!(judged(""), (Tally { missed: 1, ..tally }, 0));
        assert_eq!(judged(REASON), (Tally { explained: 1, ..tally }, 0));
    }

    #[test]
    fn a_reason_nothing_needs_is_stale_and_one_of_another_crate_is_not_looked_at() {
        let (tally, stale) = judged(&REASON.replace("two", "three"));
        assert_eq!((tally.missed, stale), (1, 1));
        assert_eq!(judged(&REASON.replace("crates/a/", "crates/b/")).1, 0);
    }

    #[test]
    fn an_entry_without_a_reason_or_twice_is_refused() {
        assert!(Explained::parse("crates/a/src/b.rs: replace x\n  in: two\n").is_err());
        assert!(Explained::parse("crates/a/src/b.rs: replace x\n  why: x\n  in: two\n").is_err());
        assert!(Explained::parse(&format!("{REASON}{REASON}")).is_err());
        assert!(Explained::parse(&fs::read_to_string(paths::root().join(EXPLAINED)).unwrap()).is_ok());
    }
}
