//! What locationd decides, without I/O: events and the time go in, effects come out.
//!
//! **Invariants:** the position and the zones move only with believed fixes; one that is too coarse is told while there is none, and
//! does nothing else; every zone crossing becomes one
//! line of the diary; a position that may be false bears its doubt.

mod cells;
mod fix;
mod habit;
mod judge;
mod kept;
mod late;
mod power;
mod smooth;
#[cfg(test)]
mod tests;
mod zones;

use std::time::Duration;

use jiff::Timestamp;
use policy::{Place, TimeZone, Zone};

pub use cells::{CellId, InCell};
pub use fix::{Fix, FixError};
pub use judge::{AGREEMENT, Belief, CONSISTENT, Doubt, PROBATION};
pub use kept::KeptSide;
pub use power::{Battery, PROMISED, Power, PowerEffect, PowerEvent};
pub use zones::{Crossing, CrossingKind};

use cells::Cells;
use judge::Judge;
use late::Late;
use smooth::Smooth;
use zones::{Known, Zones};

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// gpsd told a fix.
    Fix(Fix),
    /// The rules are others now; `None` without a readable store.
    Rules(Option<Vec<Zone>>),
    /// The modem is in this cell, or in none.
    Cell(Option<CellId>),
    /// For so many hours it is kept where the watch was.
    Keep(u16),
    /// The wall clock shows this second since 1970, in the family's zone: was the watch where it should be?
    Clock(i64, TimeZone),
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
    /// It says roughly where the watch is: better than nothing, and no more.
    Coarse(Fix),
    /// Where the watch is by its cell is another place.
    CellChanged(Option<InCell>),
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
    /// Why it may be false: what the receiver says now is not believed, or had to insist.
    pub doubt: Option<Doubt>,
}

/// Everything locationd knows.
#[derive(Debug, Default)]
pub struct Core {
    judge: Judge,
    smooth: Smooth,
    zones: Zones,
    late: Late,
    cells: Cells,
    /// What was told last of it.
    in_cell: Option<InCell>,
    last: Option<Whereabouts>,
}

impl Core {
    /// Goes on from what an earlier one kept of the zones.
    pub fn after(kept: Vec<KeptSide>) -> Self {
        Self { zones: Zones::after(kept), ..Self::default() }
    }

    /// What is to be kept of the zones for the next start, when it is time to: to be asked after every event.
    pub fn keep(&mut self, now: Duration) -> Option<Vec<KeptSide>> {
        self.zones.keep(now)
    }

    /// Takes one event; `now` is the boot-time clock.
    pub fn handle(&mut self, event: Event, now: Duration) -> Vec<Effect> {
        match event {
            Event::Fix(fix) if fix.is_coarse() => {
                self.judge.could_be(fix, now).then_some(Effect::Coarse(fix)).into_iter().collect()
            }
            Event::Fix(fix) => self.fix(&fix, now),
            Event::Rules(zones) => {
                self.zones.set(zones);
                self.zone_of_rules()
            }
            Event::Cell(cell) => {
                self.cells.told(cell, now);
                self.cell_changed(now)
            }
            Event::Keep(hours) => {
                self.cells.keep_for(hours, now);
                self.cell_changed(now)
            }
            Event::Clock(unix, time_zone) => self.expect(&time_zone, unix, now),
        }
    }

    fn fix(&mut self, fix: &Fix, now: Duration) -> Vec<Effect> {
        let belief = match self.judge.judge(*fix, now) {
            Ok(belief) => belief,
            Err(doubt) => return self.doubt(doubt),
        };
        let mut effects = Vec::new();
        if belief == Belief::Insists {
            self.smooth.forget();
            effects.push(Effect::Jumped);
        }
        let fix = self.smooth.pass(fix, now);
        let mark = self.judge.mark(now);
        effects
            .extend(self.zones.pass(&fix, mark, now).iter().map(|crossing| Effect::Record(line(crossing))));
        let here = Whereabouts {
            place: fix.place,
            accuracy_m: fix.accuracy_m(),
            time: fix.time,
            zone: self.zones.current().map(str::to_owned),
            doubt: mark,
        };
        self.last = Some(here.clone());
        if mark.is_none() {
            self.cells.fix(here.place, here.accuracy_m, now);
            effects.extend(self.cell_changed(now));
        }
        effects.push(Effect::PositionChanged(here));
        effects
    }

    fn cell_changed(&mut self, now: Duration) -> Vec<Effect> {
        let place = self.cells.place(now);
        if place == self.in_cell {
            return vec![];
        }
        self.in_cell.clone_from(&place);
        vec![Effect::CellChanged(place)]
    }

    /// The next second since 1970 at which [`Event::Clock`] is wanted.
    pub fn next_expected(&self, time_zone: &TimeZone, unix: i64) -> Option<i64> {
        late::next(self.zones.in_force(), time_zone, unix)
    }

    /// When one more fix decides whether a fence was crossed, on the boot-time clock; `None` where that is not in question.
    pub fn undecided(&self) -> Option<Duration> {
        self.zones.undecided()
    }

    fn expect(&mut self, time_zone: &TimeZone, unix: i64, now: Duration) -> Vec<Effect> {
        let due = self.late.due(self.zones.in_force(), time_zone, unix);
        let is_doubted = self.last.as_ref().is_none_or(|last| last.doubt.is_some());
        let late = due.into_iter().filter_map(|(zone, by)| {
            let ago = Duration::from_secs(unix.saturating_sub(by).unsigned_abs());
            let time = Timestamp::from_second(by).unwrap_or_default();
            match self.zones.known(zone, now.saturating_sub(ago), time) {
                Known::There => None,
                known => Some(late_line(zone, known == Known::Elsewhere && !is_doubted, by)),
            }
        });
        late.map(Effect::Record).collect()
    }

    /// The position stays and says since when it is in doubt by its time.
    fn doubt(&mut self, doubt: Doubt) -> Vec<Effect> {
        let mut effects = vec![Effect::Doubted(doubt)];
        if let Some(last) = &mut self.last
            && doubt != Doubt::Repeated
            && last.doubt != Some(doubt)
        {
            last.doubt = Some(doubt);
            effects.push(Effect::PositionChanged(last.clone()));
        }
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

/// Whether the watch is believed to have been `elsewhere`; else nobody knows. `by`: seconds since 1970.
fn late_line(zone: &Zone, elsewhere: bool, by: i64) -> Line {
    let mut details = vec![("zone", zone.id.clone()), ("name", zone.name.clone())];
    if let Ok(due) = Timestamp::from_second(by) {
        details.push(("time", format!("{due:.0}")));
    }
    details.push(("watch", if elsewhere { "elsewhere" } else { "unknown" }.to_owned()));
    Line { kind: "zone-late", details }
}

/// Without the position: the diary is kept for longer than the track, and where the zone is stands in the policy.
fn line(Crossing { zone, kind, fix, after, mark }: &Crossing) -> Line {
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
    if let Some(after) = after {
        // The last time on the other side: between the two nobody saw the watch.
        details.push(("after", format!("{after:.0}")));
    }
    if let Some(mark) = mark {
        details.push(("doubt", mark.as_str().to_owned()));
    }
    Line { kind: if *kind == CrossingKind::Left { "zone-left" } else { "zone-entered" }, details }
}
