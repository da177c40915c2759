//! When the receiver is on: in short looks, as far apart as the promise lets them be.
//!
//! **The promise:** whoever crosses a fence is noticed within [`PROMISED`]. Between the end of a look and the end of the next
//! there are at most [`CYCLE`], and more only by the time it takes to come to the nearest fence at [`FASTEST_M_S`]. On the way
//! to a zone the next look is where its fence will be, because behind it may be a roof.
//!
//! **What it needs.** A sensor that tells motion from rest (a step or significant-motion detector, as sensor hubs have them;
//! not one that any gesture wakes): a watch at rest crosses nothing, so the receiver is off until it moves. Without one
//! ([`Motion`] is never told) every cycle of the day has its look, at several times the cost, and in class and at bedtime, inside
//! a zone, looks are [`QUIET`] apart: there the promise is five minutes. `golden/day.txt` has a day of each.
//! And a receiver that starts hot in a second or two and warm in about five: data sheets give 1 s hot up to two hours after the
//! last fix (Linx RXM-GPS-R4, "Time To First Fix"), about 30 s later than that, for the ephemeris has to be heard again, unless the receiver
//! predicts orbits. One that does not is given a [`LONG`] look every [`LONG_EVERY`]: after two hours under a roof its first fence
//! may be told that late. gpsd adds one second: it waits for a whole cycle of sentences.
//!
//! Where nothing is to be crossed, because the family has no zones, looks are [`QUIET`] apart. With a low battery the pauses
//! are four times as long, and the promise is off; one that is about to die has its place kept, and then only an SOS
//! starts the receiver.
//!
//! **Invariants:** the receiver is never on for longer than a look or a burst without a new reason; while it is off and nothing
//! moves, nothing here wants to be woken.

use std::time::Duration;

use policy::{Place, Zone};

#[cfg(test)]
mod day;
#[cfg(test)]
mod tests;

/// How soon a crossing is noticed.
pub const PROMISED: Duration = Duration::from_mins(2);
/// From the end of a look to the end of the next: what is left of the promise when a child has walked
/// through a zone's rim and a second look has decided.
const CYCLE: Duration = Duration::from_secs(78);
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
/// The sensor may tell of motion so much late.
const SENSOR: Duration = Duration::from_secs(30);
/// Faster than children are driven where there are fences, metres a second.
const FASTEST_M_S: f64 = 40.0;
/// No pause is made longer than by this because fences are far away.
const FAR: Duration = Duration::from_mins(5);
/// The shortest pause on the way to a zone.
const NEAR: Duration = Duration::from_secs(10);
/// So far behind a fence the watch is inside for certain, metres.
const BEHIND_M: f64 = 15.0;

/// What the sensor says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// Somebody walks, runs or is driven with it.
    Moving,
    /// It lies, or its wearer sits or sleeps.
    Still,
}

/// How full the battery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Battery {
    /// Full enough.
    Good,
    /// Not for the rest of the day.
    Low,
    /// Not for the next minutes.
    Dying,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum PowerEvent {
    /// A fix that is believed.
    Believed(Place),
    /// The sensor speaks. Where there is none it never does.
    Motion(Motion),
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
    Resting { until: Option<Duration> },
}

/// Decides when the receiver is on.
#[derive(Debug)]
pub struct Power {
    phase: Phase,
    fences: Vec<(Place, f64)>,
    motion: Option<Motion>,
    battery: Battery,
    quiet: Option<Duration>,
    undecided: Option<Duration>,
    /// Where the watch was when a look ended, and the one before.
    last: Option<(Place, Duration)>,
    before: Option<(Place, Duration)>,
    long_at: Duration,
    told: Option<bool>,
}

impl Power {
    /// Begins with a long look.
    pub fn new(now: Duration) -> Self {
        Self {
            phase: Phase::Looking { until: now + LONG, fixes: 0, burst: false },
            fences: Vec::new(),
            motion: None,
            battery: Battery::Good,
            quiet: None,
            undecided: None,
            last: None,
            before: None,
            long_at: now + LONG_EVERY,
            told: None,
        }
    }

    /// When [`PowerEvent::Due`] is to come, on the boot-time clock; `None`: only when something happens.
    pub fn due(&self) -> Option<Duration> {
        match self.phase {
            Phase::Looking { until, .. } => Some(until),
            Phase::Resting { until } => until,
        }
    }

    /// Takes one event; `now` is the boot-time clock.
    pub fn handle(&mut self, event: PowerEvent, now: Duration) -> Vec<PowerEffect> {
        let mut effects = Vec::new();
        match event {
            PowerEvent::Believed(place) => self.believed(place, now, &mut effects),
            PowerEvent::Motion(motion) => {
                let before = self.motion.replace(motion);
                if motion == Motion::Moving && before != Some(motion) {
                    // Until it moved it crossed nothing.
                    self.sooner(now, self.pause(now).saturating_sub(SENSOR));
                }
            }
            PowerEvent::Battery(battery) => {
                let before = std::mem::replace(&mut self.battery, battery);
                if battery == Battery::Dying && before != battery {
                    effects.push(PowerEffect::KeepLast);
                    self.look(now, LONG);
                } else if before == Battery::Dying && battery != before {
                    self.sooner(now, Duration::ZERO);
                }
            }
            PowerEvent::Sos => self.phase = Phase::Looking { until: now + BURST, fixes: 0, burst: true },
            PowerEvent::Looked => self.look(now, LONG),
            PowerEvent::Zones(zones) => {
                let fence = |zone: &Zone| Some((zone.centre().ok()?, f64::from(zone.radius_m)));
                self.fences = zones.iter().filter_map(fence).collect();
                self.sooner(now, Duration::ZERO);
            }
            PowerEvent::Quiet(until) => {
                self.quiet = until;
                if until.is_none() && self.motion.is_none() {
                    self.sooner(now, self.pause(now));
                }
            }
            PowerEvent::Undecided(at) => self.undecided = at,
            PowerEvent::Due => {}
        }
        self.in_time(now, &mut effects);
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
        let agrees = self.last.is_some_and(|(last, _)| {
            self.fences.iter().all(|fence| is_inside(fence, last) == is_inside(fence, place))
        });
        if fixes == 0 {
            self.before = self.last;
        }
        self.last = Some((place, now));
        let fixes = fixes.saturating_add(1);
        self.phase = Phase::Looking { until, fixes, burst };
        if !burst && fixes >= ENOUGH && agrees {
            self.rest(now, effects);
        }
    }

    fn in_time(&mut self, now: Duration, effects: &mut Vec<PowerEffect>) {
        match self.phase {
            Phase::Looking { until, .. } if now >= until => self.rest(now, effects),
            Phase::Resting { until: Some(until) } if now >= until => {
                let limit = self.limit(now);
                if limit == LONG {
                    self.long_at = now + LONG_EVERY;
                }
                self.look(now, limit);
            }
            _ => {}
        }
    }

    fn look(&mut self, now: Duration, limit: Duration) {
        if !matches!(self.phase, Phase::Looking { burst: true, .. }) {
            self.phase = Phase::Looking { until: now + limit, fixes: 0, burst: false };
        }
    }

    /// A look is over.
    fn rest(&mut self, now: Duration, effects: &mut Vec<PowerEffect>) {
        let until = match (self.battery, self.motion) {
            (Battery::Dying, _) => {
                effects.push(PowerEffect::KeepLast);
                None
            }
            (_, Some(Motion::Still)) => self.undecided,
            _ => Some(self.undecided.map_or(now + self.pause(now), |at| at.min(now + self.pause(now)))),
        };
        self.phase = Phase::Resting { until };
    }

    /// The next look comes no later than this from now.
    fn sooner(&mut self, now: Duration, pause: Duration) {
        if let Phase::Resting { until } = &mut self.phase
            && self.battery != Battery::Dying
        {
            *until = Some(until.map_or(now + pause, |until| until.min(now + pause)));
        }
    }

    /// How long the next look may take.
    fn limit(&self, now: Duration) -> Duration {
        match self.last {
            Some((_, at)) if now.saturating_sub(at) < FRESH => SHORT,
            _ if now >= self.long_at => LONG,
            _ => STALE,
        }
    }

    /// How long the receiver may be off from now on, if the watch moves.
    fn pause(&self, now: Duration) -> Duration {
        let cycle = CYCLE.saturating_sub(self.limit(now + CYCLE));
        let inside = self.fences.iter().any(|fence| self.distance(fence).is_some_and(|metres| metres < 0.0));
        let pause = if self.fences.is_empty() {
            QUIET
        } else if let Some(until) = self.quiet.filter(|_| self.motion.is_none() && inside) {
            QUIET.min(until.saturating_sub(now)).max(cycle)
        } else {
            // As many seconds more as there are to the nearest fence.
            let far = Duration::from_secs_f64(self.nearest_m() / FASTEST_M_S).min(FAR);
            let since = self.last.map_or(now, |(_, at)| now.saturating_sub(at));
            cycle + far.saturating_sub(since)
        };
        let pause = self.approach().map_or(pause, |arrival| pause.min(arrival));
        if self.battery == Battery::Low { pause * 4 } else { pause }
    }

    /// Metres to a fence; less than 0 within it.
    fn distance(&self, (centre, radius): &(Place, f64)) -> Option<f64> {
        self.last.map(|(place, _)| centre.distance_m(place) - radius)
    }

    fn nearest_m(&self) -> f64 {
        let all = self.fences.iter().filter_map(|fence| self.distance(fence));
        let nearest = all.map(f64::abs).fold(f64::INFINITY, f64::min);
        if nearest.is_finite() { nearest } else { 0.0 }
    }

    /// How long until the watch is inside the zone it comes closer to.
    fn approach(&self) -> Option<Duration> {
        let ((_, at), (before, since)) = self.last.zip(self.before)?;
        let passed = at.saturating_sub(since).as_secs_f64();
        let arrivals = self.fences.iter().filter_map(|fence| {
            let metres = self.distance(fence).filter(|metres| *metres > 0.0)?;
            let speed = (fence.0.distance_m(before) - fence.1 - metres) / passed;
            (speed > 0.3).then(|| (metres + BEHIND_M) / speed)
        });
        let soonest = arrivals.fold(f64::INFINITY, f64::min);
        (soonest < CYCLE.as_secs_f64()).then(|| Duration::from_secs_f64(soonest).max(NEAR))
    }
}

fn is_inside((centre, radius): &(Place, f64), place: Place) -> bool {
    centre.distance_m(place) <= *radius
}
