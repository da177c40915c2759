//! Floors and defaults of the regions.

use policy::{
    ADULT, Action, App, Break, Caller, Child, Moment, Permission, Reason, Region, Rule, Rulebook,
    ScheduleKind, Usage, Verdict, category, decide,
};

use crate::family::{DRAW, UNUSED, app, at, family, grant, number, schedule, used, window, zone};

const SHANGHAI: &str = "Asia/Shanghai";

/// A family in China with a child of twelve; the days asked about are in 2026, where the 28th of November is a Saturday.
fn cn() -> Rulebook {
    let mut rules = family(Region::Cn);
    rules.policy.time_zone = zone(SHANGHAI);
    rules.policy.child = Some(Child { year: 2014, month: 6 });
    rules.policy.apps.extend(["chess", "talker"].map(|id| grant(id, None)));
    rules
}

const CHESS: App<'static> = App { id: "chess", category: category::GAME, age: 3 };
const TALKER: App<'static> = App { id: "talker", category: category::GENERATIVE_VOICE, age: 3 };

fn open(rules: &Rulebook, local: &str, app: &App<'_>) -> Verdict {
    decide(rules, &used(at(SHANGHAI, local), &UNUSED), &Action::Open(app))
}

fn no(reason: Reason, local: &str) -> Verdict {
    Verdict::Deny { reason, until: Some(at(SHANGHAI, local)) }
}

fn yes(local: &str) -> Verdict {
    Verdict::Allow { until: Some(at(SHANGHAI, local)) }
}

/// M4, M5, M6.
#[test]
fn t6_an_hour_a_day_a_break_after_half_an_hour_and_no_app_at_night() {
    let rules = cn();
    assert_eq!(open(&rules, "2026-11-25T21:59", &DRAW), yes("2026-11-25T22:00"));
    assert_eq!(open(&rules, "2026-11-25T22:00", &DRAW), no(Reason::Night, "2026-11-26T06:00"));
    assert_eq!(open(&rules, "2026-11-26T05:59", &DRAW), no(Reason::Night, "2026-11-26T06:00"));
    // Half an hour, then ten minutes of rest.
    assert_eq!(open(&rules, "2026-11-26T06:00", &DRAW), yes("2026-11-26T06:30"));
    let noon = at(SHANGHAI, "2026-11-26T12:00");
    let ask = |day_s, running_s, rested_s| {
        let usage = Usage { day_s, categories: vec![], running_s, rested_s };
        decide(&rules, &used(noon, &usage), &Action::Open(&DRAW))
    };
    let rest = |seconds| Verdict::Deny { reason: Reason::Break, until: Some(noon + seconds) };
    let go_on = |seconds| Verdict::Allow { until: Some(noon + seconds) };
    assert_eq!(ask(1799, 1799, 0), go_on(1));
    assert_eq!(ask(1800, 1800, 0), rest(600));
    assert_eq!(ask(1800, 1800, 599), rest(1));
    assert_eq!(ask(1800, 1800, 600), go_on(1800));
    assert_eq!(ask(3599, 100, 0), go_on(1));
    assert_eq!(
        ask(3600, 100, 0),
        Verdict::Deny {
            reason: Reason::DayLimit,
            // At midnight it is night.
            until: Some(at(SHANGHAI, "2026-11-27T06:00")),
        }
    );
    let unknown = decide(&rules, &Moment::at(noon), &Action::Open(&DRAW));
    assert_eq!(unknown, Verdict::Deny { reason: Reason::UsageUnknown, until: None });
    assert_eq!(rules.clause(Reason::DayLimit), Some("M4"));
    assert_eq!(rules.clause(Reason::Break), Some("M5"));
    assert_eq!(rules.clause(Reason::Night), Some("M6"));
}

#[test]
fn t6_calls_and_texts_are_no_apps() {
    let rules = cn();
    let spent = Usage { day_s: 9999, categories: vec![], running_s: 9999, rested_s: 0 };
    let night = used(at(SHANGHAI, "2026-11-25T23:00"), &spent);
    for person in 0..4 {
        let caller = Caller::Number(number(person));
        for action in
            [Action::Ring(caller), Action::Dial(number(person)), Action::Receive(caller), Action::Alarm]
        {
            assert_eq!(decide(&rules, &night, &action), Verdict::Allow { until: None });
        }
    }
}

/// Bands of M4: a child counts as a year older when the month of birth is over, a leap day or not.
#[test]
fn t6_at_sixteen_there_are_two_hours_and_at_eighteen_no_clause() {
    let mut rules = cn();
    rules.policy.allowances.rest = Some(Break { after_min: 1440, rest_min: 1 });
    for (child, sixteen, eighteen) in [
        (Child { year: 2012, month: 2 }, "2028-03-01T00:00", "2030-03-01T00:00"),
        (Child { year: 2012, month: 12 }, "2029-01-01T00:00", "2031-01-01T00:00"),
    ] {
        rules.policy.child = Some(child);
        let (sixteen, eighteen) = (at(SHANGHAI, sixteen), at(SHANGHAI, eighteen));
        let left = |unix| match decide(&rules, &used(unix, &UNUSED), &Action::Open(&DRAW)) {
            Verdict::Allow { until } => until.map(|until| (until - unix) / 60),
            Verdict::Deny { .. } => Some(0),
        };
        // Six in the morning, the day before and the day itself.
        let morning = 6 * 3600;
        assert_eq!(left(sixteen - 86_400 + morning), Some(60));
        assert_eq!(left(sixteen + morning), Some(120));
        assert_eq!(left(eighteen - 86_400 + morning), Some(120));
        assert_eq!(left(eighteen + morning), Some(1440), "the family's own break");
        // The last night of childhood ends at midnight.
        let night = decide(&rules, &used(eighteen - 60, &UNUSED), &Action::Open(&DRAW));
        assert_eq!(night, Verdict::Deny { reason: Reason::Night, until: Some(eighteen) });
        assert!(decide(&rules, &used(eighteen, &UNUSED), &Action::Open(&CHESS)).is_allow());
    }
}

#[test]
fn a_default_break_ends_with_the_age_it_is_for() {
    let mut rules = cn();
    rules.policy.child = Some(Child { year: 2010, month: 5 });
    rules.policy.allowances.day_min = Some(1440);
    let eighteen = at(SHANGHAI, "2028-06-01T00:00");
    let open = |unix, usage| decide(&rules, &used(unix, usage), &Action::Open(&DRAW));
    let due = Usage { running_s: 1800, ..Usage::default() };
    let night = Verdict::Deny { reason: Reason::Night, until: Some(eighteen) };
    assert_eq!(open(eighteen - 120, &due), night, "and no rest is due after it");
    assert_eq!(open(eighteen, &due), Verdict::Allow { until: None });
    let unknown = |unix| decide(&rules, &Moment::at(unix), &Action::Open(&DRAW));
    assert_eq!(unknown(eighteen), Verdict::Allow { until: None });
    let denied = Verdict::Deny { reason: Reason::UsageUnknown, until: None };
    assert_eq!(unknown(eighteen - 3 * 3600), denied);
}

#[test]
fn what_the_family_closes_for_good_no_birthday_opens() {
    let mut rules = cn();
    let always = vec![window(&policy::Day::ALL, "00:00", "00:00")];
    rules.policy.schedules = vec![schedule(ScheduleKind::Custom, always)];
    let never = Verdict::Deny { reason: Reason::Schedule, until: None };
    for local in ["2032-06-30T12:00", "2032-06-30T23:59", "2032-07-01T00:00", "2032-07-01T00:01"] {
        assert_eq!(open(&rules, local, &DRAW), never, "{local}");
        assert_eq!(open(&rules, local, &CHESS), never, "{local}");
    }
}

/// L75 and the notice of 2021.
#[test]
fn t13_games_are_open_three_hours_a_week() {
    let rules = cn();
    assert_eq!(open(&rules, "2026-11-27T19:59", &CHESS), no(Reason::GameHours, "2026-11-27T20:00"));
    assert_eq!(open(&rules, "2026-11-27T20:00", &CHESS), yes("2026-11-27T20:30"));
    assert_eq!(open(&rules, "2026-11-27T20:45", &CHESS), yes("2026-11-27T21:00"));
    assert_eq!(open(&rules, "2026-11-27T21:00", &CHESS), no(Reason::GameHours, "2026-11-28T20:00"));
    assert_eq!(open(&rules, "2026-11-28T20:59", &CHESS), yes("2026-11-28T21:00"));
    assert_eq!(open(&rules, "2026-11-29T20:59", &CHESS), yes("2026-11-29T21:00"));
    assert_eq!(open(&rules, "2026-11-29T21:00", &CHESS), no(Reason::GameHours, "2026-12-04T20:00"));
    // A statutory holiday, as far as the watch knows a Thursday.
    assert_eq!(open(&rules, "2026-10-01T20:30", &CHESS), no(Reason::GameHours, "2026-10-02T20:00"));
    assert!(open(&rules, "2026-11-25T12:00", &DRAW).is_allow());
    assert_eq!(rules.clause(Reason::GameHours), Some("L75"));
}

#[test]
fn t13_a_generated_voice_is_never_open() {
    let mut rules = cn();
    rules.policy.child = Some(Child { year: 2000, month: 1 });
    assert_eq!(
        open(&rules, "2026-11-28T20:30", &TALKER),
        Verdict::Deny { reason: Reason::RegionForbids, until: None }
    );
    assert_eq!(rules.clause(Reason::RegionForbids), Some("B10"));
    let mut elsewhere = family(Region::Eu);
    elsewhere.policy.apps.push(grant("talker", None));
    assert!(open(&elsewhere, "2026-11-28T20:30", &TALKER).is_allow());
}

/// B14.
#[test]
fn t10_on_the_charger_only_calls_for_help() {
    let charging = |rules: &Rulebook, action: &Action<'_>| {
        let moment = used(at(SHANGHAI, "2026-11-25T12:00"), &UNUSED);
        decide(rules, &Moment { charging: true, ..moment }, action)
    };
    let caller = Caller::Number(number(0));
    let uses = Action::Use { app: "draw", permission: Permission::Camera };
    for action in [
        Action::Ring(caller),
        Action::Dial(number(0)),
        Action::Receive(caller),
        Action::Write(number(1)),
        Action::Open(&DRAW),
        uses,
        Action::Alarm,
    ] {
        let denied = Verdict::Deny { reason: Reason::Charging, until: None };
        assert_eq!(charging(&cn(), &action), denied, "{action:?}");
        assert_ne!(charging(&family(Region::Eu), &action), denied, "{action:?}");
    }
    assert!(charging(&cn(), &Action::Helpline("12355")).is_allow());
    assert_eq!(cn().clause(Reason::Charging), Some("B14"));
    // Who is unknown stays unknown.
    let stranger = charging(&cn(), &Action::Ring(Caller::Number(number(999))));
    assert_eq!(stranger, Verdict::Deny { reason: Reason::UnknownNumber, until: None });
}

/// P10: an app is for an age.
#[test]
fn t13_an_app_above_the_childs_age_is_closed_until_the_child_is_old_enough() {
    let mut rules = family(Region::Eu);
    rules.policy.time_zone = zone(SHANGHAI);
    let at_seven = app("draw", "creative", 7);
    rules.policy.child = Some(Child { year: 2019, month: 10 });
    assert_eq!(open(&rules, "2026-10-31T23:59", &at_seven), no(Reason::TooYoung, "2026-11-01T00:00"));
    assert_eq!(open(&rules, "2026-11-01T00:00", &at_seven), Verdict::Allow { until: None });
    // Nobody said how old the child is: as the youngest who wears a watch.
    rules.policy.child = None;
    let never = Verdict::Deny { reason: Reason::TooYoung, until: None };
    assert_eq!(open(&rules, "2026-11-01T00:00", &app("draw", "creative", 4)), never);
    assert_eq!(open(&rules, "2026-11-01T00:00", &app("draw", "creative", 3)), Verdict::Allow { until: None });
}

#[test]
fn a_family_can_change_a_default_and_not_a_floor() {
    let mut rules = cn();
    rules.policy.allowances.day_min = Some(1440);
    rules.policy.allowances.rest = Some(Break { after_min: 1440, rest_min: 1 });
    assert_eq!(open(&rules, "2026-11-25T12:00", &DRAW), yes("2026-11-25T22:00"));
    assert_eq!(open(&rules, "2026-11-25T12:00", &CHESS), no(Reason::GameHours, "2026-11-27T20:00"));
    assert_eq!(rules.clause(Reason::DayLimit), None);
    assert_eq!(rules.clause(Reason::Break), None);
    assert_eq!(rules.clause(Reason::Bedtime), None);
    rules.policy.allowances.day_min = Some(10);
    assert_eq!(open(&rules, "2026-11-25T12:00", &DRAW), yes("2026-11-25T12:10"));
}

#[test]
fn what_is_allowed_of_a_day_can_be_asked() {
    let mut rules = cn();
    let noon = at(SHANGHAI, "2026-11-25T12:00");
    let default = Break { after_min: 30, rest_min: 10 };
    assert_eq!((rules.allowance_s(None, noon), rules.break_at(noon)), (Some(3600), Some(default)));
    assert_eq!(rules.allowance_s(Some("game"), noon), None);
    let eighteen = at(SHANGHAI, "2032-07-01T00:00");
    let ask = |rules: &Rulebook, unix| (rules.allowance_s(None, unix), rules.break_at(unix));
    assert_eq!(ask(&rules, eighteen - 1), (Some(7200), Some(default)));
    assert_eq!(ask(&rules, eighteen), (None, None));
    let game = policy::CategoryLimit { category: "game".into(), day_min: 15 };
    let rest = Break { after_min: 20, rest_min: 5 };
    rules.policy.allowances =
        policy::Allowances { day_min: Some(45), categories: vec![game], rest: Some(rest) };
    rules.standing.more_time = vec![policy::MoreTime { category: None, minutes: 10, until: noon + 1 }];
    assert_eq!(ask(&rules, noon), (Some(3300), Some(rest)));
    assert_eq!(ask(&rules, noon + 1), (Some(2700), Some(rest)));
    assert_eq!(rules.allowance_s(Some("game"), eighteen), Some(900));
    assert_eq!(ask(&rules, i64::MAX), (Some(2700), Some(rest)));
}

#[test]
fn a_helpline_is_called_by_its_digits_in_its_region() {
    let call = |region, digits| decide(&family(region), &Moment::at(0), &Action::Helpline(digits));
    let lines =
        [(Region::Cn, "12355"), (Region::Eu, "116111"), (Region::Uk, "08001111"), (Region::Us, "988")];
    let denied = Verdict::Deny { reason: Reason::NotAHelpline, until: None };
    for region in Region::ALL {
        for (home, digits) in lines {
            assert_eq!(call(region, digits).is_allow(), region == home, "{digits} in {region:?}");
        }
        for digits in ["", "1", "12355 ", "116 111", "+988", "9881"] {
            assert_eq!(call(region, digits), denied, "{digits} in {region:?}");
        }
    }
}

#[test]
fn a_clause_says_what_it_does() {
    let rows: Vec<_> = Region::ALL
        .iter()
        .flat_map(|region| region.clauses().iter().map(|clause| (region.as_str(), clause)))
        .map(|(region, clause)| {
            let kind = if clause.rule.is_floor() { "floor" } else { "default" };
            format!("{region} {} {kind}: {}", clause.id, clause.says)
        })
        .collect();
    assert_eq!(
        rows,
        [
            "cn B14 floor: on the charger nothing works but emergency calls and helplines",
            "cn B10 floor: no app that answers with a generated voice",
            "cn M6 floor: no app from 22:00 to 06:00, below 18",
            "cn L75 floor: games on Friday, Saturday and Sunday from 20:00 to 21:00 only, below 18",
            "cn M4 default: 60 minutes of apps a day below 16",
            "cn M4 default: 120 minutes of apps a day at 16 and 17",
            "cn M5 default: a break of 10 minutes after 30 minutes of apps, below 18",
        ]
    );
    let days = Region::Cn.clauses().iter().filter_map(|clause| match clause.rule {
        Rule::Day { below, .. } => Some(below),
        _ => None,
    });
    assert_eq!(days.collect::<Vec<_>>(), [16, ADULT], "in order: the first that fits holds");
}
