//! What holds for every family at every moment.

use policy::{Action, Caller, Day, Days, Moment, Pause, Reason, Region, TimeOfDay, Verdict, Window, decide};
use proptest::prelude::*;

use crate::family::number;
use crate::oracle::Oracle;
use crate::random::{app_id, asks, is_guardian, schedules, worlds};

fn no(reason: Reason) -> Verdict {
    Verdict::Deny { reason, until: None }
}

proptest! {
    #[test]
    fn every_verdict_is_the_oracles((rules, world) in worlds(), ask in asks()) {
        let app = ask.app();
        for action in ask.actions(&app) {
            let allowed = Oracle::new(&rules).allows(&world, &action);
            prop_assert_eq!(decide(&rules, &world.moment(), &action).is_allow(), allowed, "{:?}", action);
        }
    }

    /// Around every kind of change of the clock a verdict ends when it says.
    #[test]
    fn a44_a_verdict_holds_to_the_second((rules, world) in worlds(), ask in asks()) {
        let app = ask.app();
        let ring = Action::Ring(Caller::Number(number(ask.person)));
        for action in [Action::Open(&app), ring] {
            if let Err(wrong) = Oracle::new(&rules).check(&world, &action, 3) {
                prop_assert!(false, "{action:?}: {wrong}");
            }
        }
    }

    #[test]
    fn random_rules_are_valid((rules, _) in worlds()) {
        prop_assert_eq!(rules.policy.validate(), Ok(()));
        prop_assert_eq!(rules.standing.validate(), Ok(()));
    }

    #[test]
    fn a04_nothing_unknown_is_allowed((rules, world) in worlds(), id in 500_usize..9999, ask in asks()) {
        let ask_decide = |action| decide(&rules, &world.moment(), &action);
        let number = number(id);
        for action in [
            Action::Ring(Caller::Number(number)), Action::Dial(number),
            Action::Receive(Caller::Number(number)), Action::Write(number),
        ] {
            prop_assert_eq!(ask_decide(action), no(Reason::UnknownNumber));
        }
        for action in [Action::Ring as fn(Caller) -> Action<'static>, Action::Receive] {
            prop_assert_eq!(ask_decide(action(Caller::Withheld)), no(Reason::Withheld));
            prop_assert_eq!(ask_decide(action(Caller::Unreadable)), no(Reason::UnreadableNumber));
        }
        let app = policy::App { id: "nobody-granted-it", ..ask.app() };
        prop_assert!(!ask_decide(Action::Open(&app)).is_allow());
        let uses = Action::Use { app: "nobody-granted-it", permission: ask.permission };
        prop_assert!(!ask_decide(uses).is_allow());
    }

    #[test]
    fn t11_no_app_is_allowed_that_nobody_granted((rules, world) in worlds(), text in "\\PC*") {
        let app = policy::App { id: &text, category: &text, age: 0 };
        prop_assert!(!decide(&rules, &world.moment(), &Action::Open(&app)).is_allow());
    }

    #[test]
    fn a_guardian_and_an_alarm_are_denied_by_a_clause_alone((rules, world) in worlds(), ask in asks()) {
        let app = ask.app();
        for action in ask.actions(&app) {
            let protected = match action {
                Action::Open(_) | Action::Use { .. } | Action::Helpline(_) => false,
                Action::Alarm => true,
                _ => is_guardian(&rules, ask.person),
            };
            if protected {
                let inoperable = world.charging && rules.policy.region == Region::Cn;
                let expected =
                    if inoperable { no(Reason::Charging) } else { Verdict::Allow { until: None } };
                prop_assert_eq!(decide(&rules, &world.moment(), &action), expected);
            }
        }
    }

    /// T5: a clock that was set back allows nothing that was denied at the time it had come to.
    #[test]
    fn t5_a_step_back_changes_no_verdict_in_the_childs_favour(
        (rules, world) in worlds(), ask in asks(), back in 1_i64..3 * 86_400,
    ) {
        let app = ask.app();
        for action in ask.actions(&app) {
            let there = Moment { unix: world.latest, ..world.moment() };
            let back = Moment { unix: world.latest - back, ..there };
            if decide(&rules, &back, &action).is_allow() {
                prop_assert!(decide(&rules, &there, &action).is_allow(), "{action:?}");
                let was = Moment { latest: back.unix, ..back };
                prop_assert!(decide(&rules, &was, &action).is_allow(), "{action:?}");
            }
        }
    }

    #[test]
    fn taking_something_away_never_allows_more(
        (rules, world) in worlds(), ask in asks(), gone in 0_usize..4, schedule in schedules(),
    ) {
        let mut fewer = Vec::new();
        let mut change = |change: &dyn Fn(&mut policy::Rulebook)| {
            let mut less = rules.clone();
            change(&mut less);
            fewer.push(less);
        };
        change(&|r| { r.policy.contacts.remove(gone); });
        change(&|r| { if gone < 3 { r.policy.apps.remove(gone); } });
        change(&|r| r.standing.grants.retain(|grant| grant.app != app_id(gone)));
        change(&|r| r.standing.revoked.push(app_id(gone)));
        change(&|r| r.policy.schedules.push(schedule.clone()));
        change(&|r| r.standing.paused = Some(Pause { until: None }));
        change(&|r| r.standing.lost = true);
        change(&|r| r.standing.more_time.clear());
        change(&|r| r.policy.child = None);
        change(&|r| r.policy.allowances.day_min = Some(0));
        change(&|r| r.policy.features.messages = false);
        let app = ask.app();
        for action in ask.actions(&app) {
            let was = decide(&rules, &world.moment(), &action).is_allow();
            for less in &fewer {
                let is = decide(less, &world.moment(), &action).is_allow();
                prop_assert!(was || !is, "{action:?} under {:?} {:?}", less.policy, less.standing);
            }
        }
    }

    /// Who somebody is to the child is what a guardian signed, never what the name says.
    #[test]
    fn a50_a_name_gives_no_right((rules, world) in worlds(), ask in asks()) {
        let mut renamed = rules.clone();
        for (place, contact) in renamed.policy.contacts.iter_mut().enumerate() {
            contact.name = "Mum".to_owned();
            contact.id = format!("mum{place}");
            contact.picture = "face:mum".to_owned();
        }
        let app = ask.app();
        for action in ask.actions(&app) {
            let moment = world.moment();
            prop_assert_eq!(decide(&rules, &moment, &action), decide(&renamed, &moment, &action));
        }
    }

    #[test]
    fn a_decision_allocates_nothing((rules, world) in worlds(), ask in asks()) {
        let (app, moment) = (ask.app(), world.moment());
        for action in ask.actions(&app) {
            let seen = allocation_counter::measure(|| {
                std::hint::black_box(decide(&rules, &moment, &action));
            });
            prop_assert_eq!(seen.count_total, 0, "{:?}", action);
        }
        prop_assert!(allocation_counter::measure(|| drop(rules.clone())).count_total > 0);
    }

    /// Nothing a file or an order says makes it panic, even when nobody validated it.
    #[test]
    fn it_is_total(
        (mut rules, world) in worlds(), ask in asks(), unix in any::<i64>(), latest in any::<i64>(),
        until in any::<i64>(), year in any::<u16>(), month in any::<u8>(), minutes in any::<u16>(), none in any::<bool>(),
    ) {
        rules.policy.child = Some(policy::Child { year, month });
        rules.standing.paused = Some(Pause { until: Some(until) });
        for more in &mut rules.standing.more_time {
            more.until = until;
            more.minutes = minutes;
        }
        for grant in &mut rules.policy.apps {
            grant.until = Some(until);
        }
        if none {
            let never = Window { days: Days::of(&[]), from: TimeOfDay::MIDNIGHT, to: TimeOfDay::MIDNIGHT };
            rules.policy.schedules.iter_mut().for_each(|schedule| schedule.windows = vec![never]);
        }
        let app = policy::App { age: month, ..ask.app() };
        for unix in [unix, world.unix, i64::MIN, i64::MAX] {
            let moment = Moment { unix, latest, ..world.moment() };
            for action in ask.actions(&app) {
                decide(&rules, &moment, &action);
            }
            rules.policy.in_force(unix).count();
            rules.policy.in_force_until(unix);
            rules.policy.time_zone.day(unix);
        }
    }

    #[test]
    fn the_schedule_in_force_is_the_one_the_clock_is_in((rules, world) in worlds()) {
        let oracle = Oracle::new(&rules);
        let in_force = |unix| -> Vec<bool> {
            let windows = rules.policy.schedules.iter().map(|schedule| &schedule.windows);
            windows.map(|windows| windows.iter().any(|window| oracle.within(*window, unix))).collect()
        };
        let now: Vec<_> = rules.policy.in_force(world.unix).collect();
        let expected = rules.policy.schedules.iter().zip(in_force(world.unix));
        prop_assert_eq!(&now, &expected.filter(|(_, holds)| *holds).map(|(s, _)| s).collect::<Vec<_>>());
        let until = rules.policy.in_force_until(world.unix);
        if let Some(until) = until {
            prop_assert!(until > world.unix);
            prop_assert_eq!(in_force(until - 1), in_force(world.unix));
            prop_assert_ne!(in_force(until), in_force(world.unix));
        }
        let end = until.unwrap_or(i64::MAX).min(world.unix + 8 * 86_400);
        for unix in (world.unix..end).step_by(60) {
            prop_assert_eq!(in_force(unix), in_force(world.unix));
        }
    }
}

#[test]
fn every_day_is_in_days_all() {
    assert_eq!(Days::ALL.iter().collect::<Vec<_>>(), Day::ALL);
}
