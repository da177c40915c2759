//! Time, rules and policyd, while an app runs.

use super::*;

#[test]
fn at_its_time_an_app_stands_still_and_ten_seconds_later_it_is_over() {
    let (mut watch, session) = Watch::running("draw", Some(MORNING + 60));
    assert_eq!(watch.session().until_ms, 160_000);
    watch.pass(secs(59));
    watch.is(AppState::Running, "");
    watch.pass(secs(1));
    watch.is(AppState::Frozen, "time-up");
    assert!(watch.did(&Effect::Freeze(session)));
    watch.pass(secs(9));
    watch.is(AppState::Frozen, "time-up");
    watch.pass(secs(1));
    watch.is(AppState::None, "time-up");
    assert!(watch.did(&Effect::End(session)) && watch.did(&Effect::Detach(session)));
    assert_eq!(watch.lines(), [("app-closed", "time-up".into())]);
    watch.open("draw");
    watch.is(AppState::None, "time-up");
}

#[test]
fn a44_a_clock_set_back_gives_no_time() {
    let (mut watch, _) = Watch::running("draw", Some(MORNING + 60));
    watch.pass(secs(30));
    watch.now.unix -= 86_400;
    watch.event(Event::Tick);
    assert_eq!(watch.session().until_ms, 160_000);
    // Neither to an order that says nothing of this app, nor to the next run.
    watch.rules(Some(policy(&[("draw", Some(MORNING + 60)), ("maze", None)])));
    assert_eq!(watch.session().until_ms, 160_000);
    watch.pass(secs(30));
    watch.is(AppState::Frozen, "time-up");
    watch.pass(secs(10));
    watch.open("draw");
    watch.is(AppState::None, "time-up");
}

#[test]
fn a44_a_clock_set_forward_ends_it_and_back_again_does_not_revive_it() {
    let (mut watch, _) = Watch::running("draw", Some(MORNING + 600));
    watch.now.unix += 3600;
    watch.event(Event::Tick);
    watch.is(AppState::Frozen, "time-up");
    watch.now.unix -= 3600;
    watch.event(Event::Tick);
    watch.is(AppState::Frozen, "time-up");
    watch.pass(secs(10));
    watch.is(AppState::None, "time-up");
}

#[test]
fn a_guardian_who_gives_more_time_in_the_ten_seconds_lets_it_go_on() {
    let (mut watch, session) = Watch::running("draw", Some(MORNING + 60));
    watch.pass(secs(65));
    watch.rules(Some(policy(&[("draw", Some(MORNING + 120))])));
    assert!(watch.did(&Effect::Thaw(session)));
    watch.is(AppState::Running, "");
    assert_eq!(watch.session().until_ms, 220_000);
    watch.pass(secs(54));
    watch.is(AppState::Running, "");
    watch.pass(secs(11));
    watch.is(AppState::None, "time-up");
}

#[test]
fn a_grant_that_is_taken_away_or_cut_short_acts_at_once() {
    let changes: [(Option<Policy>, &str); 3] = [
        (Some(policy(&[("maze", None)])), "not-granted"),
        (Some(policy(&[("draw", Some(MORNING - 1))])), "time-up"),
        (None, "sealed"),
    ];
    for (rules, reason) in changes {
        let (mut watch, session) = Watch::running("draw", None);
        watch.rules(rules);
        watch.is(AppState::Frozen, reason);
        assert!(watch.did(&Effect::Freeze(session)));
        watch.pass(secs(10));
        watch.is(AppState::None, reason);
    }
}

#[test]
fn a45_an_app_stands_still_when_policyd_is_gone_ten_seconds() {
    let (mut watch, session) = Watch::running("draw", None);
    watch.policyd(false);
    watch.pass(secs(9));
    watch.is(AppState::Running, "");
    watch.policyd(true);
    watch.pass(secs(60));
    watch.is(AppState::Running, "");
    watch.policyd(false);
    watch.policyd(false);
    watch.pass(secs(10));
    watch.is(AppState::Frozen, "no-policy");
    watch.pass(secs(3600));
    watch.is(AppState::Frozen, "no-policy");
    watch.policyd(true);
    watch.is(AppState::Running, "");
    assert!(watch.did(&Effect::Thaw(session)));
}

#[test]
fn a45_time_goes_on_while_policyd_is_gone() {
    let (mut watch, _) = Watch::running("draw", Some(MORNING + 30));
    watch.policyd(false);
    watch.pass(secs(20));
    watch.is(AppState::Frozen, "no-policy");
    watch.pass(secs(10));
    watch.is(AppState::Frozen, "time-up");
    watch.pass(secs(10));
    watch.is(AppState::None, "time-up");
}

#[test]
fn policyd_back_with_other_rules_does_not_let_it_go_on() {
    let (mut watch, session) = Watch::running("draw", None);
    watch.policyd(false);
    watch.pass(secs(15));
    watch.rules(Some(policy(&[])));
    watch.policyd(true);
    watch.is(AppState::Frozen, "not-granted");
    assert!(!watch.did(&Effect::Thaw(session)));
}

#[test]
fn a_start_stops_when_the_rules_change_under_it() {
    let mut watch = Watch::with(&[("draw", None)]);
    watch.open("draw");
    watch.event(Event::Attached(watch.session().session, true));
    watch.rules(Some(policy(&[])));
    watch.is(AppState::None, "not-granted");
    assert!(watch.alive.is_empty());
}

#[test]
fn a48_hidden_is_not_for_free() {
    let (mut watch, session) = Watch::running("draw", Some(MORNING + 60));
    watch.hidden = true;
    watch.event(Event::Hide(session));
    watch.is(AppState::Frozen, "hidden");
    assert_eq!(watch.session().until_ms, 160_000);
    watch.pass(secs(61));
    watch.is(AppState::Frozen, "time-up");
    watch.hidden = false;
    watch.event(Event::Show(session));
    watch.is(AppState::Frozen, "time-up");
    assert!(!watch.did(&Effect::Thaw(session)));
}

#[test]
fn a_new_order_makes_the_catalogue_be_read_again() {
    let mut watch = Watch::with(&[("draw", None)]);
    watch.rules(Some(policy(&[("beads", None)])));
    assert!(watch.did(&Effect::List));
    watch.launcher(catalogue(&["beads"]));
    assert_eq!(watch.drawer(), [("beads".into(), "BEADS".into(), String::new())]);
}
