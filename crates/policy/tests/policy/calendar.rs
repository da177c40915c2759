//! Clocks, midnights and birthdays.

use policy::{
    Action, Caller, Day, Moment, Reach, Reason, Region, Rulebook, Schedule, ScheduleKind, TimeZone, Usage,
    Verdict, Window, decide,
};

use crate::family::{DRAW, UNUSED, at, family, number, schedule, used, window, zone};

const HELSINKI: &str = "Europe/Helsinki";

/// A family with one schedule in one zone.
fn planned(name: &str, windows: Vec<Window>) -> Rulebook {
    let mut rules = family(Region::Eu);
    rules.policy.time_zone = zone(name);
    rules.policy.schedules = vec![schedule(ScheduleKind::Bedtime, windows)];
    rules
}

fn open(rules: &Rulebook, unix: i64) -> Verdict {
    decide(rules, &used(unix, &UNUSED), &Action::Open(&DRAW))
}

const fn yes(until: i64) -> Verdict {
    Verdict::Allow { until: Some(until) }
}

const fn bedtime(until: i64) -> Verdict {
    Verdict::Deny { reason: Reason::Bedtime, until: Some(until) }
}

#[test]
fn a44_what_the_clock_skips_does_not_happen() {
    // In 2026 it skips from 3 to 4 on the 29th of March.
    let midnight = at(HELSINKI, "2026-03-29T00:00");
    let skipped = planned(HELSINKI, vec![window(&[Day::Sun], "03:15", "03:45")]);
    assert_eq!(open(&skipped, midnight), yes(at(HELSINKI, "2026-04-05T03:15")));
    let whole = planned(HELSINKI, vec![window(&[Day::Sun], "03:00", "04:00")]);
    assert_eq!(open(&whole, midnight), yes(at(HELSINKI, "2026-04-05T03:00")));
    let into = planned(HELSINKI, vec![window(&[Day::Sun], "03:30", "05:00")]);
    assert_eq!(open(&into, midnight), yes(midnight + 3 * 3600), "begins with the jump");
    assert_eq!(open(&into, midnight + 3 * 3600), bedtime(midnight + 4 * 3600));
    let over = planned(HELSINKI, vec![window(&[Day::Sat], "21:00", "07:00")]);
    let evening = at(HELSINKI, "2026-03-28T21:00");
    assert_eq!(open(&over, evening), bedtime(evening + 9 * 3600), "an hour shorter");
    let out = planned(HELSINKI, vec![window(&[Day::Sun], "02:00", "03:30")]);
    assert_eq!(open(&out, midnight + 2 * 3600), bedtime(midnight + 3 * 3600), "ends with the jump");
}

#[test]
fn a44_what_the_clock_repeats_happens_twice() {
    // On the 25th of October it goes back from 4 to 3.
    let midnight = at(HELSINKI, "2026-10-25T00:00");
    let (first, second) = (midnight + 3 * 3600 + 900, midnight + 4 * 3600 + 900);
    let twice = planned(HELSINKI, vec![window(&[Day::Sun], "03:15", "03:45")]);
    assert_eq!(open(&twice, midnight), yes(first));
    assert_eq!(open(&twice, first), bedtime(first + 1800));
    assert_eq!(open(&twice, first + 1800), yes(second));
    assert_eq!(open(&twice, second), bedtime(second + 1800));
    assert_eq!(open(&twice, second + 1800), yes(at(HELSINKI, "2026-11-01T03:15")));
    let over = planned(HELSINKI, vec![window(&[Day::Sat], "21:00", "07:00")]);
    let evening = at(HELSINKI, "2026-10-24T21:00");
    assert_eq!(open(&over, evening), bedtime(evening + 11 * 3600), "an hour longer");
}

#[test]
fn a44_a_clock_can_change_by_half_an_hour_or_the_other_way_round() {
    // Lord Howe goes back from 2:00 to 1:30 on the 5th of April.
    let midnight = at("Australia/Lord_Howe", "2026-04-05T00:00");
    let twice = planned("Australia/Lord_Howe", vec![window(&[Day::Sun], "01:40", "01:50")]);
    assert_eq!(open(&twice, midnight), yes(midnight + 100 * 60));
    assert_eq!(open(&twice, midnight + 110 * 60), yes(midnight + 130 * 60));
    // New York skips from 2 to 3 on the 8th of March.
    let midnight = at("America/New_York", "2026-03-08T00:00");
    let late = planned("America/New_York", vec![window(&[Day::Sun], "04:00", "05:00")]);
    assert_eq!(open(&late, midnight), yes(midnight + 3 * 3600));
    // Casablanca goes back for Ramadan, on the 15th of February.
    let midnight = at("Africa/Casablanca", "2026-02-15T00:00");
    let late = planned("Africa/Casablanca", vec![window(&[Day::Sun], "04:00", "05:00")]);
    assert_eq!(open(&late, midnight), yes(midnight + 5 * 3600));
}

#[test]
fn a_window_belongs_to_the_day_it_begins_on() {
    let night = planned("UTC", vec![window(&[Day::Sun], "22:00", "06:00")]);
    let sunday = at("UTC", "2026-11-29T22:00");
    assert_eq!(open(&night, sunday - 1), yes(sunday));
    assert_eq!(open(&night, sunday), bedtime(sunday + 8 * 3600));
    assert_eq!(open(&night, sunday + 8 * 3600 - 1), bedtime(sunday + 8 * 3600));
    assert_eq!(open(&night, sunday + 8 * 3600), yes(sunday + 7 * 86_400));
    // The week before, the hours after midnight are Saturday's.
    assert_eq!(open(&night, sunday - 86_400 + 3 * 3600), yes(sunday));
}

#[test]
fn equal_times_are_a_whole_day() {
    let monday = at("UTC", "2026-11-30T00:00");
    let whole = |days: &[Day], time| planned("UTC", vec![window(days, time, time)]);
    let day = whole(&[Day::Mon], "00:00");
    assert_eq!(open(&day, monday - 1), yes(monday));
    assert_eq!(open(&day, monday), bedtime(monday + 86_400));
    assert_eq!(open(&day, monday + 86_400), yes(monday + 7 * 86_400));
    let two = whole(&[Day::Mon, Day::Tue], "15:00");
    let three = monday + 15 * 3600;
    assert_eq!(open(&two, three), bedtime(three + 2 * 86_400));
    // On a day of 25 hours it is 25 hours long.
    let sunday = planned(HELSINKI, vec![window(&[Day::Sun], "00:00", "00:00")]);
    let midnight = at(HELSINKI, "2026-10-25T00:00");
    assert_eq!(open(&sunday, midnight), bedtime(midnight + 25 * 3600));
}

#[test]
fn a_week_without_a_gap_never_ends() {
    let never = Verdict::Deny { reason: Reason::Bedtime, until: None };
    for time in ["00:00", "15:00"] {
        let always = planned(HELSINKI, vec![window(&Day::ALL, time, time)]);
        assert_eq!(open(&always, at(HELSINKI, "2026-10-24T12:00")), never);
        assert_eq!(always.policy.in_force_until(at(HELSINKI, "2026-10-24T12:00")), None);
    }
    // A gap of one minute that is skipped the first time.
    let sunday = [window(&[Day::Sun], "00:00", "03:30"), window(&[Day::Sun], "03:31", "00:00")];
    let gap = planned(HELSINKI, [&sunday[..], &[window(&Day::ALL[..6], "00:00", "00:00")]].concat());
    assert_eq!(open(&gap, at(HELSINKI, "2026-03-22T04:00")), bedtime(at(HELSINKI, "2026-04-05T03:30")));
}

#[test]
fn nothing_planned_is_no_limit() {
    let mut rules = family(Region::Eu);
    assert_eq!(open(&rules, 0), Verdict::Allow { until: None });
    assert_eq!(rules.policy.in_force_until(0), None);
    rules.policy.schedules = vec![schedule(ScheduleKind::Class, vec![])];
    assert_eq!(open(&rules, 0), Verdict::Allow { until: None });
    rules.policy.contacts.clear();
    rules.policy.apps.clear();
    assert_eq!(open(&rules, 0), Verdict::Deny { reason: Reason::NotGranted, until: None });
}

#[test]
fn of_several_schedules_each_takes_its_part() {
    let mut rules = family(Region::Eu);
    let monday = at("UTC", "2026-11-30T00:00");
    let plan = |kind, from, to, calls, apps| Schedule {
        calls,
        apps,
        ..schedule(kind, vec![window(&[Day::Mon], from, to)])
    };
    rules.policy.schedules = vec![
        plan(ScheduleKind::Custom, "08:00", "12:00", Reach::Family, true),
        plan(ScheduleKind::Class, "10:00", "11:00", Reach::Guardians, true),
        plan(ScheduleKind::Bedtime, "09:00", "10:30", Reach::Everyone, false),
    ];
    let hour = |hour: f64| monday + (hour * 3600.0) as i64;
    let ring =
        |unix, person| decide(&rules, &Moment::at(unix), &Action::Ring(Caller::Number(number(person))));
    let no = |reason, end| Verdict::Deny { reason, until: Some(hour(end)) };
    let free = Verdict::Allow { until: None };
    // Guardians and those to reach in need always; family not in class; friends only when all is over.
    for person in 0..2 {
        assert_eq!(ring(hour(10.2), person), free);
    }
    assert_eq!(ring(hour(9.0), 2), yes(hour(10.0)));
    assert_eq!(ring(hour(10.0), 2), no(Reason::NotInClass, 11.0));
    assert_eq!(ring(hour(8.0), 3), no(Reason::Schedule, 12.0));
    assert_eq!(ring(hour(12.0), 3), yes(hour(8.0 + 168.0)));
    assert_eq!(open(&rules, hour(8.0)), yes(hour(9.0)));
    assert_eq!(open(&rules, hour(9.0)), no(Reason::Bedtime, 10.5));
    assert_eq!(open(&rules, hour(10.5)), yes(hour(9.0 + 168.0)));
    let kinds = |unix| rules.policy.in_force(unix).map(|schedule| schedule.kind).collect::<Vec<_>>();
    assert_eq!(kinds(hour(7.9)), []);
    assert_eq!(kinds(hour(10.0)), [ScheduleKind::Custom, ScheduleKind::Class, ScheduleKind::Bedtime]);
    assert_eq!(rules.policy.in_force_until(hour(7.9)), Some(hour(8.0)));
    assert_eq!(rules.policy.in_force_until(hour(10.0)), Some(hour(10.5)));
}

#[test]
fn windows_that_touch_are_one_denial() {
    let rules = planned(
        "UTC",
        vec![
            window(&[Day::Mon], "08:00", "09:00"),
            window(&[Day::Mon], "09:00", "11:00"),
            window(&[Day::Mon], "08:30", "10:00"),
        ],
    );
    let eight = at("UTC", "2026-11-30T08:00");
    assert_eq!(open(&rules, eight), bedtime(eight + 3 * 3600));
}

#[test]
fn a44_a_leap_day_is_a_day_of_its_week() {
    let rules = planned("UTC", vec![window(&[Day::Tue], "12:00", "13:00")]);
    let noon = at("UTC", "2028-02-29T12:00");
    assert_eq!(open(&rules, noon - 1), yes(noon));
    assert_eq!(open(&rules, noon + 3600), yes(at("UTC", "2028-03-07T12:00")));
}

/// T5: no network tells the zone. An order changes it, at once.
#[test]
fn t5_a_journey_is_an_order() {
    let mut rules = planned(HELSINKI, vec![window(&Day::ALL, "20:00", "07:00")]);
    let evening = at(HELSINKI, "2026-11-25T21:00");
    assert_eq!(open(&rules, evening), bedtime(at(HELSINKI, "2026-11-26T07:00")));
    rules.policy.time_zone = zone("America/New_York");
    assert_eq!(open(&rules, evening), yes(at("America/New_York", "2026-11-25T20:00")));
}

/// T5: a step back over midnight brings no new day, and the day that was reached goes on.
#[test]
fn t5_a_day_that_was_used_up_stays_so_when_the_clock_is_set_back() {
    let mut rules = family(Region::Eu);
    rules.policy.allowances.day_min = Some(30);
    let latest = at("UTC", "2026-11-25T12:00");
    let midnight = at("UTC", "2026-11-26T00:00");
    let ask = |unix, day_s| {
        let usage = Usage { day_s, ..Usage::default() };
        decide(&rules, &Moment { latest, ..used(unix, &usage) }, &Action::Open(&DRAW))
    };
    for back in [0, 3600, 86_400, 30 * 86_400] {
        let denied = Verdict::Deny { reason: Reason::DayLimit, until: Some(midnight) };
        assert_eq!(ask(latest - back, 1800), denied);
        assert_eq!(ask(latest - back, 1799), yes(latest - back + 1));
    }
    // A minute before the old midnight: no new day, thirty minutes are what there is.
    assert_eq!(ask(at("UTC", "2026-11-24T23:50"), 0), yes(at("UTC", "2026-11-25T00:20")));
}

#[test]
fn t5_a_clock_that_was_set_back_allows_only_what_both_times_allow() {
    let rules = planned("UTC", vec![window(&[Day::Wed], "12:00", "13:00")]);
    let noon = at("UTC", "2026-11-25T12:00");
    let ask = |unix, latest| decide(&rules, &Moment { latest, ..used(unix, &UNUSED) }, &Action::Open(&DRAW));
    assert_eq!(ask(noon - 60, noon), bedtime(noon + 3600), "out of the window by a step back");
    assert_eq!(ask(noon, noon + 7200), bedtime(noon + 3600), "into it");
    assert_eq!(ask(noon - 60, noon - 30), yes(noon));
    assert_eq!(ask(noon + 3600, noon + 7200), yes(noon + 7 * 86_400));
    // More time that is over does not come back.
    let mut more = family(Region::Eu);
    more.policy.allowances.day_min = Some(10);
    more.standing.more_time = vec![policy::MoreTime { category: None, minutes: 20, until: noon }];
    let usage = Usage { day_s: 300, ..Usage::default() };
    let moment = Moment { latest: noon, ..used(noon - 3600, &usage) };
    assert_eq!(decide(&more, &moment, &Action::Open(&DRAW)), yes(noon - 3600 + 300));
    // Nor does a grant.
    let mut ended = family(Region::Eu);
    ended.policy.apps[0].until = Some(noon);
    let moment = Moment { latest: noon, ..Moment::at(noon - 60) };
    let denied = Verdict::Deny { reason: Reason::TimeUp, until: None };
    assert_eq!(decide(&ended, &moment, &Action::Open(&DRAW)), denied);
}

/// A day of an allowance is a civil day.
#[test]
fn a44_a_new_day_begins_at_the_familys_midnight() {
    let mut rules = family(Region::Eu);
    rules.policy.time_zone = zone(HELSINKI);
    rules.policy.allowances.day_min = Some(30);
    let midnight = at(HELSINKI, "2026-11-26T00:00");
    let ask = |unix, day_s| {
        let usage = Usage { day_s, ..Usage::default() };
        decide(&rules, &used(unix, &usage), &Action::Open(&DRAW))
    };
    let spent = Verdict::Deny { reason: Reason::DayLimit, until: Some(midnight) };
    assert_eq!(ask(midnight - 3600, 1800), spent);
    // Ten minutes are left, midnight comes after five: then the whole of the new day's.
    assert_eq!(ask(midnight - 300, 1200), yes(midnight + 1800));
    assert_eq!(ask(midnight - 600, 1200), yes(midnight + 1800), "to the second");
    assert_eq!(ask(midnight - 601, 1200), yes(midnight - 1));
    // What was used in the first second of a day is used of that day.
    assert_eq!(ask(midnight, 600), yes(midnight + 1200));
    // Nothing a day stays nothing, and a whole day is no limit.
    rules.policy.allowances.day_min = Some(0);
    let never = Verdict::Deny { reason: Reason::DayLimit, until: None };
    let none = decide(&rules, &used(midnight, &UNUSED), &Action::Open(&DRAW));
    assert_eq!(none, never);
    rules.policy.allowances.day_min = Some(1440);
    assert_eq!(decide(&rules, &Moment::at(midnight), &Action::Open(&DRAW)), Verdict::Allow { until: None });
}

#[test]
fn a44_days_follow_one_another_whatever_the_clock_does() {
    let lengths = |name: &str, local: &str| {
        let zone = zone(name);
        let day = zone.day(at(name, local));
        assert_eq!(zone.day(day.start), day);
        assert_eq!(zone.day(day.end - 1), day);
        assert_eq!(zone.day(day.start - 1).end, day.start);
        assert_eq!(zone.day(day.end).start, day.end);
        (day.end - day.start) / 60
    };
    for (name, local, minutes) in [
        (HELSINKI, "2026-11-25T12:00", 1440),
        (HELSINKI, "2026-03-29T12:00", 1380),
        (HELSINKI, "2026-10-25T12:00", 1500),
        ("Australia/Lord_Howe", "2026-04-05T12:00", 1470),
        // Midnight itself is skipped, and comes twice.
        ("Africa/Cairo", "2026-04-24T12:00", 1380),
        ("Africa/Cairo", "2026-10-29T23:30", 1500),
        ("America/Havana", "2025-11-02T00:30", 1500),
        // One minute after midnight the clock went back to the day before, until 2011.
        ("America/St_Johns", "2010-11-06T12:00", 1440),
        ("America/St_Johns", "2010-11-07T12:00", 1500),
        // A day that never was.
        ("Pacific/Apia", "2011-12-29T12:00", 1440),
        ("Pacific/Apia", "2011-12-31T12:00", 1440),
    ] {
        assert_eq!(lengths(name, local), minutes, "{name} {local}");
    }
}

#[test]
fn a44_a_day_that_has_begun_is_not_left_again() {
    // The clock of St John's goes back from 00:01 to 23:01 of the day before.
    let midnight = at("America/St_Johns", "2010-11-07T00:00");
    let next = at("America/St_Johns", "2010-11-08T00:00");
    let zone = zone("America/St_Johns");
    for second in [0, 59, 60, 30 * 60, 60 * 60 + 59, 2 * 60 * 60] {
        assert_eq!(zone.day(midnight + second), midnight..next, "{second} s");
    }
    assert_eq!(zone.day(midnight - 1).end, midnight);
}

#[test]
fn the_clock_of_a_zone_is_that_of_the_database_from_2000_to_2100() {
    for name in crate::random::ZONES {
        let ours = zone(name);
        let theirs = jiff::tz::TimeZoneDatabase::bundled().get(name).unwrap();
        for unix in (946_684_800..4_102_444_800).step_by(86_400 * 7 + 12_345) {
            let offset = theirs.to_offset(jiff::Timestamp::from_second(unix).unwrap()).seconds();
            assert_eq!(ours.offset_s(unix), i64::from(offset), "{name} {unix}");
        }
    }
}

#[test]
fn a_zone_has_one_spelling() {
    for name in ["UTC", "Asia/Shanghai", "Europe/Helsinki", "America/Argentina/Buenos_Aires", "Etc/GMT+5"] {
        let zone: TimeZone = name.parse().unwrap();
        assert_eq!((zone.name(), zone.to_string().as_str()), (name, name));
        assert_eq!(format!("{zone:?}"), format!("TimeZone({name})"));
    }
    assert_ne!(zone("Europe/Helsinki"), zone("Europe/Kyiv"));
    assert_eq!(zone("UTC"), TimeZone::default());
    for name in [
        "",
        "utc",
        "europe/helsinki",
        "Europe/Helsinki ",
        "Mars/Olympus",
        "Etc/Unknown",
        "UTC+2",
        "EET-2EEST",
        "../../etc/localtime",
        "/etc/localtime",
        ":Europe/Helsinki",
        "Local",
        &"A".repeat(1 << 20),
    ] {
        assert!(name.parse::<TimeZone>().is_err(), "{}", &name[..name.len().min(40)]);
    }
}

/// NITZ, the environment and the file system are not asked: the same test, in a process where all of them lie.
#[test]
fn t5_no_variable_moves_the_familys_clock() {
    const INNER: &str = "NESTLING_TEST_INNER";
    if std::env::var_os(INNER).is_some() {
        a44_what_the_clock_skips_does_not_happen();
        return;
    }
    let name = "calendar::t5_no_variable_moves_the_familys_clock";
    let inner = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .envs([("TZ", "Asia/Tokyo"), ("TZDIR", "/nowhere"), (INNER, "1")])
        .output()
        .unwrap();
    assert!(inner.status.success());
    assert!(String::from_utf8_lossy(&inner.stdout).contains("1 passed"));
}
