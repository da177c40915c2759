//! How long ago a line of the diary was written, although the clock may have been lost since.
//!
//! **Invariants:** no age is less than zero; one that is [`Age::sure`] is what the clock says, and no line since is from the
//! future; another one is what the later lines say has passed at least.

/// The age of a line, seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// So long ago.
    pub seconds: i64,
    /// False: the clock was set back since, and it may be longer ago.
    pub sure: bool,
}

/// What a guardian did before this run of policyd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Who.
    pub guardian: String,
    /// What the clock said then, seconds since 1970.
    pub unix: i64,
    /// How long ago it was.
    pub age: Age,
}

/// Goes through the lines of the diary, from the newest one back.
#[derive(Debug)]
pub struct Back {
    now: i64,
    later: i64,
    passed: i64,
    sure: bool,
}

impl Back {
    /// Begins at this second since 1970.
    pub fn from(now: i64) -> Self {
        Self { now, later: now, passed: 0, sure: true }
    }

    /// The age of the next line, which was written at `unix`.
    pub fn to(&mut self, unix: i64) -> Age {
        self.sure &= unix <= self.now;
        // Where the clock was set back between two lines, nobody knows how much time there was.
        self.passed = self.passed.saturating_add(self.later.saturating_sub(unix).max(0));
        self.later = unix;
        let seconds = if self.sure { self.now.saturating_sub(unix) } else { self.passed };
        Age { seconds, sure: self.sure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ages(now: i64, lines: &[i64]) -> Vec<(i64, bool)> {
        let mut back = Back::from(now);
        lines.iter().rev().map(|unix| back.to(*unix)).map(|age| (age.seconds, age.sure)).collect()
    }

    #[test]
    fn a54_a_line_is_as_old_as_the_clock_says_or_as_the_lines_after_it() {
        assert_eq!(ages(100, &[50, 90]), [(10, true), (50, true)]);
        // The clock was lost, and lost again.
        assert_eq!(ages(7, &[900, 1000]), [(0, false), (100, false)]);
        assert_eq!(
            ages(7, &[900, 1000, 5, 20, 6]),
            [(1, true), (1, false), (16, false), (16, false), (116, false)]
        );
        // It looks as if it were of a moment ago, and was long before.
        assert_eq!(ages(60, &[30, 7200]), [(0, false), (7170, false)]);
        // It was lost and is known again.
        assert_eq!(ages(1000, &[900, 5, 990]), [(10, true), (995, true), (100, true)]);
        assert_eq!(ages(i64::MAX, &[i64::MAX, i64::MIN, i64::MAX, i64::MIN]).len(), 4);
    }
}
