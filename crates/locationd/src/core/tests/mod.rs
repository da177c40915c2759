//! The behaviour of the core, over a school, a town and hostile skies.

mod doubts;
mod late;
mod random;
mod restart;
mod zones;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use policy::{Place, Zone};

use super::*;

const SCHOOL: (f64, f64) = (60.17, 24.94);
/// Metres in a degree of latitude.
const DEGREE_M: f64 = 111_195.0;
const TENTH: SignedDuration = SignedDuration::from_millis(100);

fn zone(id: &str, radius_m: u32) -> Zone {
    let micro = |degrees: f64| (degrees * 1e6).round() as i32;
    let (latitude_e6, longitude_e6) = (micro(SCHOOL.0), micro(SCHOOL.1));
    Zone { id: id.into(), name: id.to_uppercase(), latitude_e6, longitude_e6, radius_m, expect: Vec::new() }
}

/// A core on a straight street that passes the school from the south.
struct Street {
    core: Core,
    now: Duration,
    clock: Timestamp,
    /// What would be in the file.
    kept: Vec<KeptSide>,
}

impl Street {
    fn with(zones: Vec<Zone>) -> Self {
        let mut core = Core::default();
        core.handle(Event::Rules(Some(zones)), Duration::ZERO);
        let clock = "2026-11-23T12:00:00Z".parse().unwrap();
        Self { core, now: Duration::from_secs(1000), clock, kept: Vec::new() }
    }

    fn school() -> Self {
        Self::with(vec![zone("school", 100)])
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.clock += SignedDuration::from_secs(seconds as i64);
    }

    fn tell(&mut self, fix: Fix) -> Vec<Effect> {
        let effects = self.core.handle(Event::Fix(fix), self.now);
        self.keep();
        effects
    }

    fn rules(&mut self, zones: Option<Vec<Zone>>) -> Vec<Effect> {
        let effects = self.core.handle(Event::Rules(zones), self.now);
        self.keep();
        effects
    }

    /// Whether it was time to.
    fn keep(&mut self) -> bool {
        let kept = self.core.keep(self.now);
        let is_kept = kept.is_some();
        self.kept = kept.unwrap_or_else(|| self.kept.clone());
        is_kept
    }

    /// The watch was off for a minute.
    fn reboot(&mut self, zones: Vec<Zone>) {
        self.core = Core::after(self.kept.clone());
        self.now = Duration::from_secs(20);
        self.clock += SignedDuration::from_secs(60);
        self.rules(Some(zones));
    }

    fn fix_at(&self, metres_south: f64, accuracy_m: f64) -> Fix {
        Fix::new(SCHOOL.0 - metres_south / DEGREE_M, SCHOOL.1, accuracy_m, self.clock).unwrap()
    }

    /// A second passes, and the receiver tells a place this far south of the school.
    fn at(&mut self, metres_south: f64) -> Vec<Effect> {
        self.wait(1);
        self.tell(self.fix_at(metres_south, 5.0))
    }

    fn all(&mut self, places: &[f64]) -> Vec<Effect> {
        places.iter().flat_map(|metres| self.at(*metres)).collect()
    }

    /// Standing this far south of the school.
    fn stay(&mut self, metres: f64, seconds: usize) -> Vec<Effect> {
        self.all(&vec![metres; seconds])
    }

    fn position(&self) -> Option<(f64, Option<&str>)> {
        let last = self.core.last.as_ref()?;
        let school = Place::new(SCHOOL.0, SCHOOL.1).unwrap();
        Some((last.place.distance_m(school).round(), last.zone.as_deref()))
    }
}

fn kinds(effects: &[Effect]) -> Vec<&'static str> {
    let kind = |effect: &Effect| if let Effect::Record(line) = effect { Some(line.kind) } else { None };
    effects.iter().filter_map(kind).collect()
}

fn details(effects: &[Effect]) -> Vec<(&'static str, String)> {
    let line =
        effects.iter().find_map(|effect| if let Effect::Record(line) = effect { Some(line) } else { None });
    line.unwrap_or_else(|| panic!("no line")).details.clone()
}

fn detail(effects: &[Effect], key: &str) -> Option<String> {
    details(effects).into_iter().find(|(name, _)| *name == key).map(|(_, value)| value)
}

#[test]
fn no_debug_text_holds_a_place() {
    let mut street = Street::school();
    let effects = street.stay(10.0, 25);
    let fix = street.fix_at(10.0, 5.0);
    let text = format!("{effects:?} {:?} {:?} {fix:?}", street.core, Event::Fix(fix));
    assert!(!text.contains("60.1") && !text.contains("24.9"), "{text}");
}
