//! The child's list of calls.

use super::*;
use crate::core::{LOG_LONGEST, Log};

const DAY_MS: u64 = 24 * 60 * 60_000;

fn shown(watch: &Watch) -> Vec<String> {
    let line = |call: &ipc::PastCall| format!("{} {} {}s", call.contact, call.outcome, call.seconds);
    watch.core.log_told.calls.iter().map(line).collect()
}

fn missed(watch: &Watch) -> Vec<(String, u32)> {
    watch.core.log_told.missed.iter().map(|who| (who.name.clone(), who.count)).collect()
}

fn misses(watch: &mut Watch, number: &str) {
    watch.incoming("a", number);
    watch.gone("a");
}

/// What is on the disk.
fn kept(watch: &Watch) -> String {
    let kept = watch.effects.iter().rev().find_map(|effect| match effect {
        Effect::KeepLog(log) => Some(log.clone()),
        _ => None,
    });
    serde_json::to_string(&kept.unwrap_or_default()).unwrap()
}

#[test]
fn the_list_tells_how_calls_ended_newest_first() {
    let mut watch = Watch::new();
    watch.talk_to_mum();
    watch.wait(65_000);
    watch.seen("mum", Direction::Incoming, Progress::Over, MUM);
    misses(&mut watch, AUNT);
    watch.incoming("b", AUNT);
    watch.request(Request::HangUp(watch.core.shown.id));
    watch.gone("b");
    let dial = watch.request(Request::Dial("aunt".into()));
    watch.event(Event::Dialled(dial, None));
    assert_eq!(
        shown(&watch),
        ["aunt unanswered 0s", "aunt declined 0s", "aunt missed 0s", "mum answered 65s"]
    );
    assert_eq!(watch.core.log_told.calls[3].unix_time, MORNING + 77);
}

#[test]
fn t9_a_stranger_is_in_no_list_and_no_number_is() {
    let mut watch = Watch::new();
    misses(&mut watch, STRANGER);
    misses(&mut watch, "");
    misses(&mut watch, AUNT);
    assert_eq!(shown(&watch), ["aunt missed 0s"]);
    let kept = kept(&watch);
    assert!(!kept.contains("405550") && !kept.contains("AUNT"), "an id, no number and no name: {kept}");
}

#[test]
fn missed_calls_are_counted_by_caller_until_the_child_has_looked() {
    let mut watch = Watch::new();
    misses(&mut watch, AUNT);
    misses(&mut watch, MUM);
    misses(&mut watch, AUNT);
    assert_eq!(missed(&watch), [("AUNT".into(), 2), ("MUM".into(), 1)]);
    let newest = watch.core.log_told.missed[0].newest;
    misses(&mut watch, MUM);
    let ticket = watch.request(Request::SawMissed(newest));
    assert_eq!(watch.answer(ticket), Some(Ok(())));
    assert_eq!(missed(&watch), [("MUM".into(), 1)], "one that came since is not taken away unseen");
    assert_eq!(shown(&watch).len(), 4);
}

#[test]
fn who_was_told_busy_was_missed() {
    let mut watch = Watch::new();
    watch.incoming("a", MUM);
    watch.incoming("b", AUNT);
    assert_eq!(missed(&watch), [("AUNT".into(), 1)]);
}

#[test]
fn a_call_for_help_and_one_that_called_back_have_the_emergency_number_for_a_name() {
    let mut watch = Watch::new();
    watch.dial_emergency("112");
    watch.outgoing("a", Progress::Active, "112");
    watch.wait(3000);
    watch.gone("a");
    misses(&mut watch, STRANGER);
    assert_eq!(shown(&watch), [" missed 0s", " answered 3s"]);
    assert!(watch.core.log_told.calls.iter().all(|call| call.name == "112"));
    assert_eq!(missed(&watch), [("112".into(), 1)]);
}

#[test]
fn t16_a_call_goes_when_the_familys_days_are_over_and_at_once_when_they_are_fewer() {
    let mut watch = Watch::new();
    let mut policy = family();
    policy.retention.calls_days = 7;
    watch.rules(policy.clone(), false);
    misses(&mut watch, AUNT);
    watch.wait(4 * DAY_MS);
    misses(&mut watch, MUM);
    watch.wait(3 * DAY_MS - 1000);
    assert_eq!(shown(&watch).len(), 2);
    watch.wait(1000);
    assert_eq!(shown(&watch), ["mum missed 0s"]);
    assert!(!kept(&watch).contains("aunt"));
    policy.retention.calls_days = 2;
    watch.rules(policy, false);
    assert!(shown(&watch).is_empty() && missed(&watch).is_empty() && !kept(&watch).contains("mum"));
}

#[test]
fn t16_a_seal_does_not_keep_calls_longer() {
    let mut watch = Watch::new();
    let mut policy = family();
    policy.retention.calls_days = 2;
    watch.rules(policy, false);
    misses(&mut watch, MUM);
    watch.rules(Policy::of(Region::Neutral, family().contacts), true);
    watch.wait(2 * DAY_MS);
    assert!(shown(&watch).is_empty());
}

#[test]
fn the_list_is_bounded_and_a_restart_goes_on_with_it() {
    let mut watch = Watch::new();
    for _ in 0..LOG_LONGEST + 50 {
        misses(&mut watch, AUNT);
    }
    assert_eq!(shown(&watch).len(), LOG_LONGEST);
    let log: Log = serde_json::from_str(&kept(&watch)).unwrap();
    let mut restarted = Watch::new();
    restarted.event(Event::Log(log));
    assert_eq!(shown(&restarted), shown(&watch));
    let newest = restarted.core.log_told.missed[0].newest;
    misses(&mut restarted, AUNT);
    assert_eq!(restarted.core.log_told.missed[0].newest, newest + 1);
}

#[test]
fn a44_a_call_of_a_wrong_clock_is_not_kept_for_ever() {
    let mut watch = Watch::new();
    let future = MORNING + 100_000_000;
    let log = r#"{"days":30,"newest":1,"calls":[{"seq":1,"at":FUTURE,"contact":"mum","emergency":"",
        "incoming":true,"outcome":"missed","seconds":0,"unseen":false}]}"#;
    let log = log.replace("FUTURE", &future.to_string());
    watch.event(Event::Log(serde_json::from_str(&log).unwrap()));
    assert_eq!(shown(&watch).len(), 1, "the clock of now may be the wrong one");
    misses(&mut watch, AUNT);
    watch.wait(30 * DAY_MS);
    assert!(shown(&watch).is_empty());
}

#[test]
fn who_was_taken_from_the_family_is_not_in_the_list_any_more() {
    let mut watch = Watch::new();
    misses(&mut watch, AUNT);
    watch.rules(without("aunt"), false);
    assert!(shown(&watch).is_empty() && missed(&watch).is_empty());
}
