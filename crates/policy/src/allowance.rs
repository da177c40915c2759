//! How long apps may be used.

use serde::{Deserialize, Serialize};

/// How long apps may be used. What is not said here is as the region's default has it (`Region::clauses`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowances {
    /// All apps together, minutes of a day: 0 to 1440. 1440 is the whole day, with no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_min: Option<u16>,
    /// Apps of one category, beside `day_min`; each category once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<CategoryLimit>,
    /// The rest that is due after some time.
    #[serde(default, rename = "break", skip_serializing_if = "Option::is_none")]
    pub rest: Option<Break>,
}

/// How long the apps of one category may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryLimit {
    /// As in the catalogue: 1 to 32 of `a-z`, `0-9`, `-`.
    pub category: String,
    /// Minutes of a day: 0 to 1440, as [`Allowances::day_min`].
    pub day_min: u16,
}

/// A rest that is due after apps were used for some time without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Break {
    /// After so many minutes of use: 1 to 1440.
    pub after_min: u16,
    /// So many minutes without: 1 to 1440.
    pub rest_min: u16,
}
