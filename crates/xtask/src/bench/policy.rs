//! The rules: how long a decision takes, and how long a new store needs to a reader.
//!
//! The largest lists of contacts and of apps are asked. Windows of time are not in the rules yet. That a decision allocates
//! nothing is not measured: a counting allocator would need `unsafe` here.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Result, ensure};

use policy::{
    Action, App, AppGrant, Caller, Contact, E164, Kind, May, Moment, Policy, Region, Rulebook, decide, limits,
};

use super::program::measure;
use super::row::{Row, Target, quantile};

/// The clock itself takes tens of nanoseconds: that many decisions are timed at once.
const BATCH: usize = 200;
const BATCHES: usize = 1000;
/// When the grants are over, and a moment before that.
const END: i64 = 1_780_000_000;
const NOW: Moment<'_> = Moment { unix: END - 60, latest: END - 60, charging: false, usage: None };

/// A decision, then the store.
pub(super) fn run() -> Result<Vec<Row>> {
    let mut rows = decisions()?;
    rows.extend(measure("store", "publish", Target::Ratio(2.0))?);
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
    let policy = Policy { apps, ..Policy::of(Region::Eu, contacts) };
    policy.validate()?;
    Ok(policy)
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
    let mut rows = Vec::new();
    let signed: Vec<_> = policy.apps.iter().map(|grant| app(&grant.app)).collect();
    let granted: Vec<_> = signed.iter().map(Action::Open).cycle().take(BATCH).collect();
    let nobodys = app("app-nobody-granted");
    let unknown = vec![Action::Open(&nobodys); BATCH];
    let cases = [
        ("a known caller", known, true, limits::CONTACTS, "contacts"),
        ("a stranger", strangers, false, limits::CONTACTS, "contacts"),
        ("a granted app", granted, true, limits::APPS, "apps"),
        ("an app nobody granted", unknown, false, limits::APPS, "apps"),
    ];
    for (who, actions, allowed, count, kind) in cases {
        ensure!(
            actions.iter().all(|action| decide(&rules, &NOW, action).is_allow() == allowed),
            "{who}: wrong answer"
        );
        let samples: Vec<f64> = (0..BATCHES).map(|_| nanoseconds(&rules, &actions)).collect();
        let what = format!("decide(), {who}, {count} {kind}: ns, median");
        rows.push(Row::new(what, quantile(&samples, 0.5), None, Some(Target::Most(1000.0))));
    }
    Ok(rows)
}

fn app(id: &str) -> App<'_> {
    App { id, category: "creative", age: 3 }
}

/// Of one decision.
fn nanoseconds(rules: &Rulebook, actions: &[Action<'_>]) -> f64 {
    let started = Instant::now();
    for action in actions {
        black_box(decide(black_box(rules), &NOW, black_box(action)));
    }
    started.elapsed().as_nanos() as f64 / actions.len() as f64
}
