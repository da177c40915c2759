//! What orders left behind that are no policy: a pause, an app for an hour, more time.

use serde::{Deserialize, Serialize};

use crate::rules::Policy;

/// What is in force beside the policy. policyd makes it from the log of orders and publishes it with the policy. By
/// default nothing is.
///
/// Times are seconds since 1970, UTC, by the watch's trusted clock, 0 to [`limits::UNTIL`](crate::limits::UNTIL).
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

/// All that a decision rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rulebook {
    /// What the family decided.
    pub policy: Policy,
    /// What came after it.
    pub standing: Standing,
}

impl From<Policy> for Rulebook {
    fn from(policy: Policy) -> Self {
        Self { policy, standing: Standing::default() }
    }
}
