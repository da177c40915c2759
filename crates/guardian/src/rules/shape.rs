//! What the rules look like in TOML: as in a policy's JSON, but for degrees, ends in local time, and numbers with
//! spaces in them.

use policy::{
    Allowances, AppGrant, Child, Contact, E164, Expect, Features, Kind, May, Permission, Policy, Region,
    Retention, Schedule, TimeZone, Zone,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml_edit::Datetime;

use crate::until;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Family {
    region: Region,
    time_zone: TimeZone,
    #[serde(skip_serializing_if = "Option::is_none")]
    child: Option<Child>,
    #[serde(default)]
    contacts: Vec<Person>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    schedules: Vec<Schedule>,
    #[serde(default)]
    allowances: Allowances,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    apps: Vec<Grant>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    zones: Vec<Ground>,
    #[serde(default)]
    retention: Retention,
    #[serde(default)]
    features: Features,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    id: String,
    name: String,
    kind: Kind,
    numbers: Vec<Number>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    picture: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    may: Option<May>,
}

/// A guardian may do all of it whatever stands there, so that nothing need stand there.
const ALL: May = May { ring: true, be_called: true, write: true, be_written: true };

struct Number(E164);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bare: String = text.chars().filter(|c| !" -.()/".contains(*c)).collect();
        bare.parse().map(Self).map_err(|_| {
            D::Error::custom("a number begins with + and the country's code, such as \"+358 40 555 0001\"")
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    app: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Datetime>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    permissions: Vec<Permission>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ground {
    id: String,
    name: String,
    latitude: Degrees,
    longitude: Degrees,
    radius_m: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    expect: Vec<Expect>,
}

/// Degrees in the file, micro-degrees in a policy: 11 cm on the ground.
struct Degrees(i32);

impl Serialize for Degrees {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 1e6)
    }
}

impl<'de> Deserialize<'de> for Degrees {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let degrees = f64::deserialize(deserializer)?;
        if (-180.0..=180.0).contains(&degrees) {
            return Ok(Self((degrees * 1e6).round() as i32));
        }
        Err(D::Error::custom("degrees are -90 to 90 north and -180 to 180 east, such as 60.171"))
    }
}

/// Where in the file something is that has no meaning: in which list, which entry, which key.
pub(super) struct Wrong {
    pub(super) list: &'static str,
    pub(super) entry: usize,
    pub(super) key: &'static str,
    pub(super) text: &'static str,
}

impl Family {
    pub(super) fn into_policy(self) -> Result<Policy, Wrong> {
        let mut contacts = Vec::new();
        for (entry, person) in self.contacts.into_iter().enumerate() {
            let may = person.may.or((person.kind == Kind::Guardian).then_some(ALL));
            let text = "say what this person may do, such as may = { ring = true, be_called = true }";
            let may = may.ok_or(Wrong { list: "contacts", entry, key: "kind", text })?;
            let Person { id, name, kind, numbers, picture, .. } = person;
            let numbers = numbers.into_iter().map(|number| number.0).collect();
            contacts.push(Contact { id, name, kind, numbers, picture, may });
        }
        let mut apps = Vec::new();
        for (entry, Grant { app, until, permissions }) in self.apps.into_iter().enumerate() {
            let read = |end: Datetime| until::at(&end.to_string(), &self.time_zone);
            let wrong = Wrong { list: "apps", entry, key: "until", text: until::SHAPE };
            let until = until.map(|end| read(end).ok_or(wrong)).transpose()?;
            apps.push(AppGrant { app, until, permissions });
        }
        let zone = |Ground { id, name, latitude, longitude, radius_m, expect }| Zone {
            id,
            name,
            latitude_e6: latitude.0,
            longitude_e6: longitude.0,
            radius_m,
            expect,
        };
        Ok(Policy {
            region: self.region,
            time_zone: self.time_zone,
            child: self.child,
            contacts,
            schedules: self.schedules,
            allowances: self.allowances,
            apps,
            zones: self.zones.into_iter().map(zone).collect(),
            retention: self.retention,
            features: self.features,
        })
    }

    /// `None` if an app's end is too far away for a date.
    pub(super) fn of_policy(policy: &Policy) -> Option<Self> {
        let person = |contact: &Contact| Person {
            id: contact.id.clone(),
            name: contact.name.clone(),
            kind: contact.kind,
            numbers: contact.numbers.iter().copied().map(Number).collect(),
            picture: contact.picture.clone(),
            may: (contact.kind != Kind::Guardian || contact.may != ALL).then_some(contact.may),
        };
        let grant = |grant: &AppGrant| {
            let until = grant.until.map(|end| until::to_toml(end, &policy.time_zone));
            let until = if let Some(end) = until { Some(end?) } else { None };
            Some(Grant { app: grant.app.clone(), until, permissions: grant.permissions.clone() })
        };
        let ground = |zone: &Zone| Ground {
            id: zone.id.clone(),
            name: zone.name.clone(),
            latitude: Degrees(zone.latitude_e6),
            longitude: Degrees(zone.longitude_e6),
            radius_m: zone.radius_m,
            expect: zone.expect.clone(),
        };
        Some(Self {
            region: policy.region,
            time_zone: policy.time_zone.clone(),
            child: policy.child,
            contacts: policy.contacts.iter().map(person).collect(),
            schedules: policy.schedules.clone(),
            allowances: policy.allowances.clone(),
            apps: policy.apps.iter().map(grant).collect::<Option<_>>()?,
            zones: policy.zones.iter().map(ground).collect(),
            retention: policy.retention,
            features: policy.features,
        })
    }
}
