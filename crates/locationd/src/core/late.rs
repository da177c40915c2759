//! "At school by 8:15": whether the watch is where the family expects it, once when it falls due.
//!
//! **Invariants:** an expectation that fell due is looked at once, and not at all after [`GRACE`]; nothing is told of a watch
//! that is in the zone.

use std::collections::HashMap;
use std::time::Duration;

use policy::{TimeZone, Zone};

/// A watch that was off or asleep at that minute looks a while later; a clock that was set by hours does not.
const GRACE: i64 = 15 * 60;
/// What is older is no knowledge of where the watch is.
pub(super) const FRESH: Duration = Duration::from_mins(10);

/// Which expectations were looked at.
#[derive(Debug, Default)]
pub(super) struct Late {
    /// Id of the zone and minute of the day, and the second it fell due last.
    looked: HashMap<(String, u16), i64>,
}

impl Late {
    /// The zones the watch is to be in now, seconds since 1970, whose time has come since the last look.
    pub(super) fn due<'a>(
        &mut self,
        zones: impl Iterator<Item = &'a Zone>,
        time_zone: &TimeZone,
        unix: i64,
    ) -> Vec<&'a Zone> {
        let mut due = Vec::new();
        // What is not expected any more is forgotten.
        let old = std::mem::take(&mut self.looked);
        for zone in zones {
            for expect in &zone.expect {
                let key = (zone.id.clone(), expect.by.minutes());
                let last = expect.after(time_zone, unix.saturating_sub(GRACE)).filter(|at| *at <= unix);
                let looked = old.get(&key).copied();
                if last.is_some() && last != looked && !due.contains(&zone) {
                    due.push(zone);
                }
                if let Some(at) = last.or(looked) {
                    self.looked.insert(key, at);
                }
            }
        }
        due
    }
}

/// The next second at which an expectation of these zones falls due.
pub(super) fn next<'a>(
    zones: impl Iterator<Item = &'a Zone>,
    time_zone: &TimeZone,
    unix: i64,
) -> Option<i64> {
    zones.flat_map(|zone| &zone.expect).filter_map(|expect| expect.after(time_zone, unix)).min()
}
