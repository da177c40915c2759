//! One family, and the pieces to make others of.

use jiff::civil::DateTime;
use policy::{
    App, AppGrant, Contact, Day, Days, E164, Kind, May, Moment, Policy, Reach, Region, Rulebook, Schedule,
    ScheduleKind, TimeZone, Usage, Window,
};

/// Every kind of contact, in the order of their numbers.
pub(crate) const KINDS: [Kind; 4] = [Kind::Guardian, Kind::Emergency, Kind::Family, Kind::Friend];

pub(crate) const ALL_OF_IT: May = May { ring: true, be_called: true, write: true, be_written: true };

/// The number of the contact at this place; nobody's from 500 on.
pub(crate) fn number(place: usize) -> E164 {
    format!("+35840555{place:04}").parse().unwrap()
}

pub(crate) fn contact(place: usize, kind: Kind, may: May) -> Contact {
    Contact {
        id: format!("c{place}"),
        name: format!("Person {place}"),
        kind,
        numbers: vec![number(place)],
        picture: String::new(),
        may,
    }
}

/// One contact of every kind, who may do all.
pub(crate) fn contacts() -> Vec<Contact> {
    KINDS.iter().enumerate().map(|(place, kind)| contact(place, *kind, ALL_OF_IT)).collect()
}

pub(crate) fn grant(app: &str, until: Option<i64>) -> AppGrant {
    AppGrant { app: app.into(), until, permissions: vec![] }
}

pub(crate) fn app<'a>(id: &'a str, category: &'a str, age: u8) -> App<'a> {
    App { id, category, age }
}

/// The app of most tests, granted by [`family`].
pub(crate) const DRAW: App<'static> = App { id: "draw", category: "creative", age: 3 };

/// Everybody, one app, and messages; no schedule and no allowance.
pub(crate) fn family(region: Region) -> Rulebook {
    let mut policy = Policy::of(region, contacts());
    policy.apps = vec![grant("draw", None)];
    policy.features.messages = true;
    policy.into()
}

pub(crate) fn zone(name: &str) -> TimeZone {
    name.parse().unwrap()
}

pub(crate) fn window(days: &[Day], from: &str, to: &str) -> Window {
    Window { days: Days::of(days), from: from.parse().unwrap(), to: to.parse().unwrap() }
}

/// A schedule in which guardians get through and no app is open.
pub(crate) fn schedule(kind: ScheduleKind, windows: Vec<Window>) -> Schedule {
    Schedule {
        id: kind.as_str().into(),
        name: kind.as_str().into(),
        kind,
        windows,
        calls: Reach::Guardians,
        apps: false,
    }
}

/// The second at which a clock in this zone shows this; the earlier one where it does twice.
pub(crate) fn at(zone: &str, local: &str) -> i64 {
    let zone = jiff::tz::TimeZoneDatabase::bundled().get(zone).unwrap();
    let local: DateTime = local.parse().unwrap();
    zone.to_ambiguous_timestamp(local).earlier().unwrap().as_second()
}

/// A moment at which this was used.
pub(crate) fn used(unix: i64, usage: &Usage) -> Moment<'_> {
    Moment { usage: Some(usage), ..Moment::at(unix) }
}

/// Nothing.
pub(crate) static UNUSED: Usage = Usage { day_s: 0, categories: Vec::new(), running_s: 0, rested_s: 0 };
