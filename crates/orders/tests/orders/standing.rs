//! What stands besides the policy, and what an order makes the watch do.

use orders::{Applied, Body, BootKey, Door, Effect, Ledger, Refused, Signer, What};
use policy::{Extra, MoreTime, Pause};

use crate::family::{Home, NOW, code, family, order, set_policy, submit, through};

fn app(app: &str, until: Option<i64>) -> Body {
    Body::Grant { what: What::App(app.into()), until }
}

fn time(category: Option<&str>, minutes: u16, until: Option<i64>) -> Body {
    Body::Grant { what: What::Time { category: category.map(str::to_owned), minutes }, until }
}

fn revoke(app: &str) -> Body {
    Body::Revoke { app: app.into() }
}

fn extra(app: &str, until: Option<i64>) -> Extra {
    Extra { app: app.into(), until }
}

#[test]
fn a_grant_takes_a_revocation_back_and_a_revocation_a_grant() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let applied = order(&mut ledger, &mut mum, app("draw", Some(NOW + 9))).unwrap();
    assert!(applied.standing_changed && !applied.policy_changed && !applied.keyring_changed);
    order(&mut ledger, &mut mum, app("draw", None)).unwrap();
    order(&mut ledger, &mut mum, app("beads", None)).unwrap();
    assert_eq!(ledger.standing().grants, [extra("draw", None), extra("beads", None)]);
    order(&mut ledger, &mut mum, revoke("draw")).unwrap();
    let applied = order(&mut ledger, &mut mum, revoke("draw")).unwrap();
    assert!(!applied.standing_changed, "it was revoked already");
    order(&mut ledger, &mut mum, revoke("chess")).unwrap();
    assert_eq!(ledger.standing().grants, [extra("beads", None)]);
    assert_eq!(ledger.standing().revoked, ["draw", "chess"]);
    order(&mut ledger, &mut mum, app("draw", None)).unwrap();
    assert_eq!(ledger.standing().grants, [extra("beads", None), extra("draw", None)]);
    assert_eq!(ledger.standing().revoked, ["chess"]);
}

#[test]
fn a_second_parents_policy_does_not_bring_back_what_the_first_took_away() {
    let Home { mut ledger, mut mum, mut dad, .. } = Home::bound();
    order(&mut ledger, &mut mum, revoke("draw")).unwrap();
    order(&mut ledger, &mut mum, Body::Pause { until: None }).unwrap();
    order(&mut ledger, &mut mum, Body::Lost { on: true }).unwrap();
    let before = ledger.standing().clone();
    let mut policy = family(&[]);
    policy.apps = serde_json::from_str(r#"[{"app":"draw"}]"#).unwrap();
    let body = set_policy(&ledger, policy);
    let applied = order(&mut ledger, &mut dad, body).unwrap();
    assert!(applied.policy_changed && !applied.standing_changed);
    assert_eq!(*ledger.standing(), before);
}

#[test]
fn more_time_adds_up_and_always_ends() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    order(&mut ledger, &mut mum, time(Some("games"), 240, Some(NOW + 1))).unwrap();
    order(&mut ledger, &mut mum, time(Some("games"), 1, Some(NOW + 2))).unwrap();
    order(&mut ledger, &mut mum, time(None, 30, Some(NOW + 3))).unwrap();
    let more = |category: Option<&str>, minutes, until| MoreTime {
        category: category.map(str::to_owned),
        minutes,
        until,
    };
    assert_eq!(
        ledger.standing().more_time,
        [more(Some("games"), 240, NOW + 1), more(Some("games"), 1, NOW + 2), more(None, 30, NOW + 3)]
    );
    let result = order(&mut ledger, &mut mum, time(None, 30, None));
    assert!(matches!(result, Err(Refused::Field { field: "until", .. })));
}

#[test]
fn values_out_of_bounds_are_refused() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let last = 253_402_300_799;
    for (body, wrong) in [
        (time(None, 0, Some(last)), "minutes"),
        (time(None, 241, Some(last)), "minutes"),
        (time(Some("Games"), 1, Some(last)), "category"),
        (time(Some(""), 1, Some(last)), "category"),
        (app("../draw", None), "app"),
        (app("", None), "app"),
        (revoke("Draw"), "app"),
        (app("draw", Some(last + 1)), "until"),
        (app("draw", Some(-1)), "until"),
        (Body::Pause { until: Some(i64::MAX) }, "until"),
        (Body::Answer { request: 1, yes: true, until: Some(i64::MIN) }, "until"),
    ] {
        let result = order(&mut ledger, &mut mum, body.clone());
        assert!(
            matches!(result, Err(Refused::Field { field, .. }) if field == wrong),
            "{body:?}: {result:?}"
        );
    }
    for body in
        [time(Some("games"), 1, Some(last)), app("draw", Some(last)), Body::Pause { until: Some(last) }]
    {
        order(&mut ledger, &mut mum, body).unwrap();
    }
}

#[test]
fn what_would_be_over_already_is_refused_at_the_door_and_stands_in_the_log() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let watch = ledger.watch().clone();
    for body in [
        app("draw", Some(NOW)),
        time(None, 5, Some(NOW)),
        Body::Pause { until: Some(NOW) },
        Body::Answer { request: 1, yes: true, until: Some(NOW) },
    ] {
        let envelope = mum.order(&watch, NOW, body);
        let result = submit(&mut ledger, &envelope);
        assert!(matches!(result, Err(Refused::Past { until: NOW })));
        let earlier = Door::Submit { code: None, now: NOW - 1 };
        through(&mut ledger.clone(), &envelope, earlier).unwrap();
        through(&mut ledger, &envelope, Door::Log).unwrap();
    }
}

#[test]
fn a_full_list_loses_what_was_over_first_and_nothing_that_stands() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let watch = ledger.watch().clone();
    let mut at = |ledger: &mut Ledger, issued_at: i64, body: Body| {
        let envelope = mum.order(&watch, issued_at, body);
        through(ledger, &envelope, Door::Log).map(|_| ())
    };
    for n in 0..50 {
        let until = NOW + [40, 20, 30][n % 3] + i64::try_from(n).unwrap();
        at(&mut ledger, NOW, app(&format!("a{n}"), (n > 0).then_some(until))).unwrap();
        at(&mut ledger, NOW, time(None, 1, Some(until))).unwrap();
        at(&mut ledger, NOW, revoke(&format!("r{n}"))).unwrap();
    }
    for (body, full) in [
        (app("new", None), "grants"),
        (time(None, 2, Some(NOW + 999)), "more-time"),
        (revoke("new"), "revoked"),
    ] {
        // The first to end are those of n = 1, at 21.
        let result = at(&mut ledger, NOW + 20, body.clone());
        assert!(matches!(result, Err(Refused::Full { list }) if list == full), "{result:?}");
        let result = at(&mut ledger, NOW + 21, body);
        assert_eq!(result.is_ok(), full != "revoked", "{result:?}");
    }
    let standing = ledger.standing();
    assert_eq!((standing.grants.len(), standing.more_time.len(), standing.revoked.len()), (50, 50, 50));
    assert!(
        standing.grants.iter().all(|extra| extra.app != "a1") && standing.grants[49] == extra("new", None)
    );
    assert!(standing.more_time.iter().all(|more| more.until != NOW + 21));
    assert_eq!(standing.more_time[49].minutes, 2);
    // What stands already, and what takes a revocation back, needs no new room.
    at(&mut ledger, NOW, revoke("r7")).unwrap();
    at(&mut ledger, NOW, app("a2", None)).unwrap();
    assert_eq!(ledger.standing().grants.len(), 50);
    at(&mut ledger, NOW + 99, app("r7", None)).unwrap();
    at(&mut ledger, NOW, revoke("new")).unwrap();
}

#[test]
fn pause_resume_and_lost_stand_until_the_next() {
    let Home { mut ledger, mut mum, mut dad, .. } = Home::bound();
    order(&mut ledger, &mut dad, Body::Pause { until: None }).unwrap();
    assert_eq!(ledger.standing().paused, Some(Pause { until: None }));
    order(&mut ledger, &mut mum, Body::Pause { until: Some(NOW + 5) }).unwrap();
    assert_eq!(ledger.standing().paused, Some(Pause { until: Some(NOW + 5) }));
    assert!(order(&mut ledger, &mut dad, Body::Resume {}).unwrap().standing_changed);
    assert!(!order(&mut ledger, &mut dad, Body::Resume {}).unwrap().standing_changed);
    assert_eq!(ledger.standing().paused, None);
    order(&mut ledger, &mut mum, Body::Lost { on: true }).unwrap();
    assert!(ledger.standing().lost);
    order(&mut ledger, &mut mum, Body::Lost { on: false }).unwrap();
    assert!(!ledger.standing().lost);
}

#[test]
fn daemons_decide_by_the_policy_and_what_stands() {
    assert_eq!(Home::unbound().ledger.rules(), None);
    let Home { mut ledger, mut dad, .. } = Home::bound();
    order(&mut ledger, &mut dad, Body::Pause { until: None }).unwrap();
    let rules = ledger.rules().unwrap();
    assert_eq!((Some(&rules.policy), &rules.standing), (ledger.policy(), ledger.standing()));
    assert!(rules.standing.paused.is_some());
}

#[test]
fn the_watch_itself_grants_an_hour_and_no_more() {
    let Home { mut ledger, mut device, .. } = Home::bound();
    for body in [
        app("draw", None),
        app("draw", Some(NOW + 3601)),
        time(None, 61, Some(NOW + 3600)),
        time(None, 1, Some(NOW + 3601)),
    ] {
        let result = order(&mut ledger, &mut device, body);
        assert!(matches!(result, Err(Refused::WatchLimit)), "{result:?}");
    }
    let by_the_watch = |applied: Applied| assert_eq!(applied.guardian, "watch");
    by_the_watch(order(&mut ledger, &mut device, app("draw", Some(NOW + 3600))).unwrap());
    by_the_watch(order(&mut ledger, &mut device, time(Some("games"), 60, Some(NOW + 3600))).unwrap());
    by_the_watch(order(&mut ledger, &mut device, Body::Pause { until: None }).unwrap());
    let counter = device.counter();
    assert_eq!(ledger.keyring().counter(&device.public().id()), counter);
    let mut again = Signer::from_secret(&[100; 32]).after(counter - 1);
    let result = order(&mut ledger, &mut again, Body::Pause { until: None });
    assert!(matches!(result, Err(Refused::Replayed { .. })));
}

#[test]
fn an_order_says_what_is_to_be_done_before_it_is_kept() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let boot_key = BootKey::of_bytes(b"an owner's");
    for (body, effect) in [
        (Body::Locate {}, Effect::Locate),
        (Body::Ring {}, Effect::Ring),
        (Body::Export {}, Effect::Export),
        (
            Body::Answer { request: 3, yes: true, until: Some(NOW + 1) },
            Effect::Answer { request: 3, yes: true, until: Some(NOW + 1) },
        ),
        (Body::Lost { on: true }, Effect::None),
    ] {
        let applied = order(&mut ledger, &mut mum, body).unwrap();
        assert_eq!(applied.effect, effect);
        assert!(!ledger.wiped());
    }
    for (body, effect) in [
        (Body::Wipe {}, Effect::Wipe),
        (Body::Unlock { boot_key: boot_key.clone() }, Effect::Unlock { boot_key }),
    ] {
        let mut ledger = ledger.clone();
        let mut mum = Signer::from_secret(&[1; 32]).after(mum.counter());
        assert_eq!(order(&mut ledger, &mut mum, body).unwrap().effect, effect);
        assert!(ledger.wiped());
        for door in [Door::Log, Door::Submit { code: Some(code()), now: NOW }] {
            let envelope = mum.order(&ledger.watch().clone(), NOW, Body::Ring {});
            assert!(matches!(through(&mut ledger, &envelope, door), Err(Refused::Wiped)));
            assert!(matches!(ledger.apply(b"", door), Err(Refused::Wiped)));
        }
    }
}
