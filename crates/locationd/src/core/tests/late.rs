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
