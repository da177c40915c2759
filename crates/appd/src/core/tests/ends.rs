//! Going home, coming back, and every way to end.

use super::*;

#[test]
fn an_app_that_is_hidden_stands_still_until_it_is_shown_or_opened_again() {
    let (mut watch, session) = Watch::running("draw", None);
    for back in [Event::Show(session), Event::Open("draw".into())] {
        watch.hidden = true;
        watch.event(Event::Hide(session));
        watch.is(AppState::Frozen, "hidden");
        watch.pass(secs(599));
        watch.hidden = false;
        watch.event(back);
        watch.is(AppState::Running, "");
        assert_eq!(watch.session().session, session);
    }
    watch.hidden = true;
    watch.event(Event::Hide(session));
    watch.pass(secs(600));
    watch.is(AppState::None, "");
    assert!(watch.did(&Effect::End(session)));
}

#[test]
fn an_app_that_was_hidden_before_it_started_stands_still_at_once() {
    let mut watch = Watch::with(&[("draw", None)]);
    watch.open("draw");
    let session = watch.session().session;
    watch.hidden = true;
    watch.event(Event::Hide(session));
    watch.event(Event::Attached(session, true));
    watch.launcher(Launched::Started(session));
    watch.is(AppState::Frozen, "hidden");
}

#[test]
fn the_screen_ends_a_run_with_a_word_it_has() {
    for word in ["", "hung", "flood", "too-large", "protocol", "silent"] {
        let (mut watch, session) = Watch::running("draw", None);
        watch.event(Event::End(session, word.into()));
        watch.is(AppState::None, word);
        assert!(watch.did(&Effect::End(session)));
        assert_eq!(watch.lines(), [("app-closed", word.to_owned())]);
    }
    let (mut watch, session) = Watch::running("draw", None);
    for word in ["bored", "time-up", "\n"] {
        watch.event(Event::End(session, word.into()));
        assert!(watch.did(&Effect::Refuse(Refused::Malformed)));
        watch.is(AppState::Running, "");
    }
}

#[test]
fn a_run_that_is_not_there_can_not_be_touched() {
    let (mut watch, session) = Watch::running("draw", None);
    for event in [Event::Hide(session + 1), Event::Show(session - 1), Event::End(0, String::new())] {
        watch.effects.clear();
        watch.event(event);
        assert_eq!(watch.effects, [Effect::Refuse(Refused::NotFound)]);
    }
}

#[test]
fn an_app_ends_by_itself() {
    let ends = [
        (End::Exited(0), ""),
        (End::Exited(1), "crashed"),
        (End::Signalled(11), "crashed"),
        (End::OutOfMemory, "out-of-memory"),
    ];
    for (end, reason) in ends {
        let (mut watch, session) = Watch::running("draw", None);
        watch.launcher(Launched::Ended(session, end));
        watch.is(AppState::None, reason);
        assert!(watch.did(&Effect::Detach(session)) && !watch.did(&Effect::End(session)));
        assert_eq!(watch.lines(), [("app-closed", reason.to_owned())]);
    }
}

#[test]
fn an_app_ends_with_the_screen_it_was_on() {
    let (mut watch, session) = Watch::running("draw", None);
    watch.shell(false);
    watch.is(AppState::None, "");
    assert!(watch.did(&Effect::End(session)) && !watch.did(&Effect::Detach(session)));
    watch.shell(true);
    watch.launcher(Launched::Ended(session, End::Signalled(9)));
    watch.start("draw");
}

#[test]
fn an_app_is_gone_with_the_launcher() {
    let (mut watch, _) = Watch::running("draw", None);
    watch.launcher(Launched::Gone);
    watch.is(AppState::None, "crashed");
    watch.launcher(catalogue(&["draw"]));
    watch.start("draw");
}

#[test]
fn what_cannot_be_stopped_is_ended() {
    let (mut watch, session) = Watch::running("draw", None);
    watch.hidden = true;
    watch.event(Event::Hide(session));
    watch.launcher(Launched::NotDone(session, Refusal::Sandbox));
    watch.is(AppState::None, "sandbox");
    assert!(watch.did(&Effect::End(session)));
    watch.launcher(Launched::NothingToEnd(session));
    watch.start("draw");
}

#[test]
fn three_crashes_in_a_minute_and_it_rests_for_one() {
    let mut watch = Watch::with(&[("draw", None), ("maze", None)]);
    for _ in 0..3 {
        let session = watch.start("draw");
        watch.pass(secs(10));
        watch.launcher(Launched::Ended(session, End::Signalled(11)));
    }
    watch.open("draw");
    watch.is(AppState::None, "crashed");
    assert_eq!(watch.drawer()[0].2, "crashed");
    let maze = watch.start("maze");
    watch.event(Event::End(maze, String::new()));
    watch.launcher(Launched::Ended(maze, End::Signalled(9)));
    watch.pass(secs(60));
    assert_eq!(watch.drawer()[0].2, "");
    for _ in 0..5 {
        let session = watch.start("draw");
        watch.launcher(Launched::Ended(session, End::Signalled(11)));
        watch.pass(secs(31));
    }
}

#[test]
fn a_daemon_that_ends_takes_the_app_along() {
    let (mut watch, session) = Watch::running("draw", None);
    watch.event(Event::Stopping);
    assert!(watch.did(&Effect::End(session)));
    assert_eq!(watch.lines(), [("app-closed", String::new())]);
}
