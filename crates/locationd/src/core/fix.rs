//! What a receiver told, and how far it can be trusted by itself.

use jiff::Timestamp;
use policy::Place;

/// A fix whose parts are of this Earth. Nothing says yet that it is true.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fix {
    /// Where.
    pub place: Place,
    /// Estimated horizontal error, metres: finite, more than 0, at most [`Fix::COARSE_M`].
    accuracy_m: f64,
    /// When, by the receiver's clock.
    pub time: Timestamp,
}

/// Why a report is no fix at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FixError {
    /// Degrees that are not on the Earth.
    #[error("the place is not on the Earth")]
    Place,
    /// No error estimate, one that is no number, or one too large to be of use.
    #[error("the accuracy is missing or worse than {} m", Fix::COARSE_M)]
    Accuracy,
    /// Before this program was written, or far away. A receiver that is a round of GPS weeks late is not it: gpsd mends that.
    #[error("the time is not of these years")]
    Time,
}

impl Fix {
    /// The largest error that still tells a school from the street before it, metres.
    pub const WORST_M: f64 = 100.0;
    /// The largest error that says more than the cell of the mobile network, metres.
    const COARSE_M: f64 = 1000.0;
    /// The smallest error believed, metres: a receiver that claims less is not better than a good one.
    const BEST_M: f64 = 1.0;
    /// 2026-01-01 and 2100-01-01, seconds since 1970.
    const YEARS: std::ops::Range<i64> = 1_767_225_600..4_102_444_800;

    /// A fix from degrees, metres and a time.
    ///
    /// # Errors
    /// See [`FixError`].
    pub fn new(latitude: f64, longitude: f64, accuracy_m: f64, time: Timestamp) -> Result<Self, FixError> {
        let place = Place::new(latitude, longitude).map_err(|_| FixError::Place)?;
        if !(0.0..=Self::COARSE_M).contains(&accuracy_m) {
            return Err(FixError::Accuracy);
        }
        if !Self::YEARS.contains(&time.as_second()) {
            return Err(FixError::Time);
        }
        Ok(Self { place, accuracy_m: accuracy_m.max(Self::BEST_M), time })
    }

    /// Whether it is too coarse for a fence, and for what is judged and kept.
    pub fn is_coarse(&self) -> bool {
        self.accuracy_m > Self::WORST_M
    }

    /// Estimated horizontal error, metres.
    pub fn accuracy_m(&self) -> f64 {
        self.accuracy_m
    }
}
