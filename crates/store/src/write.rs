//! A rulebook's rows.

use policy::{Days, Policy, Rulebook, Standing};
use rusqlite::{Transaction, params};

/// Writes everything into empty tables.
pub(crate) fn rulebook(tx: &Transaction<'_>, revision: u64, rules: &Rulebook) -> rusqlite::Result<()> {
    once(tx, revision, rules)?;
    contacts(tx, &rules.policy)?;
    schedules(tx, &rules.policy)?;
    zones(tx, &rules.policy)?;
    apps(tx, &rules.policy)?;
    standing(tx, &rules.standing)
}

/// What there is once.
fn once(
    tx: &Transaction<'_>,
    revision: u64,
    Rulebook { policy, standing }: &Rulebook,
) -> rusqlite::Result<()> {
    let rest = policy.allowances.rest;
    tx.execute(
        "INSERT INTO policy VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        params![
            revision.cast_signed(),
            policy.region.as_str(),
            policy.time_zone.name(),
            policy.child.map(|child| child.year),
            policy.child.map(|child| child.month),
            policy.allowances.day_min,
            rest.map(|rest| rest.after_min),
            rest.map(|rest| rest.rest_min),
            policy.retention.track_h,
            policy.retention.diary_days,
            policy.retention.calls_days,
            policy.retention.messages_days,
            policy.features.messages,
            policy.features.friend_cards,
            standing.lost,
            standing.paused.is_some(),
            standing.paused.and_then(|pause| pause.until),
        ],
    )?;
    let mut category = tx.prepare("INSERT INTO category VALUES (?1, ?2, ?3)")?;
    for (position, limit) in (0_i64..).zip(&policy.allowances.categories) {
        category.execute(params![position, limit.category, limit.day_min])?;
    }
    Ok(())
}

fn contacts(tx: &Transaction<'_>, policy: &Policy) -> rusqlite::Result<()> {
    let mut person = tx.prepare("INSERT INTO contact VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    let mut number = tx.prepare("INSERT INTO number VALUES (?1, ?2, ?3)")?;
    for (position, c) in (0_i64..).zip(&policy.contacts) {
        let may = c.may;
        person.execute(params![
            position,
            c.id,
            c.name,
            c.kind.as_str(),
            c.picture,
            may.ring,
            may.be_called,
            may.write,
            may.be_written
        ])?;
        for (place, value) in (0_i64..).zip(&c.numbers) {
            number.execute(params![value.to_string(), c.id, place])?;
        }
    }
    Ok(())
}

fn schedules(tx: &Transaction<'_>, policy: &Policy) -> rusqlite::Result<()> {
    let mut schedule = tx.prepare("INSERT INTO schedule VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    let mut window = tx.prepare("INSERT INTO schedule_window VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (position, s) in (0_i64..).zip(&policy.schedules) {
        schedule.execute(params![position, s.id, s.name, s.kind.as_str(), s.calls.as_str(), s.apps])?;
        for (place, w) in (0_i64..).zip(&s.windows) {
            window.execute(params![s.id, place, bits(w.days), w.from.to_string(), w.to.to_string()])?;
        }
    }
    Ok(())
}

fn bits(days: Days) -> i64 {
    days.iter().map(|day| 1 << day as u8).sum()
}

fn zones(tx: &Transaction<'_>, policy: &Policy) -> rusqlite::Result<()> {
    let mut zone = tx.prepare("INSERT INTO zone VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    let mut expectation = tx.prepare("INSERT INTO expectation VALUES (?1, ?2, ?3, ?4)")?;
    for (position, z) in (0_i64..).zip(&policy.zones) {
        zone.execute(params![position, z.id, z.name, z.latitude_e6, z.longitude_e6, z.radius_m])?;
        for (place, e) in (0_i64..).zip(&z.expect) {
            expectation.execute(params![z.id, place, bits(e.days), e.by.to_string()])?;
        }
    }
    Ok(())
}

fn apps(tx: &Transaction<'_>, policy: &Policy) -> rusqlite::Result<()> {
    let mut app = tx.prepare("INSERT INTO app VALUES (?1, ?2, ?3)")?;
    let mut permission = tx.prepare("INSERT INTO permission VALUES (?1, ?2, ?3)")?;
    for (position, grant) in (0_i64..).zip(&policy.apps) {
        app.execute(params![position, grant.app, grant.until])?;
        for (place, what) in (0_i64..).zip(&grant.permissions) {
            permission.execute(params![grant.app, place, what.as_str()])?;
        }
    }
    Ok(())
}

fn standing(tx: &Transaction<'_>, standing: &Standing) -> rusqlite::Result<()> {
    let mut extra = tx.prepare("INSERT INTO extra VALUES (?1, ?2, ?3)")?;
    for (position, grant) in (0_i64..).zip(&standing.grants) {
        extra.execute(params![position, grant.app, grant.until])?;
    }
    let mut revoked = tx.prepare("INSERT INTO revoked VALUES (?1, ?2)")?;
    for (position, app) in (0_i64..).zip(&standing.revoked) {
        revoked.execute(params![position, app])?;
    }
    let mut more = tx.prepare("INSERT INTO more_time VALUES (?1, ?2, ?3, ?4)")?;
    for (position, time) in (0_i64..).zip(&standing.more_time) {
        more.execute(params![position, time.category, time.minutes, time.until])?;
    }
    Ok(())
}
