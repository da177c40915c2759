//! Zones are entered and left.

use super::*;

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
}

#[test]
fn a52_another_circle_around_a_watch_loses_no_leaving() {
    let mut street = Street::school();
    street.stay(10.0, 25);
    street.rules(Some(vec![zone("school", 200)]));
    assert!(kinds(&street.stay(10.0, 25)).is_empty());
    street.rules(Some(vec![zone("school", 90)]));
    let effects = street.stay(300.0, 25);
    assert_eq!(kinds(&effects), ["zone-left"]);
}

#[test]
fn another_circle_that_moves_the_watch_to_its_other_side_is_another_zone() {
    let mut street = Street::school();
    street.stay(150.0, 25);
    street.rules(Some(vec![zone("school", 200)]));
    let effects = street.stay(150.0, 25);
    assert_eq!((kinds(&effects), detail(&effects, "found")), (vec!["zone-entered"], Some("inside".into())));
    street.rules(Some(vec![zone("school", 100)]));
    assert!(kinds(&street.stay(150.0, 25)).is_empty());
    assert_eq!(kinds(&street.stay(50.0, 25)), ["zone-entered"]);
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
fn a52_fixes_that_stray_hours_before_a_crossing_give_it_no_time() {
    let mut street = Street::school();
    street.stay(0.0, 25);
    street.wait(3600);
    assert!(kinds(&street.all(&[200.0, 201.0])).is_empty());
    street.wait(3 * 3600);
    let mut effects = street.at(140.0);
    assert!(kinds(&effects).is_empty(), "one fix says so, and two of this morning");
    effects.extend(street.stay(150.0, 20));
    assert_eq!(kinds(&effects), ["zone-left"]);
    assert_eq!(detail(&effects, "time").as_deref(), Some("2026-11-23T16:00:28Z"));
    assert_eq!(detail(&effects, "after").as_deref(), Some("2026-11-23T12:00:25Z"));
}

#[test]
fn a52_two_fixes_that_stray_minutes_apart_leave_nothing() {
    let mut street = Street::school();
    street.stay(0.0, 25);
    for _ in 0..3 {
        street.wait(121);
        assert!(kinds(&street.at(200.0)).is_empty());
    }
    // Two looks apart, of which one saw no sky.
    street.wait(118);
    assert_eq!(kinds(&street.at(200.0)), ["zone-left"]);
}
