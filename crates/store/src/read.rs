//! A rulebook out of its rows. Each query stops at a thousand rows: what a policy can hold at most is less, and what it
//! may hold is checked afterwards.

use std::collections::HashMap;

use policy::{
    Allowances, AppGrant, Break, CategoryLimit, Child, Contact, Day, Days, E164, Expect, Extra, Features,
    May, MoreTime, Pause, Policy, Retention, Rulebook, Schedule, Standing, Window, Zone,
};
use rusqlite::{Connection, Row};
use serde::de::value::{Error as WordError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::reader::ReadError;

/// Reads everything.
pub(crate) fn rulebook(db: &Connection) -> Result<(u64, Rulebook), ReadError> {
    let mut once = db.prepare("SELECT * FROM policy")?;
    let mut rows = once.query([])?;
    let row = rows.next()?.ok_or(ReadError::Word)?;
    let revision: i64 = row.get("revision")?;
    let policy = Policy {
        region: word(row, "region")?,
        time_zone: word(row, "time_zone")?,
        child: child(row)?,
        contacts: contacts(db)?,
        schedules: schedules(db)?,
        allowances: Allowances {
            day_min: row.get("day_min")?,
            categories: list(
                db,
                "SELECT category, day_min FROM category ORDER BY position LIMIT 1000",
                |row| Ok(CategoryLimit { category: row.get(0)?, day_min: row.get(1)? }),
            )?,
            rest: rest(row)?,
        },
        apps: apps(db)?,
        zones: zones(db)?,
        retention: Retention {
            track_h: row.get("track_h")?,
            diary_days: row.get("diary_days")?,
            calls_days: row.get("calls_days")?,
            messages_days: row.get("messages_days")?,
        },
        features: Features { messages: row.get("messages")?, friend_cards: row.get("friend_cards")? },
    };
    let paused: bool = row.get("paused")?;
    let until = row.get("paused_until")?;
    let standing = Standing {
        paused: paused.then_some(Pause { until }),
        lost: row.get("lost")?,
        grants: list(db, "SELECT app, until FROM extra ORDER BY position LIMIT 1000", |row| {
            Ok(Extra { app: row.get(0)?, until: row.get(1)? })
        })?,
        revoked: list(db, "SELECT app FROM revoked ORDER BY position LIMIT 1000", |row| Ok(row.get(0)?))?,
        more_time: list(
            db,
            "SELECT category, minutes, until FROM more_time ORDER BY position LIMIT 1000",
            |row| Ok(MoreTime { category: row.get(0)?, minutes: row.get(1)?, until: row.get(2)? }),
        )?,
    };
    Ok((u64::try_from(revision).map_err(|_| ReadError::Word)?, Rulebook { policy, standing }))
}

/// One of our own words, as JSON would have it.
fn word<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T, ReadError> {
    let text: String = row.get(column)?;
    let text: StrDeserializer<'_, WordError> = text.as_str().into_deserializer();
    T::deserialize(text).map_err(|_| ReadError::Word)
}

fn list<T>(
    db: &Connection,
    query: &str,
    one: impl Fn(&Row<'_>) -> Result<T, ReadError>,
) -> Result<Vec<T>, ReadError> {
    let mut statement = db.prepare(query)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(one(row)?);
    }
    Ok(all)
}

/// The rows that belong to one other row.
fn of<T>(
    db: &Connection,
    query: &str,
    owner: &str,
    one: impl Fn(&Row<'_>) -> Result<T, ReadError>,
) -> Result<Vec<T>, ReadError> {
    let mut statement = db.prepare_cached(query)?;
    let mut rows = statement.query([owner])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(one(row)?);
    }
    Ok(all)
}

fn child(row: &Row<'_>) -> Result<Option<Child>, ReadError> {
    let (year, month): (Option<u16>, Option<u8>) = (row.get("child_year")?, row.get("child_month")?);
    Ok(year.zip(month).map(|(year, month)| Child { year, month }))
}

fn rest(row: &Row<'_>) -> Result<Option<Break>, ReadError> {
    let (after, rest): (Option<u16>, Option<u16>) = (row.get("break_after_min")?, row.get("break_rest_min")?);
    Ok(after.zip(rest).map(|(after_min, rest_min)| Break { after_min, rest_min }))
}

fn contacts(db: &Connection) -> Result<Vec<Contact>, ReadError> {
    let mut numbers = numbers(db)?;
    let mut contacts = list(db, "SELECT * FROM contact ORDER BY position LIMIT 1000", |row| {
        let id: String = row.get("id")?;
        Ok(Contact {
            name: row.get("name")?,
            kind: word(row, "kind")?,
            numbers: Vec::new(),
            picture: row.get("picture")?,
            may: May {
                ring: row.get("may_ring")?,
                be_called: row.get("may_be_called")?,
                write: row.get("may_write")?,
                be_written: row.get("may_be_written")?,
            },
            id,
        })
    })?;
    for contact in &mut contacts {
        contact.numbers = numbers.remove(&contact.id).unwrap_or_default();
    }
    Ok(contacts)
}

/// Everybody's numbers at once: the table is by number, and asked for each contact it would be gone through for each.
fn numbers(db: &Connection) -> Result<HashMap<String, Vec<E164>>, ReadError> {
    const MOST: usize = 1000;
    let query = "SELECT contact, number FROM number ORDER BY contact, position LIMIT 1001";
    let rows = list(db, query, |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?.parse()?)))?;
    if rows.len() > MOST {
        return Err(ReadError::Shape);
    }
    let mut numbers: HashMap<String, Vec<E164>> = HashMap::new();
    for (contact, number) in rows {
        numbers.entry(contact).or_default().push(number);
    }
    Ok(numbers)
}

fn schedules(db: &Connection) -> Result<Vec<Schedule>, ReadError> {
    list(db, "SELECT * FROM schedule ORDER BY position LIMIT 1000", |row| {
        let id: String = row.get("id")?;
        let windows = "SELECT * FROM schedule_window WHERE schedule = ?1 ORDER BY position LIMIT 1000";
        Ok(Schedule {
            name: row.get("name")?,
            kind: word(row, "kind")?,
            windows: of(db, windows, &id, |row| {
                Ok(Window {
                    days: days(row.get("days")?),
                    from: word(row, "from_time")?,
                    to: word(row, "to_time")?,
                })
            })?,
            calls: word(row, "calls")?,
            apps: row.get("apps")?,
            id,
        })
    })
}

fn days(bits: i64) -> Days {
    let days: Vec<Day> = Day::ALL.into_iter().filter(|day| bits >> *day as u8 & 1 == 1).collect();
    Days::of(&days)
}

fn zones(db: &Connection) -> Result<Vec<Zone>, ReadError> {
    list(db, "SELECT * FROM zone ORDER BY position LIMIT 1000", |row| {
        let id: String = row.get("id")?;
        let expected = "SELECT * FROM expectation WHERE zone = ?1 ORDER BY position LIMIT 1000";
        Ok(Zone {
            name: row.get("name")?,
            latitude_e6: row.get("latitude_e6")?,
            longitude_e6: row.get("longitude_e6")?,
            radius_m: row.get("radius_m")?,
            expect: of(db, expected, &id, |row| {
                Ok(Expect { days: days(row.get("days")?), by: word(row, "by_time")? })
            })?,
            id,
        })
    })
}

fn apps(db: &Connection) -> Result<Vec<AppGrant>, ReadError> {
    list(db, "SELECT app, until FROM app ORDER BY position LIMIT 1000", |row| {
        let app: String = row.get(0)?;
        let permissions = "SELECT permission FROM permission WHERE app = ?1 ORDER BY position LIMIT 1000";
        Ok(AppGrant {
            until: row.get(1)?,
            permissions: of(db, permissions, &app, |row| word(row, "permission"))?,
            app,
        })
    })
}
