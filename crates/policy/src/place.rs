//! Places and zones on the ground.

use serde::{Deserialize, Serialize};

use crate::expect::Expect;

/// Mean radius of the Earth, metres (IUGG).
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// A point, WGS 84 degrees. `Debug` redacts it.
#[derive(Clone, Copy, PartialEq)]
pub struct Place {
    latitude: f64,
    longitude: f64,
}

/// The degrees are not on the Earth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("latitude is -90 to 90 and longitude -180 to 180")]
pub struct PlaceError;

impl Place {
    /// A place from degrees, north and east positive.
    ///
    /// # Errors
    /// Degrees out of range, or not a number.
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, PlaceError> {
        let on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        if on_earth { Ok(Self { latitude, longitude }) } else { Err(PlaceError) }
    }

    /// Degrees north.
    pub fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    pub fn longitude(self) -> f64 {
        self.longitude
    }

    /// Great-circle distance in metres (haversine; within 0.5 % of the ellipsoid).
    pub fn distance_m(self, other: Self) -> f64 {
        let (lat_a, lat_b) = (self.latitude.to_radians(), other.latitude.to_radians());
        let half_lat = (lat_b - lat_a) / 2.0;
        let half_lon = (other.longitude - self.longitude).to_radians() / 2.0;
        let chord = half_lat.sin().powi(2) + lat_a.cos() * lat_b.cos() * half_lon.sin().powi(2);
        2.0 * EARTH_RADIUS_M * chord.sqrt().min(1.0).asin()
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Place(…)")
    }
}

/// A circle the family named, such as the school. Its coordinates are whole micro-degrees, so that an
/// order has one spelling and the store one integer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Stable id: 1 to 32 of `a-z`, `0-9`, `-`.
    pub id: String,
    /// What the family calls it: 1 to 40 characters.
    pub name: String,
    /// Micro-degrees north of the equator.
    pub latitude_e6: i32,
    /// Micro-degrees east of Greenwich.
    pub longitude_e6: i32,
    /// Radius, metres: 30 to 20,000.
    pub radius_m: u32,
    /// When the child is to be there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Expect>,
}

impl std::fmt::Debug for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Zone").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Zone {
    /// The middle.
    ///
    /// # Errors
    /// The zone's degrees are not on the Earth; a validated policy has no such zone.
    pub fn centre(&self) -> Result<Place, PlaceError> {
        Place::new(f64::from(self.latitude_e6) / 1e6, f64::from(self.longitude_e6) / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_agrees_with_the_known_length_of_a_degree() {
        let a = Place::new(60.0, 25.0).unwrap();
        let north = Place::new(61.0, 25.0).unwrap();
        let east = Place::new(60.0, 26.0).unwrap();
        assert!((a.distance_m(north) - 111_195.0).abs() < 10.0);
        assert!((a.distance_m(east) - 55_597.0).abs() < 10.0);
        assert!(a.distance_m(a) < 0.001);
    }

    #[test]
    fn a_place_is_where_it_was_said_to_be() {
        let place = Place::new(-33.5, 151.25).unwrap();
        assert!((place.latitude() + 33.5).abs() < f64::EPSILON);
        assert!((place.longitude() - 151.25).abs() < f64::EPSILON);
        assert_eq!(format!("{place:?}"), "Place(…)", "logs do not say where");
    }

    #[test]
    fn the_date_line_is_no_wall() {
        let west = Place::new(0.0, 179.999).unwrap();
        let east = Place::new(0.0, -179.999).unwrap();
        assert!(west.distance_m(east) < 300.0);
    }

    #[test]
    fn a51_degrees_off_the_earth_are_refused() {
        for (lat, lon) in [(90.1, 0.0), (0.0, -180.5), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert_eq!(Place::new(lat, lon), Err(PlaceError));
        }
    }
}
