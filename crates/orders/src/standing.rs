//! What guardians ordered besides the policy, and what stays so until another order or an end.

use serde::{Deserialize, Serialize};

use crate::order::What;
use crate::refused::Refused;

/// Entries one list of a [`Standing`] may have.
pub const MAX_STANDING: usize = 50;

/// A pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// When it is over, seconds since 1970 UTC; `None`: until another order.
    pub until: Option<i64>,
}

/// An app given besides the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extra {
    /// The app's id.
    pub app: String,
    /// When it is over, seconds since 1970 UTC; `None`: until another order.
    pub until: Option<i64>,
}

/// Time given besides the allowance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoreTime {
    /// Of which category; `None`: of the whole day.
    pub category: Option<String>,
    /// 1 to 240.
    pub minutes: u16,
    /// When what is left of it is lost, seconds since 1970 UTC.
    pub until: i64,
}

/// The standing orders. A new policy leaves them as they are: the policy of a second parent must not undo what the
/// first one took away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// Nothing but the lifeline and calls.
    pub paused: Option<Pause>,
    /// The watch is lost.
    pub lost: bool,
    /// Apps given; each stands once, and in `revoked` never.
    pub grants: Vec<Extra>,
    /// Apps taken away, whatever the policy says; each stands once.
    pub revoked: Vec<String>,
    /// Time given; entries add up.
    pub more_time: Vec<MoreTime>,
}

impl Standing {
    /// Gives something; `at` is when the order was written.
    pub(crate) fn grant(&mut self, what: &What, until: Option<i64>, at: i64) -> Result<(), Refused> {
        match (what, until) {
            (What::App(app), _) => {
                self.revoked.retain(|revoked| revoked != app);
                self.grants.retain(|extra| &extra.app != app);
                make_room(&mut self.grants, "grants", at, |extra| extra.until)?;
                self.grants.push(Extra { app: app.clone(), until });
            }
            (What::Time { category, minutes }, Some(until)) => {
                make_room(&mut self.more_time, "more-time", at, |more| Some(more.until))?;
                self.more_time.push(MoreTime { category: category.clone(), minutes: *minutes, until });
            }
            (What::Time { .. }, None) => {
                return Err(Refused::Field { field: "until", rule: "more time has an end" });
            }
        }
        Ok(())
    }

    /// Takes an app away.
    pub(crate) fn revoke(&mut self, app: &str) -> Result<(), Refused> {
        self.grants.retain(|extra| extra.app != app);
        if !self.revoked.iter().any(|revoked| revoked == app) {
            make_room(&mut self.revoked, "revoked", 0, |_| None)?;
            self.revoked.push(app.to_owned());
        }
        Ok(())
    }
}

/// Lets the entry that ended first go if a list is full. What has no end, or has not come to it, is never lost: then
/// the new order is refused.
fn make_room<T>(
    list: &mut Vec<T>,
    name: &'static str,
    at: i64,
    until: impl Fn(&T) -> Option<i64>,
) -> Result<(), Refused> {
    if list.len() < MAX_STANDING {
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
