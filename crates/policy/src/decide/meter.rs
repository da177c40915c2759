//! Allowances: what is left of the day, of a category, and until a break.

use super::Now;
use crate::allowance::Break;
use crate::child::turns;
use crate::moment::Usage;
use crate::region::{ADULT, Rule};
use crate::rules::{known, limits};
use crate::standing::Rulebook;
use crate::verdict::Reason;

/// What an allowance is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limit<'a> {
    Day,
    Category(&'a str),
}

impl Rulebook {
    /// The allowance of all apps, or of those of a category, at a second since 1970, UTC: seconds of that day, additions
    /// included. `None`: the whole day.
    pub fn allowance_s(&self, category: Option<&str>, unix: i64) -> Option<i64> {
        self.seconds(category.map_or(Limit::Day, Limit::Category), known(unix))
    }

    /// The break that is due at a second since 1970, UTC. An app that opens after such a rest begins to count anew
    /// ([`Usage::running_s`](crate::Usage)).
    pub fn break_at(&self, unix: i64) -> Option<Break> {
        self.rest().filter(|(_, before)| known(unix) < *before).map(|(rest, _)| rest)
    }

    /// The break, and the second from which on there is none.
    fn rest(&self) -> Option<(Break, i64)> {
        let policy = &self.policy;
        if let Some(rest) = policy.allowances.rest {
            return Some((rest, i64::MAX));
        }
        let rest = policy.region.clauses().iter().find_map(|clause| match clause.rule {
            Rule::Break(rest) => Some(rest),
            _ => None,
        })?;
        Some((rest, turns(policy.child, ADULT, &policy.time_zone)))
    }

    /// The allowance without additions, minutes. `None`: there is none.
    fn minutes(&self, limit: Limit<'_>, at: i64) -> Option<u16> {
        let policy = &self.policy;
        let default = || {
            policy.region.clauses().iter().find_map(|clause| match clause.rule {
                Rule::Day { below, minutes } => {
                    (at < turns(policy.child, below, &policy.time_zone)).then_some(minutes)
                }
                _ => None,
            })
        };
        let minutes = match limit {
            Limit::Day => policy.allowances.day_min.or_else(default),
            Limit::Category(category) => {
                let mut limits = policy.allowances.categories.iter();
                limits.find(|limit| limit.category == category).map(|limit| limit.day_min)
            }
        };
        minutes.filter(|minutes| *minutes < limits::MINUTES)
    }

    /// The additions to an allowance: minutes, and until when.
    fn additions<'a>(&'a self, limit: Limit<'a>) -> impl Iterator<Item = (u16, i64)> + 'a {
        let category = match limit {
            Limit::Day => None,
            Limit::Category(category) => Some(category),
        };
        let more = self.standing.more_time.iter();
        more.filter(move |more| more.category.as_deref() == category).map(|more| (more.minutes, more.until))
    }

    /// The allowance with its additions, seconds. `None`: there is none, or the whole day is allowed.
    fn seconds(&self, limit: Limit<'_>, at: i64) -> Option<i64> {
        let base = i64::from(self.minutes(limit, at)?);
        let more = self.additions(limit).filter(|(_, until)| at < *until);
        let sum = base + more.map(|(minutes, _)| i64::from(minutes)).sum::<i64>();
        (sum < i64::from(limits::MINUTES)).then_some(sum * 60)
    }
}

static UNUSED: Usage = Usage { day_s: 0, categories: Vec::new(), running_s: 0, rested_s: 0 };

/// The allowances that hold for one app, and what was used of them.
#[derive(Clone, Copy)]
pub(super) struct Meter<'a> {
    rules: &'a Rulebook,
    now: Now<'a>,
    /// [`UNUSED`] when it is unknown; it is then denied if it counts.
    usage: &'a Usage,
    limits: [Limit<'a>; 2],
    /// The break, and the second from which on there is none.
    rest: Option<(Break, i64)>,
}

impl<'a> Meter<'a> {
    pub(super) fn new(rules: &'a Rulebook, now: Now<'a>, category: &'a str) -> Self {
        let usage = now.usage.unwrap_or(&UNUSED);
        Self { rules, now, usage, limits: [Limit::Day, Limit::Category(category)], rest: rules.rest() }
    }

    /// Why it is denied at `at`, if it is: the clock shows `at` while usage is what it is now.
    pub(super) fn closed(&self, at: i64) -> Option<Reason> {
        if self.now.usage.is_none() {
            let counts = self.limits.iter().any(|limit| self.rules.minutes(*limit, at).is_some())
                || self.rest.is_some_and(|(_, before)| at < before);
            return counts.then_some(Reason::UsageUnknown);
        }
        let used_up = |limit: &Limit<'_>| {
            self.rules.seconds(*limit, at).is_some_and(|seconds| self.used(*limit) >= seconds)
        };
        match self.limits.into_iter().find(used_up) {
            Some(Limit::Day) => Some(Reason::DayLimit),
            Some(Limit::Category(_)) => Some(Reason::CategoryLimit),
            None => self.resting(at).map(|_| Reason::Break),
        }
    }

    /// A second from `at` on before which it is denied, when nothing is used from now on. `None`: it stays denied.
    pub(super) fn opens(&self, at: i64) -> Option<i64> {
        let today = self.rules.policy.time_zone.day(self.now.latest);
        let mut opens = self.resting(at).unwrap_or(at);
        for limit in self.limits {
            let used = if at < today.end { self.used(limit) } else { 0 };
            if self.rules.seconds(limit, at).is_some_and(|seconds| used >= seconds) {
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
        let [day, category] = self.limits.map(|limit| self.runs_out(limit));
        let rest = self.rest.and_then(|(rest, before)| {
            let due = self.now.unix + i64::from(rest.after_min) * 60 - self.running(rest);
            (due < before).then_some(due)
        });
        [day, category, rest].into_iter().flatten().min()
    }

    /// The same while the clock, which was set back, is not yet where it once was: what is allowed at that time counts.
    pub(super) fn closes_standing(&self) -> Option<i64> {
        let left = |limit| Some(self.rules.seconds(limit, self.now.latest)? - self.used(limit));
        let left = self.limits.into_iter().filter_map(left).min()?;
        Some(self.now.unix + left).filter(|end| *end < self.now.latest)
    }

    /// When the rest is over, if one is due and still so at `at`.
    fn resting(&self, at: i64) -> Option<i64> {
        let (rest, before) = self.rest?;
        let due = self.running(rest) >= i64::from(rest.after_min) * 60;
        let left = i64::from(rest.rest_min) * 60 - i64::from(self.usage.rested_s);
        let end = (self.now.unix + left).min(before);
        (due && at < end).then_some(end)
    }

    /// Seconds of use since the last rest.
    fn running(&self, rest: Break) -> i64 {
        let rested = self.usage.rested_s >= u32::from(rest.rest_min) * 60;
        if rested { 0 } else { i64::from(self.usage.running_s) }
    }

    /// Seconds of use today.
    fn used(&self, limit: Limit<'_>) -> i64 {
        let seconds = match limit {
            Limit::Day => Some(self.usage.day_s),
            Limit::Category(category) => {
                let mut categories = self.usage.categories.iter();
                categories.find(|(used, _)| used == category).map(|(_, seconds)| *seconds)
            }
        };
        seconds.map_or(0, i64::from)
    }

    /// The first second at which an allowance is used up, when the app is used from now on.
    fn runs_out(&self, limit: Limit<'_>) -> Option<i64> {
        let zone = &self.rules.policy.time_zone;
        let mut at = self.now.unix;
        // The allowance is the same until an addition ends or a day begins.
        loop {
            self.rules.minutes(limit, at)?;
            let ends = self.rules.additions(limit).map(|(_, until)| until);
            let change = ends.filter(|until| (at + 1..=limits::UNTIL).contains(until)).min();
            let Some(seconds) = self.rules.seconds(limit, at) else {
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
