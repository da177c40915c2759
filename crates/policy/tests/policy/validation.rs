//! What a guardian may sign.

use policy::{
    Allowances, Break, CategoryLimit, Child, Contact, Day, Days, Expect, Kind, Permission, Policy,
    PolicyError, Region, Retention, Schedule, ScheduleKind, TimeOfDay, Window, Zone, limits,
};

use crate::family::{ALL_OF_IT, contact, contacts, grant, number, schedule, window};

fn family() -> Policy {
    Policy::of(Region::Eu, contacts())
}

/// What validation says of the family after one change.
fn after(change: impl FnOnce(&mut Policy)) -> Result<(), PolicyError> {
    let mut policy = family();
    change(&mut policy);
    policy.validate()
}

#[test]
fn a_family_with_a_guardian_is_valid() {
    assert_eq!(after(|_| ()), Ok(()));
}

#[test]
fn a_policy_without_a_guardian_is_refused() {
    for kind in [Kind::Emergency, Kind::Family, Kind::Friend] {
        assert_eq!(after(|policy| policy.contacts[0].kind = kind), Err(PolicyError::NoGuardian));
    }
}

#[test]
fn a50_one_number_cannot_be_two_people() {
    let twice = |policy: &mut Policy| {
        policy.contacts.push(Contact { id: "uncle".into(), ..contact(0, Kind::Friend, ALL_OF_IT) });
    };
    assert_eq!(after(twice), Err(PolicyError::SharedNumber { contact: "uncle".into() }));
    // Nor one person's twice.
    let own = |policy: &mut Policy| policy.contacts[0].numbers.push(number(0));
    assert_eq!(after(own), Err(PolicyError::SharedNumber { contact: "c0".into() }));
}

#[test]
fn people_and_grants_are_found_by_what_they_are_called() {
    let mut policy = family();
    policy.apps = vec![grant("draw", None), grant("beads", Some(9))];
    for (place, person) in policy.contacts.iter().enumerate() {
        assert_eq!(policy.contact(&person.id), Some(person));
        assert_eq!(policy.contact_of(number(place)), Some(person));
    }
    assert_eq!(policy.grant_of("beads"), Some(&policy.apps[1]));
    assert_eq!(
        (policy.contact("c9"), policy.contact_of(number(9)), policy.grant_of("b")),
        (None, None, None)
    );
}

#[test]
fn an_id_is_one_persons() {
    let twice = |policy: &mut Policy| {
        policy.contacts.push(Contact { numbers: vec![number(9)], ..contact(0, Kind::Friend, ALL_OF_IT) });
    };
    assert_eq!(after(twice), Err(PolicyError::SharedId { id: "c0".into() }));
}

#[test]
fn a26_names_with_controls_or_turned_direction_are_refused() {
    for name in
        ["", " Mum", "Mum\n", "Mum\u{202e}dad", "\u{200b}", "a\0b", &"M".repeat(41), &"M".repeat(1 << 20)]
    {
        let zone = Zone { name: name.into(), ..school() };
        let plan = Schedule { name: name.into(), ..lesson() };
        for result in [
            after(|policy| policy.contacts[0].name = name.into()),
            after(|policy| policy.zones.push(zone)),
            after(|policy| policy.schedules.push(plan)),
        ] {
            assert_eq!(result, Err(PolicyError::Name), "{:?}", &name[..name.len().min(50)]);
        }
    }
    for name in ["妈妈 🌞 O'Hara; DROP TABLE", "'; --", "%s%n", "$(reboot)", "../../etc"] {
        assert_eq!(after(|policy| policy.contacts[0].name = name.into()), Ok(()), "{name}");
    }
}

#[test]
fn a26_an_id_is_never_a_path_or_a_script() {
    for id in ["", "..", "a/b", "Draw", "draw\n", "dräw", "a b", "';--", &"a".repeat(33)] {
        let category = CategoryLimit { category: id.into(), day_min: 1 };
        for result in [
            after(|policy| policy.contacts[0].id = id.into()),
            after(|policy| policy.apps.push(grant(id, None))),
            after(|policy| policy.zones.push(Zone { id: id.into(), ..school() })),
            after(|policy| policy.schedules.push(Schedule { id: id.into(), ..lesson() })),
            after(|policy| policy.allowances.categories.push(category)),
        ] {
            assert_eq!(result, Err(PolicyError::Id), "{id:?}");
        }
    }
    assert_eq!(after(|policy| policy.apps.push(grant(&"a".repeat(32), None))), Ok(()));
}

#[test]
fn a37_a_grant_names_an_app_and_never_a_path() {
    for id in ["..", "/etc", "a/b", "a.erofs", "draw\0"] {
        assert_eq!(after(|policy| policy.apps.push(grant(id, None))), Err(PolicyError::Id), "{id:?}");
    }
}

#[test]
fn a_contact_has_one_to_four_numbers_and_a_plain_picture() {
    let numbers = |count: usize| after(|p| p.contacts[0].numbers = (10..10 + count).map(number).collect());
    for count in [1, 4] {
        assert_eq!(numbers(count), Ok(()));
    }
    for count in [0, 5] {
        assert_eq!(numbers(count), Err(PolicyError::Numbers { contact: "c0".into() }));
    }
    let picture = |text: &str| after(|policy| policy.contacts[0].picture = text.into());
    for text in ["", "face:mum-2", &"a".repeat(32)] {
        assert_eq!(picture(text), Ok(()), "{text}");
    }
    for text in ["../mum", "Mum", "a b", &"a".repeat(33)] {
        assert_eq!(picture(text), Err(PolicyError::Picture { contact: "c0".into() }), "{text}");
    }
}

fn school() -> Zone {
    let (latitude_e6, longitude_e6) = (60_170_000, 24_940_000);
    Zone {
        id: "school".into(),
        name: "School".into(),
        latitude_e6,
        longitude_e6,
        radius_m: 150,
        expect: vec![],
    }
}

#[test]
fn a_zone_says_on_which_days_a_child_is_to_be_there() {
    let with = |days: &[Day]| {
        let expect = vec![Expect { days: Days::of(days), by: TimeOfDay::at(8) }];
        after(|policy| policy.zones.push(Zone { expect, ..school() }))
    };
    assert_eq!(with(&[Day::Mon]), Ok(()));
    assert_eq!(with(&[]), Err(PolicyError::Expect { zone: "school".into() }));
}

#[test]
fn zones_off_the_earth_or_tiny_are_refused() {
    let refused = Err(PolicyError::Zone { zone: "school".into() });
    for bad in [
        Zone { latitude_e6: 91_000_000, ..school() },
        Zone { longitude_e6: -181_000_000, ..school() },
        Zone { radius_m: 29, ..school() },
        Zone { radius_m: 20_001, ..school() },
    ] {
        assert_eq!(after(|policy| policy.zones = vec![bad]), refused);
    }
    for radius_m in [30, 20_000] {
        assert_eq!(after(|policy| policy.zones = vec![Zone { radius_m, ..school() }]), Ok(()));
    }
    let twice = after(|policy| policy.zones = vec![school(), school()]);
    assert_eq!(twice, Err(PolicyError::SharedId { id: "school".into() }));
}

#[test]
fn an_app_is_granted_once_and_its_end_is_a_time() {
    let apps = |apps| after(|policy| policy.apps = apps);
    assert_eq!(apps(vec![grant("draw", Some(0)), grant("beads", Some(limits::UNTIL))]), Ok(()));
    let twice = vec![grant("draw", None), grant("draw", Some(1))];
    assert_eq!(apps(twice), Err(PolicyError::SharedApp { app: "draw".into() }));
    for until in [-1, i64::MIN, limits::UNTIL + 1, i64::MAX] {
        assert_eq!(apps(vec![grant("draw", Some(until))]), Err(PolicyError::Until { app: "draw".into() }));
    }
}

#[test]
fn a_permission_of_an_app_stands_once() {
    let with = |permissions| {
        after(|policy| policy.apps.push(policy::AppGrant { permissions, ..grant("draw", None) }))
    };
    assert_eq!(with(Permission::ALL.to_vec()), Ok(()));
    let twice = vec![Permission::Camera, Permission::Network, Permission::Camera];
    assert_eq!(with(twice), Err(PolicyError::Permissions { app: "draw".into() }));
}

fn lesson() -> Schedule {
    schedule(ScheduleKind::Class, vec![window(&[Day::Mon], "08:00", "13:00")])
}

#[test]
fn a_schedule_has_an_id_of_its_own_and_windows_with_days() {
    let schedules = |list| after(|policy| policy.schedules = list);
    assert_eq!(schedules(vec![lesson(), Schedule { id: "bedtime".into(), ..lesson() }]), Ok(()));
    assert_eq!(schedules(vec![Schedule { windows: vec![], ..lesson() }]), Ok(()));
    assert_eq!(schedules(vec![lesson(), lesson()]), Err(PolicyError::SharedId { id: "class".into() }));
    let never = Window { days: Days::of(&[]), from: TimeOfDay::MIDNIGHT, to: TimeOfDay::at(1) };
    let refused = schedules(vec![Schedule { windows: vec![never], ..lesson() }]);
    assert_eq!(refused, Err(PolicyError::Days { schedule: "class".into() }));
}

/// Makes a list so long; what is in it; how much there may be.
type List<'a> = (&'a dyn Fn(usize) -> Result<(), PolicyError>, &'static str, usize);

#[test]
fn every_list_has_an_end() {
    let too_many = |what, most| Err(PolicyError::TooMany { what, most });
    let people =
        |count| after(|p| p.contacts = (0..count).map(|n| contact(n, Kind::Guardian, ALL_OF_IT)).collect());
    let zones =
        |count| after(|p| p.zones = (0..count).map(|n| Zone { id: format!("z{n}"), ..school() }).collect());
    let apps = |count| after(|p| p.apps = (0..count).map(|n| grant(&format!("a{n}"), None)).collect());
    let plan = |n| Schedule { id: format!("s{n}"), windows: vec![], ..lesson() };
    let schedules = |count| after(|p| p.schedules = (0..count).map(plan).collect());
    // Half in one, half in the other.
    let half =
        |id: &str, count| Schedule { id: id.into(), windows: vec![lesson().windows[0]; count], ..lesson() };
    let windows = |count| after(|p| p.schedules = vec![half("a", 20), half("b", count - 20)]);
    let limit = |n| CategoryLimit { category: format!("c{n}"), day_min: 1 };
    let categories = |count| after(|p| p.allowances.categories = (0..count).map(limit).collect());
    let expect = Expect { days: Days::ALL, by: TimeOfDay::MIDNIGHT };
    let expected = |count| after(|p| p.zones = vec![Zone { expect: vec![expect; count], ..school() }]);
    let lists: [List<'_>; 7] = [
        (&people, "contacts", limits::CONTACTS),
        (&zones, "zones", limits::ZONES),
        (&expected, "times at which to be in a zone", limits::EXPECTED_IN_A_ZONE),
        (&apps, "apps", limits::APPS),
        (&schedules, "schedules", limits::SCHEDULES),
        (&windows, "windows in all schedules", limits::WINDOWS),
        (&categories, "categories with an allowance", limits::CATEGORIES),
    ];
    for (list, what, most) in lists {
        assert_eq!(list(most), Ok(()), "{what}");
        assert_eq!(list(most + 1), too_many(what, most));
    }
}

#[test]
fn a_child_is_born_in_a_month() {
    let born = |year, month| after(|policy| policy.child = Some(Child { year, month }));
    for (year, month) in [(1990, 1), (2012, 2), (2100, 12)] {
        assert_eq!(born(year, month), Ok(()));
    }
    for (year, month) in [(1989, 12), (2101, 1), (2015, 0), (2015, 13)] {
        assert_eq!(born(year, month), Err(PolicyError::Child));
    }
}

#[test]
fn minutes_are_of_a_day() {
    let game = |day_min| CategoryLimit { category: "game".into(), day_min };
    let allow = |allowances| after(|policy| policy.allowances = allowances);
    let rest = |after_min, rest_min| {
        allow(Allowances { rest: Some(Break { after_min, rest_min }), ..Allowances::default() })
    };
    for minutes in [0, 1440] {
        assert_eq!(allow(Allowances { day_min: Some(minutes), ..Allowances::default() }), Ok(()));
        assert_eq!(allow(Allowances { categories: vec![game(minutes)], ..Allowances::default() }), Ok(()));
    }
    for (after_min, rest_min) in [(1, 1), (1440, 1440)] {
        assert_eq!(rest(after_min, rest_min), Ok(()));
    }
    for refused in [
        allow(Allowances { day_min: Some(1441), ..Allowances::default() }),
        allow(Allowances { categories: vec![game(1441)], ..Allowances::default() }),
        rest(0, 1),
        rest(1, 0),
        rest(1441, 1),
        rest(1, 1441),
    ] {
        assert_eq!(refused, Err(PolicyError::Minutes));
    }
    let twice = allow(Allowances { categories: vec![game(1), game(2)], ..Allowances::default() });
    assert_eq!(twice, Err(PolicyError::SharedCategory { category: "game".into() }));
}

#[test]
fn t16_a_track_is_kept_three_days_unless_a_guardian_says_otherwise() {
    let kept = Retention::default();
    assert_eq!((kept.track_h, kept.diary_days, kept.calls_days, kept.messages_days), (72, 90, 30, 30));
    let keep = |retention| after(|policy| policy.retention = retention);
    for track_h in [1, 8760] {
        assert_eq!(keep(Retention { track_h, ..kept }), Ok(()));
    }
    assert_eq!(keep(Retention { diary_days: 30, calls_days: 1, messages_days: 1, ..kept }), Ok(()));
    assert_eq!(keep(Retention { diary_days: 3650, calls_days: 3650, messages_days: 3650, ..kept }), Ok(()));
    for refused in [
        Retention { track_h: 0, ..kept },
        Retention { track_h: 8761, ..kept },
        Retention { diary_days: 29, ..kept },
        Retention { diary_days: 3651, ..kept },
        Retention { calls_days: 0, ..kept },
        Retention { calls_days: 3651, ..kept },
        Retention { messages_days: 0, ..kept },
        Retention { messages_days: 3651, ..kept },
    ] {
        assert_eq!(keep(refused), Err(PolicyError::Retention), "{refused:?}");
    }
}

#[test]
fn a_policy_weaker_than_a_floor_is_valid() {
    let mut policy = Policy::of(Region::Cn, contacts());
    policy.allowances.day_min = Some(1440);
    policy.apps = vec![grant("talker", None)];
    assert_eq!(policy.validate(), Ok(()));
}

#[test]
fn debug_shows_no_name_number_place_or_birthday() {
    let mut policy = family();
    policy.child = Some(Child { year: 2017, month: 5 });
    policy.zones = vec![school()];
    policy.schedules = vec![Schedule { name: "Ballet".into(), ..lesson() }];
    let text = format!("{policy:?}");
    for secret in ["Person", "35840555", "2017", "School", "60170000", "24940000", "Ballet"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    for told in [
        "Child(…)",
        r#"Contact { id: "c0", kind: Guardian, .. }"#,
        r#"Zone { id: "school", .. }"#,
        r#"Schedule { id: "class", kind: Class, .. }"#,
    ] {
        assert!(text.contains(told), "{told} in {text}");
    }
    let window = lesson().windows[0];
    assert_eq!(format!("{window:?}"), "Window { days: {Mon}, from: 08:00, to: 13:00 }");
}
