//! How long the watch remembers, and what it offers at all.

use serde::{Deserialize, Serialize};

use crate::rules::PolicyError;

/// How long the watch remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Where the child was, hours: 1 to 8760; 72 unless said otherwise (S10, T16).
    pub track_h: u16,
    /// The diary, days: 30 to 3650; 90 unless said otherwise. It cannot be made to forget at once who looked.
    pub diary_days: u16,
    /// Who called, days: 1 to 3650; 30 unless said otherwise.
    pub calls_days: u16,
    /// Texts, days: 1 to 3650; 30 unless said otherwise.
    pub messages_days: u16,
}

impl Default for Retention {
    fn default() -> Self {
        Self { track_h: 72, diary_days: 90, calls_days: 30, messages_days: 30 }
    }
}

impl Retention {
    pub(crate) fn validate(self) -> Result<(), PolicyError> {
        let days = 1..=3650;
        let fine = (1..=8760).contains(&self.track_h)
            && (30..=3650).contains(&self.diary_days)
            && days.contains(&self.calls_days)
            && days.contains(&self.messages_days);
        if fine { Ok(()) } else { Err(PolicyError::Retention) }
    }
}

/// What the watch offers at all; all of it is off until a guardian wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Features {
    /// Texts with contacts that are no guardians (R26). A guardian's texts need no feature.
    pub messages: bool,
    /// Two watches may exchange cards, and the guardians of both are asked (B1).
    pub friend_cards: bool,
}
