//! Takes the noise out of a way without cutting its corners.
//!
//! A Kalman filter over north and east, metres and metres a second, with the model of constant velocity that white
//! noise of acceleration disturbs (Bar-Shalom, Li, Kirubarajan: Estimation with Applications to Tracking and Navigation,
//! 6.2.2). Noise is the same in both directions, so both share one covariance and one gain. The parameters are the power of
//! that noise, [`TURNS`], and the variance of a fix, the square of half its accuracy: gpsd means 95 % by it
//! (gpsd_json(5), TPV, `eph`), two standard deviations.
//!
//! A fix further from where the model expects the watch than its own accuracy is a turn or a start, not noise: the filter
//! begins anew at the fix.
//!
//! **Invariant:** the smoothed place is never further from the fix than the fix's accuracy.

use std::time::Duration;

use policy::Place;

use super::fix::Fix;

/// Power of the noise of acceleration, m²/s³: a child changes its pace by about a metre a second each second.
const TURNS: f64 = 1.0;
/// Variance of a velocity nobody knows, m²/s².
const ANY_VELOCITY: f64 = 100.0;
/// After so long without a fix nothing is left to smooth.
const STALE: Duration = Duration::from_secs(10);
/// Metres in a radian of latitude (mean radius of the Earth).
const RADIAN_M: f64 = 6_371_008.8;
/// Further north or south a metre east is no small angle any more.
const POLAR: f64 = 89.0;

#[derive(Debug, Default)]
pub(super) struct Smooth {
    state: Option<State>,
}

/// The covariance is of one axis: of place, of place with velocity, of velocity.
#[derive(Debug, Clone, Copy)]
struct State {
    at: Duration,
    place: Place,
    north_m_s: f64,
    east_m_s: f64,
    covariance: (f64, f64, f64),
}

impl Smooth {
    /// The next believed fix, smoothed; `now` is the boot-time clock.
    pub(super) fn pass(&mut self, fix: &Fix, now: Duration) -> Fix {
        let next = match self.state {
            Some(state) if now.saturating_sub(state.at) <= STALE => state.next(fix, now),
            _ => State::begin(fix, now, (0.0, 0.0)),
        };
        self.state = Some(next);
        let mut fix = *fix;
        fix.place = next.place;
        fix
    }

    /// What comes next has nothing to do with what came before.
    pub(super) fn forget(&mut self) {
        self.state = None;
    }
}

impl State {
    fn begin(fix: &Fix, at: Duration, (north_m_s, east_m_s): (f64, f64)) -> Self {
        let covariance = (variance(fix), 0.0, ANY_VELOCITY);
        Self { at, place: fix.place, north_m_s, east_m_s, covariance }
    }

    fn next(self, fix: &Fix, now: Duration) -> Self {
        let dt = now.saturating_sub(self.at).as_secs_f64();
        let expected = moved(self.place, self.north_m_s * dt, self.east_m_s * dt);
        let Some(expected) = expected.filter(|place| place.distance_m(fix.place) <= fix.accuracy_m()) else {
            let (north, east) = offset(self.place, fix.place);
            let velocity = if dt > 0.0 { (north / dt, east / dt) } else { (0.0, 0.0) };
            return Self::begin(fix, now, velocity);
        };
        let (place, both, velocity) = self.covariance;
        let place = place + 2.0 * both * dt + velocity * dt * dt + TURNS * dt.powi(3) / 3.0;
        let both = both + velocity * dt + TURNS * dt * dt / 2.0;
        let velocity = velocity + TURNS * dt;
        let total = place + variance(fix);
        let (gain, pull) = (place / total, both / total);
        let (north, east) = offset(expected, fix.place);
        Self {
            at: now,
            place: moved(expected, gain * north, gain * east).unwrap_or(fix.place),
            north_m_s: self.north_m_s + pull * north,
            east_m_s: self.east_m_s + pull * east,
            covariance: ((1.0 - gain) * place, (1.0 - gain) * both, velocity - pull * both),
        }
    }
}

fn variance(fix: &Fix) -> f64 {
    (fix.accuracy_m() / 2.0).powi(2)
}

/// Metres north and east, on the plane.
fn offset(from: Place, to: Place) -> (f64, f64) {
    let east = (to.longitude() - from.longitude() + 540.0).rem_euclid(360.0) - 180.0;
    let north = (to.latitude() - from.latitude()).to_radians() * RADIAN_M;
    (north, east.to_radians() * RADIAN_M * from.latitude().to_radians().cos())
}

/// `None` at the poles, where there is no plane of north and east.
fn moved(from: Place, north_m: f64, east_m: f64) -> Option<Place> {
    let latitude = from.latitude() + (north_m / RADIAN_M).to_degrees();
    if latitude.abs().max(from.latitude().abs()) > POLAR {
        return None;
    }
    let east = (east_m / (RADIAN_M * from.latitude().to_radians().cos())).to_degrees();
    let longitude = (from.longitude() + east + 540.0).rem_euclid(360.0) - 180.0;
    Place::new(latitude, longitude).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;

    const CENTRE: (f64, f64) = (60.17, 24.94);

    fn fix(place: Place, accuracy: f64) -> Fix {
        Fix::new(
            place.latitude(),
            place.longitude(),
            accuracy,
            Timestamp::from_second(1_795_435_200).unwrap(),
        )
        .unwrap()
    }

    fn centre() -> Place {
        Place::new(CENTRE.0, CENTRE.1).unwrap()
    }

    /// Smooths fixes a second apart.
    fn smoothed(fixes: &[Fix]) -> Vec<Place> {
        let mut smooth = Smooth::default();
        (1..).zip(fixes).map(|(second, fix)| smooth.pass(fix, Duration::from_secs(second)).place).collect()
    }

    /// A noise that is the same every time, -1 to 1.
    fn noise(step: u32) -> f64 {
        f64::from(step.wrapping_mul(2_654_435_761) >> 8) / f64::from(1 << 23) - 1.0
    }

    #[test]
    fn standing_still_is_quieter_than_its_noise() {
        let near = |step: u32| moved(centre(), 8.0 * noise(2 * step), 8.0 * noise(2 * step + 1)).unwrap();
        let raw: Vec<_> = (0..600).map(|step| fix(near(step), 20.0)).collect();
        let mean = |places: Vec<Place>| {
            places.iter().skip(60).map(|place| place.distance_m(centre())).sum::<f64>() / 540.0
        };
        let (before, after) = (mean(raw.iter().map(|fix| fix.place).collect()), mean(smoothed(&raw)));
        assert!(after < before * 0.6, "{before} {after}");
    }

    #[test]
    fn a_corner_is_not_cut() {
        // 100 m north, then 100 m east, at a run.
        let north = (0..=25).map(|step| (4.0 * f64::from(step), 0.0));
        let east = (1..=25).map(|step| (100.0, 4.0 * f64::from(step)));
        let way: Vec<Place> = north.chain(east).map(|(n, e)| moved(centre(), n, e).unwrap()).collect();
        for accuracy in [3.0, 8.0, 30.0] {
            let fixes: Vec<_> = way.iter().map(|place| fix(*place, accuracy)).collect();
            for (told, place) in way.iter().zip(smoothed(&fixes)) {
                assert!(told.distance_m(place) <= accuracy);
            }
            let corner = way[25];
            let nearest =
                smoothed(&fixes).iter().map(|place| place.distance_m(corner)).fold(f64::MAX, f64::min);
            assert!(nearest <= accuracy / 2.0, "{nearest} of {accuracy}");
        }
    }

    #[test]
    fn a_train_is_followed_without_lag() {
        let way: Vec<Place> =
            (0..120).map(|step| moved(centre(), 55.6 * f64::from(step), 0.0).unwrap()).collect();
        let fixes: Vec<_> = way.iter().map(|place| fix(*place, 10.0)).collect();
        for (told, place) in way.iter().zip(smoothed(&fixes)) {
            assert!(told.distance_m(place) < 0.5);
        }
    }

    #[test]
    fn the_date_line_and_the_pole_are_no_wall() {
        let places = [(0.0, 179.9999), (0.0, -179.9999), (0.0, -179.9997)];
        let pole = [(89.99, 10.0), (89.9901, 170.0), (90.0, -180.0), (-90.0, 0.0)];
        for places in [places.as_slice(), &pole] {
            let fixes: Vec<_> =
                places.iter().map(|(lat, lon)| fix(Place::new(*lat, *lon).unwrap(), 40.0)).collect();
            for (told, place) in fixes.iter().zip(smoothed(&fixes)) {
                assert!(told.place.distance_m(place) <= 40.0);
            }
        }
    }

    proptest! {
        #[test]
        fn the_smoothed_place_is_within_the_accuracy_of_the_told_one(
            latitude in prop_oneof![-90.0..=90.0_f64, 88.9..=90.0_f64, -0.001..0.001_f64],
            longitude in prop_oneof![-180.0..=180.0_f64, 179.9..=180.0_f64],
            steps in prop::collection::vec((0_u64..12_000, -120.0..120.0_f64, -120.0..120.0_f64, 0.0..=100.0_f64), 1..60),
        ) {
            let mut smooth = Smooth::default();
            let mut now = Duration::ZERO;
            let mut place = Place::new(latitude, longitude).unwrap();
            for (milliseconds, north, east, accuracy) in steps {
                now += Duration::from_millis(milliseconds);
                place = moved(place, north, east).unwrap_or(place);
                let told = fix(place, accuracy);
                let far = smooth.pass(&told, now).place.distance_m(place);
                prop_assert!(far <= told.accuracy_m() * 1.001, "{far} of {}", told.accuracy_m());
            }
        }
    }
}
