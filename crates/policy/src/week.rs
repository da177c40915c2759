//! Windows against the clock: whether one is open, and when the next change comes.
//!
//! All of it is arithmetic with seconds of the week, from one change of the clock to the next.

use crate::schedule::Window;
use crate::time_zone::{DAY, TimeZone};
use crate::verdict::Reason;

/// A second of the week, as the local clock shows it.
#[derive(Clone, Copy)]
struct Local {
    /// 0 is Monday.
    day: u32,
    /// Seconds since midnight.
    second: i64,
}

impl Local {
    fn of(local: i64) -> Self {
        // 1970 began on a Thursday.
        let day = (local.div_euclid(DAY) + 3).rem_euclid(7);
        Self { day: day as u32, second: local.rem_euclid(DAY) }
    }
}

/// A window in which something is denied.
#[derive(Clone, Copy)]
pub(crate) struct Closure<'a> {
    pub(crate) window: &'a Window,
    /// What the child is told.
    pub(crate) reason: Reason,
    /// From this second on there is no such window any more.
    pub(crate) before: i64,
}

impl Window {
    /// Its first second of a day.
    fn first(self) -> i64 {
        i64::from(self.from.minutes()) * 60
    }

    /// How long it is, seconds.
    fn length(self) -> i64 {
        let length = i64::from(self.to.minutes()) * 60 - self.first();
        if length > 0 { length } else { length + DAY }
    }

    /// The days it begins on, from this one (bit 0) to the same a week later (bit 7).
    fn days_after(self, day: u32) -> u32 {
        let week = u32::from(self.days.bits());
        week >> day | week << (7 - day) & 0xff
    }

    /// The seconds until it ends, when it is open.
    fn left(self, now: Local) -> Option<i64> {
        let left = self.first() + self.length() - now.second;
        let begun = |day| self.days_after(day % 7) & 1 == 1;
        if now.second >= self.first() && left > 0 && begun(now.day) {
            return Some(left);
        }
        // What began yesterday.
        (left > DAY && begun(now.day + 6)).then_some(left - DAY)
    }

    /// The seconds until it begins, when it is not open. `None`: it has no day.
    fn wait(self, now: Local) -> Option<i64> {
        let wait = self.first() - now.second;
        let days = self.days_after(now.day) & if wait > 0 { 0xff } else { 0xfe };
        (days != 0).then(|| i64::from(days.trailing_zeros()) * DAY + wait)
    }
}

impl Closure<'_> {
    /// The second from `at` on at which it begins, or `at` when it is open.
    fn begin(&self, at: i64, local: Local) -> Option<i64> {
        let open = self.window.left(local).is_some();
        let begin = if open { at } else { at + self.window.wait(local)? };
        (begin < self.before).then_some(begin)
    }

    /// The second at which it ends, when it is open at `at`.
    fn end(&self, at: i64, local: Local) -> Option<i64> {
        if at >= self.before {
            return None;
        }
        Some((at + self.window.left(local)?).min(self.before))
    }
}

/// Why something is denied at a second, if one of these windows is open then: the reason of the first of them.
pub(crate) fn closed<'a>(
    closures: &(impl Iterator<Item = Closure<'a>> + Clone),
    zone: &TimeZone,
    at: i64,
) -> Option<Reason> {
    let local = Local::of(at + zone.offset_s(at));
    closures.clone().find(|closure| closure.end(at, local).is_some()).map(|closure| closure.reason)
}

/// The first second from `at` on at which none of these windows is open. `None`: there is none.
pub(crate) fn opens<'a>(
    closures: &(impl Iterator<Item = Closure<'a>> + Clone),
    zone: &TimeZone,
    at: i64,
) -> Option<i64> {
    // Two weeks hold every minute of a week even where a change of the clock skips one of them.
    let enough = at + 15 * DAY;
    let mut now = at;
    while now < enough {
        let span = zone.span(now);
        let local = Local::of(now + span.offset);
        match closures.clone().filter_map(|closure| closure.end(now, local)).max() {
            None => return Some(now),
            Some(end) => now = end.min(span.end),
        }
    }
    closures.clone().map(|closure| closure.before).filter(|before| (at + 1..i64::MAX).contains(before)).min()
}

/// The first second from `at` on at which one of these windows is open. `None`: there is none.
pub(crate) fn closes<'a>(
    closures: &(impl Iterator<Item = Closure<'a>> + Clone),
    zone: &TimeZone,
    at: i64,
) -> Option<i64> {
    let mut now = at;
    loop {
        let span = zone.span(now);
        let local = Local::of(now + span.offset);
        let begin = closures.clone().filter_map(|closure| closure.begin(now, local)).min();
        if begin.is_some_and(|begin| begin < span.end) {
            return begin;
        }
        if span.end == i64::MAX {
            return None;
        }
        now = span.end;
    }
}
