//! The policy a family signs, and what makes one valid.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::allowance::Allowances;
use crate::app::AppGrant;
use crate::child::Child;
use crate::contact::{Contact, Kind, valid_id, valid_name};
use crate::number::E164;
use crate::place::Zone;
use crate::retention::{Features, Retention};
use crate::schedule::Schedule;
use crate::time_zone::TimeZone;

/// Upper bounds of a policy.
pub mod limits {
    /// People.
    pub const CONTACTS: usize = 200;
    /// Numbers of one person.
    pub const NUMBERS_OF_A_CONTACT: usize = 4;
    /// Zones.
    pub const ZONES: usize = 50;
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

/// Whose law gives the defaults and the floors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// China.
    Cn,
    /// European Union and EEA.
    Eu,
    /// United Kingdom.
    Uk,
    /// United States.
    Us,
    /// Anywhere else.
    Neutral,
}

impl Region {
    /// The word in orders and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cn => "cn",
            Self::Eu => "eu",
            Self::Uk => "uk",
            Self::Us => "us",
            Self::Neutral => "neutral",
        }
    }
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
    /// Too many contacts, zones or apps.
    #[error("at most {} contacts, {} zones and {} apps", limits::CONTACTS, limits::ZONES, limits::APPS)]
    TooMany,
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

impl Policy {
    /// Checks all that the types cannot.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&self) -> Result<(), PolicyError> {
        if self.contacts.len() > limits::CONTACTS
            || self.zones.len() > limits::ZONES
            || self.apps.len() > limits::APPS
        {
            return Err(PolicyError::TooMany);
        }
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
            if !ids.insert(zone.id.as_str()) {
                return Err(PolicyError::SharedId { id: zone.id.clone() });
            }
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::May;

    fn mum() -> Contact {
        Contact {
            id: "mum".into(),
            name: "Mum".into(),
            kind: Kind::Guardian,
            numbers: vec!["+358405550001".parse().unwrap()],
            picture: "face:mum".into(),
            may: May { ring: true, be_called: true },
        }
    }

    fn family() -> Policy {
        Policy { region: Region::Eu, contacts: vec![mum()], zones: vec![], apps: vec![] }
    }

    #[test]
    fn a_family_with_a_guardian_is_valid() {
        assert_eq!(family().validate(), Ok(()));
    }

    #[test]
    fn a_policy_without_a_guardian_is_refused() {
        let mut policy = family();
        policy.contacts[0].kind = Kind::Family;
        assert_eq!(policy.validate(), Err(PolicyError::NoGuardian));
    }

    #[test]
    fn a50_one_number_cannot_be_two_people() {
        let mut policy = family();
        policy.contacts.push(Contact { id: "uncle".into(), kind: Kind::Friend, ..mum() });
        assert_eq!(policy.validate(), Err(PolicyError::SharedNumber { contact: "uncle".into() }));
    }

    #[test]
    fn a26_names_with_controls_or_turned_direction_are_refused() {
        for name in ["", " Mum", "Mum\n", "Mum\u{202e}dad", "\u{200b}", &"M".repeat(41)] {
            let mut policy = family();
            policy.contacts[0].name = name.into();
            assert_eq!(policy.validate(), Err(PolicyError::Name), "{name:?}");
        }
        let mut policy = family();
        policy.contacts[0].name = "妈妈 🌞 O'Hara; DROP TABLE".into();
        assert_eq!(policy.validate(), Ok(()));
    }

    #[test]
    fn t26_an_unknown_field_such_as_likes_is_refused() {
        let json = r#"{"region":"eu","contacts":[],"zones":[],"likes":3}"#;
        assert!(serde_json::from_str::<Policy>(json).is_err());
    }

    #[test]
    fn zones_off_the_earth_or_tiny_are_refused() {
        let zone = Zone {
            id: "school".into(),
            name: "School".into(),
            latitude_e6: 60_170_000,
            longitude_e6: 24_940_000,
            radius_m: 150,
        };
        for bad in [Zone { latitude_e6: 91_000_000, ..zone.clone() }, Zone { radius_m: 5, ..zone.clone() }] {
            let policy = Policy { zones: vec![bad], ..family() };
            assert_eq!(policy.validate(), Err(PolicyError::Zone { zone: "school".into() }));
        }
        assert_eq!(Policy { zones: vec![zone], ..family() }.validate(), Ok(()));
    }

    fn grant(app: &str, until: Option<i64>) -> AppGrant {
        AppGrant { app: app.into(), until }
    }

    #[test]
    fn a37_a_grant_names_an_app_and_never_a_path() {
        for app in ["", "..", "a/b", "Draw", "draw\n"] {
            let policy = Policy { apps: vec![grant(app, None)], ..family() };
            assert_eq!(policy.validate(), Err(PolicyError::Id), "{app:?}");
        }
    }

    #[test]
    fn an_app_is_granted_once_and_its_end_is_a_time() {
        let validate = |apps| Policy { apps, ..family() }.validate();
        let draw = || "draw".to_owned();
        assert_eq!(validate(vec![grant("draw", None), grant("beads", Some(limits::UNTIL))]), Ok(()));
        let twice = vec![grant("draw", None), grant("draw", Some(1))];
        assert_eq!(validate(twice), Err(PolicyError::SharedApp { app: draw() }));
        for until in [-1, i64::MIN, limits::UNTIL + 1, i64::MAX] {
            assert_eq!(validate(vec![grant("draw", Some(until))]), Err(PolicyError::Until { app: draw() }));
        }
        let many = (0..=limits::APPS).map(|place| grant(&format!("a{place}"), None)).collect();
        assert_eq!(validate(many), Err(PolicyError::TooMany));
    }

    #[test]
    fn an_order_from_before_there_were_apps_grants_none() {
        let policy: Policy = serde_json::from_str(r#"{"region":"eu","contacts":[],"zones":[]}"#).unwrap();
        assert_eq!(policy.apps, vec![]);
        let json =
            r#"{"region":"eu","contacts":[],"zones":[],"apps":[{"app":"draw"},{"app":"beads","until":9}]}"#;
        let policy: Policy = serde_json::from_str(json).unwrap();
        assert_eq!(policy.apps, [grant("draw", None), grant("beads", Some(9))]);
        for wrong in
            [r#"[{"app":"draw","network":true}]"#, r#"[{"until":9}]"#, r#"[{"app":"draw","until":1.5}]"#]
        {
            let json = format!(r#"{{"region":"eu","contacts":[],"zones":[],"apps":{wrong}}}"#);
            assert!(serde_json::from_str::<Policy>(&json).is_err(), "{wrong}");
        }
    }
}
