//! The real appd on a private bus, between a policyd, a shell and a launcher of the test's.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod house;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ipc::{AppState, Refusal};
use launch::{AppId, End, Request};

use house::{House, Shell, apps};

fn in_seconds(seconds: i64) -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64 + seconds
}

fn start(app: &str, session: u64) -> Request {
    Request::Start { app: AppId::parse(app).unwrap(), session }
}

#[tokio::test]
async fn an_app_starts_on_its_place_stands_still_hidden_and_ends_by_the_childs_wish() {
    let mut house = House::start(&[("draw", None)]).await;
    let session = house.run("draw").await;
    house.launcher.is_asked(&start("draw", session)).await;
    // The launcher holds the other end of the screen's place, and no other descriptor.
    house.shell.write(session, b"a touch");
    let display = house.launcher.book().displays[&session].clone();
    let mut heard = [0; 16];
    assert_eq!(rustix::io::read(&*display, &mut heard).unwrap(), 7);

    house.shell.apps.hide(session).await.unwrap();
    house.launcher.is_asked(&Request::Freeze { session }).await;
    assert_eq!(house.shell.apps.session().await.unwrap().reason, "hidden");
    house.shell.apps.show(session).await.unwrap();
    house.launcher.is_asked(&Request::Thaw { session }).await;

    house.shell.apps.end(session, "").await.unwrap();
    house.shell.told(0, AppState::None, "").await;
    house.launcher.is_asked(&Request::End { session }).await;
    house.shell.place_is_gone(session).await;
    assert_eq!(house.policyd.line("app-opened").await["app"], "draw");
    let closed = house.policyd.line("app-closed").await;
    assert_eq!((closed["app"].as_str(), closed.contains_key("reason")), ("draw", false));
}

#[tokio::test]
async fn t11_an_app_nobody_granted_is_never_started() {
    let mut house = House::start(&[("draw", None)]).await;
    for app in ["maze", "sh"] {
        let skip = house.shell.count();
        house.shell.apps.open(app).await.unwrap();
        assert_eq!(house.shell.told(skip, AppState::None, "not-granted").await.1.app, app);
    }
    assert!(matches!(house.shell.apps.open("../draw").await, Err(Refusal::Malformed(_))));
    house.launcher.is_not_asked("a start", |asked| matches!(asked, Request::Start { .. })).await;
    let line = house.policyd.line("app-refused").await;
    assert_eq!((line["app"].as_str(), line["reason"].as_str()), ("maze", "not-granted"));
}

#[tokio::test]
async fn a35_what_the_launcher_refuses_is_told_and_does_not_run() {
    let mut house = House::start(&[("draw", None), ("beads", None)]).await;
    for refusal in [launch::Refusal::NotSigned, launch::Refusal::Altered] {
        house.launcher.refuse(Some(refusal));
        let skip = house.shell.count();
        house.shell.apps.open("beads").await.unwrap();
        let (_, session) = house.shell.told(skip, AppState::None, refusal.as_str()).await;
        house.shell.place_is_gone(session.session).await;
    }
    let drawer = house.shell.apps.apps().await.unwrap();
    let rows: Vec<_> =
        drawer.iter().map(|app| (app.id.as_str(), app.name.as_str(), app.reason.as_str())).collect();
    assert_eq!(rows, [("beads", "beads", "not-signed"), ("draw", "Draw", "")]);
    house.launcher.refuse(None);
    house.run("draw").await;
}

#[tokio::test]
async fn at_its_time_an_app_stands_still_and_ten_seconds_later_it_is_over() {
    let until = in_seconds(3);
    let mut house = House::start(&[("draw", Some(until))]).await;
    let session = house.run("draw").await;
    let (frozen, told) = house.shell.told(0, AppState::Frozen, "time-up").await;
    assert!(in_seconds(0) >= until - 1 && in_seconds(0) <= until + 1, "not at its time");
    assert!(told.until_ms > 0);
    house.launcher.is_asked(&Request::Freeze { session }).await;
    let (over, _) = house.shell.told(0, AppState::None, "time-up").await;
    let stood = over - frozen;
    assert!(stood > Duration::from_secs(9) && stood < Duration::from_secs(12), "{stood:?}");
    house.launcher.is_asked(&Request::End { session }).await;
    assert_eq!(house.policyd.line("app-closed").await["reason"], "time-up");
    assert_eq!(house.shell.apps.apps().await.unwrap()[0].reason, "time-up");
}

#[tokio::test]
async fn an_order_takes_an_app_away_and_gives_it_back_at_once() {
    let mut house = House::start(&[("draw", None)]).await;
    let session = house.run("draw").await;
    house.publish(&[("maze", None)]).await;
    house.shell.told(0, AppState::Frozen, "not-granted").await;
    house.launcher.is_asked(&Request::Freeze { session }).await;
    let skip = house.shell.count();
    house.publish(&[("draw", Some(in_seconds(3600)))]).await;
    let (_, back) = house.shell.told(skip, AppState::Running, "").await;
    assert!(back.session == session && back.until_ms > 0);
    house.launcher.is_asked(&Request::Thaw { session }).await;
}

#[tokio::test]
async fn a45_ten_seconds_without_policyd_and_nothing_runs_or_starts() {
    let mut house = House::start(&[("draw", None), ("maze", None)]).await;
    let session = house.run("draw").await;
    let gone = tokio::time::Instant::now();
    house.policyd.leave().await;
    let (frozen, _) = house.shell.told(0, AppState::Frozen, "no-policy").await;
    let went_on = frozen - gone;
    assert!(went_on > Duration::from_secs(9) && went_on < Duration::from_secs(12), "{went_on:?}");
    house.launcher.is_asked(&Request::Freeze { session }).await;
    let skip = house.shell.count();
    house.policyd.come_back().await;
    house.shell.told(skip, AppState::Running, "").await;
    house.launcher.is_asked(&Request::Thaw { session }).await;
}

#[tokio::test]
async fn a_late_shell_reads_how_things_stand_and_the_app_ended_with_the_one_before() {
    let mut house = House::start(&[("draw", None)]).await;
    let session = house.run("draw").await;
    house.shell.connection.clone().close().await.unwrap();
    house.launcher.is_asked(&Request::End { session }).await;
    house.shell = Shell::start(&house.bus).await;
    let stands = house.shell.apps.session().await.unwrap();
    assert_eq!((stands.state, stands.session), (AppState::None, session));
    let next = house.run("draw").await;
    assert!(next > session && house.shell.has_place(next));
}

#[tokio::test]
async fn a_launcher_that_crashes_is_found_again() {
    let mut house = House::start(&[("draw", None)]).await;
    house.run("draw").await;
    house.launcher.crash();
    house.shell.told(0, AppState::None, "crashed").await;
    house
        .eventually("the drawer is as before", async |house| {
            house.shell.apps.apps().await.unwrap()[0].reason.is_empty().then_some(())
        })
        .await;
    let session = house.run("draw").await;
    house.launcher.ends(session, End::OutOfMemory);
    house.shell.told(0, AppState::None, "out-of-memory").await;
    let lists = house.launcher.book().requests.iter().filter(|asked| **asked == Request::List).count();
    assert!(lists >= 2 && house.launcher.book().connections == 2);
}

#[tokio::test]
async fn a_launcher_that_does_not_answer_is_left() {
    let mut house = House::start(&[("draw", None)]).await;
    house.launcher.is_mute(true);
    house.shell.apps.open("draw").await.unwrap();
    let (_, session) = house.shell.told(0, AppState::None, "sandbox").await;
    assert_eq!(session.app, "draw");
    house.launcher.is_mute(false);
    house.launcher.until("another connection", |book| book.connections == 2).await;
    house
        .eventually("it starts", async |house| {
            house.shell.apps.open("draw").await.unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
            (house.shell.apps.session().await.unwrap().state == AppState::Running).then_some(())
        })
        .await;
}

#[tokio::test]
async fn t2_only_the_screen_touches_apps() {
    let mut house = House::start(&[("draw", None)]).await;
    let session = house.run("draw").await;
    let telephony = house.bus.connect().await.unwrap();
    telephony.request_name(ipc::names::TELEPHONY).await.unwrap();
    let stranger = apps(&telephony).await;
    let agent = apps(&house.agent).await;
    for refused in [
        stranger.open("draw").await,
        stranger.hide(session).await,
        stranger.end(session, "").await,
        agent.hide(session).await,
        agent.show(session).await,
        agent.end(session, "").await,
    ] {
        assert!(matches!(refused, Err(Refusal::NotAllowed(_))), "{refused:?}");
    }
    assert!(stranger.session().await.is_err() && stranger.apps().await.is_err());
    assert_eq!(agent.session().await.unwrap().session, session);
    agent.open("draw").await.unwrap();
    assert!(matches!(house.shell.apps.hide(session + 1).await, Err(Refusal::NotFound(_))));
    assert!(matches!(house.shell.apps.end(session, "bored").await, Err(Refusal::Malformed(_))));
}

#[tokio::test]
async fn the_interface_is_the_golden_one() {
    let house = House::start(&[]).await;
    let xml = house.shell.apps.inner().introspect().await.unwrap();
    testkit::golden::interface(&xml, "org.nestling.Apps1");
}
