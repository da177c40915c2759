//! From the touch to a running app, and what can come between.

use super::*;

#[test]
fn a_granted_app_gets_its_place_is_started_and_runs() {
    let mut watch = Watch::with(&[("draw", None)]);
    watch.open("draw");
    watch.is(AppState::Starting, "");
    let session = watch.session().session;
    assert!(watch.did(&Effect::Attach(session)) && watch.alive.is_empty(), "no place, no start");
    watch.event(Event::Attached(session, true));
    assert!(watch.did(&Effect::Start(session, id("draw"))));
    watch.is(AppState::Starting, "");
    watch.launcher(Launched::Started(session));
    watch.is(AppState::Running, "");
    assert_eq!((watch.session().name.as_str(), watch.session().until_ms), ("DRAW", 0));
    assert_eq!(watch.lines(), [("app-opened", String::new())]);
}

#[test]
fn t11_an_app_nobody_granted_never_reaches_screen_or_launcher() {
    let mut watch = Watch::with(&[("draw", None)]);
    for app in ["maze", "sh", "draw2"] {
        watch.open(app);
        watch.is(AppState::None, "not-granted");
        assert_eq!(watch.session().app, app);
    }
    let asked = |effect: &Effect| matches!(effect, Effect::Attach(_) | Effect::Start(..));
    assert!(!watch.effects.iter().any(asked));
    assert!(watch.lines().iter().all(|(kind, reason)| *kind == "app-refused" && reason == "not-granted"));
}

#[test]
fn a37_a_path_is_no_app() {
    let mut watch = Watch::with(&[("draw", None)]);
    for app in ["", "../draw", "/bin/sh", "Draw", "draw\0"] {
        watch.effects.clear();
        watch.open(app);
        assert_eq!(watch.effects, [Effect::Refuse(Refused::Malformed)], "{app:?}");
    }
}

#[test]
fn a35_the_launchers_no_is_the_last_word() {
    for refusal in [Refusal::NotSigned, Refusal::Altered, Refusal::Expired, Refusal::NotGranted] {
        let mut watch = Watch::with(&[("draw", None)]);
        watch.open("draw");
        let session = watch.session().session;
        watch.event(Event::Attached(session, true));
        watch.launcher(Launched::NotStarted(session, refusal));
        watch.is(AppState::None, refusal.as_str());
        assert!(watch.did(&Effect::Detach(session)) && watch.core.deadline().is_none());
        assert_eq!(watch.lines(), [("app-refused", refusal.as_str().to_owned())]);
    }
}

#[test]
fn a45_without_rules_nothing_starts() {
    let mut watch = Watch::with(&[("draw", None)]);
    watch.rules(None);
    watch.open("draw");
    watch.is(AppState::None, "sealed");
    assert!(watch.drawer().is_empty());
}

#[test]
fn a45_without_policyd_nothing_starts_after_ten_seconds() {
    let mut watch = Watch::with(&[("draw", None)]);
    watch.policyd(false);
    watch.pass(secs(9));
    let session = watch.start("draw");
    watch.event(Event::End(session, String::new()));
    watch.launcher(Launched::Ended(session, End::Signalled(9)));
    watch.pass(secs(1));
    watch.open("draw");
    watch.is(AppState::None, "no-policy");
    assert_eq!(watch.drawer()[0].2, "no-policy");
    watch.policyd(true);
    watch.start("draw");
}

#[test]
fn without_launcher_or_screen_nothing_starts() {
    let mut watch = Watch::with(&[("draw", None)]);
    watch.launcher(Launched::Gone);
    watch.open("draw");
    watch.is(AppState::None, "sandbox");
    assert_eq!(watch.drawer(), [("draw".into(), "DRAW".into(), "sandbox".into())]);
    watch.launcher(catalogue(&["draw"]));
    watch.shell(false);
    watch.open("draw");
    watch.is(AppState::None, "no-display");
    watch.shell(true);
    watch.open("draw");
    let session = watch.session().session;
    watch.event(Event::Attached(session, false));
    watch.is(AppState::None, "no-display");
}

#[test]
fn a_start_that_takes_ten_seconds_is_given_up() {
    for attached in [false, true] {
        let mut watch = Watch::with(&[("draw", None)]);
        watch.open("draw");
        let session = watch.session().session;
        if attached {
            watch.event(Event::Attached(session, true));
        }
        watch.pass(secs(9));
        watch.is(AppState::Starting, "");
        watch.pass(secs(1));
        watch.is(AppState::None, "sandbox");
        assert_eq!(watch.did(&Effect::End(session)), attached);
        // A late yes finds nobody.
        watch.launcher(Launched::Started(session));
        watch.is(AppState::None, "sandbox");
        assert!(watch.alive.is_empty());
    }
}

#[test]
fn another_app_ends_the_first_and_waits_for_its_end() {
    let mut watch = Watch::with(&[("draw", None), ("maze", None)]);
    let draw = watch.start("draw");
    watch.effects.clear();
    watch.open("maze");
    let maze = watch.session().session;
    assert!(maze != draw && watch.did(&Effect::End(draw)));
    watch.event(Event::Attached(maze, true));
    assert!(watch.alive.is_empty(), "the first has not ended yet");
    watch.launcher(Launched::Ended(draw, End::Signalled(9)));
    assert!(watch.did(&Effect::Start(maze, id("maze"))));
    watch.launcher(Launched::Started(maze));
    watch.is(AppState::Running, "");
    let kinds: Vec<_> = watch.lines().into_iter().collect();
    assert_eq!(kinds, [("app-closed", String::new()), ("app-opened", String::new())]);
}

#[test]
fn a_launcher_that_does_not_end_an_app_is_left() {
    let mut watch = Watch::with(&[("draw", None), ("maze", None)]);
    let draw = watch.start("draw");
    watch.event(Event::End(draw, String::new()));
    watch.pass(secs(9));
    assert!(!watch.did(&Effect::DropLauncher));
    watch.pass(secs(1));
    assert!(watch.did(&Effect::DropLauncher));
    watch.launcher(Launched::Gone);
    watch.launcher(catalogue(&["draw", "maze"]));
    watch.start("maze");
}

#[test]
fn a_run_of_before_a_broken_connection_is_ended_when_it_turns_up() {
    let mut watch = Watch::with(&[("draw", None)]);
    watch.open("draw");
    let session = watch.session().session;
    watch.event(Event::Attached(session, true));
    watch.launcher(Launched::Gone);
    watch.is(AppState::None, "crashed");
    watch.launcher(catalogue(&["draw"]));
    watch.effects.clear();
    watch.launcher(Launched::Started(session));
    assert_eq!(watch.effects, [Effect::End(session)]);
}

#[test]
fn a_finger_on_a_refused_app_writes_one_line_in_ten_seconds() {
    let mut watch = Watch::with(&[("draw", None)]);
    let mut before = 0;
    for _ in 0..5 {
        watch.open("maze");
        assert!(watch.session().session > before, "the screen sees every touch answered");
        before = watch.session().session;
        watch.pass(secs(2));
    }
    assert_eq!(watch.lines().len(), 1);
    watch.open("maze");
    assert_eq!(watch.lines().len(), 2);
    for app in 0..100 {
        watch.open(&format!("made-up-{app}"));
    }
    assert!(watch.lines().len() < 40);
}

#[test]
fn the_drawer_holds_every_grant_and_why_it_cannot_start() {
    let mut watch = Watch::with(&[("maze", Some(MORNING + 5)), ("draw", None), ("beads", None)]);
    let row = |id: &str, name: &str, reason: &str| (id.to_owned(), name.to_owned(), reason.to_owned());
    assert_eq!(
        watch.drawer(),
        [row("beads", "beads", "not-signed"), row("draw", "DRAW", ""), row("maze", "MAZE", "")]
    );
    watch.pass(secs(5));
    assert_eq!(watch.drawer()[2], row("maze", "MAZE", "time-up"));
    let told = |effect: &Effect| matches!(effect, Effect::Apps(apps) if apps[2].reason == "time-up");
    assert!(watch.effects.iter().any(told), "the screen is told when a grant ends");
    assert_eq!(watch.core.deadline(), None, "nothing left to wait for");
}
