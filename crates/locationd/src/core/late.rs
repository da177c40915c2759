//! "At school by 8:15": whether the watch was where the family expected it, once, when what is known of that minute is known.
//!
//! **Invariants:** an expectation is looked at once, [`WAIT`] after its minute, and not at all [`GRACE`] after it; nothing is told of a
//! watch that was in the zone, or that was found there next and not seen outside meanwhile.

use policy::{TimeZone, Zone};
use std::collections::HashMap;

use super::power::PROMISED;

/// A watch that was off or asleep at that minute looks a while later; a clock that was set by hours does not.
const GRACE: i64 = 15 * 60;
/// So many seconds after the minute it is judged: whoever crossed a fence before it is noticed by then.
const WAIT: i64 = PROMISED.as_secs().cast_signed();

/// Which expectations were looked at.
#[derive(Debug, Default)]
pub(super) struct Late {
    /// Id of the zone and minute of the day, and the second it fell due last.
    looked: HashMap<(String, u16), i64>,
}

impl Late {
    /// The zones the watch was to be in whose judgement has come since the last look, and by which second since 1970; `unix` is now.
    pub(super) fn due<'a>(
        &mut self,
        zones: impl Iterator<Item = &'a Zone>,
        time_zone: &TimeZone,
        unix: i64,
    ) -> Vec<(&'a Zone, i64)> {
        let mut due: Vec<(&Zone, i64)> = Vec::new();
        // What is not expected any more is forgotten.
        let old = std::mem::take(&mut self.looked);
        for zone in zones {
            for expect in &zone.expect {
                let key = (zone.id.clone(), expect.by.minutes());
                let last = expect.after(time_zone, unix.saturating_sub(GRACE));
                let last = last.filter(|at| at.saturating_add(WAIT) <= unix);
                let looked = old.get(&key).copied();
                if let Some(at) = last.filter(|_| last != looked)
                    && due.iter().all(|(other, _)| *other != zone)
                {
                    due.push((zone, at));
                }
                if let Some(at) = last.or(looked) {
                    self.looked.insert(key, at);
                }
            }
        }
        due
    }
}

/// The next second at which an expectation of these zones is to be judged.
pub(super) fn next<'a>(
    zones: impl Iterator<Item = &'a Zone>,
    time_zone: &TimeZone,
    unix: i64,
) -> Option<i64> {
    let unix = unix.saturating_sub(WAIT);
    let next = zones.flat_map(|zone| &zone.expect).filter_map(|expect| expect.after(time_zone, unix)).min();
    next.map(|at| at.saturating_add(WAIT))
}
