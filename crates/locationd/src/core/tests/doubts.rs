//! What is not believed, and until when.

use super::*;

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

/// Six hundred metres off, and it says so.
#[test]
fn a51_a_coarse_fix_is_told_as_one_and_moves_nothing() {
    let mut street = Street::school();
    street.stay(300.0, 25);
    for _ in 0..200 {
        let fix = street.fix_at(0.0, 600.0);
        street.wait(1);
        assert_eq!(street.tell(fix), [Effect::Coarse(fix)]);
    }
    let far = street.fix_at(200_000.0, 600.0);
    assert_eq!(street.tell(far), [], "nor is it believed that it flies");
    assert_eq!(kinds(&street.stay(300.0, 25)), Vec::<&str>::new());
    assert!(kinds(&street.stay(0.0, 25)).contains(&"zone-entered"), "fences go on");
}

#[test]
fn a51_a_fix_that_is_none_is_refused() {
    let time: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    for (latitude, longitude, accuracy, why) in [
        (90.1, 0.0, 5.0, FixError::Place),
        (f64::NAN, 0.0, 5.0, FixError::Place),
        (0.0, -180.1, 5.0, FixError::Place),
        (0.0, 0.0, 1000.1, FixError::Accuracy),
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
