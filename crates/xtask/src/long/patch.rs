//! A patch of `tests/defences/`: two lines that say what it takes away and whose tests must notice, then a unified diff.
//!
//! **Invariant:** a patch is applied by its text alone. The lines a hunk expects stand in the file exactly once, or the
//! patch does not apply; line numbers are not looked at. So a patch survives edits elsewhere and never lands where it
//! was not meant to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::paths;

/// A defence, and how it is taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Patch {
    /// The file's name without its ending: `A17`, or `A17-code` where a line has several defences.
    pub(crate) name: String,
    /// The line of the threat list.
    pub(crate) id: String,
    /// What is taken away, in words.
    pub(crate) what: String,
    /// The packages whose tests are run.
    pub(crate) crates: Vec<String>,
    /// The first half of the SHA-256 of the file, in hexadecimal: a patch that was changed was not seen red.
    pub(crate) hash: String,
    files: BTreeMap<String, Vec<Hunk>>,
}

/// Neighbouring lines of a file, as they are and as they become.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Hunk {
    old: Vec<String>,
    new: Vec<String>,
}

/// All patches, by name.
///
/// # Errors
/// One of them is not as it should be.
pub(crate) fn all() -> Result<Vec<Patch>> {
    let folder = paths::root().join("tests/defences");
    let mut patches = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "patch") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let read =
                fs::read_to_string(&path).map_err(Into::into).and_then(|text| Patch::parse(&name, &text));
            patches.push(read.with_context(|| path.display().to_string())?);
        }
    }
    patches.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(patches)
}

impl Patch {
    /// Reads the file `name`.patch.
    ///
    /// # Errors
    /// The head is not two lines as the README of the folder has them, or the rest is no unified diff.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self> {
        let id = name.split('-').next().unwrap_or_default().to_owned();
        let mut lines = text.lines();
        let what = lines.next().and_then(|line| line.strip_prefix(&format!("# {id}: ")));
        let crates = lines.next().and_then(|line| line.strip_prefix("# crates: "));
        let (Some(what), Some(crates)) = (what, crates) else {
            bail!("the first lines are not `# {id}: what is taken away` and `# crates: names`");
        };
        let crates: Vec<String> = crates.split_whitespace().map(str::to_owned).collect();
        ensure!(!crates.is_empty(), "no crate is named");
        let hash = Sha256::digest(text).iter().take(8).fold(String::new(), |mut hash, byte| {
            let _ = write!(hash, "{byte:02x}");
            hash
        });
        let (name, what) = (name.to_owned(), what.to_owned());
        Ok(Self { name, id, what, crates, hash, files: files(lines)? })
    }

    /// The files it changes, with how they read without the defence. Nothing is written.
    ///
    /// # Errors
    /// It does not apply to the sources in `root`.
    pub(crate) fn applied_to(&self, root: &Path) -> Result<Vec<(&str, String)>> {
        let mut changed = Vec::new();
        for (file, hunks) in &self.files {
            let mut text = fs::read_to_string(root.join(file)).with_context(|| file.clone())?;
            for hunk in hunks {
                text =
                    hunk.applied_to(&text).with_context(|| format!("{file} does not have it as expected"))?;
            }
            changed.push((file.as_str(), text));
        }
        Ok(changed)
    }
}

impl Hunk {
    fn applied_to(&self, text: &str) -> Result<String> {
        let lines: Vec<&str> = text.split('\n').collect();
        let mut places = lines.windows(self.old.len()).enumerate().filter(|(_, window)| *window == self.old);
        let (Some((at, _)), second) = (places.next(), places.next()) else {
            bail!("not there:\n{}", self.old.join("\n"));
        };
        ensure!(second.is_none(), "there more than once, add lines around it:\n{}", self.old.join("\n"));
        let (before, rest) = lines.split_at(at);
        let after = rest.get(self.old.len()..).unwrap_or_default();
        let new = self.new.iter().map(String::as_str);
        Ok(before.iter().copied().chain(new).chain(after.iter().copied()).collect::<Vec<_>>().join("\n"))
    }
}

/// Reads the diff: `--- a/…`, `+++ b/…`, then hunks. What git writes between (`diff`, `index`) is passed over.
fn files<'a>(lines: impl Iterator<Item = &'a str>) -> Result<BTreeMap<String, Vec<Hunk>>> {
    let mut files: BTreeMap<String, Vec<Hunk>> = BTreeMap::new();
    let mut file = None;
    // Lines of the hunk that are still to come, old and new.
    let (mut old, mut new) = (0, 0);
    for line in lines {
        if old + new == 0 {
            if let Some(name) = line.strip_prefix("+++ ") {
                file = Some(name.strip_prefix("b/").context("a file does not begin with b/")?.to_owned());
            } else if let Some(head) = line.strip_prefix("@@ -") {
                let file = file.clone().context("a hunk before a file")?;
                (old, new) = lengths(head).with_context(|| format!("{line} is no head of a hunk"))?;
                ensure!(old > 0, "{file}: a hunk without lines to find it by");
                files.entry(file).or_default().push(Hunk::default());
            }
            continue;
        }
        let hunk = file.as_ref().and_then(|file| files.get_mut(file)?.last_mut()).context("no hunk")?;
        let (sign, rest) = line.split_at_checked(1).unwrap_or((" ", ""));
        if sign != "+" {
            old = old.checked_sub(1).context("a hunk has too many lines")?;
            hunk.old.push(rest.to_owned());
        }
        if sign != "-" {
            new = new.checked_sub(1).context("a hunk has too many lines")?;
            hunk.new.push(rest.to_owned());
        }
        ensure!(matches!(sign, " " | "+" | "-"), "{line:?} is no line of a hunk");
    }
    ensure!(old + new == 0, "the last hunk has too few lines");
    ensure!(!files.is_empty(), "there is no diff");
    Ok(files)
}

/// Reads `12,3 +12,2 @@ fn context`: how many lines are old and new.
fn lengths(head: &str) -> Option<(usize, usize)> {
    let (ranges, _) = head.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let length = |range: &str| range.split_once(',').map_or(Some(1), |(_, length)| length.parse().ok());
    Some((length(old)?, length(new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# A17: the code\n# crates: orders nestling-policyd\n";
    const DIFF: &str = "diff --git a/src/a.rs b/src/a.rs\nindex 1..2 100644\n--- a/src/a.rs\n+++ b/src/a.rs\n\
                        @@ -2,3 +2,2 @@ fn a() {\n two\n-three\n four\n@@ -9 +8 @@\n-nine\n+9\n";

    fn parse(text: &str) -> Result<Patch> {
        Patch::parse("A17-code", text)
    }

    fn apply(text: &str) -> Result<String> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("src"))?;
        fs::write(folder.path().join("src/a.rs"), text)?;
        let patch = parse(&format!("{HEAD}{DIFF}"))?;
        let mut changed = patch.applied_to(folder.path())?;
        assert_eq!(changed.len(), 1);
        Ok(changed.remove(0).1)
    }

    #[test]
    fn the_head_says_what_and_whose_tests() {
        let patch = parse(&format!("{HEAD}{DIFF}")).unwrap();
        assert_eq!((patch.id.as_str(), patch.what.as_str()), ("A17", "the code"));
        assert_eq!(patch.crates, ["orders", "nestling-policyd"]);
        assert_eq!(patch.hash.len(), 16);
        assert_ne!(patch.hash, parse(&format!("{HEAD}{DIFF}\n")).unwrap().hash);
        for head in ["", "# A17: x\n", "# A18: x\n# crates: a\n", "# A17: x\n# crates: \n"] {
            assert!(parse(&format!("{head}{DIFF}")).is_err(), "{head}");
        }
    }

    #[test]
    fn a_diff_is_whole_or_refused() {
        for diff in [
            "",
            "@@ -1 +1 @@\n-a\n+b\n",
            "+++ b/a\n@@ -1,2 +1 @@\n-a\n+b\n",
            "+++ b/a\n@@ -1 +1 @@\n-a\n+b\n+c\n@@ -1 +1\n",
            "+++ b/a\n@@ -0,0 +1 @@\n+b\n",
            "+++ b/a\n@@ -1 +1 @@\n-a\n*b\n",
            "+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n",
        ] {
            assert!(parse(&format!("{HEAD}{diff}")).is_err(), "{diff}");
        }
    }

    #[test]
    fn a_hunk_finds_its_lines_wherever_they_stand() {
        let file = "new\nabove\ntwo\nthree\nfour\nnine\nend\n";
        assert_eq!(apply(file).unwrap(), "new\nabove\ntwo\nfour\n9\nend\n");
    }

    #[test]
    fn lines_that_are_gone_or_stand_twice_are_refused() {
        for file in ["two\nTHREE\nfour\nnine\n", "two\nthree\nfour\nnine\nnine\n", "two\nthree\nfour\n", ""] {
            assert!(apply(file).is_err(), "{file}");
        }
    }
}
