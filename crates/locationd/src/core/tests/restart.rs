//! What is known of the zones outlives locationd.

use policy::{Days, Expect};

use super::*;

fn school() -> Vec<Zone> {
    vec![zone("school", 100)]
}

#[test]
fn a52_a_reboot_under_a_roof_loses_no_leaving() {
    let mut street = Street::school();
    street.stay(0.0, 25);
    street.wait(3600);
    street.reboot(school());
    street.wait(3600);
    let effects = street.stay(140.0, 25);
    assert_eq!(kinds(&effects), ["zone-left"]);
    assert_eq!(detail(&effects, "time").as_deref(), Some("2026-11-23T14:01:28Z"));
    assert_eq!(detail(&effects, "after").as_deref(), Some("2026-11-23T12:00:23Z"), "as it was kept");
}

#[test]
fn a_reboot_enters_no_zone_again() {
    let mut street = Street::school();
    street.stay(0.0, 25);
    street.reboot(school());
    assert!(kinds(&street.stay(0.0, 60)).is_empty());
    assert_eq!(street.position(), Some((0.0, Some("school"))));
}

#[test]
fn who_comes_after_a_reboot_is_not_found() {
    let mut street = Street::school();
    street.stay(300.0, 25);
    street.reboot(school());
    let effects = street.stay(0.0, 25);
    assert_eq!((kinds(&effects), detail(&effects, "found")), (vec!["zone-entered"], None));
    assert!(detail(&effects, "after").is_some());
}

/// The zone on the bus is one a fix was seen in.
#[test]
fn a52_what_was_kept_says_nothing_of_where_the_watch_is() {
    let mut street = Street::school();
    street.stay(0.0, 25);
    street.reboot(school());
    assert_eq!(street.position(), None);
    let effects = street.stay(5000.0, 3);
    assert!(kinds(&effects).is_empty());
    assert_eq!(street.position(), Some((5000.0, None)), "not left yet, and not in it");
}

#[test]
fn a_zone_that_was_not_kept_or_is_another_circle_is_unknown() {
    let moved = Zone { longitude_e6: 24_940_500, ..zone("school", 100) };
    for other in [zone("yard", 100), zone("school", 101), moved] {
        let mut street = Street::school();
        street.stay(0.0, 25);
        street.reboot(vec![other.clone()]);
        assert!(kinds(&street.stay(300.0, 25)).is_empty(), "{}", other.radius_m);
        let mut street = Street::school();
        street.stay(0.0, 25);
        street.reboot(vec![other]);
        assert_eq!(detail(&street.stay(0.0, 25), "found").as_deref(), Some("inside"));
    }
}

#[test]
fn a52_a_zone_that_was_taken_out_is_forgotten_and_not_kept() {
    let mut street = Street::school();
    street.stay(0.0, 25);
    street.reboot(Vec::new());
    assert!(street.kept.is_empty());
    street.rules(Some(school()));
    assert!(kinds(&street.stay(300.0, 25)).is_empty());
}

#[test]
fn a_store_that_is_read_later_finds_what_was_kept() {
    let mut street = Street::school();
    street.stay(0.0, 25);
    street.core = Core::after(street.kept.clone());
    street.rules(None);
    assert_eq!(street.kept.len(), 1);
    street.rules(Some(school()));
    assert_eq!(kinds(&street.stay(300.0, 25)), ["zone-left"]);
}

#[test]
fn a_side_is_kept_at_once_when_it_changes_and_else_every_ten_minutes_of_fixes() {
    let mut street = Street::school();
    assert!(street.keep(), "the zones that are in force");
    let mut kept_at = Vec::new();
    for second in 0..1500_u32 {
        street.wait(1);
        let metres = if second < 700 { 20.0 } else { 300.0 } + f64::from(second % 7);
        street.core.handle(Event::Fix(street.fix_at(metres, 5.0)), street.now);
        if street.keep() {
            kept_at.push((second, street.kept.first().map(|side| side.inside)));
        }
    }
    let inside = |second| (second, Some(true));
    let outside = |second| (second, Some(false));
    assert_eq!(kept_at, [inside(22), inside(622), outside(722), outside(1322)]);
    street.wait(3600);
    assert!(street.keep(), "the fixes since");
    street.wait(3600);
    assert!(!street.keep(), "without a fix");
}

#[test]
fn nothing_that_is_kept_holds_a_place() {
    let mut street = Street::school();
    street.stay(0.0, 25);
    let text = format!("{:?}", street.kept);
    assert!(!text.contains("60.1") && !text.contains("6017") && !text.contains("2494"), "{text}");
}

#[test]
fn a_fix_that_cannot_tell_enters_no_zone_that_was_kept() {
    let mut street = Street::school();
    street.stay(0.0, 25);
    street.reboot(school());
    street.stay(110.0, 25);
    assert_eq!(street.position(), Some((110.0, None)), "on the rim, and not seen within");
    assert_eq!(kinds(&street.stay(300.0, 25)), ["zone-left"]);
}

#[test]
fn a52_who_was_in_before_a_reboot_is_not_late() {
    let expect = vec![Expect { days: Days::ALL, by: "14:15".parse().unwrap() }];
    let zones = vec![Zone { expect, ..zone("school", 100) }];
    let mut street = Street::with(zones.clone());
    street.stay(0.0, 25);
    street.reboot(zones.clone());
    let judged = "2026-11-23T12:17:00Z".parse::<Timestamp>().unwrap().as_second();
    let clock = || Event::Clock(judged, "Europe/Helsinki".parse().unwrap());
    assert!(street.core.handle(clock(), street.now).is_empty());
    // What was kept hours ago says nothing: the watch was off.
    let mut street = Street::with(zones.clone());
    street.stay(0.0, 25);
    street.kept[0].agreed -= 5 * 3600;
    street.reboot(zones.clone());
    assert_eq!(detail(&street.core.handle(clock(), street.now), "watch").as_deref(), Some("unknown"));
    let mut street = Street::with(zones.clone());
    street.stay(0.0, 25);
    street.kept[0].agreed -= 5 * 3600;
    street.reboot(zones.clone());
    assert_eq!(kinds(&street.stay(300.0, 25)), ["zone-left"]);
    let late = street.core.handle(clock(), street.now);
    assert_eq!(detail(&late, "watch").as_deref(), Some("elsewhere"));
    // Nobody saw one outside that was there before.
    let mut street = Street::with(zones.clone());
    street.stay(300.0, 25);
    street.reboot(zones);
    let late = street.core.handle(clock(), street.now);
    assert_eq!(detail(&late, "watch").as_deref(), Some("unknown"));
}
