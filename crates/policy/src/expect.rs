//! When a child is to be in a zone: "at school by 8:15".

use serde::{Deserialize, Serialize};

use crate::schedule::{Day, Days, TimeOfDay};
use crate::time_zone::TimeZone;

const DAY: i64 = 86_400;

/// On these days the watch is to be in the zone when this minute begins, civil time of the family's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The days of the week.
    pub days: Days,
    /// The minute. Where the clock jumps over it, the first one after.
    pub by: TimeOfDay,
}

impl Expect {
    /// The first second after `unix` (since 1970, UTC) at which it falls due. `None`: never, for it has no day.
    pub fn after(&self, zone: &TimeZone, unix: i64) -> Option<i64> {
        let local = unix.saturating_add(zone.offset_s(unix));
        let midnight = local.saturating_sub(local.rem_euclid(DAY));
        // A day before, because a clock that jumped back shows a time again.
        (-1..=8).find_map(|day| {
            let midnight = midnight.saturating_add(day * DAY);
            let at = zone.first_at(midnight.saturating_add(i64::from(self.by.minutes()) * 60));
            (at > unix && self.days.has(weekday(midnight))).then_some(at)
        })
    }
}

/// Of a local time, seconds since 1970: that was a Thursday.
fn weekday(local: i64) -> Day {
    let [mon, tue, wed, thu, fri, sat, sun] = Day::ALL;
    match local.div_euclid(DAY).rem_euclid(7) {
        0 => thu,
        1 => fri,
        2 => sat,
        3 => sun,
        4 => mon,
        5 => tue,
        _ => wed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Seconds since 1970 of 2026-11-23, a Monday, 00:00 UTC: 02:00 in Helsinki.
    const MONDAY: i64 = 1_795_392_000;

    fn helsinki() -> TimeZone {
        "Europe/Helsinki".parse().unwrap()
    }

    fn school() -> Expect {
        Expect { days: Days::of(&[Day::Mon, Day::Fri]), by: "08:15".parse().unwrap() }
    }

    #[test]
    fn a_time_on_school_days_is_found_from_any_day() {
        let monday = MONDAY + 6 * 3600 + 900;
        let friday = monday + 4 * DAY;
        for (from, due) in
            [(MONDAY - 5 * DAY, monday - 3 * DAY), (MONDAY, monday), (monday - 1, monday), (monday, friday)]
        {
            assert_eq!(school().after(&helsinki(), from), Some(due), "{from}");
        }
        assert_eq!(Expect { days: Days::of(&[]), ..school() }.after(&helsinki(), MONDAY), None);
    }

    #[test]
    fn a_minute_the_clock_jumps_over_is_due_when_it_has() {
        // 2027-03-28 is a Sunday: 03:00 becomes 04:00, at 01:00 UTC.
        let jump = 1_806_195_600;
        let sunday = Expect { days: Days::of(&[Day::Sun]), by: "03:30".parse().unwrap() };
        assert_eq!(sunday.after(&helsinki(), jump - 10 * 3600), Some(jump));
    }

    proptest! {
        #[test]
        fn it_falls_due_after_now_within_a_week_and_no_time_panics(
            unix in prop_oneof![1_600_000_000..2_600_000_000_i64, any::<i64>()], bits in 1_u8..128, minute in 0_u16..1440,
        ) {
            let days: Vec<_> = Day::ALL.into_iter().filter(|day| bits >> *day as u8 & 1 == 1).collect();
            let by = format!("{:02}:{:02}", minute / 60, minute % 60).parse().unwrap();
            let due = Expect { days: Days::of(&days), by }.after(&helsinki(), unix);
            if (1_600_000_000..2_600_000_000).contains(&unix) {
                let due = due.unwrap();
                prop_assert!(due > unix && due <= unix + 8 * DAY);
            }
        }
    }
}
