//! The policy a family signs, and what makes one valid.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::allowance::Allowances;
use crate::app::AppGrant;
use crate::child::Child;
use crate::contact::{Contact, Kind, valid_id, valid_name};
use crate::number::E164;
use crate::place::Zone;
use crate::region::Region;
use crate::retention::{Features, Retention};
use crate::schedule::{self, Schedule};
use crate::time_zone::TimeZone;

/// Upper bounds of a policy.
pub mod limits {
    /// People.
    pub const CONTACTS: usize = 200;
    /// Numbers of one person.
    pub const NUMBERS_OF_A_CONTACT: usize = 4;
    /// Zones.
    pub const ZONES: usize = 50;
    /// Times at which a child is to be in a zone.
    pub const EXPECTED_IN_A_ZONE: usize = 7;
    /// Apps.
    pub const APPS: usize = 50;
    /// The last second a grant can name: the end of the year 9999, so that any tool can write it.
    pub const UNTIL: i64 = 253_402_300_799;
    /// Bytes of an id or a picture key.
    pub const ID: usize = 32;
    /// Characters of a name.
    pub const NAME: usize = 40;
    /// Schedules.
    pub const SCHEDULES: usize = 20;
    /// Windows of all schedules together.
    pub const WINDOWS: usize = 40;
    /// Categories with an allowance of their own.
    pub const CATEGORIES: usize = 20;
    /// Grants, revocations and additions of time each that stand beside a policy.
    pub const STANDING: usize = 50;
    /// Minutes of an allowance, a break or an addition: a day.
    pub const MINUTES: u16 = 1440;
}

/// Everything a family decided. Orders from before a field was there have none of it, stay in the log as they are, and
/// mean what they meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Whose law applies.
    pub region: Region,
    /// Where the family's clock is.
    #[serde(default)]
    pub time_zone: TimeZone,
    /// When the child was born; `None` counts as the youngest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<Child>,
    /// Who can reach the child and be reached.
    pub contacts: Vec<Contact>,
    /// When less is allowed.
    #[serde(default)]
    pub schedules: Vec<Schedule>,
    /// How long apps may be used.
    #[serde(default)]
    pub allowances: Allowances,
    /// Apps the child may use.
    #[serde(default)]
    pub apps: Vec<AppGrant>,
    /// Places with a name.
    pub zones: Vec<Zone>,
    /// How long the watch remembers.
    #[serde(default)]
    pub retention: Retention,
    /// What it offers at all.
    #[serde(default)]
    pub features: Features,
}

impl Policy {
    /// A policy of this region with these people and nothing else.
    pub fn of(region: Region, contacts: Vec<Contact>) -> Self {
        Self {
            region,
            time_zone: TimeZone::default(),
            child: None,
            contacts,
            schedules: Vec::new(),
            allowances: Allowances::default(),
            apps: Vec::new(),
            zones: Vec::new(),
            retention: Retention::default(),
            features: Features::default(),
        }
    }
}

/// What makes a policy invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// An id is empty, too long, or has other characters than `a-z`, `0-9`, `-`.
    #[error("an id is 1 to {} of a-z, 0-9 and -", limits::ID)]
    Id,
    /// A name is empty, too long, or has marks a screen must not draw.
    #[error("a name is 1 to {} characters without control or direction marks", limits::NAME)]
    Name,
    /// A contact has no number, or too many.
    #[error("contact {contact}: 1 to {} numbers", limits::NUMBERS_OF_A_CONTACT)]
    Numbers {
        /// Which contact.
        contact: String,
    },
    /// A picture key with other characters than it may have.
    #[error("contact {contact}: a picture is up to {} of a-z, 0-9, - and :", limits::ID)]
    Picture {
        /// Which contact.
        contact: String,
    },
    /// A number belongs to two people, so a verdict would depend on their order.
    #[error("contact {contact} has a number that stands in the policy twice")]
    SharedNumber {
        /// The second contact.
        contact: String,
    },
    /// An id stands twice.
    #[error("the id {id} stands twice")]
    SharedId {
        /// Which.
        id: String,
    },
    /// A list is too long.
    #[error("at most {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// A month of birth that is none.
    #[error("a child is born in a month, 1 to 12, of the years 1990 to 2100")]
    Child,
    /// A time to be in a zone without a day, which no text can say.
    #[error("zone {zone}: a time to be there has one to seven days")]
    Expect {
        /// Which.
        zone: String,
    },
    /// A window without a day, which no text can say.
    #[error("schedule {schedule}: a window has one to seven days")]
    Days {
        /// Which.
        schedule: String,
    },
    /// Minutes that are more than a day, or none where there must be some.
    #[error(
        "minutes of an allowance are 0 to {}, of a break or an addition 1 to {}",
        limits::MINUTES,
        limits::MINUTES
    )]
    Minutes,
    /// A category has two allowances.
    #[error("the category {category} has two allowances")]
    SharedCategory {
        /// Which.
        category: String,
    },
    /// Something is kept for too short or too long.
    #[error("a track is kept 1 to 8760 h, the diary 30 to 3650 days, calls and messages 1 to 3650 days")]
    Retention,
    /// Nobody would be reachable for the lifeline.
    #[error("a policy names at least one guardian")]
    NoGuardian,
    /// A zone that is not on the Earth, or too small or large.
    #[error("zone {zone}: degrees on the Earth and a radius of 30 to 20,000 m")]
    Zone {
        /// Which.
        zone: String,
    },
    /// A grant ends before 1970 or after 9999.
    #[error("app {app}: a grant ends between second 0 and {} since 1970", limits::UNTIL)]
    Until {
        /// Which.
        app: String,
    },
    /// A pause or an addition of time ends before 1970 or after 9999.
    #[error("a pause or an addition ends between second 0 and {} since 1970", limits::UNTIL)]
    End,
    /// A permission of an app stands twice.
    #[error("app {app}: each permission once")]
    Permissions {
        /// Which.
        app: String,
    },
    /// An app is granted twice, so a verdict would depend on the order of the grants.
    #[error("the app {app} is granted twice")]
    SharedApp {
        /// Which.
        app: String,
    },
}

pub(crate) fn at_most(what: &'static str, count: usize, most: usize) -> Result<(), PolicyError> {
    if count > most { Err(PolicyError::TooMany { what, most }) } else { Ok(()) }
}

/// A time the rules can reckon with: what is before 1970 or after 9999 counts as that end.
pub(crate) fn known(unix: i64) -> i64 {
    unix.clamp(0, limits::UNTIL)
}

/// Whether a second can end something: 0 to [`limits::UNTIL`].
pub(crate) fn is_end(until: i64) -> bool {
    (0..=limits::UNTIL).contains(&until)
}

impl Policy {
    /// Checks all that the types cannot.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&self) -> Result<(), PolicyError> {
        at_most("contacts", self.contacts.len(), limits::CONTACTS)?;
        at_most("zones", self.zones.len(), limits::ZONES)?;
        at_most("apps", self.apps.len(), limits::APPS)?;
        let mut ids = HashSet::new();
        let mut numbers = HashSet::new();
        for contact in &self.contacts {
            contact.validate()?;
            if !ids.insert(contact.id.as_str()) {
                return Err(PolicyError::SharedId { id: contact.id.clone() });
            }
            if contact.numbers.iter().any(|number| !numbers.insert(*number)) {
                return Err(PolicyError::SharedNumber { contact: contact.id.clone() });
            }
        }
        if !self.contacts.iter().any(|contact| contact.kind == Kind::Guardian) {
            return Err(PolicyError::NoGuardian);
        }
        self.child.map_or(Ok(()), Child::validate)?;
        schedule::validate(&self.schedules)?;
        self.allowances.validate()?;
        self.retention.validate()?;
        self.validate_zones()?;
        self.validate_apps()
    }

    fn validate_apps(&self) -> Result<(), PolicyError> {
        let mut ids = HashSet::new();
        for grant in &self.apps {
            grant.validate()?;
            if !ids.insert(grant.app.as_str()) {
                return Err(PolicyError::SharedApp { app: grant.app.clone() });
            }
        }
        Ok(())
    }

    fn validate_zones(&self) -> Result<(), PolicyError> {
        let mut ids = HashSet::new();
        for zone in &self.zones {
            valid_id(&zone.id)?;
            valid_name(&zone.name)?;
            if zone.centre().is_err() || !(30..=20_000).contains(&zone.radius_m) {
                return Err(PolicyError::Zone { zone: zone.id.clone() });
            }
            at_most("times at which to be in a zone", zone.expect.len(), limits::EXPECTED_IN_A_ZONE)?;
            if zone.expect.iter().any(|expect| expect.days.bits() == 0) {
                return Err(PolicyError::Expect { zone: zone.id.clone() });
            }
            if !ids.insert(zone.id.as_str()) {
                return Err(PolicyError::SharedId { id: zone.id.clone() });
            }
        }
        Ok(())
    }

    /// The schedules that are in force at a second since 1970, UTC.
    pub fn in_force(&self, unix: i64) -> impl Iterator<Item = &Schedule> {
        self.schedules.iter().filter(move |schedule| schedule.in_force(&self.time_zone, known(unix)))
    }

    /// The first second after this one at which other schedules may be in force, since 1970, UTC. `None`: there is none.
    pub fn in_force_until(&self, unix: i64) -> Option<i64> {
        self.schedules.iter().filter_map(|schedule| schedule.changes(&self.time_zone, known(unix))).min()
    }

    /// Whose number this is.
    pub fn contact_of(&self, number: E164) -> Option<&Contact> {
        self.contacts.iter().find(|contact| contact.numbers.contains(&number))
    }

    /// The contact with this id.
    pub fn contact(&self, id: &str) -> Option<&Contact> {
        self.contacts.iter().find(|contact| contact.id == id)
    }

    /// The grant of the app with this id.
    pub fn grant_of(&self, app: &str) -> Option<&AppGrant> {
        self.apps.iter().find(|grant| grant.app == app)
    }
}
