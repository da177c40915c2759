//! Bounds of an order's values that the types do not hold.

use policy::{is_id, limits};

use crate::ledger::{Door, Signed};
use crate::order::{Body, What};
use crate::refused::Refused;
use crate::role::Role;

/// Minutes of one grant.
const MINUTES: std::ops::RangeInclusive<u16> = 1..=240;

/// What the watch's own key gives at most: minutes, and seconds until the end.
const WATCH_MINUTES: u16 = 60;
const WATCH_SECONDS: i64 = 3600;

pub(crate) fn check(signed: &Signed<'_>, door: Door) -> Result<(), Refused> {
    match &signed.order.body {
        Body::Grant { what, until } => {
            given(what)?;
            ahead(*until, door)?;
            if signed.role == Role::Watch {
                watch(what, *until, signed.order.issued_at, door)
            } else {
                Ok(())
            }
        }
        Body::Revoke { app } => id("app", app),
        Body::Answer { until, .. } | Body::Pause { until } => ahead(*until, door),
        _ => Ok(()),
    }
}

fn given(what: &What) -> Result<(), Refused> {
    match what {
        What::App(app) => id("app", app),
        What::Time { minutes, .. } if !MINUTES.contains(minutes) => {
            Err(Refused::Field { field: "minutes", rule: "1 to 240" })
        }
        What::Time { category: Some(category), .. } => id("category", category),
        What::Time { category: None, .. } => Ok(()),
    }
}

fn id(field: &'static str, text: &str) -> Result<(), Refused> {
    if is_id(text) { Ok(()) } else { Err(Refused::Field { field, rule: "1 to 32 of a-z, 0-9 and -" }) }
}

/// An end is a time a tool can write, and not over yet by the watch's clock.
fn ahead(until: Option<i64>, door: Door) -> Result<(), Refused> {
    match (until, door) {
        (Some(until), _) if !(0..=limits::UNTIL).contains(&until) => {
            Err(Refused::Field { field: "until", rule: "a second of the years 1970 to 9999" })
        }
        (Some(until), Door::Submit { now, .. }) if until <= now => Err(Refused::Past { until }),
        _ => Ok(()),
    }
}

fn watch(what: &What, until: Option<i64>, issued_at: i64, door: Door) -> Result<(), Refused> {
    // What the order says of its time is the signer's word: the watch's own clock counts too, when it is asked.
    let given = if let Door::Submit { now, .. } = door { issued_at.min(now) } else { issued_at };
    let latest = given.saturating_add(WATCH_SECONDS);
    let long = matches!(what, What::Time { minutes, .. } if *minutes > WATCH_MINUTES);
    if long || until.is_none_or(|until| until > latest) { Err(Refused::WatchLimit) } else { Ok(()) }
}
