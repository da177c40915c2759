//! cargo-nextest, and what it says of itself.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::Count;

/// What a run of tests came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) count: Count,
    /// `crate::test` of each test that did not pass.
    pub(crate) red: Vec<String>,
}

/// Words before a test's name that are no verdict, or a good one.
const NOT_RED: [&str; 6] = ["PASS", "SLOW", "LEAK", "SKIP", "TRMNTG", "TERMINATING"];

/// Runs `cargo nextest run` with `arguments`; `cargo` says where. Every line is handed to `hear`.
///
/// # Errors
/// It ended before the tests did, for instance because something does not compile.
pub(crate) fn run(cargo: &mut Command, arguments: &[&str], mut hear: impl FnMut(&str)) -> Result<Outcome> {
    let mut child = cargo
        .args(["nextest", "run", "--release", "--cargo-quiet"])
        .args(["--status-level", "fail"])
        .args(arguments)
        .env("CARGO_TERM_COLOR", "never")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start cargo nextest")?;
    let (mut count, mut red) = (None, Vec::new());
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines() {
            let line = line?;
            hear(&line);
            if count.is_none() {
                count = summary(&line);
                red.extend(red_test(&line));
            }
        }
    }
    let status = child.wait()?;
    match count {
        Some(count) if status.success() == (count.failed == 0) => Ok(Outcome { count, red }),
        _ => bail!("cargo nextest ended without a count: {status}"),
    }
}

/// Reads `Summary [ 0.3s] 22 tests run: 20 passed (1 slow), 1 failed, 1 timed out, 3 skipped`.
fn summary(line: &str) -> Option<Count> {
    let (_, counts) = line.trim_start().strip_prefix("Summary")?.split_once("run: ")?;
    let mut count = Count::default();
    for part in counts.split(", ") {
        let number: u64 = part.split(' ').next()?.parse().ok()?;
        match part.split(' ').nth(1)? {
            "passed" => count.passed += number,
            "skipped" => {}
            _ => count.failed += number,
        }
    }
    Some(count)
}

/// Reads `FAIL [ 0.1s] (3/4) nestling-policyd::office tests::a17_x` as `policyd::a17_x`.
fn red_test(line: &str) -> Option<String> {
    let (verdict, rest) = line.trim_start().split_once(" [")?;
    if verdict.contains(|c: char| c.is_ascii_lowercase()) || NOT_RED.contains(&verdict) {
        return None;
    }
    let (_, rest) = rest.split_once("] ")?;
    let rest = rest.split_once(") ").map_or(rest, |(_, rest)| rest);
    let mut words = rest.split_whitespace();
    let (binary, test, None) = (words.next()?, words.next()?, words.next()) else { return None };
    let member = binary.split("::").next()?;
    let member = member.strip_prefix("nestling-").unwrap_or(member);
    Some(format!("{member}::{}", test.rsplit("::").next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_nextest_is_read() {
        let line =
            "     Summary [   0.388s] 21 tests run: 18 passed (1 slow), 2 failed, 1 timed out, 4 skipped";
        assert_eq!(summary(line), Some(Count { passed: 18, failed: 3 }));
        assert_eq!(
            summary("     Summary [ 1s] 1 test run: 1 passed, 0 skipped"),
            Some(Count { passed: 1, failed: 0 })
        );
        assert_eq!(summary("PASS [ 1s] x"), None);
    }

    #[test]
    fn whatever_is_no_pass_is_a_red_test_by_its_crate_and_name() {
        let policyd = "        FAIL [   0.119s] (3/4) nestling-policyd::office signed::a17_no_code";
        assert_eq!(red_test(policyd).as_deref(), Some("policyd::a17_no_code"));
        for (line, name) in [
            ("     TIMEOUT [  60.119s] ( 3/14) store tests::a43_x", Some("store::a43_x")),
            ("     SIGABRT [   0.119s] (1/1) sandbox::escape a37_x", Some("sandbox::a37_x")),
            ("        PASS [   0.119s] (3/4) lifeline tests::a09_x", None),
            ("        SLOW [> 60.000s] (───) lifeline tests::a09_x", None),
            ("  thread 'main' panicked at [1] (2) a b", None),
            (" Nextest run ID 53391c47 with nextest profile: default", None),
        ] {
            assert_eq!(red_test(line).as_deref(), name, "{line}");
        }
    }
}
