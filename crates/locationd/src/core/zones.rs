//! Which zones the watch is in.
//!
//! **Invariants:** a zone is entered or left only by [`NEEDED`] believed fixes in a row; between the circle
//! and its rim nothing changes; a zone that is taken out of the rules and put back unchanged is remembered.

use policy::{Place, Zone};

use super::fix::Fix;

/// Fixes in a row that enter or leave a zone.
const NEEDED: u8 = 2;
/// Width of the rim, metres, unless the fix is worse than that.
const RIM_M: f64 = 20.0;

/// What happened at a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// The zone.
    pub zone: Zone,
    /// How it was crossed.
    pub kind: CrossingKind,
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
    /// `None` until it is known.
    inside: Option<bool>,
    /// What the last fixes in a row said against it, and how many they are.
    against: (bool, u8),
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

    /// A believed fix.
    pub(super) fn pass(&mut self, fix: &Fix) -> Vec<Crossing> {
        if !self.in_force {
            return Vec::new();
        }
        self.watched.iter_mut().filter_map(|watched| watched.pass(fix)).collect()
    }

    /// Id of the smallest zone the watch is in.
    pub(super) fn current(&self) -> Option<&str> {
        let inside = self.watched.iter().filter(|watched| self.in_force && watched.inside == Some(true));
        inside.min_by_key(|watched| watched.zone.radius_m).map(|watched| watched.zone.id.as_str())
    }
}

impl Watched {
    /// What was known of the same circle stays known; a new name moves nobody.
    fn new(zone: Zone, centre: Place, old: &[Self]) -> Self {
        let same = |other: &&Self| {
            other.zone.id == zone.id && other.centre == centre && other.zone.radius_m == zone.radius_m
        };
        let (inside, against) =
            old.iter().find(same).map_or((None, (false, 0)), |other| (other.inside, other.against));
        Self { zone, centre, inside, against }
    }

    fn pass(&mut self, fix: &Fix) -> Option<Crossing> {
        let distance = self.centre.distance_m(fix.place);
        let radius = f64::from(self.zone.radius_m);
        let says = if distance <= radius {
            true
        } else if distance > radius + RIM_M.max(fix.accuracy_m()) {
            false
        } else {
            // On the rim: whoever is in stays in, whoever is out stays out.
            self.inside.unwrap_or(false)
        };
        if self.inside == Some(says) {
            self.against = (says, 0);
            return None;
        }
        let before = if self.against.0 == says { self.against.1 } else { 0 };
        self.against = (says, before + 1);
        if before + 1 < NEEDED {
            return None;
        }
        self.against = (says, 0);
        let kind = match (self.inside.replace(says), says) {
            (None, false) => return None,
            (None, true) => CrossingKind::Found,
            (Some(_), true) => CrossingKind::Entered,
            (Some(_), false) => CrossingKind::Left,
        };
        Some(Crossing { zone: self.zone.clone(), kind })
    }
}
