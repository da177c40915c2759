//! Which zones the watch is in.
//!
//! **Invariants:** a zone is entered or left only by believed fixes that say so for [`DWELL`] without one that does not, and without
//! more than [`GAP`] between two of them;
//! between the circle and its rim nothing changes, nor by a fix whose error is larger than the circle; one
//! crossing is told once, with the first fix beyond it; what is known of a circle outlives rules that are gone for a moment, and locationd: to
//! start it again, or the watch, hides no leaving; a circle that was edited keeps its side where the last believed fix agrees; the zone that
//! is shown is one in which a fix was seen since the start.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use policy::{Place, Zone};

use super::fix::Fix;
use super::judge::Doubt;
use super::kept::{KeptSide, hash};
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

/// How often what is known is kept, at most, while no side changes.
const KEEP_EVERY: Duration = Duration::from_mins(10);

/// For how long what was kept speaks for a child who should be there.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);

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
    /// What was known when locationd ended, until there are rules.
    before: Vec<KeptSide>,
    /// The last believed fix.
    last: Option<Fix>,
    /// When it is to be kept, and was last; on the boot-time clock.
    keep_at: Option<Duration>,
    kept_at: Duration,
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
    /// When a fix last agreed with that, or did not speak against it; and whether one agreed since locationd started.
    agreed: Option<Timestamp>,
    seen: bool,
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
    /// Goes on from what was kept.
    pub(super) fn after(before: Vec<KeptSide>) -> Self {
        Self { before, ..Self::default() }
    }

    /// Other rules. `None` means that there are none now: no zone is known, nothing is left.
    pub(super) fn set(&mut self, zones: Option<Vec<Zone>>) {
        self.in_force = zones.is_some();
        let Some(zones) = zones else { return };
        let (old, before) = (std::mem::take(&mut self.watched), std::mem::take(&mut self.before));
        // A validated policy has no zone without a centre.
        let watch = |zone: Zone| {
            let centre = zone.centre().ok()?;
            let old = old.iter().find(|other| other.zone.id == zone.id);
            let before = before.iter().find(|kept| kept.zone == zone.id);
            Some(Watched { zone, centre, side: Side::default() }.knowing(old, before, self.last.as_ref()))
        };
        self.watched = zones.into_iter().filter_map(watch).collect();
        self.keep_at = Some(Duration::ZERO);
    }

    /// What is to outlive locationd, when it is time to keep it; `now` is the boot-time clock.
    pub(super) fn keep(&mut self, now: Duration) -> Option<Vec<KeptSide>> {
        self.keep_at.filter(|at| self.in_force && *at <= now)?;
        (self.keep_at, self.kept_at) = (None, now);
        Some(self.watched.iter().filter_map(Watched::kept).collect())
    }

    /// A believed fix, and what was overlooked to believe it; `now` is the boot-time clock.
    pub(super) fn pass(&mut self, fix: &Fix, mark: Option<Doubt>, now: Duration) -> Vec<Crossing> {
        self.last = Some(*fix);
        if !self.in_force {
            return Vec::new();
        }
        let mut crossings = Vec::new();
        let mut keep_at = *self.keep_at.get_or_insert(self.kept_at + KEEP_EVERY);
        for watched in &mut self.watched {
            let before = watched.side.inside;
            crossings.extend(watched.pass(fix, mark, now));
            if watched.side.inside != before {
                keep_at = Duration::ZERO;
            }
        }
        self.keep_at = Some(keep_at);
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

    /// Whether the watch was in a zone at a moment of the boot-time clock that has just passed, and which is that `time`.
    pub(super) fn known(&self, zone: &Zone, then: Duration, time: Timestamp) -> Known {
        let watched = self.watched.iter().find(|watched| watched.zone.id == zone.id);
        watched.map_or(Known::Nothing, |watched| watched.side.known(then, time))
    }

    /// Id of the smallest zone the watch is in, and was seen in since the start.
    pub(super) fn current(&self) -> Option<&str> {
        let is_seen = |side: &Side| side.inside == Some(true) && side.seen;
        let inside = self.watched.iter().filter(|watched| self.in_force && is_seen(&watched.side));
        inside.min_by_key(|watched| watched.zone.radius_m).map(|watched| watched.zone.id.as_str())
    }
}

impl Watched {
    /// What was known of the same circle stays known, a new name moves nobody; of another circle it does if the last fix agrees.
    fn knowing(mut self, old: Option<&Self>, before: Option<&KeptSide>, last: Option<&Fix>) -> Self {
        let is_same = |other: &Self| other.centre == self.centre && other.zone.radius_m == self.zone.radius_m;
        match (old, before, last) {
            (Some(old), ..) if is_same(old) => self.side = old.side,
            (Some(old), _, Some(last)) => {
                let agreed = Some(last.time);
                self.side = Side { against: None, agreed, ..old.side };
                if self.tells(last) != old.side.inside {
                    self.side = Side::default();
                }
            }
            (None, Some(kept), _) if kept.circle == hash(&self.zone) => {
                let agreed = Timestamp::from_second(kept.agreed).ok();
                self.side = Side { inside: Some(kept.inside), agreed, ..Side::default() };
            }
            _ => {}
        }
        self
    }

    fn kept(&self) -> Option<KeptSide> {
        let (inside, agreed) = self.side.inside.zip(self.side.agreed)?;
        let (zone, circle) = (self.zone.id.clone(), hash(&self.zone));
        Some(KeptSide { zone, circle, inside, agreed: agreed.as_second() })
    }

    fn pass(&mut self, fix: &Fix, mark: Option<Doubt>, now: Duration) -> Option<Crossing> {
        let tells = self.tells(fix);
        let side = &mut self.side;
        let Some(inside) = tells else {
            // Between the circle and its rim: whoever is in stays in, and whoever is out stays out.
            side.against = None;
            side.agreed = side.inside.map(|_| fix.time);
            return None;
        };
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
                side.left = Some(against.since).filter(|_| before.vouches(fix.time));
                CrossingKind::Left
            }
        };
        let Against { first: fix, mark, .. } = against;
        let after = before.agreed.filter(|agreed| fix.time.duration_since(*agreed) > MISSED);
        Some(Crossing { zone: self.zone.clone(), kind, fix, after, mark })
    }

    /// Whether the fix is inside; `None` where it cannot tell.
    fn tells(&self, fix: &Fix) -> Option<bool> {
        let distance = self.centre.distance_m(fix.place);
        let radius = f64::from(self.zone.radius_m);
        if distance <= radius && fix.accuracy_m() <= radius {
            Some(true)
        } else {
            (distance > radius + RIM_M.max(fix.accuracy_m())).then_some(false)
        }
    }
}

impl Side {
    fn agree(&mut self, fix: &Fix, now: Duration) {
        self.against = None;
        (self.agreed, self.seen) = (Some(fix.time), true);
        if self.inside == Some(false) {
            self.outside = Some(now);
        }
    }

    /// Whether it says where the watch was at a time by the receiver's clock: what was kept does for [`KEPT_FOR`] alone, for nobody knows
    /// where a watch was that was off.
    fn vouches(&self, time: Timestamp) -> bool {
        self.seen || self.agreed.is_some_and(|agreed| time.duration_since(agreed) <= KEPT_FOR)
    }

    /// What nobody saw speaks for the child: whoever is in, or coming in, and was not seen outside since then was there.
    fn known(&self, then: Duration, time: Timestamp) -> Known {
        let after = |moment: Option<Duration>| moment.is_some_and(|at| at > then);
        let lately = then.saturating_sub(PROMISED);
        let comes = self.against.is_some_and(|against| against.inside && against.last >= lately);
        let is_in = self.inside == Some(true) && self.vouches(time);
        let there = if is_in || comes {
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
