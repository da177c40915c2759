//! A walk, and its file: one `lat lon` per line, `#` starts a comment, `speed M_S` sets the pace.
//!
//! Invariant: a walk has at least one point, at most [`POINTS_LIMIT`], and a speed a child can have.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{LatLon, NoPlace};

const POINTS_LIMIT: usize = 1000;
const FILE_LIMIT: usize = 64 * 1024;
const SPEEDS: std::ops::RangeInclusive<f64> = 0.1..=100.0;
/// A child on the way to school, in metres a second.
const WALKING: f64 = 1.4;

/// Points and the speed between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Walk {
    points: Vec<LatLon>,
    speed: f64,
}

#[derive(Deserialize)]
struct Parts {
    points: Vec<LatLon>,
    #[serde(default = "walking")]
    speed: f64,
}

fn walking() -> f64 {
    WALKING
}

/// Why this is not a walk.
#[derive(Debug, Error, PartialEq)]
pub enum WalkError {
    /// Nowhere to go.
    #[error("a walk has at least one point")]
    Empty,
    /// Too many points, or too long a file.
    #[error("a walk has at most {POINTS_LIMIT} points and its file {FILE_LIMIT} bytes")]
    TooLong,
    /// Too slow or too fast.
    #[error("a speed is within 0.1 and 100 m/s")]
    Speed,
    /// Neither a comment, a place nor a speed.
    #[error("line {0} is neither `lat lon` nor `speed m/s`")]
    Line(usize),
    /// Not of this Earth.
    #[error("line {line} is no place")]
    Place {
        /// From 1.
        line: usize,
        /// Why.
        #[source]
        source: NoPlace,
    },
}

impl TryFrom<Parts> for Walk {
    type Error = WalkError;

    fn try_from(Parts { points, speed }: Parts) -> Result<Self, WalkError> {
        Self::new(points, speed)
    }
}

impl Walk {
    /// Points in their order and a speed in metres a second.
    pub fn new(points: Vec<LatLon>, speed: f64) -> Result<Self, WalkError> {
        match points.len() {
            0 => Err(WalkError::Empty),
            1..=POINTS_LIMIT if SPEEDS.contains(&speed) => Ok(Self { points, speed }),
            1..=POINTS_LIMIT => Err(WalkError::Speed),
            _ => Err(WalkError::TooLong),
        }
    }

    /// Reads a walk file.
    pub fn parse(text: &str) -> Result<Self, WalkError> {
        if text.len() > FILE_LIMIT {
            return Err(WalkError::TooLong);
        }
        let (mut points, mut speed) = (Vec::new(), WALKING);
        for (line, content) in (1..).zip(text.lines()) {
            let content = content.split('#').next().unwrap_or_default();
            let words: Vec<&str> = content.split_whitespace().collect();
            let number = |word: &str| word.parse::<f64>().map_err(|_| WalkError::Line(line));
            match words.as_slice() {
                [] => {}
                ["speed", word] => speed = number(word)?,
                [lat, lon] => {
                    let place = LatLon::new(number(lat)?, number(lon)?);
                    points.push(place.map_err(|source| WalkError::Place { line, source })?);
                }
                _ => return Err(WalkError::Line(line)),
            }
        }
        Self::new(points, speed)
    }

    /// Where it leads.
    pub fn points(&self) -> &[LatLon] {
        &self.points
    }

    /// Metres a second.
    pub fn speed(&self) -> f64 {
        self.speed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_file_holds_points_comments_and_a_speed() {
        let walk = Walk::parse("# to school\nspeed 2.5\n60.1 24.9\n\n60.2 25.0 # the gate\n").unwrap();
        assert_eq!((walk.points().len(), walk.speed()), (2, 2.5));
    }

    #[test]
    fn an_error_names_its_line() {
        assert_eq!(Walk::parse("60.1 24.9\nnorth"), Err(WalkError::Line(2)));
        assert_eq!(Walk::parse("60.1 24,9"), Err(WalkError::Line(1)));
        assert!(matches!(Walk::parse("\n91 0"), Err(WalkError::Place { line: 2, .. })));
        assert_eq!(Walk::parse("# nothing"), Err(WalkError::Empty));
        assert_eq!(Walk::parse("speed 0\n1 1"), Err(WalkError::Speed));
        assert_eq!(Walk::parse(&"1 1\n".repeat(1001)), Err(WalkError::TooLong));
    }

    proptest! {
        #[test]
        fn no_file_panics(text in "[-0-9. #a-z\\n]{0,200}|\\PC{0,200}") {
            let _ = Walk::parse(&text);
        }
    }
}
