//! The behaviour of the core, over a school, a town and hostile skies.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use policy::{Place, Zone};
use proptest::prelude::*;

use super::*;

const SCHOOL: (f64, f64) = (60.17, 24.94);
/// Metres in a degree of latitude.
const DEGREE_M: f64 = 111_195.0;

fn zone(id: &str, radius_m: u32) -> Zone {
    let micro = |degrees: f64| (degrees * 1e6).round() as i32;
    let (latitude_e6, longitude_e6) = (micro(SCHOOL.0), micro(SCHOOL.1));
    Zone { id: id.into(), name: id.to_uppercase(), latitude_e6, longitude_e6, radius_m }
}

/// A core on a straight street that passes the school from the south.
struct Street {
    core: Core,
    now: Duration,
    clock: Timestamp,
}

impl Street {
    fn with(zones: Vec<Zone>) -> Self {
        let mut core = Core::default();
        core.handle(Event::Rules(Some(zones)), Duration::ZERO);
        Self { core, now: Duration::from_secs(1000), clock: "2026-11-23T12:00:00Z".parse().unwrap() }
    }

    fn school() -> Self {
        Self::with(vec![zone("school", 100)])
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.clock += SignedDuration::from_secs(seconds as i64);
    }

    fn tell(&mut self, fix: Fix) -> Vec<Effect> {
        self.core.handle(Event::Fix(fix), self.now)
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

#[test]
fn a53_walking_into_school_is_one_line_with_time_and_without_place() {
    let mut street = Street::school();
    let effects = street.all(&[300.0, 290.0, 280.0, 240.0, 200.0, 150.0, 110.0, 95.0, 80.0, 60.0, 20.0, 0.0]);
    assert_eq!(kinds(&effects), ["zone-entered"]);
    let Some(Effect::Record(line)) = effects.iter().find(|e| matches!(e, Effect::Record(_))) else {
        panic!("no line")
    };
    let expected =
        [("zone", "school"), ("name", "SCHOOL"), ("accuracy-m", "5"), ("time", "2026-11-23T12:00:09Z")];
    let details: Vec<_> = line.details.iter().map(|(key, value)| (*key, value.as_str())).collect();
    assert_eq!(details, expected);
    assert_eq!(street.position(), Some((0.0, Some("school"))));
}

#[test]
fn leaving_school_is_one_line() {
    let mut street = Street::school();
    street.all(&[200.0, 190.0, 180.0, 90.0, 90.0]);
    assert_eq!(kinds(&street.all(&[100.0, 119.0, 121.0, 130.0, 140.0])), ["zone-left"]);
    assert_eq!(street.position(), Some((140.0, None)));
}

#[test]
fn a52_pacing_on_the_fence_tells_nothing() {
    let mut street = Street::school();
    let fence = [99.0, 101.0].repeat(20);
    assert!(kinds(&street.all(&[140.0, 140.0, 140.0, 125.0])).is_empty());
    assert!(kinds(&street.all(&fence)).is_empty(), "one fix inside is not enough");
    assert_eq!(kinds(&street.all(&[95.0, 95.0])), ["zone-entered"]);
    assert!(kinds(&street.all(&fence)).is_empty());
    assert!(kinds(&street.all(&[125.0, 99.0].repeat(20))).is_empty(), "one fix outside is not enough");
    assert!(kinds(&street.all(&[110.0, 119.0].repeat(20))).is_empty(), "the rim is not outside");
}

#[test]
fn a52_a_poor_fix_widens_the_rim() {
    let mut street = Street::school();
    street.all(&[200.0, 190.0, 180.0, 90.0, 90.0]);
    for metres in [130.0, 150.0, 175.0] {
        street.wait(1);
        let effects = street.tell(street.fix_at(metres, 80.0));
        assert!(kinds(&effects).is_empty(), "{metres}");
    }
    assert_eq!(kinds(&street.all(&[150.0, 150.0])), ["zone-left"]);
}

#[test]
fn waking_up_in_a_zone_says_that_nobody_saw_the_watch_come() {
    let mut street = Street::school();
    let effects = street.all(&[10.0; 5]);
    assert_eq!(kinds(&effects), ["zone-entered"]);
    let found = effects.iter().any(|effect| match effect {
        Effect::Record(line) => line.details.contains(&("found", "inside".to_owned())),
        _ => false,
    });
    assert!(found);
}

#[test]
fn each_zone_is_watched_and_the_smallest_is_the_one_shown() {
    let mut street = Street::with(vec![zone("town", 5000), zone("school", 100)]);
    let effects = street.all(&[300.0, 290.0, 280.0, 280.0, 280.0]);
    assert_eq!(kinds(&effects), ["zone-entered"]);
    assert_eq!(street.position().unwrap().1, Some("town"));
    assert_eq!(kinds(&street.all(&[180.0, 90.0, 80.0])), ["zone-entered"]);
    assert_eq!(street.position().unwrap().1, Some("school"));
}

#[test]
fn a_new_policy_moves_nobody_who_stands_still() {
    let mut street = Street::school();
    street.all(&[10.0; 5]);
    let renamed = Zone { name: "The new school".into(), ..zone("school", 100) };
    street.core.handle(Event::Rules(Some(vec![renamed])), street.now);
    assert!(kinds(&street.all(&[10.0; 5])).is_empty());
    let wider = zone("school", 200);
    street.core.handle(Event::Rules(Some(vec![wider])), street.now);
    assert_eq!(kinds(&street.all(&[10.0; 5])), ["zone-entered"], "another circle is another zone");
}

#[test]
fn a_store_that_is_gone_for_a_moment_enters_and_leaves_nothing() {
    let mut street = Street::school();
    street.all(&[10.0; 5]);
    let effects = street.core.handle(Event::Rules(None), street.now);
    assert!(matches!(effects.as_slice(), [Effect::PositionChanged(Whereabouts { zone: None, .. })]));
    assert!(kinds(&street.all(&[10.0; 5])).is_empty());
    let effects = street.core.handle(Event::Rules(Some(vec![zone("school", 100)])), street.now);
    assert!(matches!(effects.as_slice(), [Effect::PositionChanged(Whereabouts { zone: Some(_), .. })]));
    assert!(kinds(&street.all(&[10.0; 5])).is_empty());
    assert_eq!(street.position(), Some((10.0, Some("school"))));
}

#[test]
fn a51_nothing_is_believed_on_the_first_word() {
    let mut street = Street::school();
    assert_eq!(street.at(10.0), [Effect::Doubted(Doubt::First)]);
    assert_eq!(street.at(10.0), [Effect::Doubted(Doubt::First)]);
    assert_eq!(street.position(), None);
    assert!(matches!(street.at(10.0).as_slice(), [Effect::PositionChanged(_)]));
}

#[test]
fn a51_an_impossible_speed_is_not_believed() {
    let mut street = Street::school();
    street.all(&[2000.0; 3]);
    assert_eq!(street.at(0.0), [Effect::Doubted(Doubt::Jump)]);
    assert_eq!(street.position(), Some((2000.0, None)));
    assert!(matches!(street.at(1999.0).as_slice(), [Effect::PositionChanged(_)]));
}

#[test]
fn a51_a_jump_is_believed_after_three_fixes_that_agree() {
    let mut street = Street::school();
    street.all(&[50_000.0; 4]);
    assert_eq!(street.all(&[0.0, 1.0]), [Effect::Doubted(Doubt::Jump), Effect::Doubted(Doubt::Jump)]);
    assert_eq!(street.position(), Some((50_000.0, None)));
    let effects = street.at(2.0);
    assert!(matches!(effects.as_slice(), [Effect::Jumped, Effect::PositionChanged(_)]), "{effects:?}");
    assert_eq!(street.position(), Some((2.0, None)));
    assert_eq!(kinds(&street.at(3.0)), ["zone-entered"]);
}

#[test]
fn a51_a_second_voice_never_drowns_the_first() {
    let mut street = Street::school();
    street.all(&[5000.0; 3]);
    for _ in 0..50 {
        street.at(0.0);
        let fix = Fix::new(SCHOOL.0 - 5000.0 / DEGREE_M, SCHOOL.1, 5.0, street.clock + TENTH).unwrap();
        assert!(matches!(street.tell(fix).as_slice(), [Effect::PositionChanged(_)]));
    }
    assert_eq!(street.position(), Some((5000.0, None)));
}

const TENTH: SignedDuration = SignedDuration::from_millis(100);

#[test]
fn a51_scattered_fixes_are_never_believed() {
    let mut street = Street::school();
    street.all(&[0.0; 3]);
    for step in 0..60 {
        let metres = 10_000.0 * f64::from(1 + step % 7);
        assert_eq!(street.at(metres), [Effect::Doubted(Doubt::Jump)]);
    }
    assert_eq!(street.position(), Some((0.0, None)));
}

#[test]
fn a51_a_receiver_whose_clock_jumps_is_doubted() {
    for jump in [-3600, -1, 60, 3600, 86_400 * 365] {
        let mut street = Street::school();
        street.all(&[10.0; 3]);
        street.wait(1);
        street.clock += SignedDuration::from_secs(jump - i64::from(jump < 0));
        assert_eq!(street.tell(street.fix_at(10.0, 5.0)), [Effect::Doubted(Doubt::Clock)], "{jump}");
    }
}

#[test]
fn a51_a_slow_story_told_fast_is_still_too_fast() {
    // An hour on the receiver's clock would make 100 km plausible; ours saw one second.
    let mut street = Street::school();
    street.all(&[0.0; 3]);
    street.wait(1);
    street.clock += SignedDuration::from_secs(3600);
    assert_eq!(street.tell(street.fix_at(100_000.0, 5.0)), [Effect::Doubted(Doubt::Clock)]);
}

#[test]
fn a51_an_instant_told_twice_counts_once() {
    let mut street = Street::school();
    street.wait(1);
    for _ in 0..10 {
        street.tell(street.fix_at(0.0, 5.0));
    }
    assert_eq!(street.position(), None);
    street.all(&[0.0, 0.0]);
    assert_eq!(street.position(), Some((0.0, None)));
    assert_eq!(street.tell(street.fix_at(0.0, 5.0)), [Effect::Doubted(Doubt::Repeated)]);
}

#[test]
fn a_train_ride_without_sky_is_no_jump() {
    let mut street = Street::school();
    street.all(&[0.0; 3]);
    street.wait(1800);
    assert!(matches!(street.at(90_000.0).as_slice(), [Effect::PositionChanged(_)]));
}

#[test]
fn a51_a_fix_that_is_none_is_refused() {
    let time: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    for (latitude, longitude, accuracy, why) in [
        (90.1, 0.0, 5.0, FixError::Place),
        (f64::NAN, 0.0, 5.0, FixError::Place),
        (0.0, -180.1, 5.0, FixError::Place),
        (0.0, 0.0, 100.1, FixError::Accuracy),
        (0.0, 0.0, -1.0, FixError::Accuracy),
        (0.0, 0.0, f64::NAN, FixError::Accuracy),
        (0.0, 0.0, f64::INFINITY, FixError::Accuracy),
    ] {
        assert_eq!(Fix::new(latitude, longitude, accuracy, time), Err(why));
    }
    for time in ["2006-11-23T12:00:00Z", "1970-01-01T00:00:00Z", "2106-01-01T00:00:00Z"] {
        assert_eq!(Fix::new(0.0, 0.0, 5.0, time.parse().unwrap()), Err(FixError::Time), "{time}");
    }
}

#[test]
fn no_debug_text_holds_a_place() {
    let mut street = Street::school();
    let effects = street.all(&[10.0; 5]);
    let fix = street.fix_at(10.0, 5.0);
    let text = format!("{effects:?} {:?} {:?} {fix:?}", street.core, Event::Fix(fix));
    assert!(!text.contains("60.1") && !text.contains("24.9"), "{text}");
}

proptest! {
    /// Whatever is told: entered and left take turns, and the position never moves faster than allowed
    /// unless it says that it jumped.
    #[test]
    fn a52_crossings_take_turns(steps in prop::collection::vec((0_u64..4, 0.0..400.0_f64, 1.0..100.0_f64), 1..200)) {
        let mut street = Street::school();
        let mut inside = false;
        for (seconds, metres, accuracy) in steps {
            street.wait(seconds);
            let effects = street.tell(street.fix_at(metres, accuracy));
            for kind in kinds(&effects) {
                prop_assert_eq!(kind, if inside { "zone-left" } else { "zone-entered" });
                inside = !inside;
            }
        }
        prop_assert_eq!(street.position().and_then(|(_, zone)| zone).is_some(), inside);
    }
}
