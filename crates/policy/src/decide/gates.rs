//! What a clock opens and closes: a pause, a birthday, schedules, hours of the region, the end of a grant, allowances.

use super::Now;
use super::meter::Meter;
use crate::child::turns;
use crate::contact::Kind;
use crate::region::{ADULT, Rule};
use crate::rules::limits;
use crate::schedule::Schedule;
use crate::standing::Rulebook;
use crate::verdict::{App, Reason, Verdict};
use crate::week::{self, Closure};

/// For whom the gates are.
#[derive(Clone, Copy)]
pub(super) enum Who<'a> {
    /// A contact of this kind.
    Contact(Kind),
    /// An app.
    App {
        app: &'a App<'a>,
        /// The second at which its grant ends; `i64::MAX`: never.
        end: i64,
    },
}

/// All gates in the way of one action. It is allowed where every one of them is open.
pub(super) struct Gates<'a> {
    rules: &'a Rulebook,
    now: Now<'a>,
    who: Who<'a>,
    /// Closed until this second, `i64::MAX`: for ever.
    waits: [(i64, Reason); 2],
    /// The second at which the child is no minor any more.
    adult: i64,
    meter: Option<Meter<'a>>,
}

/// No rules make it look further than so many times; the answer is then earlier than it could be, and never wrong.
const LOOKS: usize = 64;

impl<'a> Gates<'a> {
    pub(super) fn new(rules: &'a Rulebook, now: Now<'a>, who: Who<'a>) -> Self {
        let policy = &rules.policy;
        let turns = |age| turns(policy.child, age, &policy.time_zone);
        let paused = match who {
            Who::Contact(Kind::Friend) | Who::App { .. } => rules.standing.paused,
            Who::Contact(_) => None,
        };
        let paused = paused.map_or(i64::MIN, |pause| pause.until.unwrap_or(i64::MAX));
        let (old_enough, adult, meter) = match who {
            Who::Contact(_) => (i64::MIN, i64::MIN, None),
            Who::App { app, .. } => {
                (turns(app.age), turns(ADULT), Some(Meter::new(rules, now, app.category)))
            }
        };
        let waits = [(old_enough, Reason::TooYoung), (paused, Reason::Paused)];
        Self { rules, now, who, waits, adult, meter }
    }

    /// The verdict. After a step back of the clock it is allowed only where it is at both times.
    pub(super) fn verdict(&self) -> Verdict {
        let Now { unix, latest, .. } = self.now;
        if let Some(reason) = self.closed(unix) {
            let until = if reason == Reason::UsageUnknown { None } else { self.opens(unix) };
            return Verdict::Deny { reason, until };
        }
        let mut until = self.closes();
        if unix < latest {
            if let Some(reason) = self.closed(latest) {
                return Verdict::Deny { reason, until: self.opens(latest) };
            }
            let standing = self.meter.and_then(|meter| meter.closes_standing());
            until = until.into_iter().chain(standing).min();
        }
        Verdict::Allow { until }
    }

    /// The windows in which it is denied.
    fn closures(&self) -> impl Iterator<Item = Closure<'a>> + Clone {
        let who = self.who;
        let shut = move |schedule: &&Schedule| match who {
            Who::Contact(kind) => !schedule.calls.has(kind),
            Who::App { .. } => !schedule.apps,
        };
        let planned = self.rules.policy.schedules.iter().filter(shut).flat_map(Schedule::closures);
        let adult = self.adult;
        let floors = self.rules.policy.region.clauses().iter().flat_map(move |clause| {
            let (windows, reason) = match (clause.rule, who) {
                (Rule::Closed { category, windows, reason }, Who::App { app, .. })
                    if category.is_none_or(|category| category == app.category) =>
                {
                    (windows, reason)
                }
                _ => (&[][..], Reason::Night),
            };
            windows.iter().map(move |window| Closure { window, reason, before: adult })
        });
        planned.chain(floors)
    }

    /// Why it is denied at `at`, if it is: the clock shows `at` while usage is what it is now.
    fn closed(&self, at: i64) -> Option<Reason> {
        let waits = self.waits.iter().find(|(until, _)| at < *until).map(|(_, reason)| *reason);
        waits
            .or_else(|| week::closed(&self.closures(), &self.rules.policy.time_zone, at))
            .or_else(|| self.meter.and_then(|meter| meter.closed(at)))
    }

    /// The first second from `at` on at which it is allowed, when nothing is used from now on.
    fn opens(&self, at: i64) -> Option<i64> {
        let mut at = at;
        for _ in 0..LOOKS {
            let waited = self.waits.iter().map(|(until, _)| *until).fold(at, i64::max);
            if waited >= self.end() || waited > limits::UNTIL {
                return None;
            }
            let mut next = week::opens(&self.closures(), &self.rules.policy.time_zone, waited)?;
            if let Some(meter) = self.meter {
                next = meter.opens(next)?;
            }
            if next == at {
                break;
            }
            at = next;
        }
        Some(at)
    }

    /// The first second at which it is denied, when the app is used from now on.
    fn closes(&self) -> Option<i64> {
        let end = Some(self.end()).filter(|end| *end < i64::MAX);
        let closes = week::closes(&self.closures(), &self.rules.policy.time_zone, self.now.unix);
        let meter = self.meter.and_then(|meter| meter.closes());
        [end, closes, meter].into_iter().flatten().min()
    }

    /// The second at which no more is granted.
    fn end(&self) -> i64 {
        match self.who {
            Who::Contact(_) => i64::MAX,
            Who::App { end, .. } => end,
        }
    }
}
