//! What one connection says: its lines cut, read and counted.

use super::lines::Lines;
use super::report::{LineError, parse_line};
use crate::core::Fix;

/// What has come over a connection so far. Its `Debug` is for the journal: counts alone.
#[derive(Default)]
pub struct Reading {
    lines: Lines,
    reports: u64,
    fixes: u64,
    refused: u64,
    first: Option<LineError>,
}

impl Reading {
    /// Takes the next bytes and brings every fix that ends in them.
    pub fn feed(&mut self, bytes: &[u8], mut bring: impl FnMut(Fix)) {
        let Self { lines, reports, fixes, refused, first } = self;
        lines.feed(bytes, |line| match parse_line(line) {
            Ok(fix) => {
                *reports += 1;
                if let Some(fix) = fix {
                    *fixes += 1;
                    bring(fix);
                }
            }
            Err(error) => {
                *refused += 1;
                first.get_or_insert(error);
            }
        });
    }

    /// Reports of gpsd's that were what they should be, with a fix or without.
    pub fn reports(&self) -> u64 {
        self.reports
    }

    /// Why the first line was refused that was not what it should be.
    pub fn refused(&self) -> Option<&LineError> {
        self.first.as_ref()
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
