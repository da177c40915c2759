//! What one connection says: its lines cut, read and counted.

use super::lines::Lines;
use super::report::parse_line;
use crate::core::Fix;

/// What has come over a connection so far. Its `Debug` is for the journal: counts alone.
#[derive(Default)]
pub struct Reading {
    lines: Lines,
    reports: u64,
    fixes: u64,
    refused: u64,
}

impl Reading {
    /// Takes the next bytes and brings every fix that ends in them.
    pub fn feed(&mut self, bytes: &[u8], mut bring: impl FnMut(Fix)) {
        let Self { lines, reports, fixes, refused } = self;
        lines.feed(bytes, |line| match parse_line(line) {
            Ok(fix) => {
                *reports += 1;
                if let Some(fix) = fix {
                    *fixes += 1;
                    bring(fix);
                }
            }
            Err(error) => {
                // Once for each connection: a liar must not fill the journal.
                if *refused == 0 {
                    tracing::warn!(%error, "gpsd says what it should not; the rest is only counted");
                }
                *refused += 1;
            }
        });
    }

    /// Reports of gpsd's that were what they should be, with a fix or without.
    pub fn reports(&self) -> u64 {
        self.reports
    }

    /// Fixes among them.
    pub fn fixes(&self) -> u64 {
        self.fixes
    }
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let refused = self.refused + self.lines.skipped();
        f.debug_struct("Reading")
            .field("fixes", &self.fixes)
            .field("refused", &refused)
            .finish_non_exhaustive()
    }
}
