//! The rules once more, slow and plain: every minute is asked, the clock is jiff's, and nothing is shared with the crate
//! but its data.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZoneDatabase;
use policy::{
    Action, App, Break, Caller, Day, Kind, Moment, Permission, Reach, Region, Rulebook, Schedule, Usage,
    Verdict, Window, decide,
};

/// The rules, and their zone as jiff has it.
pub(crate) struct Oracle<'a> {
    rules: &'a Rulebook,
    zone: jiff::tz::TimeZone,
}

/// A moment that can go on.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) unix: i64,
    pub(crate) latest: i64,
    pub(crate) charging: bool,
    pub(crate) usage: Option<Usage>,
}

impl World {
    pub(crate) fn moment(&self) -> Moment<'_> {
        Moment { unix: self.unix, latest: self.latest, charging: self.charging, usage: self.usage.as_ref() }
    }
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(rules: &'a Rulebook) -> Self {
        let zone = TimeZoneDatabase::bundled().get(rules.policy.time_zone.name()).unwrap();
        Self { rules, zone }
    }

    fn local(&self, unix: i64) -> jiff::civil::DateTime {
        self.zone.to_datetime(Timestamp::from_second(unix).unwrap())
    }

    /// The last day that has begun: no clock goes back by more than an hour.
    fn day(&self, unix: i64) -> Date {
        self.local(unix).date().max(self.local(unix - 3600).date())
    }

    /// `seconds` later, with this app in use or none. Not over more than one midnight in one go.
    pub(crate) fn later(&self, world: &World, seconds: i64, app: Option<&App<'_>>) -> World {
        let mut next = world.clone();
        next.unix += seconds;
        next.latest = next.latest.max(next.unix);
        let Some(usage) = &mut next.usage else { return next };
        let mut today = seconds;
        if self.day(next.latest) > self.day(world.latest) {
            usage.day_s = 0;
            usage.categories.clear();
            today = (0..seconds).find(|s| self.day(next.latest - s - 1) < self.day(next.latest)).unwrap();
        }
        if let Some(app) = app {
            usage.day_s += u32::try_from(today).unwrap();
            match usage.categories.iter_mut().find(|(category, _)| category == app.category) {
                Some((_, used)) => *used += u32::try_from(today).unwrap(),
                None => usage.categories.push((app.category.to_owned(), u32::try_from(today).unwrap())),
            }
            let rested =
                self.rest(next.unix).is_some_and(|rest| usage.rested_s >= u32::from(rest.rest_min) * 60);
            usage.running_s = if rested { 0 } else { usage.running_s } + u32::try_from(seconds).unwrap();
            usage.rested_s = 0;
        } else {
            usage.rested_s += u32::try_from(seconds).unwrap();
        }
        next
    }

    /// Whether it is allowed, at the time the clock shows and at the highest it ever showed.
    pub(crate) fn allows(&self, world: &World, action: &Action<'_>) -> bool {
        self.allows_at(world.latest, world, action)
            && (world.unix == world.latest || self.allows_at(world.unix, world, action))
    }

    fn allows_at(&self, unix: i64, world: &World, action: &Action<'_>) -> bool {
        if world.charging && self.rules.policy.region == Region::Cn && !matches!(action, Action::Helpline(_))
        {
            return false;
        }
        match *action {
            Action::Ring(Caller::Number(number)) => self.person(unix, number, |may| may.ring, false),
            Action::Dial(number) => self.person(unix, number, |may| may.be_called, false),
            Action::Receive(Caller::Number(number)) => self.person(unix, number, |may| may.write, true),
            Action::Write(number) => self.person(unix, number, |may| may.be_written, true),
            Action::Ring(_) | Action::Receive(_) => false,
            Action::Open(app) => self.open(unix, world.usage.as_ref(), app),
            Action::Use { app, permission } => self.uses(unix, app, permission),
            Action::Alarm => true,
            Action::Helpline(digits) => {
                digits
                    == match self.rules.policy.region {
                        Region::Cn => "12355",
                        Region::Eu => "116111",
                        Region::Uk => "08001111",
                        Region::Us => "988",
                        Region::Neutral => return false,
                    }
            }
        }
    }

    fn person(&self, unix: i64, number: policy::E164, right: fn(&policy::May) -> bool, text: bool) -> bool {
        let Some(person) = self.rules.policy.contacts.iter().find(|c| c.numbers.contains(&number)) else {
            return false;
        };
        let reaches = |schedule: &Schedule| match person.kind {
            Kind::Family => schedule.calls != Reach::Guardians,
            Kind::Friend => schedule.calls == Reach::Everyone,
            _ => true,
        };
        person.kind == Kind::Guardian
            || right(&person.may)
                && (!text || self.rules.policy.features.messages)
                && (!self.rules.standing.lost || person.kind == Kind::Emergency)
                && (!self.paused(unix) || person.kind != Kind::Friend)
                && self.in_force(unix).all(reaches)
    }

    fn paused(&self, unix: i64) -> bool {
        self.rules.standing.paused.is_some_and(|pause| pause.until.is_none_or(|until| unix < until))
    }

    fn in_force(&self, unix: i64) -> impl Iterator<Item = &Schedule> {
        self.rules.policy.schedules.iter().filter(move |s| s.windows.iter().any(|w| self.within(*w, unix)))
    }

    /// Whether the clock on the wall is in the window.
    pub(crate) fn within(&self, window: Window, unix: i64) -> bool {
        let local = self.local(unix);
        let time = i64::from(local.hour()) * 60 + i64::from(local.minute());
        let today = Day::ALL[local.weekday().to_monday_zero_offset() as usize];
        let yesterday = Day::ALL[(local.weekday().to_monday_zero_offset() as usize + 6) % 7];
        let (from, to) = (i64::from(window.from.minutes()), i64::from(window.to.minutes()));
        if to > from {
            window.days.has(today) && time >= from && time < to
        } else {
            window.days.has(today) && time >= from || window.days.has(yesterday) && time < to
        }
    }

    /// Whole years, the month of birth not counted.
    fn age(&self, unix: i64) -> i32 {
        let Some(child) = self.rules.policy.child else { return 3 };
        let local = self.local(unix);
        let (year, month) = (i32::from(local.year()), i32::from(local.month()));
        let months = year * 12 + month - (i32::from(child.year) * 12 + i32::from(child.month)) - 1;
        months.div_euclid(12).max(3)
    }

    fn minor(&self, unix: i64) -> bool {
        self.rules.policy.region == Region::Cn && self.age(unix) < 18
    }

    fn rest(&self, unix: i64) -> Option<Break> {
        let default = self.minor(unix).then_some(Break { after_min: 30, rest_min: 10 });
        self.rules.policy.allowances.rest.or(default)
    }

    fn more(&self, unix: i64, category: Option<&str>) -> u32 {
        let live = self.rules.standing.more_time.iter().filter(|more| unix < more.until);
        live.filter(|more| more.category.as_deref() == category).map(|more| u32::from(more.minutes)).sum()
    }

    fn open(&self, unix: i64, usage: Option<&Usage>, app: &App<'_>) -> bool {
        let rules = self.rules;
        let live = |until: Option<i64>| until.is_none_or(|until| unix < until);
        let granted = rules.policy.apps.iter().any(|g| g.app == app.id && live(g.until))
            || rules.standing.grants.iter().any(|g| g.app == app.id && live(g.until));
        let local = self.local(unix);
        let monday = local.weekday().to_monday_zero_offset();
        let region = if self.minor(unix) {
            (6..22).contains(&local.hour()) && (app.category != "game" || monday >= 4 && local.hour() == 20)
        } else {
            true
        };
        let stopped = rules.standing.lost
            || self.paused(unix)
            || rules.standing.revoked.iter().any(|revoked| revoked == app.id)
            || rules.policy.region == Region::Cn && app.category == "generative-voice";
        granted
            && !stopped
            && i32::from(app.age) <= self.age(unix)
            && self.in_force(unix).all(|schedule| schedule.apps)
            && region
            && self.has_time(unix, usage, app)
    }

    fn has_time(&self, unix: i64, usage: Option<&Usage>, app: &App<'_>) -> bool {
        let allowances = &self.rules.policy.allowances;
        let default = self.minor(unix).then(|| if self.age(unix) < 16 { 60 } else { 120 });
        let day = allowances.day_min.or(default).filter(|minutes| *minutes < 1440);
        let category = allowances.categories.iter().find(|limit| limit.category == app.category);
        let category = category.map(|limit| limit.day_min).filter(|minutes| *minutes < 1440);
        let rest = self.rest(unix);
        let Some(usage) = usage else { return day.is_none() && category.is_none() && rest.is_none() };
        let enough = |used: u32, minutes: Option<u16>, more: u32| {
            minutes.is_none_or(|m| u32::from(m) + more >= 1440 || used < (u32::from(m) + more) * 60)
        };
        let in_category = usage.categories.iter().find(|(category, _)| category == app.category);
        enough(usage.day_s, day, self.more(unix, None))
            && enough(in_category.map_or(0, |(_, used)| *used), category, self.more(unix, Some(app.category)))
            && rest.is_none_or(|rest| {
                usage.running_s < u32::from(rest.after_min) * 60
                    || usage.rested_s >= u32::from(rest.rest_min) * 60
            })
    }

    fn uses(&self, unix: i64, app: &str, permission: Permission) -> bool {
        let mut grants = self.rules.policy.apps.iter().filter(|grant| grant.app == app);
        !self.rules.standing.revoked.iter().any(|revoked| revoked == app)
            && grants.any(|grant| {
                grant.permissions.contains(&permission) && grant.until.is_none_or(|until| unix < until)
            })
    }

    /// Ends the test unless the verdict is right, now and as long as it says: every minute of `days` days is asked, and
    /// the seconds around the end.
    pub(crate) fn check(&self, world: &World, action: &Action<'_>, days: i64) -> Result<(), String> {
        let verdict = decide(self.rules, &world.moment(), action);
        let (allowed, until) = match verdict {
            Verdict::Allow { until } => (true, until),
            Verdict::Deny { until, .. } => (false, until),
        };
        let app = match action {
            Action::Open(app) if allowed => Some(*app),
            _ => None,
        };
        let wrong = |world: &World, what| Err(format!("{what} at {} after {verdict:?}", world.unix));
        if self.allows(world, action) != allowed {
            return wrong(world, "wrong at once");
        }
        if until.is_some_and(|until| until <= world.unix) {
            return wrong(world, "over before it begins");
        }
        let horizon = world.unix + days * 86_400;
        let last = until.map_or(horizon, |until| until.min(horizon));
        let mut world = world.clone();
        while world.unix < last {
            let next = (world.unix + 60).div_euclid(60) * 60;
            // The last second before the end, and the end itself.
            let next = if next >= last { if world.unix < last - 1 { last - 1 } else { last } } else { next };
            world = self.later(&world, next - world.unix, app);
            if world.unix < last && self.allows(&world, action) != allowed {
                return wrong(&world, "changes before its end");
            }
        }
        // After a step back of the clock a denial may be longer than it says, and never shorter.
        // Where usage is unknown, becoming known may be due at the end.
        let exact = until == Some(last) && (allowed || world.latest == world.unix && world.usage.is_some());
        if exact && self.allows(&world, action) == allowed {
            return wrong(&world, "does not change at its end");
        }
        Ok(())
    }
}
