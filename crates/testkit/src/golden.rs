//! Texts that are kept in the repository so that a change of them is a readable difference: `NESTLING_BLESS=1`
//! writes them anew, and the reviewer reads what changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Ends the test unless `file` holds `text`.
///
/// # Panics
/// It does not, or cannot be written when it is to be.
pub fn kept(file: impl AsRef<Path>, text: &str) {
    let file = file.as_ref();
    if std::env::var_os("NESTLING_BLESS").is_some() {
        if let Err(error) = fs::write(file, text) {
            panic!("{}: {error}", file.display());
        }
        return;
    }
    let kept = fs::read_to_string(file).unwrap_or_default();
    assert!(
        kept == text,
        "{} is otherwise; look at it, and if it is meant: NESTLING_BLESS=1\n{}",
        file.display(),
        difference(&kept, text)
    );
}

/// Ends the test unless `interface`, cut out of an object's introspection, is the one in `crates/ipc/golden`.
///
/// # Panics
/// As [`kept`], or the object has no such interface.
pub fn interface(introspection: &str, interface: &str) {
    let start = format!("  <interface name=\"{interface}\">");
    let found = introspection.find(&start).and_then(|start| {
        let rest = introspection.get(start..)?;
        let end = rest.find("</interface>")? + "</interface>\n".len();
        rest.get(..end)
    });
    let Some(text) = found else { panic!("no {interface} in {introspection}") };
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../ipc/golden");
    kept(folder.join(format!("{interface}.xml")), text);
}

/// The lines that are in one of two texts alone.
fn difference(old: &str, new: &str) -> String {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (was, is) = (lines(old), lines(new));
    let gone = was.difference(&is).map(|line| format!("- {line}\n"));
    let come = is.difference(&was).map(|line| format!("+ {line}\n"));
    gone.chain(come).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_lines_that_went_and_came() {
        assert_eq!(difference("a\nb\n", "b\nc\n"), "- a\n+ c\n");
    }

    #[test]
    #[should_panic(expected = "no org.example.Absent")]
    fn an_interface_that_is_not_there_ends_the_test() {
        interface("<node></node>", "org.example.Absent");
    }
}
