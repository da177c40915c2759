//! Which zones the watch is in.
//!
//! **Invariants:** a zone is entered or left only by believed fixes that say so for [`DWELL`] without one that does not, and without
//! more than [`GAP`] between two of them;
//! between the circle and its rim nothing changes, nor by a fix whose error is larger than the circle; one
//! crossing is told once, with the first fix beyond it; a zone that is taken out of the rules and put back unchanged is
//! remembered.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use policy::{Place, Zone};

use super::fix::Fix;
use super::judge::Doubt;
use super::power::PROMISED;

/// How long fixes must agree that the watch is on the other side: one that strays does not, nor a train or bus that passes.
const DWELL: Duration = Duration::from_secs(20);
/// A fix that comes later says nothing of what those before it said: one strays in the morning and one at noon. Whoever crosses has two
/// looks within it, and one more if the first sees no sky: the plan looks again after [`DWELL`], and then after its longest pause on foot.
const GAP: Duration = PROMISED;
/// Width of the rim, metres, unless the fix is worse than that.
const RIM_M: f64 = 20.0;
/// Longer between the last fix on this side and the first on the other, and the crossing was missed.
const MISSED: SignedDuration = SignedDuration::from_secs(60);

/// What happened at a zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossing {
    /// The zone.
    pub zone: Zone,
    /// How it was crossed.
    pub kind: CrossingKind,
    /// The first fix on the other side.
    pub fix: Fix,
    /// The last time the watch was known to be on this side, where nobody saw it cross.
    pub after: Option<Timestamp>,
    /// What was overlooked to believe that fix.
    pub mark: Option<Doubt>,
}

/// How a zone was crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrossingKind {
    /// The watch came in.
    Entered,
    /// The watch was inside when the daemon or the zone was new.
    Found,
    /// The watch went out.
    Left,
}

/// What is known of a watch that was to be in a zone at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It was there, or may have been when it was seen there next.
    There,
    /// It was seen outside, then or within [`PROMISED`] before.
    Elsewhere,
    /// Nobody saw it.
    Nothing,
}

/// The zones in force.
#[derive(Debug, Default)]
pub(super) struct Zones {
    watched: Vec<Watched>,
    in_force: bool,
}

#[derive(Debug)]
struct Watched {
    zone: Zone,
    centre: Place,
    side: Side,
}

/// What is known of a circle.
#[derive(Debug, Clone, Copy, Default)]
struct Side {
    /// `None` until it is known.
    inside: Option<bool>,
    /// When a fix last agreed with that.
    agreed: Option<Timestamp>,
    /// Fixes that say otherwise, without one that agrees among them.
    against: Option<Against>,
    /// When it was seen to come and to go last, the first fix of each, and when it was outside last; on the boot-time clock.
    entered: Option<Duration>,
    left: Option<Duration>,
    outside: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Against {
    inside: bool,
    /// When the first of them came and when the last, on the boot-time clock.
    since: Duration,
    last: Duration,
    first: Fix,
    mark: Option<Doubt>,
}

impl Zones {
    /// Other rules. `None` means that there are none now: no zone is known, nothing is left.
    pub(super) fn set(&mut self, zones: Option<Vec<Zone>>) {
        self.in_force = zones.is_some();
        let Some(zones) = zones else { return };
        let old = std::mem::take(&mut self.watched);
        // A validated policy has no zone without a centre.
        let watch = |zone: Zone| zone.centre().ok().map(|centre| Watched::new(zone, centre, &old));
        self.watched = zones.into_iter().filter_map(watch).collect();
    }

    /// A believed fix, and what was overlooked to believe it; `now` is the boot-time clock.
    pub(super) fn pass(&mut self, fix: &Fix, mark: Option<Doubt>, now: Duration) -> Vec<Crossing> {
        if !self.in_force {
            return Vec::new();
        }
        let crossings = self.watched.iter_mut().filter_map(|watched| watched.pass(fix, mark, now));
        let mut crossings: Vec<_> = crossings.collect();
        // Whoever went from one to the other left first.
        crossings.sort_by_key(|crossing| crossing.kind != CrossingKind::Left);
        crossings
    }

    /// When a fix can decide what the last one left open, on the boot-time clock; `None` where nothing is open.
    pub(super) fn undecided(&self) -> Option<Duration> {
        let open = self.watched.iter().filter(|_| self.in_force).filter_map(|watched| watched.side.against);
        open.map(|against| against.since + DWELL).min()
    }

    /// All of them.
    pub(super) fn in_force(&self) -> impl Iterator<Item = &Zone> {
        self.watched.iter().filter(|_| self.in_force).map(|watched| &watched.zone)
    }

    /// Whether the watch was in a zone at a moment of the boot-time clock that has just passed.
    pub(super) fn known(&self, zone: &Zone, then: Duration) -> Known {
        let watched = self.watched.iter().find(|watched| watched.zone.id == zone.id);
        watched.map_or(Known::Nothing, |watched| watched.side.known(then))
    }

    /// Id of the smallest zone the watch is in.
    pub(super) fn current(&self) -> Option<&str> {
        let inside = self.watched.iter().filter(|watched| self.in_force && watched.side.inside == Some(true));
        inside.min_by_key(|watched| watched.zone.radius_m).map(|watched| watched.zone.id.as_str())
    }
}

impl Watched {
    /// What was known of the same circle stays known; a new name moves nobody.
    fn new(zone: Zone, centre: Place, old: &[Self]) -> Self {
        let same = |other: &&Self| {
            other.zone.id == zone.id && other.centre == centre && other.zone.radius_m == zone.radius_m
        };
        let side = old.iter().find(same).map(|other| other.side).unwrap_or_default();
        Self { zone, centre, side }
    }

    fn pass(&mut self, fix: &Fix, mark: Option<Doubt>, now: Duration) -> Option<Crossing> {
        let inside = self.tells(fix);
        let side = &mut self.side;
        if side.inside == Some(inside) {
            side.agree(fix, now);
            return None;
        }
        let goes_on = |other: &Against| other.inside == inside && now.saturating_sub(other.last) <= GAP;
        let before = side.against.filter(goes_on);
        let before = before.unwrap_or(Against { inside, since: now, last: now, first: *fix, mark });
        let against = *side.against.insert(Against { last: now, ..before });
        // That it is outside of a zone nobody knew of is no event: it need not wait.
        let unknown = side.inside.is_none() && !inside;
        if !unknown && now.saturating_sub(against.since) < DWELL {
            return None;
        }
        let before = *side;
        side.inside = Some(inside);
        side.agree(fix, now);
        let kind = match (before.inside, inside) {
            (None, false) => return None,
            (None, true) => CrossingKind::Found,
            (Some(_), true) => {
                side.entered = Some(against.since);
                CrossingKind::Entered
            }
            (Some(_), false) => {
                side.left = Some(against.since);
                CrossingKind::Left
            }
        };
        let Against { first: fix, mark, .. } = against;
        let after = before.agreed.filter(|agreed| fix.time.duration_since(*agreed) > MISSED);
        Some(Crossing { zone: self.zone.clone(), kind, fix, after, mark })
    }

    /// Whether the fix is inside. Where it cannot tell, whoever is in stays in and whoever is out stays out.
    fn tells(&self, fix: &Fix) -> bool {
        let distance = self.centre.distance_m(fix.place);
        let radius = f64::from(self.zone.radius_m);
        if distance <= radius && fix.accuracy_m() <= radius {
            true
        } else if distance > radius + RIM_M.max(fix.accuracy_m()) {
            false
        } else {
            self.side.inside.unwrap_or(false)
        }
    }
}

impl Side {
    fn agree(&mut self, fix: &Fix, now: Duration) {
        self.against = None;
        self.agreed = Some(fix.time);
        if self.inside == Some(false) {
            self.outside = Some(now);
        }
    }

    /// What nobody saw speaks for the child: whoever is in, or coming in, and was not seen outside since then was there.
    fn known(&self, then: Duration) -> Known {
        let after = |moment: Option<Duration>| moment.is_some_and(|at| at > then);
        let lately = then.saturating_sub(PROMISED);
        let comes = self.against.is_some_and(|against| against.inside && against.last >= lately);
        let there = if self.inside == Some(true) || comes {
            after(self.left) || self.outside.is_none_or(|at| at < then)
        } else {
            after(self.left) && !after(self.entered)
        };
        match self.outside {
            _ if there => Known::There,
            Some(at) if at >= lately => Known::Elsewhere,
            _ => Known::Nothing,
        }
    }
}
