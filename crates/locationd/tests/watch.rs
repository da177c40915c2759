//! The real locationd, the image's gpsd and a simulated sky, on a private bus.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod world;

use std::time::Duration;

use ipc::{Location1Proxy, Position, Refusal};
use jiff::Timestamp;
use nestling_locationd::track::Row;
use policy::{Days, Expect, Place, Zone};
use sim::{LatLon, Walk};
use zbus::Connection;

use world::{SCHOOL, Watch, home, school_zone, south_of_school};

const PATIENCE: Duration = Duration::from_secs(40);

async fn until(location: &Location1Proxy<'_>, what: &str, wanted: impl Fn(&Position) -> bool) -> Position {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let last = location.position().await;
        match &last {
            Ok(position) if wanted(position) => return position.clone(),
            _ => {}
        }
        assert!(tokio::time::Instant::now() < end, "not {what}: {last:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// 40 m/s: fast for a child, plausible for a watch.
fn walk(to: LatLon) -> Walk {
    Walk::new(vec![to], 40.0).unwrap()
}

fn metres_from_school(latitude: f64, longitude: f64) -> f64 {
    Place::new(latitude, longitude).unwrap().distance_m(Place::new(SCHOOL.0, SCHOOL.1).unwrap())
}

#[tokio::test]
async fn walking_into_school_is_in_the_diary_once_also_when_gpsd_dies_on_the_way() {
    let mut watch = Watch::start(&[school_zone()]).await;
    let location = Location1Proxy::new(&watch.agent).await.unwrap();
    let at_home = until(&location, "known", |position| position.known).await;
    assert!((metres_from_school(at_home.latitude, at_home.longitude) - 400.0).abs() < 20.0);
    assert_eq!(at_home.zone, "");

    watch.gpsd.kill();
    tokio::time::sleep(Duration::from_secs(1)).await;
    watch.gpsd.restart().unwrap();
    until(&location, "known again", |position| position.unix_time > at_home.unix_time + 2).await;

    watch.world.walk(walk(LatLon::new(SCHOOL.0, SCHOOL.1).unwrap()));
    let entered = watch.policyd.line(0, PATIENCE).await;
    assert_eq!(entered.kind, "zone-entered");
    let detail = |key: &str| entered.details.get(key).cloned().unwrap_or_default();
    assert_eq!((detail("zone"), detail("name")), ("school".to_owned(), "School".to_owned()));
    assert!(!entered.details.contains_key("found"), "it was seen coming");
    assert!(entered.details.values().all(|text| !text.contains("60.1") && !text.contains("24.9")));
    assert!(detail("time").starts_with("20") && detail("time").ends_with('Z'));

    let before = until(&location, "in school", |position| position.zone == "school").await;
    assert!(metres_from_school(before.latitude, before.longitude) <= 120.0);
    watch.gpsd.restart().unwrap();
    until(&location, "known after a crash", |position| position.unix_time > before.unix_time + 4).await;
    assert_eq!(watch.policyd.lines().len(), 1, "{:?}", watch.policyd.lines());
    watch.log_holds_no_coordinate();
    let track = watch.track();
    let distance = |row: &Row| {
        let place = row.place().unwrap();
        metres_from_school(place.latitude(), place.longitude())
    };
    assert!((distance(&track[0]) - 400.0).abs() < 20.0);
    assert!(track.windows(2).all(|rows| rows[0].unix_time < rows[1].unix_time));
}

#[tokio::test]
async fn leaving_while_policyd_is_gone_reaches_the_diary_when_it_is_back() {
    let watch = Watch::start(&[school_zone()]).await;
    let location = Location1Proxy::new(&watch.agent).await.unwrap();
    watch.world.move_to(LatLon::new(SCHOOL.0, SCHOOL.1).unwrap());
    let found = watch.policyd.line(0, PATIENCE).await;
    assert_eq!((found.kind.as_str(), found.details.contains_key("found")), ("zone-entered", true));

    watch.policyd.leave().await;
    watch.world.walk(walk(home()));
    until(&location, "out of school", |position| position.known && position.zone.is_empty()).await;
    assert_eq!(watch.policyd.lines().len(), 1);
    watch.policyd.come_back().await;
    assert_eq!(watch.policyd.line(1, PATIENCE).await.kind, "zone-left");
    watch.log_holds_no_coordinate();
}

#[tokio::test]
async fn a52_whoever_starts_the_watch_again_hides_no_leaving() {
    let mut watch = Watch::start(&[school_zone()]).await;
    watch.world.move_to(LatLon::new(SCHOOL.0, SCHOOL.1).unwrap());
    let found = watch.policyd.line(0, PATIENCE).await;
    assert_eq!(found.kind, "zone-entered");
    watch.keeps("true").await;
    watch.restart(|world| world.move_to(home())).await;
    let left = watch.policyd.line(1, PATIENCE).await;
    assert_eq!((left.kind.as_str(), left.details["zone"].as_str()), ("zone-left", "school"));
    watch.log_holds_no_coordinate();
}

#[tokio::test]
async fn a52_a_leaving_that_policyd_has_not_heard_of_is_told_after_a_crash() {
    let mut watch = Watch::start(&[school_zone()]).await;
    let location = Location1Proxy::new(&watch.agent).await.unwrap();
    watch.world.move_to(LatLon::new(SCHOOL.0, SCHOOL.1).unwrap());
    assert_eq!(watch.policyd.line(0, PATIENCE).await.kind, "zone-entered");
    watch.keeps("true").await;

    watch.policyd.leave().await;
    watch.world.walk(walk(home()));
    let out = until(&location, "out of school", |position| position.known && position.zone.is_empty()).await;
    // Long enough to have kept it.
    until(&location, "seconds later", |position| position.unix_time > out.unix_time + 3).await;
    watch.restart(|world| world.move_to(home())).await;
    watch.policyd.come_back().await;
    assert_eq!(watch.policyd.line(1, PATIENCE).await.kind, "zone-left");
    watch.keeps("false").await;
}

async fn until_device_is(watch: &Watch, open: bool) {
    let end = tokio::time::Instant::now() + PATIENCE;
    while watch.gpsd.has_device_open() != open {
        assert!(tokio::time::Instant::now() < end, "the receiver is open: {}", !open);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// gpsd by itself would keep it open for a minute.
#[tokio::test]
async fn after_a_look_gpsd_lets_go_of_the_receiver_and_new_zones_have_it_back() {
    let mut watch = Watch::start_with(&[], false).await;
    let location = Location1Proxy::new(&watch.agent).await.unwrap();
    for revision in 2..4 {
        until(&location, "known", |position| position.known).await;
        until_device_is(&watch, false).await;
        let known = location.position().await.unwrap();
        watch.world.move_to(south_of_school(10.0 * revision as f64));
        // The device keeps what it says meanwhile, and that is not taken for now; and nobody comes here faster.
        tokio::time::sleep(Duration::from_secs(8)).await;
        watch.publish(revision, &[school_zone()]).await;
        let moved = until(&location, "another look", |position| position.unix_time > known.unix_time).await;
        let distance = metres_from_school(moved.latitude, moved.longitude);
        assert!((distance - 10.0 * revision as f64).abs() < 15.0, "{distance}");
    }
    until_device_is(&watch, false).await;
    // A gpsd that was started again has its device, and waits for a client.
    watch.gpsd.restart().unwrap();
    let before = location.position().await.unwrap();
    watch.publish(4, &[]).await;
    until(&location, "a look through another gpsd", |position| position.unix_time > before.unix_time).await;
    until_device_is(&watch, false).await;
    watch.log_holds_no_coordinate();
}

/// It waits for a minute to begin.
#[tokio::test]
async fn a_watch_that_is_not_at_school_when_it_should_be_is_in_the_diary_with_what_is_known_of_it() {
    let watch = Watch::start(&[]).await;
    let location = Location1Proxy::new(&watch.agent).await.unwrap();
    until(&location, "known", |position| position.known).await;
    // The family's zone is UTC. It takes twenty seconds to be sure that the watch is at home, and what is said of a minute is said two later.
    let minute = (Timestamp::now().as_second() + 35) / 60 - 1;
    let by = format!("{:02}:{:02}", minute / 60 % 24, minute % 60).parse().unwrap();
    let expect = vec![Expect { days: Days::ALL, by }];
    // Of two such zones the watch is in one.
    let home = Zone { id: "home".into(), name: "Home".into(), latitude_e6: 60_167_403, ..school_zone() };
    let zones = [school_zone(), home].map(|zone| Zone { expect: expect.clone(), ..zone });
    watch.publish(2, &zones).await;
    let found = watch.policyd.line(0, PATIENCE).await;
    assert_eq!((found.kind.as_str(), found.details["zone"].as_str()), ("zone-entered", "home"));
    let late = watch.policyd.line(1, PATIENCE + Duration::from_mins(1)).await;
    assert_eq!((late.kind.as_str(), late.details["zone"].as_str()), ("zone-late", "school"));
    assert_eq!((late.details["name"].as_str(), late.details["watch"].as_str()), ("School", "elsewhere"));
    let due = Timestamp::from_second(minute * 60).unwrap();
    assert_eq!(late.details["time"].parse::<Timestamp>().unwrap(), due);
    assert!(late.details.values().all(|text| !text.contains("60.1") && !text.contains("24.9")));
    assert_eq!(watch.policyd.lines().len(), 2, "who is at home is not late there");
    watch.log_holds_no_coordinate();
}

/// Two fixes end a look; help that is called for keeps the receiver on.
#[tokio::test]
async fn a43_the_receiver_stays_on_for_help_that_telephonyd_calls_and_for_nobody_else() {
    let watch = Watch::start_with(&[], false).await;
    let location = Location1Proxy::new(&watch.agent).await.unwrap();
    until(&location, "known", |position| position.known).await;
    until_device_is(&watch, false).await;
    let others = ["org.nestling.Shell", "org.nestling.Apps", "org.example.Other"];
    for name in others {
        let connection = watch.bus.connect().await.unwrap();
        connection.request_name(name).await.unwrap();
        let refused = Location1Proxy::new(&connection).await.unwrap().help_called().await;
        assert!(matches!(refused, Err(Refusal::NotAllowed(_))), "{name}: {refused:?}");
    }
    assert!(!watch.gpsd.has_device_open());
    let before = location.position().await.unwrap();
    let telephonyd = watch.bus.connect().await.unwrap();
    telephonyd.request_name("org.nestling.Telephony").await.unwrap();
    Location1Proxy::new(&telephonyd).await.unwrap().help_called().await.unwrap();
    until_device_is(&watch, true).await;
    until(&location, "told for longer than a look", |position| position.unix_time > before.unix_time + 15)
        .await;
    assert!(watch.gpsd.has_device_open());
}

/// Where it was found last is in the track, although it has not moved by what makes a row.
#[tokio::test]
async fn the_last_place_before_the_battery_dies_is_kept_and_the_receiver_waits_for_the_charger() {
    let watch = Watch::start_with(&[], false).await;
    let location = Location1Proxy::new(&watch.agent).await.unwrap();
    until(&location, "known", |position| position.known).await;
    until_device_is(&watch, false).await;
    let first = location.position().await.unwrap();
    let rows = watch.track().len();

    watch.battery(2);
    // Whatever wakes it has it look at the battery.
    watch.publish(2, &[school_zone()]).await;
    let last = until(&location, "a last look", |position| position.unix_time > first.unix_time).await;
    until_device_is(&watch, false).await;
    let last_row = until_kept(&watch, &location).await;
    assert!(last_row.unix_time >= last.unix_time && watch.track().len() > rows);
    watch.publish(3, &[]).await;
    watch.battery(50);
    watch.publish(4, &[school_zone()]).await;
    until(&location, "a look with power", |position| position.unix_time > last_row.unix_time).await;
    until_device_is(&watch, false).await;
    watch.log_holds_no_coordinate();
}

/// The last row, once it is of the newest position.
async fn until_kept(watch: &Watch, location: &Location1Proxy<'_>) -> Row {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let newest = location.position().await.unwrap();
        let row = watch.track().last().copied();
        if let Some(row) = row.filter(|row| row.unix_time == newest.unix_time) {
            return row;
        }
        assert!(tokio::time::Instant::now() < end, "the last row is {row:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn new_rules_are_in_force_at_once() {
    let mut watch = Watch::start(&[]).await;
    let location = Location1Proxy::new(&watch.agent).await.unwrap();
    watch.world.move_to(south_of_school(10.0));
    until(&location, "known", |position| position.known).await;
    watch.publish(2, &[school_zone()]).await;
    let inside = until(&location, "in school", |position| position.zone == "school").await;

    // The sky is gone: no fix makes locationd look at the file, policyd's word has to.
    watch.gpsd.kill();
    watch.publish(3, &[]).await;
    let outside = until(&location, "without zones", |position| position.zone.is_empty()).await;
    assert!(outside.known && outside.unix_time >= inside.unix_time);
    watch.log_holds_no_coordinate();
}

#[tokio::test]
async fn a51_a_fix_from_the_other_side_of_town_for_a_moment_moves_nobody() {
    let watch = Watch::start(&[school_zone()]).await;
    let location = Location1Proxy::new(&watch.agent).await.unwrap();
    let far = south_of_school(50_000.0);
    until(&location, "known", |position| position.known).await;
    watch.world.move_to(far);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    watch.world.move_to(home());
    for _ in 0..30 {
        let position = location.position().await.unwrap();
        assert!(metres_from_school(position.latitude, position.longitude) < 1000.0, "{position:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(watch.policyd.lines().is_empty());
}

/// What `Get` answers, and whether `GetAll` tells it.
async fn asked(connection: &Connection) -> (Result<Position, String>, bool) {
    let location = Location1Proxy::new(connection).await.unwrap();
    let got = location.position().await.map_err(|error| error.to_string());
    let all = zbus::fdo::PropertiesProxy::builder(connection)
        .destination(ipc::names::LOCATION)
        .path(ipc::paths::LOCATION)
        .build()
        .await
        .unwrap()
        .get_all("org.nestling.Location1".try_into().unwrap())
        .await;
    (got, all.is_ok_and(|all| all.contains_key("Position")))
}

#[tokio::test]
async fn a38_only_the_agent_reads_the_position_and_telephonyd_only_while_help_is_called() {
    let watch = Watch::start(&[]).await;
    watch.policyd.leave().await;
    let mut others = Vec::new();
    for name in ["org.nestling.Shell", "org.nestling.Policy", "org.nestling.Apps"] {
        let connection = watch.bus.connect().await.unwrap();
        connection.request_name(name).await.unwrap();
        others.push((name, connection));
    }
    let telephonyd = watch.bus.connect().await.unwrap();
    telephonyd.request_name("org.nestling.Telephony").await.unwrap();
    let (refused, seen) = asked(&telephonyd).await;
    assert!(refused.is_err() && !seen, "{refused:?}");
    for help in [false, true] {
        for (name, connection) in &others {
            assert_eq!(asked(connection).await, (refused.clone(), false), "{name}, help {help}");
        }
        assert!(matches!(asked(&watch.agent).await, (Ok(_), true)));
        Location1Proxy::new(&telephonyd).await.unwrap().help_called().await.unwrap();
        assert!(matches!(asked(&telephonyd).await, (Ok(_), true)));
    }
}

#[tokio::test]
async fn t14_that_telephonyd_may_read_the_position_is_one_line_of_the_diary_without_a_place() {
    let watch = Watch::start(&[]).await;
    let telephonyd = watch.bus.connect().await.unwrap();
    telephonyd.request_name("org.nestling.Telephony").await.unwrap();
    let location = Location1Proxy::new(&telephonyd).await.unwrap();
    location.help_called().await.unwrap();
    let line = watch.policyd.line(0, PATIENCE).await;
    let details: Vec<_> = line.details.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!((line.kind.as_str(), details), ("position-for-help", vec![("minutes", "3")]));
    location.help_called().await.unwrap();
    let home = Zone { id: "home".into(), name: "Home".into(), latitude_e6: 60_167_403, ..school_zone() };
    watch.publish(2, &[home]).await;
    assert_eq!(watch.policyd.line(1, PATIENCE).await.kind, "zone-entered", "the same call is told once");
    watch.log_holds_no_coordinate();
}

#[tokio::test]
async fn the_interface_is_the_golden_one() {
    let watch = Watch::start(&[]).await;
    let location = Location1Proxy::new(&watch.agent).await.unwrap();
    let xml = location.inner().introspect().await.unwrap();
    testkit::golden::interface(&xml, "org.nestling.Location1");
}
