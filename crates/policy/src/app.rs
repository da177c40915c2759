//! Apps the family granted.

use serde::{Deserialize, Serialize};

use crate::contact::valid_id;
use crate::rules::{PolicyError, limits};

/// One app a guardian lets the child use. It is needed and not enough: the app must be signed by the reviewers too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppGrant {
    /// The app's id, as in the catalogue: 1 to 32 of `a-z`, `0-9`, `-`.
    pub app: String,
    /// From this second on the grant is over: seconds since 1970, UTC, by the watch's trusted clock, 0 to
    /// [`limits::UNTIL`]. `None`: it has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

impl AppGrant {
    pub(crate) fn validate(&self) -> Result<(), PolicyError> {
        valid_id(&self.app)?;
        match self.until {
            Some(until) if !(0..=limits::UNTIL).contains(&until) => {
                Err(PolicyError::Until { app: self.app.clone() })
            }
            _ => Ok(()),
        }
    }
}
