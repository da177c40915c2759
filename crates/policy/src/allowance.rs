//! How long apps may be used.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::contact::valid_id;
use crate::rules::{PolicyError, at_most, limits};

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

impl Allowances {
    pub(crate) fn validate(&self) -> Result<(), PolicyError> {
        at_most("categories with an allowance", self.categories.len(), limits::CATEGORIES)?;
        let mut categories = HashSet::new();
        for limit in &self.categories {
            valid_id(&limit.category)?;
            if !categories.insert(limit.category.as_str()) {
                return Err(PolicyError::SharedCategory { category: limit.category.clone() });
            }
        }
        let categories = self.categories.iter().map(|limit| limit.day_min);
        let some = 1..=limits::MINUTES;
        let fine = self.day_min.into_iter().chain(categories).all(|minutes| minutes <= limits::MINUTES)
            && self.rest.is_none_or(|rest| some.contains(&rest.after_min) && some.contains(&rest.rest_min));
        if fine { Ok(()) } else { Err(PolicyError::Minutes) }
    }
}
