//! What orders left behind that are no policy: a pause, an app for an hour, more time.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::contact::valid_id;
use crate::region::Rule;
use crate::rules::{Policy, PolicyError, at_most, is_end, limits};
use crate::verdict::Reason;

/// What is in force beside the policy. policyd makes it from the log of orders and publishes it with the policy. By
/// default nothing is.
///
/// Times are seconds since 1970, UTC, by the watch's trusted clock, 0 to [`limits::UNTIL`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Standing {
    /// Apps and friends wait.
    pub paused: Option<Pause>,
    /// The watch is lost: only guardians and those to reach in need get through.
    pub lost: bool,
    /// Apps beyond those of the policy, each once.
    pub grants: Vec<Extra>,
    /// Apps that were taken back, each once: stronger than any grant. A later grant of the app takes it off this list.
    pub revoked: Vec<String>,
    /// More minutes than the allowances have.
    pub more_time: Vec<MoreTime>,
}

/// A pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// From this second on it is over; `None`: when an order ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

/// An app that was granted without changing the policy. It has no permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extra {
    /// The app's id.
    pub app: String,
    /// From this second on the grant is over; `None`: it has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

/// More time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoreTime {
    /// Added to the allowance of this category; `None`: to that of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Minutes: 1 to 1440.
    pub minutes: u16,
    /// From this second on they count no more.
    pub until: i64,
}

impl Standing {
    /// Checks all that the types cannot.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&self) -> Result<(), PolicyError> {
        at_most("grants beside the policy", self.grants.len(), limits::STANDING)?;
        at_most("revoked apps", self.revoked.len(), limits::STANDING)?;
        at_most("additions of time", self.more_time.len(), limits::STANDING)?;
        if self.paused.and_then(|pause| pause.until).is_some_and(|until| !is_end(until)) {
            return Err(PolicyError::End);
        }
        for grant in &self.grants {
            if grant.until.is_some_and(|until| !is_end(until)) {
                return Err(PolicyError::Until { app: grant.app.clone() });
            }
        }
        each_once(self.grants.iter().map(|grant| grant.app.as_str()))?;
        each_once(self.revoked.iter().map(String::as_str))?;
        for more in &self.more_time {
            more.category.as_deref().map_or(Ok(()), valid_id)?;
            if !(1..=limits::MINUTES).contains(&more.minutes) {
                return Err(PolicyError::Minutes);
            }
            if !is_end(more.until) {
                return Err(PolicyError::End);
            }
        }
        Ok(())
    }
}

fn each_once<'a>(apps: impl Iterator<Item = &'a str>) -> Result<(), PolicyError> {
    let mut seen = HashSet::new();
    for app in apps {
        valid_id(app)?;
        if !seen.insert(app) {
            return Err(PolicyError::SharedApp { app: app.to_owned() });
        }
    }
    Ok(())
}

/// All that a decision rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rulebook {
    /// What the family decided.
    pub policy: Policy,
    /// What came after it.
    pub standing: Standing,
}

impl Rulebook {
    /// The clause a denial comes from, if the region said it: a floor, or a default the family left as it is.
    pub fn clause(&self, reason: Reason) -> Option<&'static str> {
        let Policy { region, allowances, .. } = &self.policy;
        let fits = |rule| match reason {
            Reason::DayLimit => matches!(rule, Rule::Day { .. }) && allowances.day_min.is_none(),
            Reason::Break => matches!(rule, Rule::Break(_)) && allowances.rest.is_none(),
            Reason::Charging => rule == Rule::Charging,
            Reason::RegionForbids => matches!(rule, Rule::Forbidden(_)),
            _ => matches!(rule, Rule::Closed { reason: floor, .. } if floor == reason),
        };
        region.clauses().iter().find(|clause| fits(clause.rule)).map(|clause| clause.id)
    }
}

impl From<Policy> for Rulebook {
    fn from(policy: Policy) -> Self {
        Self { policy, standing: Standing::default() }
    }
}
