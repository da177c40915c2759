//! Defences taken away, one after the other: a patch of `tests/defences/` is applied to a copy of the sources, and a test
//! that carries the number of its line must fail, twice, after it passed without the patch.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow, bail, ensure};

use super::Options;
use super::patch::{self, Patch};
use super::record::{self, Now, Record};
use super::tree::Tree;
use crate::coverage::ids_of;
use crate::debian;
use crate::testing::Count;
use crate::testing::nextest::{self, Outcome};

pub(super) fn run(options: &Options) -> Result<Count> {
    debian::tree::ensure(false)?;
    let all = patch::all()?;
    let patches: Vec<&Patch> = all.iter().filter(|patch| options.wants(&[&patch.id, &patch.name])).collect();
    ensure!(!patches.is_empty(), "no such patch in tests/defences");
    let now = Now::ask()?;
    let tree = Tree::open()?;
    let mut rows = Record::load()?.rows("defences");
    rows.retain(|name, _| all.iter().any(|patch| patch.name == *name));
    // What shares its tests is run together, so that less is built.
    let mut sets: BTreeMap<&[String], Vec<&Patch>> = BTreeMap::new();
    for patch in patches {
        sets.entry(&patch.crates).or_default().push(patch);
    }
    let mut count = Count::default();
    for (crates, patches) in sets {
        let ids: BTreeSet<&str> = patches.iter().map(|patch| patch.id.as_str()).collect();
        let whole = tests(&tree, crates, &filter(ids), &["--no-fail-fast"]);
        if let Ok(whole) = &whole {
            println!("   {}: {} tests pass without a patch", crates.join(", "), whole.count.passed);
        }
        for patch in patches {
            println!("   {}: {}", patch.name, patch.what);
            let red = match &whole {
                Ok(whole) => red(&tree, patch, whole),
                Err(error) => Err(anyhow!("without the patch: {error:#}")),
            };
            count.add(red.is_ok());
            let said = red.map_or_else(|error| in_a_line(&error), |red| format!("`{}`", red.join("` `")));
            println!("   {}: {said}", patch.name);
            rows.insert(
                patch.name.clone(),
                vec![patch.hash.clone(), now.date.clone(), now.commit.clone(), said],
            );
            // At once: a run takes hours, and may be cut short.
            record::write("defences", count, &record::DEFENCES, &rows)?;
        }
    }
    Ok(count)
}

/// Prints the whole of it, and returns what a table can hold.
fn in_a_line(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    println!("{text}");
    text.lines().next().unwrap_or_default().replace(['|', '`'], " ")
}

/// The tests that fail because the defence is gone.
fn red(tree: &Tree, patch: &Patch, whole: &Outcome) -> Result<Vec<String>> {
    if let Some(test) = whole.red.iter().find(|test| carries(test, &patch.id)) {
        bail!("{test} fails without the patch");
    }
    tree.without(patch, || {
        // One red test is enough, and tests that replay a walk take minutes.
        let first = tests(tree, &patch.crates, &filter([patch.id.as_str()]), &["--max-fail", "1:immediate"])?;
        ensure!(first.count != Count::default(), "no test of {} carries the number", patch.crates.join(", "));
        ensure!(!first.red.is_empty(), "all {} tests pass all the same", first.count.passed);
        let again = tests(tree, &patch.crates, &named(&first.red), &["--no-fail-fast"])?;
        let red: Vec<String> = first.red.iter().filter(|test| again.red.contains(test)).cloned().collect();
        ensure!(!red.is_empty(), "what failed passed when it was run again: {}", first.red.join(" "));
        Ok(red)
    })
}

fn carries(test: &str, id: &str) -> bool {
    test.rsplit("::").next().is_some_and(|name| ids_of(name).any(|carried| carried == id))
}

/// Runs the tests of `crates` that `filter` lets through.
fn tests(tree: &Tree, crates: &[String], filter: &str, more: &[&str]) -> Result<Outcome> {
    let mut arguments = vec!["--profile", "long", "--no-tests", "pass", "--final-status-level", "none"];
    arguments.extend(["--failure-output", "never", "--filterset", filter]);
    arguments.extend(more);
    for name in crates {
        arguments.extend(["--package", name]);
    }
    let mut said = Vec::new();
    match nextest::run(&mut tree.cargo(), &arguments, |line| said.push(line.to_owned())) {
        Ok(outcome) if outcome.red.len() as u64 == outcome.count.failed => Ok(outcome),
        Ok(outcome) => {
            bail!("{} tests failed, but these have names: {:?}", outcome.count.failed, outcome.red)
        }
        Err(error) => Err(error.context(format!("it does not compile\n{}", said.join("\n")))),
    }
}

/// The expression of cargo-nextest for tests whose names begin with one of these numbers, or with several of which one
/// is among these.
fn filter<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    let ids: Vec<String> = ids.into_iter().map(str::to_lowercase).collect();
    format!("test(/(^|::)([at][0-9]+_)*({})_/)", ids.join("|"))
}

/// The expression for these tests, each written `crate::test`.
fn named(tests: &[String]) -> String {
    let names: Vec<&str> = tests.iter().filter_map(|test| test.rsplit("::").next()).collect();
    format!("test(/(^|::)({})$/)", names.join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_chosen_by_the_numbers_they_carry() {
        assert_eq!(filter(["A04", "T8"]), "test(/(^|::)([at][0-9]+_)*(a04|t8)_/)");
        assert_eq!(named(&["policyd::a04_x".into(), "store::a05_y".into()]), "test(/(^|::)(a04_x|a05_y)$/)");
        assert!(carries("policyd::a04_a06_x", "A06") && carries("policyd::a04_a06_x", "A04"));
        assert!(!carries("policyd::a04_a06_x", "A16") && !carries("policyd::x", "A04"));
    }

    /// That the long lane has not run is no failure; that a patch no longer fits the sources is.
    #[test]
    fn every_defence_can_still_be_taken_away() {
        let root = crate::paths::root();
        let lines = crate::coverage::lines().unwrap();
        for patch in patch::all().unwrap() {
            let name = &patch.name;
            let line = lines.iter().find(|line| line.id == patch.id);
            let line = line.unwrap_or_else(|| panic!("{name} is about no line of the list"));
            for member in patch.crates.iter().map(|name| name.strip_prefix("nestling-").unwrap_or(name)) {
                let of_it = format!("{member}::");
                assert!(
                    line.tests.iter().any(|test| test.starts_with(&of_it)),
                    "{name}: no test in {member}"
                );
            }
            for (file, text) in patch.applied_to(&root).unwrap_or_else(|error| panic!("{name}: {error:#}")) {
                assert!(!file.contains("tests"), "{name} changes tests");
                assert_ne!(text, std::fs::read_to_string(root.join(file)).unwrap(), "{name} changes nothing");
            }
        }
    }
}
