//! A scenario: what happens in the world and when, as a TOML file. `scenarios/` beside this crate has examples.
//!
//! ```toml
//! title = "A stranger calls while the line echoes"
//!
//! [[step]]
//! at = 0
//! do = "begin"
//! fault = "echo"
//!
//! [[step]]
//! at = 1.5
//! do = "call"
//! number = "+358405550666"
//! ```
//!
//! A step is a [`Command`] as the control socket knows it, and `at`, in seconds since the beginning.
//!
//! Invariants: what is read is wholly understood, and could be sent to a world as it is; steps are in the order of
//! their times; whatever is wrong is named with its line.

use std::time::Duration;

use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use thiserror::Error;
use toml_edit::{Document, Item, Table, Value};

use crate::control::Command;
use crate::modem;

/// The longest file, bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// The most steps.
pub const MAX_STEPS: usize = 1000;
/// The last step is within a day.
pub const LONGEST: Duration = Duration::from_hours(24);
const MAX_TITLE: usize = 120;

/// What happens and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What it is about.
    pub title: String,
    /// In the order of their times.
    pub steps: Vec<Step>,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Since the beginning.
    pub at: Duration,
    /// Where it is written, from 1.
    pub line: usize,
    /// What happens.
    pub command: Command,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {text}")]
pub struct ScenarioError {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub text: String,
}

impl Scenario {
    /// Reads a file.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(source: &str) -> Result<Self, ScenarioError> {
        let wrong = |span: Option<std::ops::Range<usize>>, text: String| {
            let before = source.get(..span.map_or(0, |span| span.start)).unwrap_or(source);
            ScenarioError { line: before.matches('\n').count() + 1, text }
        };
        if source.len() > MAX_BYTES {
            return Err(wrong(None, format!("the file has more than {MAX_BYTES} bytes")));
        }
        let document =
            Document::parse(source).map_err(|error| wrong(error.span(), error.message().to_owned()))?;
        if let Some((name, _)) = document.iter().find(|(name, _)| !matches!(*name, "title" | "step")) {
            let span = document.get_key_value(name).and_then(|(key, item)| key.span().or(item.span()));
            return Err(wrong(span, format!("{name:?} is not known here: a file has a title and steps")));
        }
        let title = document.get("title").and_then(Item::as_str).unwrap_or_default();
        if title.is_empty() || title.chars().count() > MAX_TITLE {
            let span = document.get("title").and_then(Item::span);
            return Err(wrong(span, format!("the title has between 1 and {MAX_TITLE} characters")));
        }
        let listed = document.get("step").and_then(Item::as_array_of_tables);
        let Some(listed) = listed.filter(|steps| steps.len() <= MAX_STEPS) else {
            let span = document.get("step").and_then(Item::span);
            return Err(wrong(span, format!("there are between 1 and {MAX_STEPS} of [[step]]")));
        };
        let mut steps: Vec<Step> = Vec::new();
        for table in listed {
            let at_line = |text| wrong(table.span(), text);
            let step = step(table).map_err(at_line)?;
            if steps.last().is_some_and(|last| last.at > step.at) {
                return Err(wrong(
                    table.get("at").and_then(Item::span),
                    "this is before the step above".into(),
                ));
            }
            steps.push(Step { line: at_line(String::new()).line, ..step });
        }
        faults_pair(&steps)?;
        Ok(Self { title: title.to_owned(), steps })
    }

    /// Plays it: waits until a step's time has come and tells it. `wait` is given how long, from the step before.
    ///
    /// # Errors
    /// Those of `tell`; what comes after is not played.
    pub fn play<E>(
        &self,
        mut wait: impl FnMut(Duration),
        mut tell: impl FnMut(&Step) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut now = Duration::ZERO;
        for step in &self.steps {
            wait(step.at.saturating_sub(now));
            now = step.at;
            tell(step)?;
        }
        Ok(())
    }
}

fn step(table: &Table) -> Result<Step, String> {
    let mut table = table.clone();
    let at = table.remove("at").and_then(|at| at.as_float().or_else(|| at.as_integer().map(|at| at as f64)));
    let at = at.and_then(|at| Duration::try_from_secs_f64(at).ok()).filter(|at| *at <= LONGEST);
    let at =
        at.ok_or_else(|| format!("`at` is seconds since the beginning, at most {}", LONGEST.as_secs()))?;
    let table = Value::InlineTable(table.into_inline_table());
    let command =
        Command::deserialize(table.into_deserializer()).map_err(|error| error.message().to_owned())?;
    check(&command)?;
    Ok(Step { at, line: 0, command })
}

/// What a world would refuse for what it is, whatever happened before.
fn check(command: &Command) -> Result<(), String> {
    match command {
        Command::Call { number: Some(number) } | Command::HangUp { number: Some(number) } => {
            modem::dialable(number).map_err(|error| error.to_string())
        }
        Command::Sms { number, text } => modem::sendable(number, text).map_err(|error| error.to_string()),
        Command::Begin { fault } => fault.check().map_err(|error| error.to_string()),
        Command::Status | Command::Events { .. } => Err("a question is not a thing that happens".into()),
        _ => Ok(()),
    }
}

/// A fault that ends has begun, and begins once.
fn faults_pair(steps: &[Step]) -> Result<(), ScenarioError> {
    let mut on: Vec<&str> = Vec::new();
    for Step { line, command, .. } in steps {
        let wrong = |text| Err(ScenarioError { line: *line, text });
        match command {
            Command::Begin { fault } if on.contains(&fault.name()) => {
                return wrong(format!("{} is on already", fault.name()));
            }
            Command::Begin { fault } => on.push(fault.name()),
            Command::End { fault: Some(name) } if !on.contains(&name.as_str()) => {
                return wrong(format!("no fault {name:?} is on"));
            }
            Command::End { fault: Some(name) } => on.retain(|other| other != name),
            Command::End { fault: None } => on.clear(),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fault;
    use proptest::prelude::*;

    const GOOD: &str = "# A comment\ntitle = \"x\"\n\n[[step]]\nat = 0\ndo = \"begin\"\nfault = { delayed = { ms = 20 } }\n\n\
        [[step]]\nat = 1.5\ndo = \"call\"\nnumber = \"+358405550001\"\n\n[[step]]\nat = 1.5\ndo = \"end\"\n";

    #[test]
    fn a_file_is_read_and_played_in_its_order() {
        let scenario = Scenario::parse(GOOD).unwrap();
        let mut played = Vec::new();
        let mut waited = Duration::ZERO;
        let told = scenario.play(
            |pause| waited += pause,
            |step| {
                played.push(step.command.clone());
                Ok::<_, ()>(())
            },
        );
        assert_eq!((told, waited), (Ok(()), Duration::from_millis(1500)));
        let call = Command::Call { number: Some("+358405550001".into()) };
        let begin = Command::Begin { fault: Fault::Delayed { ms: 20 } };
        assert_eq!(played, [begin, call, Command::End { fault: None }]);
        assert_eq!(scenario.steps.iter().map(|step| step.line).collect::<Vec<_>>(), [4, 9, 14]);
    }

    #[test]
    fn whatever_is_wrong_is_named_with_its_line() {
        for (change, with, line, text) in [
            ("title = \"x\"", "title = \"\"", 2, "title"),
            ("title = \"x\"", "", 1, "title"),
            ("title = \"x\"", "title = \"x\"\nlevel = 3", 3, "\"level\""),
            ("at = 1.5\ndo = \"call\"", "at = -1\ndo = \"call\"", 9, "`at`"),
            ("at = 1.5\ndo = \"call\"", "at = nan\ndo = \"call\"", 9, "`at`"),
            ("at = 1.5\ndo = \"call\"", "at = 86401\ndo = \"call\"", 9, "`at`"),
            ("at = 1.5\ndo = \"call\"", "do = \"call\"", 9, "`at`"),
            ("at = 1.5\ndo = \"end\"", "at = 1\ndo = \"end\"", 15, "before"),
            ("do = \"call\"", "do = \"like\"", 9, "like"),
            ("do = \"end\"", "do = \"status\"", 14, "question"),
            ("do = \"end\"", "do = \"end\"\nfault = \"hung\"", 14, "hung"),
            ("do = \"end\"", "do = \"answer\"\nnumber = \"1\"", 14, "number"),
            ("do = \"end\"", "do = \"begin\"\nfault = { delayed = { ms = 1 } }", 14, "already"),
            ("number", "numer", 9, "numer"),
            ("+358405550001", "Mum", 9, "not a number"),
            ("ms = 20", "ms = 0", 4, "ms is"),
            ("ms = 20", "ms = 20, x = 1", 4, "x"),
            ("[[step]]\nat = 0", "[[step]\nat = 0", 4, ""),
        ] {
            assert!(GOOD.contains(change), "{change}");
            let error = Scenario::parse(&GOOD.replacen(change, with, 1)).expect_err(with);
            assert_eq!((error.line, error.text.contains(text)), (line, true), "{with}: {error}");
        }
    }

    #[test]
    fn a_file_has_its_bounds() {
        let long = format!("{GOOD}#{}", "x".repeat(MAX_BYTES));
        assert!(Scenario::parse(&long).unwrap_err().text.contains("bytes"));
        let step = "[[step]]\nat=0\ndo=\"end\"\n";
        let many = |count| format!("title = \"x\"\n{}", step.repeat(count));
        assert!(Scenario::parse(&many(MAX_STEPS)).is_ok());
        assert!(Scenario::parse(&many(MAX_STEPS + 1)).is_err());
        assert!(Scenario::parse(&many(0)).is_err());
        let deep = format!("{GOOD}way = {}{}", "[".repeat(5000), "]".repeat(5000));
        assert!(Scenario::parse(&deep).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}|(title = \"x\"\n)?(\\[\\[step\\]\\]\n(at|do|fault|number) = [\\PC]{0,20}\n){0,5}") {
            let _ = Scenario::parse(&text);
        }
    }
}
