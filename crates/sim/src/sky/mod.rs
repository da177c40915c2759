//! The sky above the watch: a position that stands, jumps or walks, told as NMEA 0183 once a second.
//!
//! Invariants: a position is always on the Earth; a walk ends at its last point and never overshoots one.

mod nmea;
mod walk;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::walk::{Walk, WalkError};
use crate::clock::Now;

/// Metres in a degree of latitude.
const DEGREE_M: f64 = 111_195.0;
const KNOTS_PER_M_S: f64 = 1.943_844;

/// A place, in degrees (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Degrees")]
pub struct LatLon {
    lat: f64,
    lon: f64,
}

#[derive(Deserialize)]
struct Degrees {
    lat: f64,
    lon: f64,
}

/// The degrees are not of this Earth.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
#[error("{lat} {lon} is no place: latitude is within 90, longitude within 180 degrees")]
pub struct NoPlace {
    lat: f64,
    lon: f64,
}

impl TryFrom<Degrees> for LatLon {
    type Error = NoPlace;

    fn try_from(Degrees { lat, lon }: Degrees) -> Result<Self, NoPlace> {
        Self::new(lat, lon)
    }
}

impl LatLon {
    /// The railway station of Helsinki.
    pub const HELSINKI: Self = Self { lat: 60.171_9, lon: 24.941_4 };

    /// Degrees north and east.
    pub fn new(lat: f64, lon: f64) -> Result<Self, NoPlace> {
        if lat.abs() <= 90.0 && lon.abs() <= 180.0 {
            Ok(Self { lat, lon })
        } else {
            Err(NoPlace { lat, lon })
        }
    }

    /// Degrees north.
    pub fn lat(self) -> f64 {
        self.lat
    }

    /// Degrees east.
    pub fn lon(self) -> f64 {
        self.lon
    }

    /// Metres north and east to `to`, on the plane; right to a fraction of a percent within a city.
    fn offset(self, to: Self) -> (f64, f64) {
        let mut east = to.lon - self.lon;
        if east.abs() > 180.0 {
            east -= 360.0_f64.copysign(east);
        }
        ((to.lat - self.lat) * DEGREE_M, east * DEGREE_M * self.lat.to_radians().cos())
    }

    /// Metres to `to`.
    pub fn distance(self, to: Self) -> f64 {
        let (north, east) = self.offset(to);
        north.hypot(east)
    }

    /// A share of the way to `to`, 0 to 1.
    fn towards(self, to: Self, share: f64) -> Self {
        let mut east = to.lon - self.lon;
        if east.abs() > 180.0 {
            east -= 360.0_f64.copysign(east);
        }
        let lon = self.lon + east * share;
        let lon = if lon.abs() > 180.0 { lon - 360.0_f64.copysign(lon) } else { lon };
        Self { lat: self.lat + (to.lat - self.lat) * share, lon }
    }
}

/// What the receiver sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fix {
    /// A cold start or a roof: sentences, but no position.
    None,
    /// A full fix.
    #[default]
    ThreeD,
}

/// The sky. `now` never runs backwards.
#[derive(Clone, Debug)]
pub struct Sky {
    at: LatLon,
    fix: Fix,
    speed: f64,
    course: f64,
    walk: Option<Walk>,
    next_point: usize,
    moved_at: Duration,
}

impl Sky {
    /// The watch lies at a place, with a fix.
    pub fn new(at: LatLon) -> Self {
        let moved_at = Duration::ZERO;
        Self { at, fix: Fix::ThreeD, speed: 0.0, course: 0.0, walk: None, next_point: 0, moved_at }
    }

    /// Where the watch is.
    pub fn position(&self) -> LatLon {
        self.at
    }

    /// Whether a walk is under way.
    pub fn walking(&self) -> bool {
        self.walk.is_some()
    }

    /// What the receiver sees.
    pub fn fix(&self) -> Fix {
        self.fix
    }

    /// Gives or takes the fix.
    pub fn set_fix(&mut self, fix: Fix) {
        self.fix = fix;
    }

    /// Jumps to a place; a walk is over.
    pub fn move_to(&mut self, at: LatLon) {
        self.at = at;
        self.speed = 0.0;
        self.walk = None;
    }

    /// Walks from where the watch is to each point in turn.
    pub fn walk(&mut self, walk: Walk, now: Now) {
        self.moved_at = now.mono;
        self.next_point = 0;
        self.walk = Some(walk);
    }

    /// Moves on; true when a walk ended just now.
    pub fn advance(&mut self, now: Now) -> bool {
        let Some(walk) = &self.walk else { return false };
        let mut left = now.mono.saturating_sub(self.moved_at).as_secs_f64() * walk.speed();
        self.moved_at = now.mono;
        self.speed = walk.speed();
        while let Some(point) = walk.points().get(self.next_point) {
            let (north, east) = self.at.offset(*point);
            let distance = north.hypot(east);
            if distance > 0.0 {
                self.course = east.atan2(north).to_degrees().rem_euclid(360.0);
            }
            if distance > left {
                self.at = self.at.towards(*point, left / distance);
                return false;
            }
            left -= distance;
            self.at = *point;
            self.next_point += 1;
        }
        self.speed = 0.0;
        self.walk = None;
        true
    }

    /// The sentences of this second: RMC, GGA, GSA, GSV.
    pub fn sentences(&self, now: Now) -> String {
        let at = (self.fix == Fix::ThreeD).then_some(self.at);
        nmea::epoch(at, self.speed * KNOTS_PER_M_S, self.course, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(lat: f64, lon: f64) -> LatLon {
        LatLon::new(lat, lon).unwrap()
    }

    fn at(seconds: u64) -> Now {
        Now { mono: Duration::from_secs(seconds), unix_ms: 1_795_434_000_000 }
    }

    #[test]
    fn a_walk_goes_at_its_speed_and_ends_at_the_last_point() {
        let home = place(60.17, 24.94);
        let school = place(60.179, 24.94);
        let mut sky = Sky::new(home);
        sky.walk(Walk::new(vec![school], 10.0).unwrap(), at(100));
        assert!(!sky.advance(at(150)));
        assert!((home.distance(sky.position()) - 500.0).abs() < 1.0);
        assert!(sky.walking());
        assert!(sky.advance(at(250)));
        assert_eq!(sky.position(), school);
        assert!(!sky.advance(at(300)));
    }

    #[test]
    fn without_a_fix_no_position_is_told() {
        let mut sky = Sky::new(place(60.17, 24.94));
        assert!(sky.sentences(at(1)).contains(",6010.20000,N,02456.40000,E,"));
        sky.set_fix(Fix::None);
        assert!(!sky.sentences(at(1)).contains("6010.2"));
    }

    #[test]
    fn a_place_off_the_earth_is_refused() {
        assert!(LatLon::new(91.0, 0.0).is_err());
        assert!(LatLon::new(0.0, f64::NAN).is_err());
        assert!(serde_json::from_str::<LatLon>(r#"{"lat":0,"lon":181}"#).is_err());
    }

    proptest! {
        #[test]
        fn a_walk_stays_on_the_earth(
            points in prop::collection::vec((-90.0..=90.0, -180.0..=180.0), 1..6),
            speed in 0.1..100.0,
            steps in prop::collection::vec(0_u64..1_000_000, 1..20),
        ) {
            let points: Vec<_> = points.into_iter().map(|(lat, lon)| place(lat, lon)).collect();
            let mut sky = Sky::new(points[0]);
            sky.walk(Walk::new(points, speed).unwrap(), at(0));
            let mut now = 0;
            for step in steps {
                now += step;
                sky.advance(at(now));
                let here = sky.position();
                prop_assert!(LatLon::new(here.lat(), here.lon()).is_ok(), "{here:?}");
                sky.sentences(at(now));
            }
        }
    }
}
