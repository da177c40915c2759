//! What locationd decides, without I/O: events and the time go in, effects come out.
//!
//! **Invariants:** the position and the zones move only with believed fixes; every zone crossing becomes one
//! line of the diary.

mod fix;
mod judge;
mod power;
#[cfg(test)]
mod tests;
mod zones;

use std::time::Duration;

use jiff::Timestamp;
use policy::{Place, Zone};

pub use fix::{Fix, FixError};
pub use judge::{Belief, CONSISTENT, Doubt};
pub use power::{Battery, Motion, PROMISED, Power, PowerEffect, PowerEvent};
pub use zones::{Crossing, CrossingKind};

use judge::Judge;
use zones::Zones;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// gpsd told a fix.
    Fix(Fix),
    /// The rules are others now; `None` without a readable store.
    Rules(Option<Vec<Zone>>),
}

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A line for the diary.
    Record(Line),
    /// The position or its zone is another one.
    PositionChanged(Whereabouts),
    /// The fix is not believed.
    Doubted(Doubt),
    /// The position does not follow from the last one, but the receiver insists.
    Jumped,
}

/// A line for the diary.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// What happened.
    pub kind: &'static str,
    /// Named details.
    pub details: Vec<(&'static str, String)>,
}

impl std::fmt::Debug for Line {
    /// The details name a zone.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Where the watch is believed to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Whereabouts {
    /// Where.
    pub place: Place,
    /// Estimated horizontal error, metres.
    pub accuracy_m: f64,
    /// When, by the receiver's clock.
    pub time: Timestamp,
    /// The smallest zone around it.
    pub zone: Option<String>,
}

/// Everything locationd knows.
#[derive(Debug, Default)]
pub struct Core {
    judge: Judge,
    zones: Zones,
    last: Option<Whereabouts>,
}

impl Core {
    /// Takes one event; `now` is the boot-time clock.
    pub fn handle(&mut self, event: Event, now: Duration) -> Vec<Effect> {
        match event {
            Event::Fix(fix) => self.fix(&fix, now),
            Event::Rules(zones) => {
                self.zones.set(zones);
                self.zone_of_rules()
            }
        }
    }

    fn fix(&mut self, fix: &Fix, now: Duration) -> Vec<Effect> {
        let belief = match self.judge.judge(*fix, now) {
            Ok(belief) => belief,
            Err(doubt) => return vec![Effect::Doubted(doubt)],
        };
        let mut effects = Vec::new();
        if belief == Belief::Insists && self.last.is_some() {
            effects.push(Effect::Jumped);
        }
        for crossing in self.zones.pass(fix) {
            effects.push(Effect::Record(line(&crossing, fix)));
        }
        let here = Whereabouts {
            place: fix.place,
            accuracy_m: fix.accuracy_m(),
            time: fix.time,
            zone: self.zones.current().map(str::to_owned),
        };
        self.last = Some(here.clone());
        effects.push(Effect::PositionChanged(here));
        effects
    }

    fn zone_of_rules(&mut self) -> Vec<Effect> {
        let zone = self.zones.current().map(str::to_owned);
        match &mut self.last {
            Some(last) if last.zone != zone => {
                last.zone = zone;
                vec![Effect::PositionChanged(last.clone())]
            }
            _ => Vec::new(),
        }
    }
}

/// Without the position: the diary is kept for longer than the track, and where the zone is stands in the policy.
fn line(Crossing { zone, kind }: &Crossing, fix: &Fix) -> Line {
    let mut details = vec![
        ("zone", zone.id.clone()),
        ("name", zone.name.clone()),
        ("accuracy-m", format!("{:.0}", fix.accuracy_m().ceil())),
        ("time", format!("{:.0}", fix.time)),
    ];
    if *kind == CrossingKind::Found {
        // Nobody saw the watch come: it, or the zone, was not known before.
        details.push(("found", "inside".to_owned()));
    }
    Line { kind: if *kind == CrossingKind::Left { "zone-left" } else { "zone-entered" }, details }
}
