//! What the long lane saw, `docs/long-lane.md`: a section for each step, with a table whose first column says what the
//! row is about. A step that runs for a part of its rows keeps the others.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::thread;

use anyhow::{Context, Result};

use super::patch::Patch;
use crate::paths;
use crate::process;
use crate::testing::Count;

/// The titles of the table of `defences`.
pub(super) const DEFENCES: [&str; 5] = ["patch", "hash", "date", "commit", "tests that failed"];

/// A table by its first column.
pub(super) type Rows = BTreeMap<String, Vec<String>>;

/// The whole document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record(String);

impl Record {
    /// Reads it.
    ///
    /// # Errors
    /// It is not there.
    pub(crate) fn load() -> Result<Self> {
        let path = paths::root().join("docs/long-lane.md");
        Ok(Self(fs::read_to_string(&path).with_context(|| path.display().to_string())?))
    }

    /// Whether tests failed when this very patch was applied.
    pub(crate) fn saw_red(&self, patch: &Patch) -> bool {
        let rows = self.rows("defences");
        let Some([hash, _, _, tests]) = rows.get(&patch.name).map(Vec::as_slice) else { return false };
        *hash == patch.hash && tests.starts_with('`')
    }

    /// The table in the section of `step`.
    pub(super) fn rows(&self, step: &str) -> Rows {
        let lines = self.section(step).lines().filter(|line| line.starts_with('|'));
        lines.skip(2).filter_map(row).collect()
    }

    fn section(&self, step: &str) -> &str {
        let rest = self.0.split_once(&format!("\n## {step}\n")).map_or("", |(_, rest)| rest);
        rest.split("\n## ").next().unwrap_or_default()
    }

    /// Puts a section in the place of what the step wrote last, or at the end.
    fn set(&mut self, step: &str, text: &str) {
        let head = format!("\n## {step}\n");
        let old = format!("{head}{}", self.section(step));
        let new = format!("{head}\n{text}");
        if self.0.contains(&head) {
            self.0 = self.0.replacen(&old, &new, 1);
        } else {
            self.0 = format!("{}\n{new}", self.0.trim_end());
        }
    }
}

/// Writes what `step` saw: when, where, how much of it, and a table.
///
/// # Errors
/// The document cannot be read or written.
pub(super) fn write(step: &str, count: Count, titles: &[&str], rows: &Rows) -> Result<()> {
    let mut record = Record::load()?;
    let now = Now::ask()?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut text = format!(
        "Last run on {} at commit {}, on {cores} cores: {} passed, {} failed.\n\n",
        now.date, now.commit, count.passed, count.failed
    );
    let _ = writeln!(text, "| {} |\n|{}", titles.join(" | "), "---|".repeat(titles.len()));
    for (first, others) in rows {
        let _ = writeln!(text, "| {first} | {} |", others.join(" | "));
    }
    record.set(step, &text);
    fs::write(paths::root().join("docs/long-lane.md"), record.0)?;
    Ok(())
}

fn row(line: &str) -> Option<(String, Vec<String>)> {
    let mut cells = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(|cell| cell.trim().to_owned());
    Some((cells.next()?, cells.collect()))
}

/// When and of what.
#[derive(Debug, Clone)]
pub(super) struct Now {
    /// `2026-11-25`.
    pub(super) date: String,
    /// Short; a `+` after it says that the sources were not as committed.
    pub(super) commit: String,
}

impl Now {
    /// Asks git and the clock.
    pub(super) fn ask() -> Result<Self> {
        let ask = |program: &str, arguments: &[&str]| {
            let mut command = std::process::Command::new(program);
            process::text(command.args(arguments).current_dir(paths::root()))
                .map(|text| text.trim().to_owned())
        };
        let date = ask("date", &["--utc", "+%F"])?;
        let commit = ask("git", &["rev-parse", "--short=10", "HEAD"])?;
        let changed = ask("git", &["status", "--porcelain", "--", ".", ":!docs/long-lane.md"])?;
        Ok(Self { date, commit: commit + if changed.is_empty() { "" } else { "+" } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# The long lane\n\nWords.\n\n## defences\n\nLast run.\n\n\
        | patch | hash | date | commit | tests that failed |\n|---|---|---|---|---|\n\
        | A17 | 0011223344556677 | 2026-11-25 | abc | `orders::a17_x` |\n\
        | A18-main | 0011223344556677 | 2026-11-25 | abc | all 3 tests pass all the same |\n\n\
        ## fuzz\n\n| target |\n|---|\n| gpsd |\n";

    fn patch(name: &str, hash: &str) -> Patch {
        let id = name.split('-').next().unwrap();
        let text = format!("# {id}: x\n# crates: orders\n+++ b/a\n@@ -1 +1 @@\n-a\n+b\n");
        let mut patch = Patch::parse(name, &text).unwrap();
        hash.clone_into(&mut patch.hash);
        patch
    }

    #[test]
    fn only_a_patch_that_was_seen_red_as_it_is_counts() {
        let record = Record(TEXT.to_owned());
        assert!(record.saw_red(&patch("A17", "0011223344556677")));
        assert!(!record.saw_red(&patch("A17", "0011223344556678")));
        assert!(!record.saw_red(&patch("A18-main", "0011223344556677")));
        assert!(!record.saw_red(&patch("A19", "0011223344556677")));
    }

    #[test]
    fn a_section_takes_its_own_place_and_leaves_the_others() {
        let mut record = Record(TEXT.to_owned());
        assert_eq!(record.rows("fuzz").keys().collect::<Vec<_>>(), ["gpsd"]);
        record.set("defences", "new\n");
        record.set("mutants", "newer\n");
        assert!(record.rows("defences").is_empty());
        assert_eq!(
            record.0,
            "# The long lane\n\nWords.\n\n## defences\n\nnew\n\n## fuzz\n\n| target |\n|---|\n| gpsd |\n\n\
             ## mutants\n\nnewer\n"
        );
    }
}
