//! The behaviour of the core, over a school, a town and hostile skies.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use policy::{Days, Expect, Place, Zone};
use proptest::prelude::*;

use super::*;

const SCHOOL: (f64, f64) = (60.17, 24.94);
/// Metres in a degree of latitude.
const DEGREE_M: f64 = 111_195.0;

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
fn a53_walking_into_school_is_one_line_with_time_and_without_place() {
    let mut street = Street::school();
    let mut effects = street.stay(300.0, 25);
    effects.extend(street.all(&[290.0, 240.0, 200.0, 150.0, 110.0, 95.0, 80.0, 60.0, 20.0]));
    effects.extend(street.stay(0.0, 20));
    assert_eq!(kinds(&effects), ["zone-entered"]);
    let expected =
        [("zone", "school"), ("name", "SCHOOL"), ("accuracy-m", "5"), ("time", "2026-11-23T12:00:31Z")];
    let found = details(&effects);
    let found: Vec<_> = found.iter().map(|(key, value)| (*key, value.as_str())).collect();
    assert_eq!(found, expected);
    assert_eq!(street.position(), Some((0.0, Some("school"))));
}

#[test]
fn leaving_school_is_one_line() {
    let mut street = Street::school();
    street.stay(180.0, 25);
    street.stay(90.0, 25);
    let mut effects = street.all(&[100.0, 119.0, 121.0, 130.0]);
    effects.extend(street.stay(140.0, 19));
    assert_eq!(kinds(&effects), ["zone-left"]);
    assert_eq!(detail(&effects, "time").as_deref(), Some("2026-11-23T12:00:53Z"));
    assert_eq!(street.position(), Some((140.0, None)));
}

#[test]
fn a52_pacing_on_the_fence_tells_nothing() {
    let mut street = Street::school();
    let fence = [90.0, 105.0].repeat(20);
    assert!(kinds(&street.stay(140.0, 25)).is_empty());
    assert!(kinds(&street.all(&fence)).is_empty(), "a second inside is not enough");
    assert_eq!(kinds(&street.stay(90.0, 25)), ["zone-entered"]);
    assert!(kinds(&street.all(&fence)).is_empty());
    assert!(kinds(&street.all(&[130.0, 99.0].repeat(20))).is_empty(), "a second outside is not enough");
    assert!(kinds(&street.all(&[108.0, 114.0].repeat(20))).is_empty(), "the rim is not outside");
}

#[test]
fn a52_time_counts_and_not_how_often_the_receiver_speaks() {
    let mut street = Street::school();
    street.stay(180.0, 25);
    for tenth in 1..=190 {
        let mut fix = street.fix_at(90.0, 5.0);
        fix.time += TENTH * tenth;
        let effects =
            street.core.handle(Event::Fix(fix), street.now + Duration::from_millis(100) * tenth as u32);
        assert!(kinds(&effects).is_empty(), "{tenth}");
    }
    street.wait(60);
    assert_eq!(kinds(&street.at(90.0)), ["zone-entered"]);
}

#[test]
fn a52_a_poor_fix_widens_the_rim_and_enters_no_small_zone() {
    let mut street = Street::school();
    street.stay(180.0, 25);
    street.stay(90.0, 25);
    for metres in [130.0, 150.0, 175.0] {
        for _ in 0..25 {
            street.wait(1);
            let effects = street.tell(street.fix_at(metres, 80.0));
            assert!(kinds(&effects).is_empty(), "{metres}");
        }
    }
    assert_eq!(kinds(&street.stay(150.0, 25)), ["zone-left"]);

    let mut street = Street::with(vec![zone("yard", 50)]);
    street.stay(200.0, 25);
    for _ in 0..60 {
        street.wait(1);
        let effects = street.tell(street.fix_at(0.0, 51.0));
        assert!(kinds(&effects).is_empty());
    }
    assert_eq!(kinds(&street.stay(0.0, 25)), ["zone-entered"]);
}

#[test]
fn waking_up_in_a_zone_says_that_nobody_saw_the_watch_come() {
    let mut street = Street::school();
    let effects = street.stay(10.0, 25);
    assert_eq!(kinds(&effects), ["zone-entered"]);
    assert_eq!(detail(&effects, "found").as_deref(), Some("inside"));
}

#[test]
fn a_crossing_under_a_roof_is_one_line_with_the_time_before_it() {
    let mut street = Street::school();
    street.stay(300.0, 25);
    street.wait(1200);
    let effects = street.stay(10.0, 25);
    assert_eq!(kinds(&effects), ["zone-entered"]);
    assert_eq!(detail(&effects, "after").as_deref(), Some("2026-11-23T12:00:25Z"));
    assert_eq!(detail(&effects, "time").as_deref(), Some("2026-11-23T12:20:26Z"));
    assert_eq!(detail(&effects, "found"), None);
}

#[test]
fn each_zone_is_watched_and_the_smallest_is_the_one_shown() {
    let mut street = Street::with(vec![zone("town", 5000), zone("school", 100)]);
    let effects = street.stay(280.0, 25);
    assert_eq!(kinds(&effects), ["zone-entered"]);
    assert_eq!(street.position().unwrap().1, Some("town"));
    assert_eq!(kinds(&street.stay(80.0, 25)), ["zone-entered"]);
    assert_eq!(street.position().unwrap().1, Some("school"));
}

#[test]
fn a_new_policy_moves_nobody_who_stands_still() {
    let mut street = Street::school();
    street.stay(10.0, 25);
    let renamed = Zone { name: "The new school".into(), ..zone("school", 100) };
    street.core.handle(Event::Rules(Some(vec![renamed])), street.now);
    assert!(kinds(&street.stay(10.0, 25)).is_empty());
    let wider = zone("school", 200);
    street.core.handle(Event::Rules(Some(vec![wider])), street.now);
    assert_eq!(kinds(&street.stay(10.0, 25)), ["zone-entered"], "another circle is another zone");
}

#[test]
fn a_store_that_is_gone_for_a_moment_enters_and_leaves_nothing() {
    let mut street = Street::school();
    street.stay(10.0, 25);
    let effects = street.core.handle(Event::Rules(None), street.now);
    assert!(matches!(effects.as_slice(), [Effect::PositionChanged(Whereabouts { zone: None, .. })]));
    assert!(kinds(&street.stay(10.0, 25)).is_empty());
    let effects = street.core.handle(Event::Rules(Some(vec![zone("school", 100)])), street.now);
    assert!(matches!(effects.as_slice(), [Effect::PositionChanged(Whereabouts { zone: Some(_), .. })]));
    assert!(kinds(&street.stay(10.0, 25)).is_empty());
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
    assert_eq!(street.at(0.0)[0], Effect::Doubted(Doubt::Jump));
    assert_eq!(street.position(), Some((2000.0, None)));
    assert!(matches!(street.at(1999.0).as_slice(), [Effect::PositionChanged(_)]));
}

#[test]
fn a51_a_jump_is_believed_after_a_minute_of_agreement_and_its_zone_line_says_so() {
    let mut street = Street::school();
    street.stay(50_000.0, 25);
    let effects = street.stay(0.0, 60);
    let marks = effects.iter().filter(|effect| matches!(effect, Effect::PositionChanged(_)));
    assert_eq!(marks.count(), 1, "the position says once that it is in doubt");
    assert!(effects.iter().all(|effect| match effect {
        Effect::PositionChanged(here) => here.doubt == Some(Doubt::Jump),
        effect => *effect == Effect::Doubted(Doubt::Jump),
    }));
    assert_eq!(street.position(), Some((50_000.0, None)));
    let effects = street.at(0.0);
    assert!(matches!(effects.as_slice(), [Effect::Jumped, Effect::PositionChanged(_)]), "{effects:?}");
    assert_eq!(street.position(), Some((0.0, None)));
    let effects = street.stay(1.0, 20);
    assert_eq!(kinds(&effects), ["zone-entered"]);
    assert_eq!(detail(&effects, "doubt").as_deref(), Some("jump"));
    assert_eq!(street.core.last.as_ref().unwrap().doubt, Some(Doubt::Jump));
    for metres in 0..570 {
        street.at(f64::from(metres % 7));
    }
    assert_eq!(street.core.last.as_ref().unwrap().doubt, Some(Doubt::Jump), "for ten minutes");
    street.stay(3.0, 25);
    assert_eq!(street.core.last.as_ref().unwrap().doubt, None);
    let effects = street.stay(200.0, 25);
    assert_eq!((kinds(&effects), detail(&effects, "doubt")), (vec!["zone-left"], None));
}

#[test]
fn a51_a_jump_that_is_over_within_a_minute_enters_and_leaves_nothing() {
    let mut street = Street::school();
    street.stay(50_000.0, 25);
    assert!(kinds(&street.stay(0.0, 59)).is_empty());
    assert!(kinds(&street.stay(50_000.0, 25)).is_empty());
    assert_eq!(street.core.last.as_ref().unwrap().doubt, None);
}

#[test]
fn a51_a_frozen_receiver_moves_nobody_until_it_wakes() {
    let mut street = Street::school();
    street.stay(10.0, 601);
    let stood = street.core.last.clone().unwrap();
    street.stay(10.0, 100);
    let frozen = street.core.last.clone().unwrap();
    assert_eq!((frozen.time, frozen.doubt), (stood.time, Some(Doubt::Frozen)));
    street.at(11.0);
    assert_eq!(street.core.last.as_ref().unwrap().doubt, None);
}

#[test]
fn a51_a_replayed_way_enters_nothing() {
    let mut street = Street::school();
    let way: Vec<f64> = (0..150).map(|second| 400.0 + f64::from(second) * 1.3).collect();
    let home: Vec<f64> = way.iter().rev().map(|metres| metres - 0.5).collect();
    street.all(&way);
    street.all(&home);
    let again = street.all(&way);
    assert_eq!(again.iter().filter(|effect| **effect == Effect::Doubted(Doubt::Replayed)).count(), 131);
    assert_eq!(street.core.last.as_ref().unwrap().doubt, Some(Doubt::Replayed));
}

#[test]
fn a51_a_second_voice_never_drowns_the_first() {
    let mut street = Street::school();
    street.all(&[5000.0; 3]);
    for _ in 0..100 {
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
        assert_eq!(street.at(metres)[0], Effect::Doubted(Doubt::Jump));
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
        assert_eq!(street.tell(street.fix_at(10.0, 5.0))[0], Effect::Doubted(Doubt::Clock), "{jump}");
    }
}

#[test]
fn a51_a_slow_story_told_fast_is_still_too_fast() {
    // An hour on the receiver's clock would make 100 km plausible; ours saw one second.
    let mut street = Street::school();
    street.all(&[0.0; 3]);
    street.wait(1);
    street.clock += SignedDuration::from_secs(3600);
    assert_eq!(street.tell(street.fix_at(100_000.0, 5.0))[0], Effect::Doubted(Doubt::Clock));
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
    for time in
        ["2006-05-01T00:00:00Z", "1980-01-06T00:00:00Z", "1970-01-01T00:00:00Z", "2106-01-01T00:00:00Z"]
    {
        assert_eq!(Fix::new(0.0, 0.0, 5.0, time.parse().unwrap()), Err(FixError::Time), "{time}");
    }
}

#[test]
fn no_debug_text_holds_a_place() {
    let mut street = Street::school();
    let effects = street.stay(10.0, 25);
    let fix = street.fix_at(10.0, 5.0);
    let text = format!("{effects:?} {:?} {:?} {fix:?}", street.core, Event::Fix(fix));
    assert!(!text.contains("60.1") && !text.contains("24.9"), "{text}");
}

/// A street whose school expects the watch at 14:15 of Helsinki, a quarter of an hour after the street's clock begins.
fn expecting() -> Street {
    let by = "14:15".parse().unwrap();
    Street::with(vec![Zone { expect: vec![Expect { days: Days::ALL, by }], ..zone("school", 100) }])
}

impl Street {
    fn look(&mut self) -> Vec<Effect> {
        let time_zone = "Europe/Helsinki".parse().unwrap();
        self.core.handle(Event::Clock(self.clock.as_second(), time_zone), self.now)
    }

    fn next(&self) -> Option<i64> {
        let next = self.core.next_expected(&"Europe/Helsinki".parse().unwrap(), self.clock.as_second());
        next.map(|at| at - self.clock.as_second())
    }
}

#[test]
fn a_watch_that_is_elsewhere_at_the_expected_minute_is_late_once_a_day() {
    let mut street = expecting();
    assert_eq!(street.next(), Some(900));
    street.stay(300.0, 590);
    street.all(&(0..309).map(|step| 300.0 + f64::from(step % 2)).collect::<Vec<_>>());
    assert!(street.look().is_empty(), "not yet");
    street.at(300.0);
    let late = street.look();
    assert_eq!(kinds(&late), ["zone-late"]);
    assert_eq!(
        (detail(&late, "watch").as_deref(), detail(&late, "zone").as_deref()),
        (Some("elsewhere"), Some("school"))
    );
    assert_eq!(detail(&late, "time").as_deref(), Some("2026-11-23T12:15:00Z"));
    for _ in 0..20 {
        street.wait(60);
        assert!(street.look().is_empty());
    }
    street.wait(86_400 - 20 * 60);
    let late = street.look();
    assert_eq!(kinds(&late), ["zone-late"], "the next day");
    assert_eq!(detail(&late, "watch").as_deref(), Some("unknown"), "nobody saw it for a day");
}

#[test]
fn a_watch_that_is_there_is_not_late_even_under_a_roof() {
    let mut street = expecting();
    street.stay(0.0, 30);
    street.wait(870);
    assert!(street.look().is_empty());
    street.stay(300.0, 30);
    assert!(street.look().is_empty(), "it was there in time");
}

#[test]
fn a51_a_doubted_watch_is_unknown_and_not_elsewhere() {
    let mut street = expecting();
    street.stay(300.0, 10);
    street.wait(889);
    street.at(300.0);
    street.at(50_000.0);
    assert_eq!(detail(&street.look(), "watch").as_deref(), Some("unknown"));
}

#[test]
fn a52_an_expectation_is_looked_at_late_but_not_hours_late_nor_without_rules() {
    for (late, told) in [(899, true), (901, false), (6 * 3600, false)] {
        let mut street = expecting();
        street.wait(900 + late);
        assert_eq!(!street.look().is_empty(), told, "{late}");
    }
    let mut street = expecting();
    street.core.handle(Event::Rules(None), street.now);
    street.wait(900);
    assert!(street.look().is_empty());
    assert_eq!(street.next(), None);
}

/// One epoch of a hostile receiver: seconds since the last, metres from the school, accuracy, how far its clock is off.
type Epoch = (u64, f64, f64, i64);

fn epochs() -> impl Strategy<Value = Vec<Epoch>> {
    let metres = prop_oneof![4 => 0.0..400.0_f64, 1 => 0.0..100_000.0_f64];
    let clock = prop_oneof![9 => Just(0_i64), 1 => -4000..4000_i64];
    // Each is repeated, so that stays and jumps that insist are common.
    let stay = (0_u64..8, metres, 1.0..100.0_f64, clock, 1_usize..40);
    prop::collection::vec(stay, 1..30).prop_map(|stays| {
        let repeat = |(seconds, metres, accuracy, clock, times)| {
            (0..times).map(move |step| (seconds, metres + 0.01 * step as f64, accuracy, clock))
        };
        stays.into_iter().flat_map(repeat).collect()
    })
}

proptest! {
    #[test]
    fn a52_crossings_take_turns(epochs in epochs()) {
        let mut street = Street::school();
        let mut inside = false;
        for (seconds, metres, accuracy, clock) in epochs {
            street.wait(seconds);
            let mut fix = street.fix_at(metres, accuracy);
            fix.time += SignedDuration::from_secs(clock);
            let effects = street.tell(fix);
            for kind in kinds(&effects) {
                prop_assert_eq!(kind, if inside { "zone-left" } else { "zone-entered" });
                inside = !inside;
            }
            prop_assert_eq!(street.position().and_then(|(_, zone)| zone).is_some(), inside);
        }
    }

    #[test]
    fn a51_a_doubted_fix_moves_nothing_and_crosses_nothing(epochs in epochs()) {
        let mut street = Street::school();
        for (seconds, metres, accuracy, clock) in epochs {
            street.wait(seconds);
            let mut fix = street.fix_at(metres, accuracy);
            fix.time += SignedDuration::from_secs(clock);
            let before = street.position().map(|(metres, zone)| (metres, zone.map(str::to_owned)));
            let effects = street.tell(fix);
            if effects.iter().any(|effect| matches!(effect, Effect::Doubted(_))) {
                prop_assert!(kinds(&effects).is_empty());
                let after = street.position().map(|(metres, zone)| (metres, zone.map(str::to_owned)));
                prop_assert_eq!(before, after);
            }
        }
    }
}
