//! `./nestling coverage`: every line of the threat list, the tests that carry its number, and its state.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::long::patch;
use crate::long::record::Record;
use crate::paths;

/// How far a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Patches take its defences away, and the long lane saw one of the line's tests fail for each.
    Proven,
    /// At least one test carries its number.
    Tested,
    /// Nothing yet.
    Open,
    /// Somebody else's part, such as the SoC's verified boot.
    NotOurs,
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// `A04`, `T8`.
    pub id: String,
    /// How far it is.
    pub state: State,
    /// `crate::file::test` of each test with its number.
    pub tests: Vec<String>,
}

/// Prints the table, or JSON.
///
/// # Errors
/// The list or the sources cannot be read.
pub fn run(json: bool) -> Result<()> {
    let lines = lines()?;
    if json {
        println!("{}", serde_json::to_string_pretty(&lines)?);
        return Ok(());
    }
    for line in &lines {
        let state = match line.state {
            State::Proven => "proven",
            State::Tested => "tested",
            State::Open => "open",
            State::NotOurs => "not ours",
        };
        println!("{:<4} {state:<9} {}", line.id, line.tests.join(" "));
    }
    let count = |state| lines.iter().filter(|line| line.state == state).count();
    println!(
        "\n{} proven, {} tested, {} open, {} not ours, of {}",
        count(State::Proven),
        count(State::Tested),
        count(State::Open),
        count(State::NotOurs),
        lines.len()
    );
    Ok(())
}

/// Reads list, tests and patches.
///
/// # Errors
/// Something cannot be read.
pub fn lines() -> Result<Vec<Line>> {
    let root = paths::root();
    let list = fs::read_to_string(root.join("docs/threats.md")).context("docs/threats.md")?;
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for folder in ["src", "tests"] {
        for member in fs::read_dir(root.join("crates"))? {
            let member = member?.path();
            let name = member.file_name().unwrap_or_default().to_string_lossy().into_owned();
            collect(&member.join(folder), &name, &mut tests)?;
        }
    }
    let (patches, record) = (patch::all()?, Record::load()?);
    let proven = |id: &str| {
        let mut patches = patches.iter().filter(|patch| patch.id == id).peekable();
        patches.peek().is_some() && patches.all(|patch| record.saw_red(patch))
    };
    let not_ours = after_heading(&list, "## Not ours");
    Ok(ids(&list)
        .map(|id| {
            let mut tests = tests.remove(&id).unwrap_or_default();
            tests.sort();
            let state = match (proven(&id), tests.is_empty()) {
                (true, false) => State::Proven,
                (_, false) => State::Tested,
                _ if not_ours.contains(&format!("- **{id}**")) => State::NotOurs,
                _ => State::Open,
            };
            Line { id, state, tests }
        })
        .collect())
}

fn after_heading<'a>(list: &'a str, heading: &str) -> &'a str {
    list.split_once(heading).map_or("", |(_, rest)| rest)
}

/// The ids in the order of the list: lines that begin `- **A01**`.
fn ids(list: &str) -> impl Iterator<Item = String> + '_ {
    let list = list.split_once("## Not ours").map_or(list, |(list, _)| list);
    list.lines().filter_map(|line| {
        let id = line.strip_prefix("- **")?.split_once("**")?.0;
        let (letter, number) = id.split_at_checked(1)?;
        (matches!(letter, "A" | "T") && number.parse::<u32>().is_ok()).then(|| id.to_owned())
    })
}

fn collect(folder: &Path, member: &str, tests: &mut BTreeMap<String, Vec<String>>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, member, tests)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)?;
            for name in text.lines().filter_map(test_name) {
                for id in ids_of(name) {
                    tests.entry(id).or_default().push(format!("{member}::{name}"));
                }
            }
        }
    }
    Ok(())
}

fn test_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split('(').next()
}

/// `a04_withheld…` is A04, `t8_…` is T8, `a04_a06_…` is both: the list writes attacks with two digits and requirements
/// without leading zeros.
pub(crate) fn ids_of(name: &str) -> impl Iterator<Item = String> {
    name.split('_').map_while(|word| {
        let (letter, number) = word.split_at_checked(1)?;
        let number: u32 = number.parse().ok()?;
        match letter {
            "a" => Some(format!("A{number:02}")),
            "t" => Some(format!("T{number}")),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_tests_are_ids_of_the_list() {
        let ids = |name| ids_of(name).collect::<Vec<_>>();
        assert_eq!(ids("a04_withheld_caller_never_rings"), ["A04"]);
        assert_eq!(ids("t8_sos"), ["T8"]);
        assert_eq!(ids("a04_a06_no_order_of_events"), ["A04", "A06"]);
        assert!(ids("answers").is_empty() && ids("a_guardian_is_never_turned_away").is_empty());
        assert_eq!(test_name("    async fn a06_x() {"), Some("a06_x"));
    }

    #[test]
    fn every_numbered_test_has_a_line_in_the_list() {
        let lines = lines().unwrap();
        assert!(lines.len() > 80, "the list has {} lines", lines.len());
        assert!(lines.iter().any(|line| line.id == "A04" && line.state != State::Open));
        let mut tests = BTreeMap::new();
        for member in fs::read_dir(paths::root().join("crates")).unwrap() {
            let member = member.unwrap().path();
            collect(&member.join("src"), "", &mut tests).unwrap();
            collect(&member.join("tests"), "", &mut tests).unwrap();
        }
        for (id, names) in tests {
            assert!(lines.iter().any(|line| line.id == id), "{names:?} carry {id}, which is not in the list");
        }
    }
}
