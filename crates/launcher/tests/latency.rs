//! How long a start takes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it is surprised")]

#[path = "../../sandbox/tests/world/mod.rs"]
mod world;

mod watch;

use std::fs::{self, File};
use std::io::BufReader;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use launch::{Answer, End, Message, Request};
use nestling_launcher::config::Config;
use sandbox::Tree;
use sandbox::cgroup::Delegated;
use watch::{Screen, Source, Watch, id};
use world::World;

/// From the request to the first byte of the app's `main`, with an image of a real file system and, where the kernel has
/// the controllers, with limits.
#[test]
#[ignore = "a measurement: run alone, with --nocapture"]
fn how_long_a_start_takes() {
    let world = World::new();
    let disk = tempfile::tempdir_in("/var/tmp").unwrap();
    let path = disk.path().join("bundle");
    fs::write(&path, world::erofs::bundle(&fs::read(world::probe()).unwrap())).unwrap();
    let at = world.folder.path().join("mounted");
    fs::create_dir(&at).unwrap();
    let image = Tree::erofs(File::open(&path).unwrap().as_fd()).unwrap().attach(&at).unwrap();
    let limits = world::has_controllers().then(|| Config::default().limits());
    let mut watch = Watch::build(world, 0, Source::Image(image), limits);
    if limits.is_some() {
        world::delegated().0.enable_controllers().unwrap();
        Delegated::open(&watch.cgroup).unwrap().enable_controllers().unwrap();
    }
    let appd = watch.connect();
    let mut times = Vec::new();
    for session in 0..220 {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut screen = Screen(BufReader::new(ours));
        let begin = Instant::now();
        let request = Request::Start { app: id("draw"), session };
        launch::send(&appd, &request, Some(theirs.as_fd())).unwrap();
        watch.turn();
        assert_eq!(screen.line(), "main");
        times.push(begin.elapsed());
        assert_eq!(watch.hear(&appd), Message::Reply(Answer::Started));
        screen.tell("exit 0");
        assert_eq!(watch.hear(&appd), Message::Ended { session, end: End::Exited(0) });
    }
    let mut times = times.split_off(20);
    times.sort();
    println!("start: median {:?}, p95 {:?}, best {:?}", times[100], times[190], times[0]);
}
