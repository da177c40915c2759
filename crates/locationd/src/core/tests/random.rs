//! Whatever a receiver says.

use proptest::prelude::*;

use super::*;

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
    fn a52_crossings_take_turns_over_reboots(epochs in epochs(), reboots in prop::collection::vec(0_usize..600, 0..9)) {
        let mut street = Street::school();
        let mut inside = false;
        for (index, (seconds, metres, accuracy, _)) in epochs.into_iter().enumerate() {
            street.wait(seconds);
            if reboots.contains(&index) {
                street.reboot(vec![zone("school", 100)]);
            }
            for kind in kinds(&street.tell(street.fix_at(metres, accuracy))) {
                prop_assert_eq!(kind, if inside { "zone-left" } else { "zone-entered" });
                inside = !inside;
            }
            let shown = street.position().is_some_and(|(_, zone)| zone.is_some());
            prop_assert!(inside || !shown);
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
