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
}

impl Watch {
    fn new() -> Self {
        let now = Duration::from_secs(100);
        let mut watch = Self { power: Power::new(now), now, on: false, kept: 0 };
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

    /// Until the moment it asked for; how long that was.
    fn wait(&mut self) -> Duration {
        let due = self.power.due().unwrap();
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

#[test]
fn at_rest_nothing_wakes_it_and_motion_does() {
    let mut watch = Watch::new();
    watch.looks_at(south(0.0));
    watch.tell(PowerEvent::Motion(Motion::Still));
    watch.looks_at(south(0.0));
    assert!(!watch.on && watch.power.due().is_none());
    watch.now += Duration::from_hours(9);
    watch.tell(PowerEvent::Motion(Motion::Moving));
    assert!(!watch.on, "what was at rest crossed nothing yet");
    assert!(watch.wait() + SENSOR < CYCLE && watch.on);
}

#[test]
fn the_next_look_on_the_way_is_behind_the_fence() {
    let mut watch = Watch::new();
    watch.tell(PowerEvent::Motion(Motion::Moving));
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
    watch.tell(PowerEvent::Motion(Motion::Still));
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
    assert!(watch.kept == 2 && !watch.on && watch.power.due().is_none());
    watch.tell(PowerEvent::Motion(Motion::Moving));
    assert!(watch.power.due().is_none());
    watch.tell(PowerEvent::Battery(Battery::Good));
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
    let mut watch = Watch::new();
    watch.looks_at(south(500.0));
    watch.looks_at(south(500.0));
    assert!(!watch.on);
    watch.tell(PowerEvent::Looked);
    assert!(watch.on);
    watch.looks_at(south(500.0));
    assert!(!watch.on, "two fixes are enough");
    watch.tell(PowerEvent::Looked);
    let decides = watch.now + Duration::from_secs(20);
    watch.tell(PowerEvent::Undecided(Some(decides)));
    watch.looks_at(south(500.0));
    watch.wait();
    assert_eq!((watch.now, watch.on), (decides, true));
}
