//! Apps the family granted.

use serde::{Deserialize, Serialize};

use crate::contact::valid_id;
use crate::rules::{PolicyError, is_end};

/// What an app may use beyond the screen and its own files (T12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Hear.
    Microphone,
    /// See.
    Camera,
    /// Where the watch is.
    Location,
    /// Who the child knows.
    Contacts,
    /// Anything outside the watch.
    Network,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Microphone, Self::Camera, Self::Location, Self::Contacts, Self::Network];

    /// The word in orders, manifests and on the bus.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Microphone => "microphone",
            Self::Camera => "camera",
            Self::Location => "location",
            Self::Contacts => "contacts",
            Self::Network => "network",
        }
    }
}

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
    /// What the app may use, each once; what is not here is denied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<Permission>,
}

impl AppGrant {
    pub(crate) fn validate(&self) -> Result<(), PolicyError> {
        valid_id(&self.app)?;
        if self.until.is_some_and(|until| !is_end(until)) {
            return Err(PolicyError::Until { app: self.app.clone() });
        }
        let twice = |(at, what)| self.permissions.iter().take(at).any(|before| before == what);
        if self.permissions.iter().enumerate().any(twice) {
            return Err(PolicyError::Permissions { app: self.app.clone() });
        }
        Ok(())
    }
}
