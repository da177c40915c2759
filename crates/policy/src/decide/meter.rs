//! Allowances: what is left of the day, of a category, and until a break.

use super::Now;
use crate::allowance::Break;
use crate::child::turns;
use crate::region::{ADULT, Rule};
use crate::rules::limits;
use crate::standing::Rulebook;
use crate::verdict::Reason;

/// The allowances that hold for one app, and what was used of them.
#[derive(Clone, Copy)]
pub(super) struct Meter<'a> {
    rules: &'a Rulebook,
    now: Now<'a>,
    category: &'a str,
    /// The break, and the second from which on there is none.
    rest: Option<(Break, i64)>,
}

/// What an allowance is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limit {
    Day,
    Category,
}

const LIMITS: [Limit; 2] = [Limit::Day, Limit::Category];

impl<'a> Meter<'a> {
    pub(super) fn new(rules: &'a Rulebook, now: Now<'a>, category: &'a str) -> Self {
        let policy = &rules.policy;
        let default = || {
            let rest = policy.region.clauses().iter().find_map(|clause| match clause.rule {
                Rule::Break(rest) => Some(rest),
                _ => None,
            })?;
            Some((rest, turns(policy.child, ADULT, &policy.time_zone)))
        };
        let rest = policy.allowances.rest.map(|rest| (rest, i64::MAX)).or_else(default);
        Self { rules, now, category, rest }
    }

    /// Why it is denied at `at`, if it is: the clock shows `at` while usage is what it is now.
    pub(super) fn closed(&self, at: i64) -> Option<Reason> {
        if self.now.usage.is_none() {
            let counts = LIMITS.iter().any(|limit| self.minutes(*limit, at).is_some())
                || self.rest.is_some_and(|(_, before)| at < before);
            return counts.then_some(Reason::UsageUnknown);
        }
        let used_up =
            |limit: &Limit| self.seconds(*limit, at).is_some_and(|seconds| self.used(*limit) >= seconds);
        match LIMITS.into_iter().find(used_up) {
            Some(Limit::Day) => Some(Reason::DayLimit),
            Some(Limit::Category) => Some(Reason::CategoryLimit),
            None => self.resting(at).map(|_| Reason::Break),
        }
    }

    /// A second from `at` on before which it is denied, when nothing is used from now on. `None`: it stays denied.
    pub(super) fn opens(&self, at: i64) -> Option<i64> {
        let today = self.rules.policy.time_zone.day(self.now.latest);
        let mut opens = self.resting(at).unwrap_or(at);
        for limit in LIMITS {
            let used = if at < today.end { self.used(limit) } else { 0 };
            if self.seconds(limit, at).is_some_and(|seconds| used >= seconds) {
                if at >= today.end {
                    return None;
                }
                opens = opens.max(today.end);
            }
        }
        Some(opens)
    }

    /// The first second at which it is denied, when the app is used from now on.
    pub(super) fn closes(&self) -> Option<i64> {
        let [day, category] = LIMITS.map(|limit| self.runs_out(limit));
        let rest = self.rest.and_then(|(rest, before)| {
            let due = self.now.unix + i64::from(rest.after_min) * 60 - self.running(rest);
            (due < before).then_some(due)
        });
        [day, category, rest].into_iter().flatten().min()
    }

    /// The same while the clock, which was set back, is not yet where it once was: what is allowed at that time counts.
    pub(super) fn closes_standing(&self) -> Option<i64> {
        let left = |limit| Some(self.seconds(limit, self.now.latest)? - self.used(limit));
        let left = LIMITS.into_iter().filter_map(left).min()?;
        Some(self.now.unix + left).filter(|end| *end < self.now.latest)
    }

    /// When the rest is over, if one is due and still so at `at`.
    fn resting(&self, at: i64) -> Option<i64> {
        let (rest, before) = self.rest?;
        let due = self.running(rest) >= i64::from(rest.after_min) * 60;
        let rested = self.now.usage.map_or(0, |usage| i64::from(usage.rested_s));
        let end = (self.now.unix + i64::from(rest.rest_min) * 60 - rested).min(before);
        (due && at < end).then_some(end)
    }

    /// Seconds of use since the last rest.
    fn running(&self, rest: Break) -> i64 {
        let rested = |rested_s: u32| i64::from(rested_s) >= i64::from(rest.rest_min) * 60;
        self.now.usage.map_or(0, |usage| if rested(usage.rested_s) { 0 } else { i64::from(usage.running_s) })
    }

    /// Seconds of use today.
    fn used(&self, limit: Limit) -> i64 {
        let Some(usage) = self.now.usage else { return 0 };
        let seconds = match limit {
            Limit::Day => usage.day_s,
            Limit::Category => usage
                .categories
                .iter()
                .find(|(category, _)| category == self.category)
                .map_or(0, |(_, seconds)| *seconds),
        };
        i64::from(seconds)
    }

    /// The allowance without additions, minutes. `None`: there is none.
    fn minutes(&self, limit: Limit, at: i64) -> Option<u16> {
        let policy = &self.rules.policy;
        let minutes = match limit {
            Limit::Day => policy.allowances.day_min.or_else(|| {
                policy.region.clauses().iter().find_map(|clause| match clause.rule {
                    Rule::Day { below, minutes } if at < turns(policy.child, below, &policy.time_zone) => {
                        Some(minutes)
                    }
                    _ => None,
                })
            }),
            Limit::Category => policy
                .allowances
                .categories
                .iter()
                .find(|limit| limit.category == self.category)
                .map(|limit| limit.day_min),
        };
        minutes.filter(|minutes| *minutes < limits::MINUTES)
    }

    /// The additions to an allowance: minutes, and until when.
    fn additions(&self, limit: Limit) -> impl Iterator<Item = (u16, i64)> {
        let category = (limit == Limit::Category).then_some(self.category);
        let more = self.rules.standing.more_time.iter();
        more.filter(move |more| more.category.as_deref() == category).map(|more| (more.minutes, more.until))
    }

    /// The allowance with its additions, seconds. `None`: there is none, or the whole day is allowed.
    fn seconds(&self, limit: Limit, at: i64) -> Option<i64> {
        let base = i64::from(self.minutes(limit, at)?);
        let more = self.additions(limit).filter(|(_, until)| at < *until);
        let sum = base + more.map(|(minutes, _)| i64::from(minutes)).sum::<i64>();
        (sum < i64::from(limits::MINUTES)).then_some(sum * 60)
    }

    /// The first second at which an allowance is used up, when the app is used from now on.
    fn runs_out(&self, limit: Limit) -> Option<i64> {
        let zone = &self.rules.policy.time_zone;
        let mut at = self.now.unix;
        // The allowance is the same until an addition ends or a day begins.
        loop {
            self.minutes(limit, at)?;
            let ends = self.additions(limit).map(|(_, until)| until);
            let change = ends.filter(|until| (at + 1..=limits::UNTIL).contains(until)).min();
            let Some(seconds) = self.seconds(limit, at) else {
                at = change?;
                continue;
            };
            let day = zone.day(at.max(self.now.latest));
            let used = if day.start > self.now.latest {
                at - day.start
            } else {
                self.used(limit) + at - self.now.unix
            };
            let end = at + (seconds - used).max(0);
            let change = day.end.min(change.unwrap_or(i64::MAX));
            if end < change {
                return Some(end);
            }
            at = change;
        }
    }
}
