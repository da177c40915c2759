//! Where the watch is when no satellite says so: near the place where it was seen last in the cell of the mobile network it is in now.
//!
//! Nobody is asked where a cell is, for that would tell them where the child is: a cell is known when the receiver had a fix in it. One
//! fix a cell is kept, the newest, in memory alone and for as long as the track is.
//!
//! **Invariants:** such a place enters and leaves no zone and is in no track; it claims no more than a cell can say.

use std::time::Duration;

use policy::Place;

/// How far the other end of a cell may be, metres: twice the reach of a mast in thin country (3GPP TR 38.913, clause 6.1.3: 5000 m from one
/// to the next, two thirds of that each reaches), and some more. Masts of one's own in a wilderness reach further.
const REACH_M: f64 = 7000.0;
/// A cell and a fix told this far apart belong together: a car leaves a cell in less than a minute.
const TOGETHER: Duration = Duration::from_secs(30);
/// For how long it is believed that the watch is in a cell.
const TOLD: Duration = Duration::from_mins(6);
/// Cells that are known at most; the one seen longest ago goes first.
const MOST: usize = 64;

/// A cell, unlike all others.
#[derive(Clone, PartialEq, Eq)]
pub struct CellId {
    /// Country and network code.
    pub network: String,
    /// Location or tracking area code.
    pub area: u32,
    /// Cell identity.
    pub cell: u64,
}

impl std::fmt::Debug for CellId {
    /// It says where the watch is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CellId")
    }
}

/// Where the watch is by its cell.
#[derive(Debug, Clone, PartialEq)]
pub struct InCell {
    /// Where it was seen last in that cell.
    pub place: Place,
    /// How wrong that may be, metres.
    pub accuracy_m: f64,
    /// When the cell was told, on the boot-time clock.
    pub told: Duration,
}

impl InCell {
    /// Whether the watch can be taken to be there yet.
    pub fn is_new(&self, now: Duration) -> bool {
        now.saturating_sub(self.told) < TOLD
    }
}

/// A place in a cell.
#[derive(Debug, Clone)]
struct Seen {
    id: CellId,
    place: Place,
    accuracy_m: f64,
    at: Duration,
}

/// The cells the watch was in.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// Oldest first.
    seen: Vec<Seen>,
    now: Option<(CellId, Duration)>,
    /// The newest fix.
    fix: Option<(Place, f64, Duration)>,
    /// How long a place is kept.
    keep: Duration,
}

impl Cells {
    /// Places are kept for so many hours.
    pub(super) fn keep_for(&mut self, hours: u16, now: Duration) {
        self.keep = Duration::from_hours(hours.into());
        self.forget_old(now);
    }

    /// The modem is in this cell, or in none; `now` is the boot-time clock.
    pub(super) fn told(&mut self, cell: Option<CellId>, now: Duration) {
        self.now = cell.map(|cell| (cell, now));
        self.learn(now);
    }

    /// A fix that is believed and bears no mark.
    pub(super) fn fix(&mut self, place: Place, accuracy_m: f64, now: Duration) {
        self.fix = Some((place, accuracy_m, now));
        self.learn(now);
    }

    fn learn(&mut self, now: Duration) {
        self.forget_old(now);
        let Some(((id, told), (place, accuracy_m, at))) = self.now.clone().zip(self.fix) else { return };
        if told.abs_diff(at) > TOGETHER {
            return;
        }
        self.seen.retain(|seen| seen.id != id);
        if self.seen.len() >= MOST {
            self.seen.remove(0);
        }
        self.seen.push(Seen { id, place, accuracy_m, at });
    }

    fn forget_old(&mut self, now: Duration) {
        self.seen.retain(|seen| now.saturating_sub(seen.at) < self.keep);
        self.fix = self.fix.filter(|(_, _, at)| now.saturating_sub(*at) < TOGETHER);
    }

    /// Where the watch is by the cell it is in.
    pub(super) fn place(&mut self, now: Duration) -> Option<InCell> {
        self.forget_old(now);
        let (id, told) = self.now.as_ref()?;
        let seen = self.seen.iter().find(|seen| seen.id == *id)?;
        let there = InCell { place: seen.place, accuracy_m: REACH_M + seen.accuracy_m, told: *told };
        there.is_new(now).then_some(there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(cell: u64) -> CellId {
        CellId { network: "24499".into(), area: 200, cell }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn home() -> Place {
        Place::new(60.17, 24.94).unwrap()
    }

    fn cells() -> Cells {
        let mut cells = Cells::default();
        cells.keep_for(72, at(0));
        cells
    }

    #[test]
    fn a_cell_is_where_the_watch_was_seen_in_it() {
        let mut cells = cells();
        cells.told(Some(cell(1)), at(100));
        cells.fix(home(), 8.0, at(110));
        cells.told(Some(cell(2)), at(1000));
        assert_eq!(cells.place(at(1000)), None, "nobody has seen it there");
        cells.told(Some(cell(1)), at(2000));
        let there = InCell { place: home(), accuracy_m: 7008.0, told: at(2000) };
        assert_eq!(cells.place(at(2010)), Some(there));
        assert_eq!(cells.place(at(2360)), None, "it may have left the cell by now");
        cells.told(None, at(2400));
        assert_eq!(cells.place(at(2400)), None);
    }

    #[test]
    fn a_fix_and_a_cell_that_were_told_apart_teach_nothing() {
        for (told, fixed) in [(100, 131), (131, 100)] {
            let mut cells = cells();
            let mut happens = [(told, true), (fixed, false)];
            happens.sort_unstable();
            for (when, is_cell) in happens {
                if is_cell {
                    cells.told(Some(cell(1)), at(when));
                } else {
                    cells.fix(home(), 8.0, at(when));
                }
            }
            assert_eq!(cells.place(at(140)), None);
        }
    }

    #[test]
    fn t16_a_place_is_kept_no_longer_than_the_track() {
        let mut cells = cells();
        cells.told(Some(cell(1)), at(0));
        cells.fix(home(), 8.0, at(0));
        cells.told(Some(cell(1)), at(72 * 3600 - 1));
        assert!(cells.place(at(72 * 3600 - 1)).is_some());
        assert_eq!((cells.place(at(72 * 3600)), cells.seen.len()), (None, 0));
        let mut cells = self::cells();
        cells.told(Some(cell(1)), at(0));
        cells.fix(home(), 8.0, at(0));
        cells.keep_for(1, at(3600));
        assert!(cells.seen.is_empty() && cells.fix.is_none(), "fewer hours take it at once");
    }

    #[test]
    fn the_table_is_bounded_and_keeps_what_was_seen_last() {
        let mut cells = cells();
        for number in 0..200 {
            cells.told(Some(cell(number)), at(number));
            cells.fix(home(), 8.0, at(number));
        }
        assert_eq!(cells.seen.len(), MOST);
        cells.told(Some(cell(199)), at(300));
        assert!(cells.place(at(300)).is_some());
        cells.told(Some(cell(100)), at(300));
        assert_eq!(cells.place(at(300)), None);
    }
}
