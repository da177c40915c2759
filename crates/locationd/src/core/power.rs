//! When the receiver is on: in short looks, as far apart as the promise lets them be.
//!
//! **The promise:** whoever crosses a fence is noticed within [`PROMISED`]. Between the end of a look and the end of the next
//! there are at most [`CYCLE`], and more only by the time it takes to come to the nearest fence at [`FASTEST_M_S`]. On the way
//! to a zone the next look is where its fence will be, because behind it may be a roof.
//!
//! **What it is told.** The count of a pedometer, once a cycle: whoever made no step since the last look crossed nothing, so the
//! receiver stays off. Who is driven makes no steps either: a watch that was found further away than its steps can have brought it is on a
//! ride, and is looked for every cycle until [`RIDE`] after it was last seen to be. A ride may begin a while after somebody has sat
//! down: for [`SITS`] after the last step there are looks as long as they find the sky. A ride that begins under a roof, or later, is
//! noticed with the first step after it. A pedometer that has been silent for [`SILENT`] may be broken, or on a bicycle: outside of
//! class and bedtime a look [`SILENT_EVERY`] asks whether the watch is still there. Without a pedometer every cycle of the day has its look, at several times the cost, and in class
//! and at bedtime, inside a zone, looks are [`QUIET`] apart: there the promise is five minutes. `golden/day.txt` has a day of each.
//!
//! **What it needs.** A receiver that starts hot in a second or two and warm in about five: data sheets give 1 s hot up to two hours after the
//! last fix (Linx RXM-GPS-R4, "Time To First Fix"), about 30 s later than that, for the ephemeris has to be heard again, unless the receiver
//! predicts orbits. One that does not is given a [`LONG`] look every [`LONG_EVERY`]: after two hours under a roof its first fence
//! may be told that late. gpsd adds one second: it waits for a whole cycle of sentences.
//!
//! Where nothing is to be crossed, because the family has no zones, looks are [`QUIET`] apart. With a low battery the pauses
//! are four times as long, and the promise is off; one that is about to die has its place kept, and then only an SOS or a guardian
//! starts the receiver.
//!
//! **Invariants:** the receiver is never on for longer than a look or a burst without a new reason; while it is off and nothing happens,
//! nothing here wants to be woken more than once in a minute.

use std::time::Duration;

use policy::{Place, Zone};

mod battery;
#[cfg(test)]
mod day;
#[cfg(test)]
mod tests;

pub use battery::Battery;

/// How soon a crossing is noticed.
pub const PROMISED: Duration = Duration::from_mins(2);
/// From the end of a look to the end of the next: what is left of the promise when a child has walked
/// through a zone's rim and a second look has decided.
const CYCLE: Duration = Duration::from_secs(78);
/// What a receiver that starts hot needs for a fix.
const HOT: Duration = Duration::from_secs(2);
/// A look at a sky seen within [`FRESH`].
const SHORT: Duration = Duration::from_secs(6);
/// After that: a receiver that predicts orbits, or is helped, takes about five seconds.
const STALE: Duration = Duration::from_secs(8);
/// A receiver that has to hear the ephemeris again, or knows nothing at all.
const LONG: Duration = Duration::from_secs(45);
/// How often that is tried.
const LONG_EVERY: Duration = Duration::from_mins(20);
/// For how long a fix makes the next one quick.
const FRESH: Duration = Duration::from_hours(2);
/// Fixes that end a look: as many as a zone wants for a crossing. Where nothing was believed before, others came before them.
const ENOUGH: u8 = 2;
/// Pauses where no crossing is expected.
const QUIET: Duration = Duration::from_mins(5);
/// An SOS keeps the receiver on for so long.
const BURST: Duration = Duration::from_mins(3);
/// How long after the last step a ride may begin, where there is sky.
const SITS: Duration = Duration::from_mins(10);
/// Children who are awake make a step within this.
const SILENT: Duration = Duration::from_hours(2);
/// How often a pedometer that is silent for longer is doubted.
const SILENT_EVERY: Duration = Duration::from_mins(30);
/// A watch that is this far from where it was, metres, and further than by steps of [`STRIDE_M`], is on a ride: a little more than fixes
/// under trees may be wrong.
const RIDE_M: f64 = 60.0;
const STRIDE_M: f64 = 1.0;
/// How long somebody who is driven may stand still.
const RIDE: Duration = Duration::from_mins(5);
/// Faster than children are driven where there are fences, metres a second.
const FASTEST_M_S: f64 = 40.0;
/// No pause is made longer than by this because fences are far away.
const FAR: Duration = Duration::from_mins(5);
/// The shortest pause on the way to a zone.
const NEAR: Duration = Duration::from_secs(10);
/// So far behind a fence the watch is inside for certain, metres.
const BEHIND_M: f64 = 10.0;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum PowerEvent {
    /// A fix that is believed.
    Believed(Place),
    /// What the pedometer has counted, read just before [`PowerEvent::Due`]; `None` where there is none.
    Steps(Option<u64>),
    /// The battery is another one.
    Battery(Battery),
    /// Help is called for: where the watch is counts now.
    Sos,
    /// A guardian looks: he is to see where the watch is now.
    Looked,
    /// Other zones.
    Zones(Vec<Zone>),
    /// A fix at this moment of the boot-time clock decides whether a fence was crossed; or nothing is in question.
    Undecided(Option<Duration>),
    /// Class or bedtime is in force, until this moment of the boot-time clock at least; or neither.
    Quiet(Option<Duration>),
    /// The moment of [`Power::due`] has come.
    Due,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerEffect {
    /// The receiver is to be on, or off.
    Receiver(bool),
    /// The last position is to be kept, for there may be no other.
    KeepLast,
}

/// What the receiver does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// On, until then at the latest. `fixes` came so far; of a burst none are counted.
    Looking { until: Duration, fixes: u8, burst: bool },
    /// Off, until then or until something happens.
    Resting { until: Duration },
}

/// Where the watch was found, when, and how many steps had been counted.
#[derive(Debug, Clone, Copy)]
struct Spot {
    place: Place,
    at: Duration,
    steps: Option<u64>,
}

/// Decides when the receiver is on.
#[derive(Debug)]
pub struct Power {
    phase: Phase,
    fences: Vec<(Place, f64)>,
    steps: Option<u64>,
    /// Whether it went on since a look began, and when it was seen to last.
    moved: bool,
    stepped: Duration,
    /// When the last look began.
    looked: Duration,
    /// Whether the last look brought a fix.
    sky: bool,
    /// Until when the watch is taken for one that is driven.
    ride: Duration,
    battery: Battery,
    quiet: Option<Duration>,
    undecided: Option<Duration>,
    /// Where the watch was found last, and in the look before.
    last: Option<Spot>,
    before: Option<Spot>,
    long_at: Duration,
    told: Option<bool>,
}

impl Power {
    /// Begins with a long look.
    pub fn new(now: Duration) -> Self {
        Self {
            phase: Phase::Looking { until: now + LONG, fixes: 0, burst: false },
            fences: Vec::new(),
            steps: None,
            moved: false,
            stepped: Duration::ZERO,
            looked: now,
            sky: false,
            ride: Duration::ZERO,
            battery: Battery::Good,
            quiet: None,
            undecided: None,
            last: None,
            before: None,
            long_at: now + LONG_EVERY,
            told: None,
        }
    }

    /// When [`PowerEvent::Due`] is to come, on the boot-time clock.
    pub fn due(&self) -> Duration {
        match self.phase {
            Phase::Looking { until, .. } | Phase::Resting { until } => until,
        }
    }

    /// How full the battery is taken to be.
    pub fn battery(&self) -> Battery {
        self.battery
    }

    /// Takes one event; `now` is the boot-time clock.
    pub fn handle(&mut self, event: PowerEvent, now: Duration) -> Vec<PowerEffect> {
        let mut effects = Vec::new();
        match event {
            PowerEvent::Believed(place) => self.believed(place, now, &mut effects),
            PowerEvent::Steps(steps) => {
                // A counter that begins anew counts as well.
                if steps != self.steps {
                    (self.moved, self.stepped) = (true, now);
                }
                self.steps = steps;
            }
            PowerEvent::Battery(battery) => {
                let before = std::mem::replace(&mut self.battery, battery);
                if battery == Battery::Dying && before != battery {
                    effects.push(PowerEffect::KeepLast);
                    self.look(now, LONG);
                } else if before == Battery::Dying && battery != before {
                    self.look(now, self.limit(now));
                }
            }
            PowerEvent::Sos => self.phase = Phase::Looking { until: now + BURST, fixes: 0, burst: true },
            PowerEvent::Looked => self.look(now, LONG),
            PowerEvent::Zones(zones) => {
                let fence = |zone: &Zone| Some((zone.centre().ok()?, f64::from(zone.radius_m)));
                self.fences = zones.iter().filter_map(fence).collect();
                if matches!(self.phase, Phase::Resting { .. }) && self.battery != Battery::Dying {
                    self.look(now, self.limit(now));
                }
            }
            PowerEvent::Quiet(until) => {
                self.quiet = until;
                if until.is_none() && self.steps.is_none() {
                    self.sooner(now + self.pause(now));
                }
            }
            PowerEvent::Undecided(at) => self.undecided = at,
            PowerEvent::Due => self.in_time(now, &mut effects),
        }
        let on = matches!(self.phase, Phase::Looking { .. });
        if self.told != Some(on) {
            self.told = Some(on);
            effects.push(PowerEffect::Receiver(on));
        }
        effects
    }

    fn believed(&mut self, place: Place, now: Duration, effects: &mut Vec<PowerEffect>) {
        let Phase::Looking { until, fixes, burst } = self.phase else { return };
        // On a fence one more fix says on which side.
        let agrees = self.last.is_some_and(|last| {
            self.fences.iter().all(|fence| is_inside(fence, last.place) == is_inside(fence, place))
        });
        if fixes == 0 {
            self.before = self.last;
        }
        self.last = Some(Spot { place, at: now, steps: self.steps });
        let fixes = fixes.saturating_add(1);
        self.phase = Phase::Looking { until, fixes, burst };
        if !burst && fixes >= ENOUGH && agrees {
            self.rest(now, effects);
        }
    }

    fn in_time(&mut self, now: Duration, effects: &mut Vec<PowerEffect>) {
        match self.phase {
            Phase::Looking { until, .. } if now >= until => self.rest(now, effects),
            Phase::Resting { until } if now < until => {}
            Phase::Resting { until } if self.battery == Battery::Dying || self.stays(until, now) => {
                self.phase = Phase::Resting { until: self.next(now) };
            }
            Phase::Resting { .. } => {
                let limit = self.limit(now);
                if limit == LONG {
                    self.long_at = now + LONG_EVERY;
                }
                self.look(now, limit);
            }
            Phase::Looking { .. } => {}
        }
    }

    fn look(&mut self, now: Duration, limit: Duration) {
        if !matches!(self.phase, Phase::Looking { burst: true, .. }) {
            self.phase = Phase::Looking { until: now + limit, fixes: 0, burst: false };
            (self.moved, self.looked) = (false, now);
        }
    }

    /// A look is over.
    fn rest(&mut self, now: Duration, effects: &mut Vec<PowerEffect>) {
        if self.battery == Battery::Dying {
            effects.push(PowerEffect::KeepLast);
        }
        self.sky = matches!(self.phase, Phase::Looking { fixes: 1.., .. });
        if self.sky && self.was_driven() {
            // Far from every fence the next look is far away as well.
            self.ride = self.next(now) + RIDE;
        }
        self.phase = Phase::Resting { until: self.next(now) };
    }

    /// When it is to be seen again whether there is a reason to look.
    fn next(&self, now: Duration) -> Duration {
        if self.battery == Battery::Dying {
            return now + QUIET;
        }
        let next = now + self.pause(now);
        // A question that stayed open, under a roof, has to wait for its turn.
        let Some(answered) = self.undecided.filter(|at| *at > now) else { return next };
        let early = answered.saturating_sub(HOT);
        next.min(if early > now { early } else { answered })
    }

    /// Whether a watch that rests until then crossed nothing, and left no question open that is to be answered then.
    fn stays(&self, until: Duration, now: Duration) -> bool {
        let moved = self.steps.is_none() || self.moved;
        let rides = now < self.ride || self.sky && now < self.stepped + SITS;
        let asked = self.undecided.is_some_and(|at| (until..=until + HOT).contains(&at));
        let silent = self.quiet.is_none() && now.saturating_sub(self.stepped) >= SILENT;
        let doubted = silent && now.saturating_sub(self.looked) >= SILENT_EVERY;
        !moved && !rides && !asked && !doubted
    }

    /// Whether it is further from where it was than steps can have brought it.
    fn was_driven(&self) -> bool {
        let Some((last, before)) = self.last.zip(self.before) else { return false };
        let Some((steps, earlier)) = last.steps.zip(before.steps) else { return false };
        let walked = steps.saturating_sub(earlier) as f64 * STRIDE_M;
        last.place.distance_m(before.place) > RIDE_M + walked
    }

    /// The next look comes no later than then.
    fn sooner(&mut self, at: Duration) {
        if let Phase::Resting { until } = &mut self.phase
            && self.battery != Battery::Dying
        {
            *until = at.min(*until);
        }
    }

    /// How long the next look may take.
    fn limit(&self, now: Duration) -> Duration {
        match self.last {
            Some(last) if now.saturating_sub(last.at) < FRESH => SHORT,
            _ if now >= self.long_at => LONG,
            _ => STALE,
        }
    }

    /// How long the receiver may be off from now on, if the watch moves.
    fn pause(&self, now: Duration) -> Duration {
        // Whoever needs a long look is late anyway.
        let cycle = CYCLE.saturating_sub(self.limit(now + CYCLE).min(STALE));
        let inside = self.fences.iter().any(|fence| self.distance(fence).is_some_and(|metres| metres < 0.0));
        let pause = if self.fences.is_empty() {
            QUIET
        } else if let Some(until) = self.quiet.filter(|_| self.steps.is_none() && inside) {
            QUIET.min(until.saturating_sub(now)).max(cycle)
        } else {
            // As many seconds more as there are to the nearest fence.
            let far = Duration::from_secs_f64(self.nearest_m() / FASTEST_M_S).min(FAR);
            let since = self.last.map_or(now, |last| now.saturating_sub(last.at));
            cycle + far.saturating_sub(since)
        };
        let pause = self.approach().map_or(pause, |arrival| pause.min(arrival));
        if self.battery == Battery::Low { pause * 4 } else { pause }
    }

    /// Metres to a fence; less than 0 within it.
    fn distance(&self, (centre, radius): &(Place, f64)) -> Option<f64> {
        self.last.map(|last| centre.distance_m(last.place) - radius)
    }

    fn nearest_m(&self) -> f64 {
        let all = self.fences.iter().filter_map(|fence| self.distance(fence));
        let nearest = all.map(f64::abs).fold(f64::INFINITY, f64::min);
        if nearest.is_finite() { nearest } else { 0.0 }
    }

    /// How long until the watch is inside the zone it comes closer to.
    fn approach(&self) -> Option<Duration> {
        let (last, before) = self.last.zip(self.before)?;
        let passed = last.at.saturating_sub(before.at).as_secs_f64();
        let arrivals = self.fences.iter().filter_map(|fence| {
            let metres = self.distance(fence).filter(|metres| *metres > 0.0)?;
            let speed = (fence.0.distance_m(before.place) - fence.1 - metres) / passed;
            (speed > 0.3).then(|| (metres + BEHIND_M) / speed)
        });
        let soonest = arrivals.fold(f64::INFINITY, f64::min);
        (soonest < CYCLE.as_secs_f64()).then(|| Duration::from_secs_f64(soonest).max(NEAR))
    }
}

fn is_inside((centre, radius): &(Place, f64), place: Place) -> bool {
    centre.distance_m(place) <= *radius
}
