//! What was seen, in `docs/attack.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::deeds::Deed;
use crate::paths;

const HEAD: &str = "\
# The attack on a watch that is off

Written by `./nestling test long attack`; `./nestling test long attack policy` plays those whose file has this in its
path again. A technician has the storage of a bound watch and does to every file under `/var` what stands here; then the
watch is switched on, with its own TPM. It survives if its rules are those of the family's last order, or it is sealed;
a stranger, and an aunt whom that order removed, do not ring; nobody can enrol as its first guardian; 112 is dialled.
With another watch's storage whole, the attacker's list of guardians says who rings while it is sealed, as the design
allows, and nothing more. A deed that would change nothing is left out.

";
const TITLES: &str = "| what | is | the watch is | and | at commit |\n|---|---|---|---|---|\n";

/// The rows, in the order of the deeds.
#[derive(Debug)]
pub(super) struct Table {
    order: Vec<(String, &'static str)>,
    rows: BTreeMap<(String, String), String>,
}

impl Table {
    /// What was seen before, of deeds that there still are.
    pub(super) fn load(deeds: &[Deed]) -> Self {
        Self::parse(&fs::read_to_string(path()).unwrap_or_default(), deeds)
    }

    fn parse(text: &str, deeds: &[Deed]) -> Self {
        let order: Vec<_> = deeds.iter().map(|deed| (deed.whom.clone(), deed.what)).collect();
        let row = |line: &str| {
            let [_, whom, what, ..] = line.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
                return None;
            };
            let whom = whom.strip_prefix('`')?.strip_suffix('`')?;
            Some(((whom.to_owned(), what.to_owned()), line.to_owned()))
        };
        Self { order, rows: text.lines().filter_map(row).collect() }
    }

    pub(super) fn set(&mut self, deed: &Deed, state: &str, survived: bool, commit: &str) {
        let Deed { whom, what } = deed;
        let word = if survived { "survives" } else { "**fails**" };
        let row = format!("| `{whom}` | {what} | {state} | {word} | {commit} |");
        self.rows.insert((whom.clone(), (*what).to_owned()), row);
    }

    fn text(&self) -> String {
        let rows =
            self.order.iter().filter_map(|(whom, what)| self.rows.get(&(whom.clone(), (*what).to_owned())));
        let rows: Vec<_> = rows.collect();
        let mut text = format!("{HEAD}{} of {} deeds were seen.\n\n{TITLES}", rows.len(), self.order.len());
        for row in rows {
            let _ = writeln!(text, "{row}");
        }
        text
    }

    pub(super) fn write(&self) -> Result<()> {
        Ok(fs::write(path(), self.text())?)
    }
}

fn path() -> PathBuf {
    paths::root().join("docs/attack.md")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed(whom: &str, what: &'static str) -> Deed {
        Deed { whom: whom.to_owned(), what }
    }

    #[test]
    fn a_deed_seen_again_takes_the_place_of_its_row_and_one_that_is_gone_goes() {
        let mut table = Table::parse("", &[deed("/b", "edited"), deed("/a", "zeroed")]);
        table.set(&deed("/a", "zeroed"), "never up", false, "1");
        table.set(&deed("/b", "edited"), "bound", true, "1");
        let text = table.text();
        assert!(
            text.contains("2 of 2 deeds") && text.contains("| `/a` | zeroed | never up | **fails** | 1 |")
        );
        assert!(text.find("`/b`") < text.find("`/a`"), "in the order of the deeds");
        let mut table = Table::parse(&text, &[deed("/a", "zeroed"), deed("/a", "removed")]);
        table.set(&deed("/a", "zeroed"), "sealed", true, "2");
        let text = table.text();
        assert!(text.contains("1 of 2 deeds") && text.contains("| `/a` | zeroed | sealed | survives | 2 |"));
        assert!(!text.contains("/b"));
    }
}
