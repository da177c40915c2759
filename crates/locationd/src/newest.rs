//! What is told of the position: by satellites while their word is new, by the cell of the mobile network after that.

use std::time::Duration;

use daemon::wall::Now;
use ipc::Position;

use crate::core::{Fix, InCell, Whereabouts};

/// How fast whoever walks leaves the last good fix behind, metres a second: a coarse one says more when that is further than it is wrong.
const WALKS_M_S: f64 = 1.5;

/// A fix that is too coarse for all but this.
#[derive(Debug, Clone, Copy)]
pub struct Coarse {
    /// Where, roughly.
    pub fix: Fix,
    /// When it came, on the boot-time clock.
    pub told: Duration,
    /// How long the receiver had looked for it.
    pub took: Duration,
}

/// The newest of each.
#[derive(Debug, Clone, Default)]
pub struct Newest {
    /// By satellites.
    pub here: Option<Whereabouts>,
    /// When that was believed, on the boot-time clock.
    pub believed: Duration,
    /// How long the receiver had looked for it.
    pub took: Duration,
    /// By satellites, roughly.
    pub coarse: Option<Coarse>,
    /// By the cell.
    pub cell: Option<InCell>,
}

impl Newest {
    /// What is told now; a fix older than `old` says less than a cell.
    pub fn position(&self, now: Now, old: Duration) -> Position {
        let age = |at: Duration| now.boot.saturating_sub(at);
        let says_more = |coarse: &&Coarse| {
            let walked = coarse.told.saturating_sub(self.believed).as_secs_f64() * WALKS_M_S;
            self.here.as_ref().is_none_or(|here| coarse.fix.accuracy_m() < here.accuracy_m + walked)
        };
        if let Some(coarse) = self.coarse.as_ref().filter(says_more).filter(|coarse| age(coarse.told) < old) {
            return by_coarse(coarse);
        }
        let fix = self.here.as_ref().map(|here| self.by_fix(here));
        let is_old = age(self.believed) >= old;
        let cell = self.cell.as_ref().filter(|cell| cell.is_new(now.boot) && (fix.is_none() || is_old));
        cell.map(|cell| by_cell(cell, now)).or(fix).unwrap_or_else(unknown)
    }

    fn by_fix(&self, here: &Whereabouts) -> Position {
        Position {
            known: true,
            latitude: here.place.latitude(),
            longitude: here.place.longitude(),
            accuracy_m: here.accuracy_m,
            unix_time: here.time.as_second(),
            zone: here.zone.clone().unwrap_or_default(),
            doubt: here.doubt.map_or_else(String::new, |doubt| doubt.as_str().to_owned()),
            source: "satellites".to_owned(),
            boot_ms: millis(self.believed),
            took_ms: millis(self.took),
        }
    }
}

fn by_coarse(Coarse { fix, told, took }: &Coarse) -> Position {
    Position {
        known: true,
        latitude: fix.place.latitude(),
        longitude: fix.place.longitude(),
        accuracy_m: fix.accuracy_m(),
        unix_time: fix.time.as_second(),
        doubt: "coarse".to_owned(),
        source: "satellites".to_owned(),
        boot_ms: millis(*told),
        took_ms: millis(*took),
        ..unknown()
    }
}

fn by_cell(cell: &InCell, now: Now) -> Position {
    let age = i64::try_from(now.boot.saturating_sub(cell.told).as_secs()).unwrap_or(i64::MAX);
    Position {
        known: true,
        latitude: cell.place.latitude(),
        longitude: cell.place.longitude(),
        accuracy_m: cell.accuracy_m,
        unix_time: now.unix.saturating_sub(age),
        source: "cell".to_owned(),
        boot_ms: millis(cell.told),
        ..unknown()
    }
}

fn unknown() -> Position {
    Position {
        known: false,
        latitude: 0.0,
        longitude: 0.0,
        accuracy_m: 0.0,
        unix_time: 0,
        zone: String::new(),
        doubt: String::new(),
        source: String::new(),
        boot_ms: 0,
        took_ms: 0,
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::Place;

    const OLD: Duration = Duration::from_mins(10);

    fn newest(fix: bool, cell: bool) -> Newest {
        let (home, school) = (Place::new(60.17, 24.94).unwrap(), Place::new(60.2, 24.9).unwrap());
        let time = jiff::Timestamp::from_second(1_795_674_000).unwrap();
        let here = Whereabouts { place: home, accuracy_m: 6.0, time, zone: Some("home".into()), doubt: None };
        let told = Duration::from_secs(1700);
        Newest {
            here: fix.then_some(here),
            believed: Duration::from_secs(1000),
            took: Duration::from_millis(2100),
            coarse: None,
            cell: cell.then_some(InCell { place: school, accuracy_m: 2506.0, told }),
        }
    }

    fn at(boot: u64) -> Now {
        Now { boot: Duration::from_secs(boot), unix: 1_795_673_000 + boot.cast_signed() }
    }

    #[test]
    fn a_new_fix_is_told_with_its_age_and_what_it_took() {
        let told = newest(true, true).position(at(1599), OLD);
        assert_eq!((told.source.as_str(), told.zone.as_str(), told.accuracy_m), ("satellites", "home", 6.0));
        assert_eq!((told.boot_ms, told.took_ms, told.unix_time), (1_000_000, 2100, 1_795_674_000));
    }

    #[test]
    fn after_ten_minutes_without_one_the_cell_is_told_and_claims_no_more_than_it_can() {
        let told = newest(true, true).position(at(1710), OLD);
        assert_eq!((told.source.as_str(), told.zone.as_str(), told.accuracy_m), ("cell", "", 2506.0));
        assert_eq!((told.boot_ms, told.took_ms, told.unix_time), (1_700_000, 0, 1_795_674_700));
        assert_eq!(newest(false, true).position(at(1710), OLD).source, "cell");
    }

    /// In a street as narrow as a well, by a window, at the bottom of a valley.
    #[test]
    fn a_coarse_fix_is_told_when_the_last_good_one_is_left_behind_and_says_that_it_is_coarse() {
        let time = jiff::Timestamp::from_second(1_795_674_100).unwrap();
        let fix = Fix::new(60.18, 24.93, 300.0, time).unwrap();
        let coarse = |told| {
            let (told, took) = (Duration::from_secs(told), Duration::from_secs(30));
            Newest { coarse: Some(Coarse { fix, told, took }), ..newest(true, true) }
        };
        assert_eq!(coarse(1195).position(at(1200), OLD).zone, "home", "who walks has not come so far");
        let told = coarse(1197).position(at(1796), OLD);
        assert_eq!(
            (told.source.as_str(), told.doubt.as_str(), told.accuracy_m),
            ("satellites", "coarse", 300.0)
        );
        assert_eq!((told.zone.as_str(), told.boot_ms, told.took_ms), ("", 1_197_000, 30_000));
        assert_eq!(coarse(1197).position(at(1797), OLD).source, "cell", "it is old as well");
        let first = Newest { here: None, believed: Duration::ZERO, ..coarse(1) };
        assert_eq!(first.position(at(2), OLD).doubt, "coarse", "there was no good one");
    }

    #[test]
    fn an_old_fix_is_better_than_nothing_and_nothing_is_said_to_be_nothing() {
        assert_eq!(newest(true, false).position(at(9000), OLD).source, "satellites");
        assert_eq!(
            newest(true, true).position(at(1700 + 360), OLD).source,
            "satellites",
            "the cell is old too"
        );
        assert!(!newest(false, false).position(at(9000), OLD).known);
        assert!(!newest(false, true).position(at(1700 + 360), OLD).known);
    }
}
