//! How old the child is.

use serde::{Deserialize, Serialize};

/// When the child was born, as far as the rules need it: nobody asks for the day.
///
/// The child counts as a year older when the month of birth is over, so that it never counts as older than it is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Child {
    /// 1990 to 2100.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
}

/// A birthday stays out of logs.
impl std::fmt::Debug for Child {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Child(…)")
    }
}
