//! What orders leave behind beside the policy.

use policy::{
    Action, Caller, Extra, Moment, MoreTime, Pause, Permission, PolicyError, Reason, Region, Rulebook,
    Standing, Usage, Verdict, decide, limits,
};

use crate::family::{DRAW, family, grant, number, used};

const NOW: i64 = 1_780_000_000;

fn open(rules: &Rulebook, unix: i64) -> Verdict {
    decide(rules, &Moment::at(unix), &Action::Open(&DRAW))
}

fn yes(until: Option<i64>) -> Verdict {
    Verdict::Allow { until }
}

fn no(reason: Reason, until: Option<i64>) -> Verdict {
    Verdict::Deny { reason, until }
}

fn extra(app: &str, until: Option<i64>) -> Extra {
    Extra { app: app.into(), until }
}

#[test]
fn an_app_is_allowed_as_long_as_the_longer_of_its_grants() {
    let mut rules = family(Region::Eu);
    for (policy, beside, end) in [
        (Some(None), None, None),
        (Some(Some(NOW + 5)), None, Some(NOW + 5)),
        (None, Some(Some(NOW + 7)), Some(NOW + 7)),
        (Some(Some(NOW + 5)), Some(Some(NOW + 7)), Some(NOW + 7)),
        (Some(Some(NOW + 9)), Some(Some(NOW + 7)), Some(NOW + 9)),
        (Some(Some(NOW + 9)), Some(None), None),
        (Some(Some(NOW - 9)), Some(Some(NOW + 1)), Some(NOW + 1)),
    ] {
        rules.policy.apps = policy.into_iter().map(|until| grant("draw", until)).collect();
        rules.standing.grants = beside.into_iter().map(|until| extra("draw", until)).collect();
        assert_eq!(open(&rules, NOW), yes(end));
        if let Some(end) = end {
            assert_eq!(open(&rules, end), no(Reason::TimeUp, None));
        }
    }
}

#[test]
fn every_grant_is_over_at_the_end_of_time() {
    let mut rules = family(Region::Eu);
    assert_eq!(open(&rules, i64::MAX), yes(None));
    assert_eq!(open(&rules, i64::MIN), yes(None));
    rules.policy.apps[0].until = Some(limits::UNTIL);
    assert_eq!(open(&rules, i64::MIN), yes(Some(limits::UNTIL)));
    for unix in [limits::UNTIL, i64::MAX] {
        assert_eq!(open(&rules, unix), no(Reason::TimeUp, None));
    }
}

#[test]
fn what_was_taken_back_stays_away() {
    let mut rules = family(Region::Eu);
    rules.policy.apps[0].permissions = vec![Permission::Camera];
    rules.standing.grants = vec![extra("draw", None)];
    let uses = Action::Use { app: "draw", permission: Permission::Camera };
    assert_eq!(decide(&rules, &Moment::at(NOW), &uses), yes(None));
    rules.standing.revoked = vec!["draw".into()];
    assert_eq!(open(&rules, NOW), no(Reason::NotGranted, None));
    assert_eq!(decide(&rules, &Moment::at(NOW), &uses), no(Reason::NotGranted, None));
    rules.standing.revoked = vec!["beads".into()];
    assert_eq!(open(&rules, NOW), yes(None));
}

#[test]
fn t12_an_app_uses_what_its_grant_in_the_policy_has_and_nothing_else() {
    let mut rules = family(Region::Eu);
    let uses = |rules: &Rulebook, permission| {
        decide(rules, &Moment::at(NOW), &Action::Use { app: "draw", permission })
    };
    for permission in Permission::ALL {
        assert_eq!(uses(&rules, permission), no(Reason::NoPermission, None), "off by default");
    }
    rules.policy.apps[0].permissions = vec![Permission::Location];
    rules.policy.apps[0].until = Some(NOW + 5);
    for permission in Permission::ALL {
        let allowed = permission == Permission::Location;
        let expected = if allowed { yes(Some(NOW + 5)) } else { no(Reason::NoPermission, None) };
        assert_eq!(uses(&rules, permission), expected);
    }
    // The end of its grant is the end of what it may use, even where a grant beside the policy goes on.
    rules.policy.apps[0].until = Some(NOW);
    assert_eq!(uses(&rules, Permission::Location), no(Reason::TimeUp, None));
    rules.standing.grants = vec![extra("draw", None)];
    assert_eq!(uses(&rules, Permission::Location), no(Reason::NoPermission, None));
    rules.policy.apps.clear();
    assert_eq!(uses(&rules, Permission::Location), no(Reason::NoPermission, None));
    rules.standing.grants.clear();
    assert_eq!(uses(&rules, Permission::Location), no(Reason::NotGranted, None));
}

#[test]
fn a_pause_closes_apps_and_friends_until_it_is_over() {
    let mut rules = family(Region::Eu);
    let ring = |rules: &Rulebook, person| {
        decide(rules, &Moment::at(NOW), &Action::Ring(Caller::Number(number(person))))
    };
    for until in [None, Some(NOW + 60)] {
        rules.standing.paused = Some(Pause { until });
        assert_eq!(open(&rules, NOW), no(Reason::Paused, until));
        assert_eq!(ring(&rules, 3), no(Reason::Paused, until));
        for person in 0..3 {
            assert_eq!(ring(&rules, person), yes(None));
        }
    }
    assert_eq!(open(&rules, NOW + 60), yes(None));
    // To the end of time, and beyond it.
    for (until, told) in
        [(limits::UNTIL, Some(limits::UNTIL)), (limits::UNTIL + 1, None), (i64::MAX - 1, None)]
    {
        rules.standing.paused = Some(Pause { until: Some(until) });
        assert_eq!(ring(&rules, 3), no(Reason::Paused, told));
    }
    rules.standing.paused = Some(Pause { until: Some(NOW + 60) });
    // What is over before the pause is never opens again.
    rules.policy.apps[0].until = Some(NOW + 60);
    assert_eq!(open(&rules, NOW), no(Reason::Paused, None));
}

#[test]
fn a_lost_watch_reaches_those_who_can_help() {
    let mut rules = family(Region::Eu);
    rules.standing.lost = true;
    for person in 0..4 {
        let expected = if person < 2 { yes(None) } else { no(Reason::Lost, None) };
        for action in [Action::Dial(number(person)), Action::Receive(Caller::Number(number(person)))] {
            assert_eq!(decide(&rules, &Moment::at(NOW), &action), expected);
        }
    }
    assert_eq!(open(&rules, NOW), no(Reason::Lost, None));
}

fn more(category: Option<&str>, minutes: u16, until: i64) -> MoreTime {
    MoreTime { category: category.map(Into::into), minutes, until }
}

#[test]
fn more_time_is_added_until_it_is_over() {
    let mut rules = family(Region::Eu);
    rules.policy.allowances.day_min = Some(30);
    let usage = Usage { day_s: 1800, ..Usage::default() };
    let open = |rules: &Rulebook| decide(rules, &used(NOW, &usage), &Action::Open(&DRAW));
    let midnight = rules.policy.time_zone.day(NOW).end;
    assert_eq!(open(&rules), no(Reason::DayLimit, Some(midnight)));
    rules.standing.more_time = vec![more(None, 15, midnight)];
    assert_eq!(open(&rules), yes(Some(NOW + 900)));
    // Two additions are both added; each ends by itself.
    rules.standing.more_time.push(more(None, 10, midnight));
    assert_eq!(open(&rules), yes(Some(NOW + 1500)));
    rules.standing.more_time[0].until = NOW + 700;
    assert_eq!(open(&rules), yes(Some(NOW + 700)));
    rules.standing.more_time[0].until = NOW + 300;
    assert_eq!(open(&rules), yes(Some(NOW + 600)));
    rules.standing.more_time[0].until = NOW;
    assert_eq!(open(&rules), yes(Some(NOW + 600)));
    // Not for a category, and a whole day of it has no end.
    rules.standing.more_time = vec![more(Some("creative"), 60, midnight)];
    assert_eq!(open(&rules), no(Reason::DayLimit, Some(midnight)));
    rules.standing.more_time = vec![more(None, 1410, NOW + 900)];
    assert_eq!(rules.allowance_s(None, NOW), None);
    assert_eq!(open(&rules), yes(Some(NOW + 900)));
    rules.standing.more_time[0].minutes = 1409;
    assert_eq!(rules.allowance_s(None, NOW), Some(1439 * 60));
}

#[test]
fn more_time_for_a_category_is_of_that_category_alone() {
    let mut rules = family(Region::Eu);
    let limit = |category: &str| policy::CategoryLimit { category: category.into(), day_min: 10 };
    rules.policy.allowances.categories = vec![limit("game"), limit("creative")];
    let usage = Usage { day_s: 600, categories: vec![("creative".into(), 600)], ..Usage::default() };
    let open = |rules: &Rulebook| decide(rules, &used(NOW, &usage), &Action::Open(&DRAW));
    let midnight = rules.policy.time_zone.day(NOW).end;
    rules.standing.more_time = vec![more(Some("game"), 30, midnight), more(None, 30, midnight)];
    assert_eq!(open(&rules), no(Reason::CategoryLimit, Some(midnight)));
    rules.standing.more_time.push(more(Some("creative"), 5, midnight));
    assert_eq!(open(&rules), yes(Some(NOW + 300)));
}

#[test]
fn what_stands_is_within_limits() {
    let fine = Standing {
        paused: Some(Pause { until: Some(limits::UNTIL) }),
        lost: true,
        grants: vec![extra("draw", Some(0)), extra("beads", None)],
        revoked: vec!["draw".into(), "beads".into()],
        more_time: vec![more(None, 1, 0), more(Some("game"), 1440, limits::UNTIL)],
    };
    assert_eq!(fine.validate(), Ok(()));
    let after = |change: &dyn Fn(&mut Standing)| {
        let mut standing = fine.clone();
        change(&mut standing);
        standing.validate()
    };
    let app = || "draw".to_owned();
    assert_eq!(after(&|s| s.paused = Some(Pause { until: Some(-1) })), Err(PolicyError::End));
    assert_eq!(after(&|s| s.paused = Some(Pause { until: Some(limits::UNTIL + 1) })), Err(PolicyError::End));
    assert_eq!(after(&|s| s.grants[0].until = Some(-1)), Err(PolicyError::Until { app: app() }));
    assert_eq!(after(&|s| s.grants[1].app = app()), Err(PolicyError::SharedApp { app: app() }));
    assert_eq!(after(&|s| s.revoked[1] = app()), Err(PolicyError::SharedApp { app: app() }));
    for id in ["", "../x", "Draw"] {
        assert_eq!(after(&|s| s.grants[0].app = id.into()), Err(PolicyError::Id));
        assert_eq!(after(&|s| s.revoked[0] = id.into()), Err(PolicyError::Id));
        assert_eq!(after(&|s| s.more_time[0].category = Some(id.into())), Err(PolicyError::Id));
    }
    for minutes in [0, 1441] {
        assert_eq!(after(&|s| s.more_time[0].minutes = minutes), Err(PolicyError::Minutes));
    }
    assert_eq!(after(&|s| s.more_time[0].until = i64::MAX), Err(PolicyError::End));
    let ids = |count: usize| (0..count).map(|n| format!("a{n}"));
    let most = limits::STANDING;
    for count in [most, most + 1] {
        let result = |what| if count > most { Err(PolicyError::TooMany { what, most }) } else { Ok(()) };
        let grants = after(&|s| s.grants = ids(count).map(|id| extra(&id, None)).collect());
        assert_eq!(grants, result("grants beside the policy"));
        assert_eq!(after(&|s| s.revoked = ids(count).collect()), result("revoked apps"));
        let additions = after(&|s| s.more_time = vec![more(None, 1, 0); count]);
        assert_eq!(additions, result("additions of time"));
    }
}
