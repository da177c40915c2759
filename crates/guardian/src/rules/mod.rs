//! `policy.toml`: the family's rules as people write them, read into a policy and written without losing a comment.
//!
//! **Invariants:** whatever is wrong is named with its line and column; what is read is valid, and is the same when it
//! is written and read again; a text without changes is written byte for byte as it was.

mod blame;
mod merge;
mod shape;

use std::fmt;
use std::ops::Range;

use policy::{Policy, PolicyError};
use serde::Deserialize as _;
use toml_edit::de::Deserializer;
use toml_edit::{Document, DocumentMut};

use shape::Family;

/// Longest file that is read, bytes.
pub const MAX: usize = 256 * 1024;

/// Something wrong in a text: where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub text: String,
    /// The line itself.
    excerpt: String,
}

impl Problem {
    /// Finds the line; without a place it is the first.
    fn at(source: &str, span: Option<Range<usize>>, text: &str) -> Self {
        let start = span.map_or(0, |span| span.start);
        let before = source.get(..start).unwrap_or(source);
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let excerpt = source.lines().nth(line).unwrap_or_default().to_owned();
        Self { line: line + 1, column, text: text.to_owned(), excerpt }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, text, excerpt } = self;
        write!(f, "{line}:{column}: {text}")?;
        if excerpt.trim().is_empty() {
            return Ok(());
        }
        write!(f, "\n{line:>5} | {excerpt}\n      | {:>column$}", '^')
    }
}

/// Reads rules and looks whether they are valid.
///
/// # Errors
/// The first thing that is wrong.
pub fn read(source: &str) -> Result<Policy, Problem> {
    if source.len() > MAX {
        return Err(Problem::at("", None, &format!("the file has more than {MAX} bytes")));
    }
    let document =
        Document::parse(source).map_err(|error| Problem::at(source, error.span(), error.message()))?;
    let family = Family::deserialize(Deserializer::from(document.clone()))
        .map_err(|error| Problem::at(source, error.span(), in_words(error.message())))?;
    let policy = family.into_policy().map_err(|wrong| {
        let span = place(&document, wrong.list, wrong.entry, wrong.key);
        Problem::at(source, span, wrong.text)
    })?;
    policy.validate().map_err(|error| {
        let place = blame::entry(&policy, &error)
            .and_then(|(list, entry)| place(&document, list, entry, blame::key(&error)));
        Problem::at(source, place, &error.to_string())
    })?;
    Ok(policy)
}

/// Writes rules: into `old`, where there is one, keeping its comments and whatever stays as it is.
///
/// # Errors
/// The rules have an end in the year 9999, which no date of TOML can say everywhere.
pub fn write(policy: &Policy, old: Option<&str>) -> Result<String, PolicyError> {
    if let Some(old) = old.filter(|old| read(old).is_ok_and(|read| read == *policy)) {
        return Ok(old.to_owned());
    }
    let far = || {
        let last = policy.apps.iter().max_by_key(|grant| grant.until);
        PolicyError::Until { app: last.map(|grant| grant.app.clone()).unwrap_or_default() }
    };
    let now = Family::of_policy(policy).and_then(|family| merge::document(&family)).ok_or_else(far)?;
    let was = old.and_then(|old| {
        let meant = toml_edit::de::from_str::<Family>(old).ok()?.into_policy().ok()?;
        Some((old.parse::<DocumentMut>().ok()?, merge::document(&Family::of_policy(&meant)?)?))
    });
    Ok(match was {
        Some((mut text, was)) => {
            merge::update(&mut text, &was, &now);
            text.to_string()
        }
        None => now.to_string(),
    })
}

/// Where an entry of a list stands, or one key of it.
fn place(document: &Document<&str>, list: &str, entry: usize, key: &str) -> Option<Range<usize>> {
    let list = document.as_item().get(list)?;
    let entry = list.get(entry).unwrap_or(list);
    entry.get(key).and_then(toml_edit::Item::span).or_else(|| entry.span())
}

/// serde speaks of types.
fn in_words(message: &str) -> &str {
    if message.starts_with("invalid type: map") {
        "a time of the day, and a text, stand in quotes, such as \"08:00\""
    } else if message.starts_with("invalid type: string") && message.ends_with("expected a TOML datetime") {
        "an end stands without quotes, such as 2026-12-24T18:00"
    } else {
        message
    }
}
