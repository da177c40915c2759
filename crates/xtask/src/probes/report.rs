//! What the machine says, counted: `probe: begin NAME`, lines of a test program, `probe: end NAME: HOW`, and at last
//! `probe: finished`.

use super::Tally;

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    tally: Tally,
    /// The program that runs, and whether it gave a result.
    running: Option<(String, bool)>,
    finished: bool,
    /// In words, what went wrong beside the tests themselves.
    pub(super) wrong: Vec<String>,
}

impl Report {
    /// Reads a line.
    pub(super) fn read(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("probe: begin ") {
            self.running = Some((name.to_owned(), false));
        } else if let Some(end) = line.strip_prefix("probe: end ") {
            self.end(end);
        } else if line == "probe: finished" {
            self.finished = true;
        } else if let Some((passed, failed)) = result(line)
            && let Some((_, has_result)) = &mut self.running
        {
            *has_result = true;
            self.tally.passed += passed;
            self.tally.failed += failed;
        }
    }

    fn end(&mut self, end: &str) {
        // 101 is a test program that had a failure, which its result counted.
        let fine = end.ends_with(": exit 0") || end.ends_with(": exit 101");
        let has_result = self.running.take().is_some_and(|(_, has_result)| has_result);
        if !fine || !has_result {
            self.tally.failed += 1;
            self.wrong.push(end.to_owned());
        }
    }

    /// Whether the last line was read.
    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// The count, when nothing more comes.
    pub(super) fn tally(mut self) -> (Tally, Vec<String>) {
        if let Some((name, _)) = self.running.take() {
            self.tally.failed += 1;
            self.wrong.push(format!("{name}: the machine ended first"));
        }
        if !self.finished {
            self.tally.failed += 1;
            self.wrong.push("the machine did not finish".to_owned());
        }
        (self.tally, self.wrong)
    }
}

/// Reads `test result: ok. 22 passed; 0 failed; 0 ignored; …`. What is still ignored there was not tested.
fn result(line: &str) -> Option<(u64, u64)> {
    let counts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    let (mut passed, mut failed) = (None, None);
    for part in counts.split("; ") {
        let (number, what) = part.trim().split_once(' ')?;
        match what {
            "passed" => passed = number.parse().ok(),
            "failed" => failed = number.parse().ok(),
            _ => {}
        }
    }
    Some((passed?, failed?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &str =
        "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.36s";
    const BAD: &str =
        "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s";

    fn count(lines: &[&str]) -> (u64, u64) {
        let mut report = Report::default();
        for line in lines {
            report.read(line);
        }
        let (tally, _) = report.tally();
        (tally.passed, tally.failed)
    }

    #[test]
    fn results_are_added_up() {
        let lines = [
            "probe: begin a",
            "test x ... ok",
            OK,
            "probe: end a: exit 0",
            "probe: begin b",
            BAD,
            "probe: end b: exit 101",
            "probe: finished",
        ];
        assert_eq!(count(&lines), (5, 1));
    }

    #[test]
    fn a_program_without_a_result_and_a_machine_that_stops_are_failures() {
        assert_eq!(count(&["probe: begin a", "probe: end a: exit 0", "probe: finished"]), (0, 1));
        assert_eq!(count(&["probe: begin a", OK, "probe: end a: SIGKILL", "probe: finished"]), (2, 1));
        assert_eq!(count(&["probe: begin a", OK, "probe: end a: exit 0"]), (2, 1));
        assert_eq!(count(&["probe: begin a", OK]), (2, 2));
        assert_eq!(count(&[]), (0, 1));
    }

    #[test]
    fn a_result_outside_a_program_does_not_count() {
        assert_eq!(count(&[OK, "probe: finished"]), (0, 0));
        assert_eq!(result("test result: ok."), None);
    }
}
