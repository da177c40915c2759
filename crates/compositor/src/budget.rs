//! A token bucket: so many at once, so many per second.
//!
//! **Invariants:** the clock comes in as an argument; a clock that steps back earns nothing.

use std::time::Instant;

use crate::limits::Rate;

/// What is left of a [`Rate`].
#[derive(Debug)]
pub(crate) struct Budget {
    rate: Rate,
    left: f64,
    at: Instant,
}

impl Budget {
    pub(crate) fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, left: f64::from(rate.burst), at: now }
    }

    /// Takes `count`; false when there was not enough left.
    pub(crate) fn take(&mut self, count: usize, now: Instant) -> bool {
        let earned = now.saturating_duration_since(self.at).as_secs_f64() * f64::from(self.rate.per_second);
        self.left = (self.left + earned).min(f64::from(self.rate.burst)) - count as f64;
        self.at = now;
        self.left >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_is_allowed_once_and_then_the_average() {
        let start = Instant::now();
        let mut budget = Budget::new(Rate { per_second: 10, burst: 20 }, start);
        assert!(budget.take(20, start));
        assert!(!budget.take(1, start));
        let mut budget = Budget::new(Rate { per_second: 10, burst: 20 }, start);
        for second in 1..100 {
            assert!(budget.take(10, start + Duration::from_secs(second)));
        }
    }

    #[test]
    fn a_long_rest_saves_no_more_than_the_burst() {
        let start = Instant::now();
        let mut budget = Budget::new(Rate { per_second: 10, burst: 20 }, start);
        let later = start + Duration::from_secs(1000);
        assert!(budget.take(20, later));
        assert!(!budget.take(1, later));
    }
}
