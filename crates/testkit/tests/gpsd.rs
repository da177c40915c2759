//! The real gpsd tells over its socket what the simulated sky says.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests are tests")]

use std::time::Duration;

use serde_json::Value;
use sim::sky::Fix;
use sim::{LatLon, World, WorldConfig};
use testkit::Gpsd;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

const PATIENCE: Duration = Duration::from_secs(30);

/// Reads reports until one `fits`.
async fn report(gpsd: &Gpsd, fits: impl Fn(&Value) -> bool) -> Value {
    let search = async {
        let mut stream = BufReader::new(UnixStream::connect(gpsd.socket()).await.unwrap());
        stream.get_mut().write_all(b"?WATCH={\"enable\":true,\"json\":true};\n").await.unwrap();
        let mut lines = stream.lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            let report: Value = serde_json::from_str(&line).unwrap();
            if fits(&report) {
                return report;
            }
        }
        panic!("gpsd closed its socket");
    };
    tokio::time::timeout(PATIENCE, search).await.expect("a fitting report in time")
}

fn fix_near(at: LatLon) -> impl Fn(&Value) -> bool {
    move |report| {
        let degrees = |name: &str| report[name].as_f64().unwrap_or(f64::NAN);
        report["class"] == "TPV"
            && report["mode"] == 3
            && LatLon::new(degrees("lat"), degrees("lon")).is_ok_and(|told| at.distance(told) < 5.0)
    }
}

#[tokio::test]
async fn a_position_reaches_the_socket_and_follows_the_sky() {
    let world = World::start(WorldConfig::default());
    let gpsd = Gpsd::start(&world).unwrap();
    report(&gpsd, fix_near(LatLon::HELSINKI)).await;
    let school = LatLon::new(-33.859_97, -151.211_11).unwrap();
    world.move_to(school);
    report(&gpsd, fix_near(school)).await;
}

#[tokio::test]
async fn without_a_fix_there_is_no_position_until_the_sky_clears() {
    let world = World::start(WorldConfig::default());
    world.set_fix(Fix::None);
    let gpsd = Gpsd::start(&world).unwrap();
    let report_without = report(&gpsd, |report| report["class"] == "TPV").await;
    assert_eq!((&report_without["mode"], &report_without["lat"]), (&Value::from(1), &Value::Null));
    world.set_fix(Fix::ThreeD);
    report(&gpsd, fix_near(LatLon::HELSINKI)).await;
}

#[tokio::test]
async fn a_restarted_gpsd_serves_the_same_socket() {
    let world = World::start(WorldConfig::default());
    let mut gpsd = Gpsd::start(&world).unwrap();
    gpsd.restart().unwrap();
    report(&gpsd, fix_near(LatLon::HELSINKI)).await;
}

/// As packaged it opens port 2947 to every user of the machine; handed its sockets it must open none.
#[tokio::test]
async fn a51_gpsd_with_its_sockets_handed_in_listens_nowhere_else() {
    let world = World::start(WorldConfig::default());
    let gpsd = Gpsd::start(&world).unwrap();
    report(&gpsd, |report| report["class"] == "VERSION").await;
    let fds = std::fs::read_dir(format!("/proc/{}/fd", gpsd.pid())).unwrap();
    let inodes: Vec<String> = fds
        .filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok()?.into_os_string().into_string().ok())
        .filter_map(|link| Some(link.strip_prefix("socket:[")?.trim_end_matches(']').to_owned()))
        .collect();
    assert!(inodes.len() >= 2, "the two sockets handed in: {inodes:?}");
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let text = std::fs::read_to_string(format!("/proc/{}/net/{table}", gpsd.pid())).unwrap_or_default();
        let opened = text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(9));
        assert!(opened.into_iter().all(|inode| inodes.iter().all(|ours| ours != inode)), "{table}: {text}");
    }
}
