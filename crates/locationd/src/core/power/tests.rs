//! When the receiver goes on and off, event by event.

use super::*;

const SCHOOL: (f64, f64) = (60.17, 24.94);

fn south(metres: f64) -> Place {
    Place::new(SCHOOL.0 - metres / 111_195.0, SCHOOL.1).unwrap()
}

fn school() -> Vec<Zone> {
    vec![Zone {
        id: "school".into(),
        name: "School".into(),
        latitude_e6: 60_170_000,
        longitude_e6: 24_940_000,
        radius_m: 100,
        expect: Vec::new(),
    }]
}

struct Watch {
    power: Power,
    now: Duration,
    on: bool,
    kept: usize,
    steps: u64,
}

impl Watch {
    fn new() -> Self {
        let now = Duration::from_secs(100);
        let mut watch = Self { power: Power::new(now), now, on: false, kept: 0, steps: 0 };
        watch.tell(PowerEvent::Zones(school()));
        watch
    }

    fn tell(&mut self, event: PowerEvent) {
        for effect in self.power.handle(event, self.now) {
            match effect {
                PowerEffect::Receiver(on) => {
                    assert_ne!(self.on, on, "told once");
                    self.on = on;
                }
                PowerEffect::KeepLast => self.kept += 1,
            }
        }
    }

    fn looks_at(&mut self, place: Place) {
        while !self.on {
            self.wait();
        }
        for _ in 0..ENOUGH {
            self.now += Duration::from_secs(1);
            self.tell(PowerEvent::Believed(place));
        }
    }

    /// The pedometer is read.
    fn steps(&mut self, more: u64) {
        self.steps += more;
        self.tell(PowerEvent::Steps(Some(self.steps)));
    }

    /// Until the moment it asked for; how long that was.
    fn wait(&mut self) -> Duration {
        let due = self.power.due();
        let passed = due.saturating_sub(self.now);
        self.now = due;
        self.tell(PowerEvent::Due);
        passed
    }
}

#[test]
fn two_fixes_end_a_look_and_the_next_is_within_a_cycle() {
    let mut watch = Watch::new();
    assert!(watch.on, "a watch that was just started looks");
    watch.looks_at(south(0.0));
    assert!(!watch.on);
    let pause = watch.wait();
    assert!(watch.on && pause <= CYCLE && pause > CYCLE / 2, "{pause:?}");
}

#[test]
fn under_a_roof_the_receiver_goes_off_again() {
    let mut watch = Watch::new();
    assert_eq!(watch.wait(), LONG);
    assert!(!watch.on);
    watch.wait();
    assert!(watch.on);
    assert_eq!(watch.wait(), STALE);
    let mut long = 0;
    let until = watch.now + Duration::from_hours(1);
    while watch.now < until {
        long += usize::from(watch.wait() == LONG);
    }
    assert_eq!(long, 3, "a receiver that has forgotten the sky gets its chance");
}

/// As the service does: the pedometer, then the moment.
fn cycle(watch: &mut Watch, steps: u64) -> Duration {
    let due = watch.power.due();
    let passed = due.saturating_sub(watch.now);
    watch.now = due;
    watch.steps(steps);
    watch.tell(PowerEvent::Due);
    passed
}

/// Cycles without a step, some of them under the sky, until it looks no more.
fn comes_to_rest(watch: &mut Watch, place: Place) {
    let until = watch.now + RIDE.max(SITS);
    while watch.now < until {
        cycle(watch, 0);
        if watch.on {
            watch.looks_at(place);
        }
    }
    cycle(watch, 0);
    assert!(!watch.on);
}

#[test]
fn without_a_step_no_cycle_has_its_look_and_with_one_the_next_has() {
    let mut watch = Watch::new();
    watch.looks_at(south(0.0));
    for _ in 0..3 {
        cycle(&mut watch, 5);
        assert!(watch.on);
        watch.looks_at(south(0.0));
        comes_to_rest(&mut watch, south(0.0));
        while watch.now + CYCLE < watch.power.stepped + SILENT {
            let passed = cycle(&mut watch, 0);
            assert!(!watch.on && passed <= CYCLE && passed >= Duration::from_mins(1), "{passed:?}");
        }
    }
    // A counter that begins anew is no rest either.
    watch.steps = 0;
    cycle(&mut watch, 0);
    assert!(watch.on);
}

#[test]
fn under_a_roof_one_look_follows_the_last_steps() {
    let mut watch = Watch::new();
    watch.looks_at(south(0.0));
    for _ in 0..10 {
        cycle(&mut watch, 5);
        assert!(watch.on);
        // Steps in the seconds of the look.
        cycle(&mut watch, 5);
        assert!(!watch.on);
        cycle(&mut watch, 0);
        assert!(watch.on);
        cycle(&mut watch, 0);
        for _ in 0..10 {
            assert!(!watch.on);
            cycle(&mut watch, 0);
        }
    }
}

#[test]
fn who_sits_in_a_car_before_it_leaves_is_followed_without_a_step() {
    let mut watch = Watch::new();
    watch.looks_at(south(0.0));
    cycle(&mut watch, 20);
    watch.looks_at(south(0.0));
    let sat = watch.now;
    while watch.now + CYCLE * 2 < sat + SITS {
        cycle(&mut watch, 0);
        assert!(watch.on);
        watch.looks_at(south(0.0));
    }
    for drove in 1..30 {
        cycle(&mut watch, 0);
        assert!(watch.on, "{drove}");
        watch.looks_at(south(700.0 * f64::from(drove)));
    }
}

#[test]
fn a_pedometer_that_goes_away_is_as_good_as_none() {
    let mut watch = Watch::new();
    watch.looks_at(south(0.0));
    cycle(&mut watch, 5);
    watch.looks_at(south(0.0));
    comes_to_rest(&mut watch, south(0.0));
    for _ in 0..5 {
        watch.tell(PowerEvent::Steps(None));
        watch.wait();
        assert!(watch.on);
        watch.looks_at(south(0.0));
    }
}

/// A sensor that is stuck, a bicycle, a bag.
#[test]
fn a_pedometer_that_is_silent_for_hours_is_doubted_now_and_then_but_not_at_night() {
    let mut watch = Watch::new();
    watch.looks_at(south(0.0));
    cycle(&mut watch, 5);
    watch.looks_at(south(0.0));
    watch.tell(PowerEvent::Quiet(Some(watch.now + Duration::from_hours(9))));
    comes_to_rest(&mut watch, south(0.0));
    let silent = watch.now + Duration::from_hours(8);
    while watch.now < silent {
        cycle(&mut watch, 0);
        assert!(!watch.on, "at night");
    }
    watch.tell(PowerEvent::Quiet(None));
    let (began, mut looks) = (watch.now, 0);
    while watch.now < began + Duration::from_hours(5) {
        cycle(&mut watch, 0);
        if watch.on {
            looks += 1;
            watch.looks_at(south(0.0));
        }
    }
    assert!((9..=10).contains(&looks), "{looks} in five hours");
    while !watch.on {
        cycle(&mut watch, 0);
    }
    watch.looks_at(south(900.0));
    for rode in 10..20 {
        cycle(&mut watch, 0);
        assert!(watch.on, "it was found to ride");
        watch.looks_at(south(90.0 * f64::from(rode)));
    }
}

#[test]
fn who_is_driven_may_stand_still_and_who_walks_as_far_into_a_house_is_not_looked_for() {
    for (steps, driven) in [(10, true), (1000, false)] {
        let mut watch = Watch::new();
        watch.looks_at(south(0.0));
        cycle(&mut watch, 10);
        watch.looks_at(south(0.0));
        cycle(&mut watch, steps);
        watch.looks_at(south(800.0));
        // Now there is no sky.
        let (stood, mut looks) = (watch.now, 0);
        while watch.now < stood + RIDE {
            cycle(&mut watch, 0);
            looks += usize::from(watch.on);
        }
        assert_eq!(looks > 1, driven, "{looks}");
    }
}

/// Whoever is driven into a garage is not looked for until the next step, but for a while.
#[test]
fn a_ride_that_ends_under_a_roof_ends() {
    let mut watch = Watch::new();
    watch.looks_at(south(0.0));
    cycle(&mut watch, 10);
    watch.looks_at(south(0.0));
    cycle(&mut watch, 10);
    watch.looks_at(south(2000.0));
    let ended = watch.now + RIDE + CYCLE * 2;
    while watch.now < ended {
        cycle(&mut watch, 0);
    }
    for _ in 0..50 {
        cycle(&mut watch, 0);
        assert!(!watch.on);
    }
}

#[test]
fn what_stayed_open_at_a_fence_is_asked_once_under_a_roof_and_then_in_its_turn() {
    let mut watch = Watch::new();
    watch.looks_at(south(110.0));
    watch.looks_at(south(90.0));
    watch.tell(PowerEvent::Undecided(Some(watch.now + Duration::from_secs(20))));
    let (mut seconds, began) = (0, watch.now);
    for _ in 0..100 {
        let before = watch.on;
        let passed = watch.wait();
        seconds += if before { passed.as_secs() } else { 0 };
    }
    let all = watch.now.saturating_sub(began).as_secs();
    assert!(seconds * 9 < all, "{seconds} s of {all}");
}

#[test]
fn the_next_look_on_the_way_is_behind_the_fence() {
    let mut watch = Watch::new();
    watch.looks_at(south(300.0));
    watch.wait();
    watch.now += Duration::from_secs(20);
    watch.looks_at(south(160.0));
    let pause = watch.wait();
    assert!(pause < Duration::from_secs(70) && pause > Duration::from_secs(40), "{pause:?}");
}

#[test]
fn far_from_every_fence_the_pause_is_longer_by_the_way_to_it() {
    let mut watch = Watch::new();
    watch.looks_at(south(4100.0));
    assert_eq!((watch.wait() + SHORT).as_secs(), CYCLE.as_secs() + 4000 / 40);
    watch.looks_at(south(90_000.0));
    assert_eq!(watch.wait() + SHORT, CYCLE + FAR);
    watch.tell(PowerEvent::Zones(Vec::new()));
    watch.looks_at(south(0.0));
    assert_eq!(watch.wait(), QUIET, "without zones there is nothing to cross");
}

#[test]
fn without_a_sensor_class_is_quiet_until_it_ends() {
    let mut watch = Watch::new();
    watch.looks_at(south(0.0));
    watch.wait();
    let end = watch.now + Duration::from_mins(7);
    watch.tell(PowerEvent::Quiet(Some(end)));
    watch.looks_at(south(0.0));
    assert_eq!(watch.wait(), QUIET);
    watch.looks_at(south(0.0));
    assert!(watch.wait() < Duration::from_mins(2) + CYCLE && watch.now <= end + CYCLE);
    // Out of the zone it is not.
    watch.tell(PowerEvent::Quiet(Some(end + Duration::from_hours(9))));
    watch.looks_at(south(150.0));
    assert!(watch.wait() <= CYCLE);
}

#[test]
fn an_sos_keeps_it_on_whatever_comes() {
    let mut watch = Watch::new();
    watch.tell(PowerEvent::Battery(Battery::Dying));
    watch.wait();
    assert!(!watch.on);
    watch.tell(PowerEvent::Sos);
    assert!(watch.on);
    watch.looks_at(south(0.0));
    watch.looks_at(south(0.0));
    watch.tell(PowerEvent::Battery(Battery::Dying));
    assert!(watch.on);
    let burst = watch.wait();
    assert!(!watch.on && burst + Duration::from_secs(10) > BURST);
}

#[test]
fn a_battery_that_is_low_pauses_longer_and_one_that_dies_keeps_the_place() {
    let mut watch = Watch::new();
    watch.tell(PowerEvent::Battery(Battery::Low));
    watch.looks_at(south(0.0));
    assert!(watch.wait() > CYCLE * 3);
    watch.looks_at(south(0.0));
    watch.tell(PowerEvent::Battery(Battery::Dying));
    assert!(watch.kept == 1 && watch.on);
    watch.looks_at(south(0.0));
    assert!(watch.kept == 2 && !watch.on);
    for _ in 0..100 {
        watch.tell(PowerEvent::Zones(school()));
        watch.wait();
        assert!(watch.kept == 2 && !watch.on);
    }
    watch.tell(PowerEvent::Battery(Battery::Low));
    assert!(watch.on, "it is charged");
}

#[test]
fn on_a_fence_a_third_fix_says_on_which_side() {
    let mut watch = Watch::new();
    watch.looks_at(south(300.0));
    watch.wait();
    for metres in [101.0, 99.0] {
        watch.now += Duration::from_secs(1);
        watch.tell(PowerEvent::Believed(south(metres)));
        assert!(watch.on);
    }
    watch.now += Duration::from_secs(1);
    watch.tell(PowerEvent::Believed(south(97.0)));
    assert!(!watch.on);
}

#[test]
fn a_guardians_look_finds_where_the_watch_is_now_and_what_is_open_at_a_fence_is_looked_at_again() {
    for pedometer in [None, Some(7)] {
        let mut watch = Watch::new();
        watch.looks_at(south(500.0));
        watch.tell(PowerEvent::Steps(pedometer));
        watch.tell(PowerEvent::Looked);
        watch.looks_at(south(500.0));
        assert!(!watch.on);
        watch.now += SITS;
        watch.tell(PowerEvent::Looked);
        assert!(watch.on);
        watch.looks_at(south(500.0));
        assert!(!watch.on, "two fixes are enough");
        watch.tell(PowerEvent::Looked);
        let decides = watch.now + Duration::from_secs(20);
        watch.tell(PowerEvent::Undecided(Some(decides)));
        watch.looks_at(south(500.0));
        watch.tell(PowerEvent::Steps(pedometer));
        watch.wait();
        assert_eq!((watch.now + HOT, watch.on), (decides, true));
    }
}
