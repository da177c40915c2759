//! The rules: how long a decision takes, and how long a new store needs to a reader.
//!
//! The largest lists of contacts and of apps are asked, with twenty windows of time and an allowance for every category.
//! That a decision allocates nothing is not measured here but tested, with the crate's own tests.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Result, ensure};

use policy::{
    Action, Allowances, App, AppGrant, Caller, CategoryLimit, Contact, Days, E164, Kind, May, Moment, Policy,
    Reach, Region, Rulebook, Schedule, ScheduleKind, Usage, Window, decide, limits,
};

use super::program::measure;
use super::row::{Row, Target, quantile};

/// The clock itself takes tens of nanoseconds: that many decisions are timed at once.
const BATCH: usize = 200;
const BATCHES: usize = 1000;
/// When the grants are over, a moment before that, which is in no window, and one in the fourth, by the time of the
/// family's zone, UTC.
const END: i64 = 1_780_000_000;
const FREE: i64 = END - 60;
const IN_CLASS: i64 = END - END % 86_400 + (8 * 60 + 5) * 60;
const SCHEDULES: usize = 10;
const WINDOWS: usize = 20;

/// A decision, then the store.
pub(super) fn run() -> Result<Vec<Row>> {
    let mut rows = decisions()?;
    rows.extend(measure("store", "publish", &[Target::Ratio(2.0)])?);
    Ok(rows)
}

fn number(place: usize) -> Result<E164> {
    Ok(format!("+35840{:07}", 1_000_000 + place).parse()?)
}

fn full() -> Result<Policy> {
    let mut contacts = Vec::new();
    for person in 0..limits::CONTACTS {
        let first = person * limits::NUMBERS_OF_A_CONTACT;
        let numbers = (first..first + limits::NUMBERS_OF_A_CONTACT).map(number).collect::<Result<_>>()?;
        contacts.push(Contact {
            id: format!("c{person}"),
            name: format!("Contact {person}"),
            kind: if person < 2 { Kind::Guardian } else { Kind::Friend },
            numbers,
            picture: "face:mum".to_owned(),
            may: May { ring: true, be_called: true, write: false, be_written: false },
        });
    }
    let apps = (0..limits::APPS)
        .map(|place| AppGrant { app: format!("app{place}"), until: Some(END), permissions: vec![] })
        .collect();
    let policy = Policy {
        apps,
        schedules: (0..SCHEDULES).map(schedule).collect::<Result<_>>()?,
        allowances: Allowances {
            day_min: Some(120),
            categories: (0..limits::CATEGORIES)
                .map(|place| CategoryLimit { category: category(place), day_min: 60 })
                .collect(),
            rest: None,
        },
        ..Policy::of(Region::Eu, contacts)
    };
    policy.validate()?;
    Ok(policy)
}

/// Two windows of twenty minutes; all of them are from 6:00 to 19:00, with twenty minutes between them.
fn schedule(place: usize) -> Result<Schedule> {
    let each = WINDOWS / SCHEDULES;
    let time = |minute: usize| format!("{:02}:{:02}", minute / 60, minute % 60).parse();
    let window = |place: usize| {
        let from = 6 * 60 + place * 40;
        Ok(Window { days: Days::ALL, from: time(from)?, to: time(from + 20)? })
    };
    Ok(Schedule {
        id: format!("s{place}"),
        name: format!("Schedule {place}"),
        kind: ScheduleKind::Class,
        windows: (place * each..(place + 1) * each).map(window).collect::<Result<_>>()?,
        calls: Reach::Guardians,
        apps: false,
    })
}

fn category(place: usize) -> String {
    format!("category-{place}")
}

fn decisions() -> Result<Vec<Row>> {
    let rules = Rulebook::from(full()?);
    let policy = &rules.policy;
    let ring = |number| Action::Ring(Caller::Number(number));
    let known: Vec<_> =
        policy.contacts.iter().flat_map(|contact| &contact.numbers).copied().map(ring).collect();
    let strangers = (0..BATCH).map(|place| number(500_000 + place).map(ring)).collect::<Result<Vec<_>>>()?;
    // Everybody's turn: from the first of the list to the last.
    let known: Vec<_> = known.iter().step_by(known.len().div_ceil(BATCH)).copied().collect();
    let friends: Vec<_> = known.iter().skip(BATCH / 10).cycle().take(BATCH).copied().collect();
    let mut rows = Vec::new();
    let categories: Vec<_> = (0..limits::CATEGORIES).map(category).collect();
    let usage = Usage {
        day_s: 1800,
        categories: categories.iter().map(|category| (category.clone(), 60)).collect(),
        ..Usage::default()
    };
    let at = |unix| Moment { unix, latest: unix, charging: false, usage: Some(&usage) };
    let app = |(id, category)| App { id, category, age: 3 };
    let grants = policy.apps.iter().map(|grant| grant.app.as_str());
    let signed: Vec<_> = grants.zip(categories.iter().map(String::as_str).cycle()).map(app).collect();
    let granted: Vec<_> = signed.iter().map(Action::Open).cycle().take(BATCH).collect();
    let nobodys = app(("app-nobody-granted", "category-0"));
    let unknown = vec![Action::Open(&nobodys); BATCH];
    let cases = [
        ("a known caller", known, FREE, true, limits::CONTACTS, "contacts"),
        ("a stranger", strangers, FREE, false, limits::CONTACTS, "contacts"),
        ("a friend in class", friends, IN_CLASS, false, limits::CONTACTS, "contacts"),
        ("a granted app", granted.clone(), FREE, true, limits::APPS, "apps"),
        ("an app in class", granted, IN_CLASS, false, limits::APPS, "apps"),
        ("an app nobody granted", unknown, FREE, false, limits::APPS, "apps"),
    ];
    for (who, actions, unix, allowed, count, kind) in cases {
        let now = at(unix);
        ensure!(
            actions.iter().all(|action| decide(&rules, &now, action).is_allow() == allowed),
            "{who}: wrong answer"
        );
        let samples: Vec<f64> = (0..BATCHES).map(|_| nanoseconds(&rules, &now, &actions)).collect();
        let what = format!("decide(), {who}, {count} {kind}, {WINDOWS} windows: ns, median");
        rows.push(Row::new(what, quantile(&samples, 0.5), None, Some(Target::Most(1000.0))));
    }
    Ok(rows)
}

/// Of one decision.
fn nanoseconds(rules: &Rulebook, now: &Moment<'_>, actions: &[Action<'_>]) -> f64 {
    let started = Instant::now();
    for action in actions {
        black_box(decide(black_box(rules), black_box(now), black_box(action)));
    }
    started.elapsed().as_nanos() as f64 / actions.len() as f64
}
