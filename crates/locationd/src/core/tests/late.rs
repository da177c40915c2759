//! Whether the watch is where it is expected.

use policy::{Days, Expect};

use super::*;

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

/// Seconds from the street's beginning to the minute, and to the judgement.
const DUE: u64 = 900;
const JUDGED: u64 = DUE + 120;

impl Street {
    /// So many seconds after the street's beginning.
    fn until(&mut self, second: u64) {
        let begun: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        self.wait(second - self.clock.duration_since(begun).as_secs() as u64);
    }

    /// A fix in that second.
    fn seen(&mut self, second: u64, metres: f64) -> Vec<Effect> {
        self.until(second - 1);
        self.at(metres)
    }

    /// What is said when the loop wakes for the judgement.
    fn judged(&mut self) -> Vec<Effect> {
        self.until(JUDGED);
        self.look()
    }
}

/// What is said of the watch, and of which minute.
fn said(effects: &[Effect]) -> (String, String) {
    assert_eq!(kinds(effects), ["zone-late"]);
    (detail(effects, "watch").unwrap(), detail(effects, "time").unwrap())
}

const MINUTE: &str = "2026-11-23T12:15:00Z";

#[test]
fn a_watch_that_is_elsewhere_at_the_expected_minute_is_late_once_a_day() {
    let mut street = expecting();
    assert_eq!(street.next(), Some(JUDGED as i64));
    street.stay(300.0, 590);
    street.all(&(0..429).map(|step| 300.0 + f64::from(step % 2)).collect::<Vec<_>>());
    assert!(street.look().is_empty(), "not yet");
    assert_eq!(street.next(), Some(1));
    street.at(300.0);
    let late = street.look();
    assert_eq!(said(&late), ("elsewhere".into(), MINUTE.into()));
    assert_eq!(detail(&late, "zone").as_deref(), Some("school"));
    assert_eq!(street.next(), Some(86_400));
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
fn a52_whoever_is_in_at_the_minute_is_not_late_because_a_look_comes_after_it() {
    let mut street = expecting();
    street.stay(300.0, 30);
    street.seen(820, 300.0);
    // In at 840; and the zone is undecided when the minute comes.
    street.seen(895, 80.0);
    street.until(DUE);
    assert!(street.look().is_empty());
    street.seen(913, 60.0);
    assert_eq!(kinds(&street.at(50.0)), Vec::<&str>::new());
    assert_eq!(kinds(&street.seen(916, 50.0)), ["zone-entered"]);
    assert!(street.judged().is_empty());
    for _ in 0..20 {
        street.wait(60);
        assert!(street.look().is_empty());
    }
}

#[test]
fn a52_whoever_was_not_seen_outside_after_the_minute_may_have_come_in_time() {
    let mut street = expecting();
    street.stay(300.0, 30);
    street.seen(860, 150.0);
    street.seen(930, 20.0);
    assert_eq!(kinds(&street.seen(951, 20.0)), ["zone-entered"]);
    assert!(street.judged().is_empty());

    // A roof ends it at the first fix within.
    let mut street = expecting();
    street.stay(300.0, 30);
    street.seen(860, 150.0);
    street.seen(895, 80.0);
    assert!(street.judged().is_empty());
}

#[test]
fn a52_a_fix_on_the_rim_is_none_outside() {
    let mut street = expecting();
    street.stay(300.0, 30);
    street.seen(895, 80.0);
    street.seen(910, 110.0);
    street.seen(930, 20.0);
    assert_eq!(kinds(&street.seen(951, 20.0)), ["zone-entered"]);
    assert!(street.judged().is_empty());
}

#[test]
fn whoever_comes_after_the_minute_is_late() {
    let mut street = expecting();
    street.stay(300.0, 30);
    street.seen(DUE, 150.0);
    street.seen(930, 20.0);
    assert_eq!(kinds(&street.seen(951, 20.0)), ["zone-entered"]);
    assert_eq!(said(&street.judged()), ("elsewhere".into(), MINUTE.into()));

    // And is one who goes again before anybody asks.
    let mut street = expecting();
    street.stay(300.0, 30);
    street.seen(DUE, 150.0);
    street.seen(910, 20.0);
    assert_eq!(kinds(&street.seen(931, 20.0)), ["zone-entered"]);
    street.seen(960, 200.0);
    assert_eq!(kinds(&street.seen(981, 200.0)), ["zone-left"]);
    assert_eq!(said(&street.judged()), ("elsewhere".into(), MINUTE.into()));
}

#[test]
fn whoever_goes_after_the_minute_was_there() {
    let mut street = expecting();
    street.stay(20.0, 30);
    street.seen(880, 20.0);
    street.seen(910, 200.0);
    assert_eq!(kinds(&street.seen(931, 200.0)), ["zone-left"]);
    assert!(street.judged().is_empty());
}

#[test]
fn a52_a_fix_that_strays_makes_nobody_late() {
    let mut street = expecting();
    street.stay(20.0, 30);
    street.seen(910, 200.0);
    assert!(street.judged().is_empty(), "the watch never left");

    // Nor is one who strayed into the zone in the morning there at noon.
    let mut street = expecting();
    street.stay(300.0, 30);
    street.seen(60, 80.0);
    assert_eq!(said(&street.judged()), ("unknown".into(), MINUTE.into()));
}

#[test]
fn a52_who_was_last_seen_long_before_the_minute_is_unknown_and_not_elsewhere() {
    for (last, watch) in [(DUE - 121, "unknown"), (DUE - 120, "elsewhere"), (JUDGED - 1, "elsewhere")] {
        let mut street = expecting();
        street.stay(300.0, 30);
        street.seen(last, 301.0);
        assert_eq!(said(&street.judged()).0, watch, "{last}");
    }
}

#[test]
fn a_watch_that_is_there_is_not_late_even_under_a_roof() {
    let mut street = expecting();
    street.stay(0.0, 30);
    assert!(street.judged().is_empty());
    street.stay(300.0, 30);
    assert!(street.look().is_empty(), "it was there in time");
}

#[test]
fn a51_a_doubted_watch_is_unknown_and_not_elsewhere() {
    let mut street = expecting();
    street.stay(300.0, 10);
    street.seen(DUE, 301.0);
    street.at(50_000.0);
    assert_eq!(said(&street.judged()).0, "unknown");
}

#[test]
fn a52_an_expectation_is_looked_at_late_but_not_hours_late_nor_without_rules() {
    for (late, told) in [(119, false), (120, true), (899, true), (901, false), (6 * 3600, false)] {
        let mut street = expecting();
        street.until(DUE + late);
        assert_eq!(!street.look().is_empty(), told, "{late}");
    }
    let mut street = expecting();
    street.core.handle(Event::Rules(None), street.now);
    street.until(JUDGED);
    assert!(street.look().is_empty());
    assert_eq!(street.next(), None);
}
