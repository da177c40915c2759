//! The policy as guardians sign it.

use policy::{
    Allowances, AppGrant, Break, CategoryLimit, Child, Contact, Day, Days, Expect, Extra, Features, Kind,
    May, MoreTime, Pause, Permission, Policy, Reach, Region, Retention, Schedule, ScheduleKind, Standing,
    TimeOfDay, TimeZone, Usage, Zone,
};
use serde_json::{Value, json};

use crate::family::{ALL_OF_IT, contact, number, window, zone};

/// Every field is there and says something: a new one ends the build here.
fn full() -> Policy {
    let rest = Some(Break { after_min: 30, rest_min: 10 });
    Policy {
        region: Region::Eu,
        time_zone: zone("Europe/Helsinki"),
        child: Some(Child { year: 2016, month: 2 }),
        contacts: vec![Contact {
            id: "mum".into(),
            name: "Mum".into(),
            kind: Kind::Guardian,
            numbers: vec![number(1)],
            picture: "face:mum".into(),
            may: May { ring: true, be_called: true, write: true, be_written: true },
        }],
        schedules: vec![Schedule {
            id: "school".into(),
            name: "School".into(),
            kind: ScheduleKind::Class,
            windows: vec![window(&[Day::Mon, Day::Fri], "08:15", "13:00")],
            calls: Reach::Family,
            apps: false,
        }],
        allowances: Allowances {
            day_min: Some(60),
            categories: vec![CategoryLimit { category: "game".into(), day_min: 20 }],
            rest,
        },
        apps: vec![AppGrant {
            app: "draw".into(),
            until: Some(9),
            permissions: vec![Permission::Microphone, Permission::Camera],
        }],
        zones: vec![Zone {
            id: "home".into(),
            name: "Home".into(),
            latitude_e6: 60_000_000,
            longitude_e6: 25_000_000,
            radius_m: 100,
            expect: vec![Expect { days: Days::of(&[Day::Mon, Day::Fri]), by: "08:15".parse().unwrap() }],
        }],
        retention: Retention { track_h: 24, diary_days: 60, calls_days: 20, messages_days: 10 },
        features: Features { messages: true, friend_cards: true },
    }
}

fn standing() -> Standing {
    Standing {
        paused: Some(Pause { until: Some(1) }),
        lost: true,
        grants: vec![Extra { app: "beads".into(), until: Some(2) }],
        revoked: vec!["draw".into()],
        more_time: vec![MoreTime { category: Some("game".into()), minutes: 15, until: 3 }],
    }
}

fn usage() -> Usage {
    Usage { day_s: 60, categories: vec![("game".into(), 30)], running_s: 20, rested_s: 10 }
}

#[test]
fn the_words_of_an_order_are_these() {
    let expected = json!({
        "region": "eu",
        "time_zone": "Europe/Helsinki",
        "child": {"year": 2016, "month": 2},
        "contacts": [{
            "id": "mum", "name": "Mum", "kind": "guardian", "numbers": ["+358405550001"], "picture": "face:mum",
            "may": {"ring": true, "be_called": true, "write": true, "be_written": true},
        }],
        "schedules": [{
            "id": "school", "name": "School", "kind": "class",
            "windows": [{"days": ["mon", "fri"], "from": "08:15", "to": "13:00"}],
            "calls": "family", "apps": false,
        }],
        "allowances": {
            "day_min": 60,
            "categories": [{"category": "game", "day_min": 20}],
            "break": {"after_min": 30, "rest_min": 10},
        },
        "apps": [{"app": "draw", "until": 9, "permissions": ["microphone", "camera"]}],
        "zones": [{
            "id": "home", "name": "Home", "latitude_e6": 60_000_000, "longitude_e6": 25_000_000, "radius_m": 100,
            "expect": [{ "days": ["mon", "fri"], "by": "08:15" }],
        }],
        "retention": {"track_h": 24, "diary_days": 60, "calls_days": 20, "messages_days": 10},
        "features": {"messages": true, "friend_cards": true},
    });
    assert_eq!(serde_json::to_value(full()).unwrap(), expected);
    assert_eq!(serde_json::from_value::<Policy>(expected).unwrap(), full());
    let expected = json!({
        "paused": {"until": 1},
        "lost": true,
        "grants": [{"app": "beads", "until": 2}],
        "revoked": ["draw"],
        "more_time": [{"category": "game", "minutes": 15, "until": 3}],
    });
    assert_eq!(serde_json::to_value(standing()).unwrap(), expected);
    assert_eq!(serde_json::from_value::<Standing>(expected).unwrap(), standing());
}

#[test]
fn an_order_from_before_a_field_was_there_means_what_it_meant() {
    let text = r#"{"region":"eu","zones":[],"contacts":[{"id":"mum","name":"Mum","kind":"guardian",
        "numbers":["+358405550001"],"may":{"ring":true,"be_called":true}}],"apps":[{"app":"draw"}]}"#;
    let policy: Policy = serde_json::from_str(text).unwrap();
    let may = May { write: false, be_written: false, ..ALL_OF_IT };
    let mum = Contact { id: "mum".into(), name: "Mum".into(), ..contact(1, Kind::Guardian, may) };
    let apps = vec![AppGrant { app: "draw".into(), until: None, permissions: vec![] }];
    let expected = Policy { apps, ..Policy::of(Region::Eu, vec![mum]) };
    assert_eq!(policy, expected);
    assert_eq!(policy.time_zone.name(), "UTC");
    assert_eq!(policy.time_zone, TimeZone::default());
    assert_eq!(
        policy.retention,
        Retention { track_h: 72, diary_days: 90, calls_days: 30, messages_days: 30 }
    );
    assert_eq!(policy.features, Features { messages: false, friend_cards: false });
    assert_eq!(serde_json::from_str::<Standing>("{}").unwrap(), Standing::default());
}

/// Calls `see` with every place at which the JSON holds an object.
fn objects(value: &Value, place: &str, see: &mut dyn FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            see(place);
            fields.iter().for_each(|(name, value)| objects(value, &format!("{place}/{name}"), see));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(n, value)| objects(value, &format!("{place}/{n}"), see));
        }
        _ => {}
    }
}

fn refuses_unknown<T: serde::de::DeserializeOwned>(whole: &Value, expected: usize) {
    let mut places = Vec::new();
    objects(whole, "", &mut |place| places.push(place.to_owned()));
    assert_eq!(places.len(), expected, "{places:?}");
    assert!(serde_json::from_value::<T>(whole.clone()).is_ok());
    for place in places {
        let mut with = whole.clone();
        let object = with.pointer_mut(&place).and_then(Value::as_object_mut).unwrap();
        object.insert("likes".to_owned(), json!(3));
        assert!(serde_json::from_value::<T>(with).is_err(), "likes in {place:?}");
    }
}

#[test]
fn t26_an_unknown_field_such_as_likes_is_refused_everywhere() {
    refuses_unknown::<Policy>(&serde_json::to_value(full()).unwrap(), 14);
    refuses_unknown::<Standing>(&serde_json::to_value(standing()).unwrap(), 4);
    refuses_unknown::<Usage>(&serde_json::to_value(usage()).unwrap(), 1);
}

#[test]
fn t26_no_field_counts_ranks_or_rewards() {
    let words = [
        "like", "love", "score", "level", "coin", "point", "streak", "rank", "follow", "count", "star",
        "badge", "reward", "medal", "xp", "gift", "price", "trade", "view",
    ];
    let all = [
        serde_json::to_value(full()).unwrap(),
        serde_json::to_value(standing()).unwrap(),
        serde_json::to_value(usage()).unwrap(),
    ];
    let mut names = Vec::new();
    for whole in &all {
        objects(whole, "", &mut |place| {
            let object = whole.pointer(place).and_then(Value::as_object).unwrap();
            names.extend(object.keys().cloned());
        });
    }
    assert!(names.len() > 50, "{names:?}");
    for name in names {
        let mut parts = name.split('_');
        assert!(!parts.any(|part| words.iter().any(|word| part.starts_with(word))), "{name}");
    }
}

#[test]
fn a_window_says_its_days_and_times_in_one_way() {
    let window = |days: &str, from: &str| {
        let text = format!(r#"{{"days":{days},"from":"{from}","to":"23:59"}}"#);
        serde_json::from_str::<policy::Window>(&text)
    };
    let fine = window(r#"["sun","mon"]"#, "00:00").unwrap();
    assert_eq!(fine.days.iter().collect::<Vec<_>>(), [Day::Mon, Day::Sun]);
    assert_eq!(serde_json::to_value(fine).unwrap()["days"], json!(["mon", "sun"]));
    for days in ["[]", r#"["mon","mon"]"#, r#"["Mon"]"#, r#"["monday"]"#, r#""mon""#, "[1]"] {
        assert!(window(days, "08:00").is_err(), "{days}");
    }
    for time in
        ["24:00", "08:60", "8:00", "08:0", "0800", "08:00 ", "-8:00", "08:00:00", "+8:00", "", "०८:००"]
    {
        assert!(window(r#"["mon"]"#, time).is_err(), "{time}");
    }
    for (text, minutes) in [("00:00", 0), ("08:05", 485), ("23:59", 1439)] {
        let time: TimeOfDay = text.parse().unwrap();
        assert_eq!((time.minutes(), time.to_string().as_str()), (minutes, text));
    }
}

#[test]
fn words_on_the_wire_are_the_words_of_tables() {
    let word = |value: Value| value.as_str().unwrap().to_owned();
    for kind in crate::family::KINDS {
        assert_eq!(word(json!(kind)), kind.as_str());
    }
    for region in Region::ALL {
        assert_eq!(word(json!(region)), region.as_str());
    }
    for kind in [ScheduleKind::Class, ScheduleKind::Bedtime, ScheduleKind::Custom] {
        assert_eq!(word(json!(kind)), kind.as_str());
    }
    for reach in [Reach::Guardians, Reach::Family, Reach::Everyone] {
        assert_eq!(word(json!(reach)), reach.as_str());
    }
    for permission in Permission::ALL {
        assert_eq!(word(json!(permission)), permission.as_str());
    }
}

#[test]
fn a_reason_has_a_word_of_its_own() {
    let words: std::collections::BTreeSet<_> =
        policy::Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(words.len(), policy::Reason::ALL.len());
    assert!(words.iter().all(|word| policy::is_id(word)), "{words:?}");
}
