//! Random families around the days on which clocks change, months end and children grow older.

use policy::{
    Allowances, AppGrant, Break, CategoryLimit, Child, Day, Days, Extra, Kind, May, MoreTime, Pause,
    Permission, Policy, Reach, Region, Rulebook, Schedule, ScheduleKind, Standing, TimeOfDay, Usage, Window,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::family::{KINDS, contact, number, zone};
use crate::oracle::World;

/// Zones whose clocks change in every way there is.
pub(crate) const ZONES: [&str; 9] = [
    "Europe/Helsinki",
    "America/New_York",
    // Half an hour.
    "Australia/Lord_Howe",
    // Back for Ramadan.
    "Africa/Casablanca",
    // Over midnight, both ways.
    "Africa/Cairo",
    "America/Havana",
    "America/Santiago",
    "Asia/Shanghai",
    "UTC",
];

pub(crate) const CATEGORIES: [&str; 3] = ["creative", "game", "generative-voice"];
pub(crate) const APPS: usize = 4;

pub(crate) fn app_id(place: usize) -> String {
    format!("app{place}")
}

/// Days that matter: changes of the clock in one of the zones, the end of a month, a leap day.
fn days() -> impl Strategy<Value = i64> {
    let days = [
        // Changes of the clock from 2025 to 2027.
        "2025-11-02",
        "2026-02-15",
        "2026-03-08",
        "2026-03-22",
        "2026-03-29",
        "2026-04-05",
        "2026-04-24",
        "2026-09-06",
        "2026-09-20",
        "2026-10-04",
        "2026-10-25",
        "2026-10-30",
        "2026-11-01",
        "2027-02-07",
        "2027-03-14",
        // Ends of months, of years, a leap day.
        "2026-06-01",
        "2027-01-01",
        "2028-02-29",
        "2028-03-01",
    ];
    select(
        days.map(|day| format!("{day}T00:00:00Z").parse::<jiff::Timestamp>().unwrap().as_second()).to_vec(),
    )
}

fn moments() -> impl Strategy<Value = i64> {
    let second = prop_oneof![Just(0_i64), 0..60_i64, Just(59)];
    (days(), -3 * 1440_i64..3 * 1440, second).prop_map(|(day, minute, second)| day + minute * 60 + second)
}

fn mays() -> impl Strategy<Value = May> {
    let yes = || prop::bool::weighted(0.8);
    (yes(), yes(), yes(), yes()).prop_map(|(ring, be_called, write, be_written)| May {
        ring,
        be_called,
        write,
        be_written,
    })
}

fn times() -> impl Strategy<Value = TimeOfDay> {
    let minutes = prop_oneof![0..1440_u16, (0..48_u16).prop_map(|half| half * 30)];
    minutes.prop_map(|minute| format!("{:02}:{:02}", minute / 60, minute % 60).parse().unwrap())
}

pub(crate) fn windows() -> impl Strategy<Value = Window> {
    let days = prop_oneof![Just(Day::ALL.to_vec()), subsequence(Day::ALL.to_vec(), 1..7)];
    (days, times(), times()).prop_map(|(days, from, to)| Window { days: Days::of(&days), from, to })
}

pub(crate) fn schedules() -> impl Strategy<Value = Schedule> {
    let kinds = select(vec![ScheduleKind::Class, ScheduleKind::Bedtime, ScheduleKind::Custom]);
    let calls = select(vec![Reach::Guardians, Reach::Family, Reach::Everyone]);
    (kinds, vec(windows(), 0..4), calls, any::<bool>()).prop_map(|(kind, windows, calls, apps)| Schedule {
        id: kind.as_str().into(),
        name: kind.as_str().into(),
        kind,
        windows,
        calls,
        apps,
    })
}

fn allowances() -> impl Strategy<Value = Allowances> {
    let minutes = || prop_oneof![Just(0_u16), 1..90_u16, 1380..1441_u16];
    let rest = (1..60_u16, 1..90_u16).prop_map(|(after_min, rest_min)| Break { after_min, rest_min });
    let category = of(minutes()).prop_map(|day_min| {
        day_min.into_iter().map(|day_min| CategoryLimit { category: "game".into(), day_min }).collect()
    });
    (of(minutes()), category, prop_oneof![2 => Just(None), 1 => rest.prop_map(Some)])
        .prop_map(|(day_min, categories, rest)| Allowances { day_min, categories, rest })
}

/// A second some hours from this one, or none.
fn soon(near: i64) -> impl Strategy<Value = Option<i64>> {
    of((-4 * 60..40 * 60_i64).prop_map(move |minutes| near + minutes * 60 + 7))
}

/// A pause; `None` twice as often.
fn pauses(near: i64) -> impl Strategy<Value = Option<Pause>> {
    prop_oneof![3 => Just(None), 1 => soon(near).prop_map(|until| Some(Pause { until }))]
}

fn standings(near: i64) -> impl Strategy<Value = Standing> {
    let revoked = prop_oneof![
        7 => Just(vec![]),
        1 => (0..APPS).prop_map(|place| vec![app_id(place)]),
    ];
    let grants = vec(soon(near), APPS).prop_map(|ends| {
        let grants = ends.into_iter().enumerate().skip(2);
        grants.map(|(place, until)| Extra { app: app_id(place), until }).collect::<Vec<_>>()
    });
    let category = select(vec![None, Some("game".to_owned())]);
    let more = (category, 1..90_u16, soon(near)).prop_map(move |(category, minutes, until)| MoreTime {
        category,
        minutes,
        until: until.unwrap_or(near + 9 * 86_400),
    });
    (pauses(near), prop::bool::weighted(0.05), grants, revoked, vec(more, 0..3)).prop_map(
        |(paused, lost, grants, revoked, more_time)| Standing { paused, lost, grants, revoked, more_time },
    )
}

fn policies(near: i64) -> impl Strategy<Value = Policy> {
    let people = KINDS.map(|kind| mays().prop_map(move |may| (kind, may)));
    let more = vec((select(KINDS.to_vec()), mays()), 0..8);
    let permissions = subsequence(Permission::ALL.to_vec(), 0..3);
    let apps = vec((soon(near), permissions), APPS - 1);
    let child = of((2007..2012_u16, 1..13_u8).prop_map(|(year, month)| Child { year, month }));
    let region = select(vec![Region::Cn, Region::Neutral]);
    (
        region,
        select(ZONES.to_vec()),
        child,
        people,
        more,
        vec(schedules(), 0..4),
        allowances(),
        apps,
        any::<bool>(),
    )
        .prop_map(|(region, name, child, people, more, schedules, allowances, apps, messages)| {
            let contacts = people.into_iter().chain(more).enumerate();
            let contacts = contacts.map(|(place, (kind, may))| contact(place, kind, may)).collect();
            let mut policy = Policy::of(region, contacts);
            policy.time_zone = zone(name);
            policy.child = child;
            policy.schedules = schedules;
            for (place, schedule) in policy.schedules.iter_mut().enumerate() {
                schedule.id = format!("s{place}");
            }
            policy.allowances = allowances;
            let apps = apps.into_iter().enumerate();
            policy.apps = apps
                .map(|(place, (until, permissions))| AppGrant { app: app_id(place), until, permissions })
                .collect();
            policy.features.messages = messages;
            policy
        })
}

fn usages() -> impl Strategy<Value = Option<Usage>> {
    let usage = (0..7200_u32, 0..3600_u32, 0..3000_u32, prop_oneof![Just(0_u32), 0..5400_u32]).prop_map(
        |(day_s, game_s, running_s, rested_s)| Usage {
            day_s: day_s.max(game_s),
            categories: vec![("game".into(), game_s)],
            running_s,
            rested_s,
        },
    );
    prop_oneof![1 => Just(None), 9 => usage.prop_map(Some)]
}

/// Rules, and a moment near a day that matters; the clock was set back in one of four.
pub(crate) fn worlds() -> impl Strategy<Value = (Rulebook, World)> {
    moments().prop_flat_map(|unix| {
        let back = prop_oneof![3 => Just(0_i64), 1 => 1..2 * 86_400_i64];
        (policies(unix), standings(unix), back, prop::bool::weighted(0.05), usages()).prop_map(
            move |(policy, standing, back, charging, usage)| {
                let world = World { unix, latest: unix + back, charging, usage };
                (Rulebook { policy, standing }, world)
            },
        )
    })
}

/// What is asked: who, which app, and the rest.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) person: usize,
    pub(crate) app: String,
    pub(crate) category: &'static str,
    pub(crate) age: u8,
    pub(crate) permission: Permission,
}

impl Ask {
    pub(crate) fn app(&self) -> policy::App<'_> {
        policy::App { id: &self.app, category: self.category, age: self.age }
    }

    /// Every action there is, with these.
    pub(crate) fn actions<'a>(&'a self, app: &'a policy::App<'a>) -> [policy::Action<'a>; 8] {
        use policy::{Action, Caller};
        let number = number(self.person);
        [
            Action::Ring(Caller::Number(number)),
            Action::Dial(number),
            Action::Receive(Caller::Number(number)),
            Action::Write(number),
            Action::Open(app),
            Action::Use { app: &self.app, permission: self.permission },
            Action::Alarm,
            Action::Helpline("12355"),
        ]
    }
}

pub(crate) fn asks() -> impl Strategy<Value = Ask> {
    let ages = prop_oneof![4 => Just(3_u8), 1 => select(vec![0_u8, 4, 15, 16, 17, 18])];
    let person = prop_oneof![4 => 0..KINDS.len(), 1 => 0..13_usize];
    let app = prop_oneof![9 => 0..APPS, 1 => Just(APPS)];
    let category = prop_oneof![4 => select(CATEGORIES[..2].to_vec()), 1 => Just(CATEGORIES[2])];
    (person, app, category, ages, select(Permission::ALL.to_vec())).prop_map(
        |(person, app, category, age, permission)| Ask {
            person,
            app: app_id(app),
            category,
            age,
            permission,
        },
    )
}

/// Whether a contact of this place is a guardian.
pub(crate) fn is_guardian(rules: &Rulebook, person: usize) -> bool {
    rules.policy.contacts.get(person).is_some_and(|contact| contact.kind == Kind::Guardian)
}
