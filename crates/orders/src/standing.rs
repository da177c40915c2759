//! What guardians ordered besides the policy, and what stays so until another order or an end.

use policy::{Extra, MoreTime, Standing, limits};

use crate::order::What;
use crate::refused::Refused;

/// Gives something; `at` is when the order was written.
pub(crate) fn grant(
    standing: &mut Standing,
    what: &What,
    until: Option<i64>,
    at: i64,
) -> Result<(), Refused> {
    match (what, until) {
        (What::App(app), _) => {
            standing.revoked.retain(|revoked| revoked != app);
            standing.grants.retain(|extra| &extra.app != app);
            make_room(&mut standing.grants, "grants", at, |extra| extra.until)?;
            standing.grants.push(Extra { app: app.clone(), until });
        }
        (What::Time { category, minutes }, Some(until)) => {
            make_room(&mut standing.more_time, "more-time", at, |more| Some(more.until))?;
            standing.more_time.push(MoreTime { category: category.clone(), minutes: *minutes, until });
        }
        (What::Time { .. }, None) => {
            return Err(Refused::Field { field: "until", rule: "more time has an end" });
        }
    }
    Ok(())
}

/// Takes an app away.
pub(crate) fn revoke(standing: &mut Standing, app: &str) -> Result<(), Refused> {
    standing.grants.retain(|extra| extra.app != app);
    if !standing.revoked.iter().any(|revoked| revoked == app) {
        make_room(&mut standing.revoked, "revoked", 0, |_| None)?;
        standing.revoked.push(app.to_owned());
    }
    Ok(())
}

/// Lets the entry that ended first go if a list is full. What has no end, or has not come to it, is never lost: then
/// the new order is refused.
fn make_room<T>(
    list: &mut Vec<T>,
    name: &'static str,
    at: i64,
    until: impl Fn(&T) -> Option<i64>,
) -> Result<(), Refused> {
    if list.len() < limits::STANDING {
        return Ok(());
    }
    let ends = list.iter().enumerate().filter_map(|(place, entry)| Some((until(entry)?, place)));
    match ends.min() {
        Some((end, place)) if end <= at => {
            list.remove(place);
            Ok(())
        }
        _ => Err(Refused::Full { list: name }),
    }
}
