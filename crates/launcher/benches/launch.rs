//! From the request to the first byte of the app's `main`: our launcher, and bubblewrap with the same namespaces and a filter of
//! sixty calls, in turn. Prints one line of JSON, see `xtask/src/bench/program.rs`. Needs root.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot be made ends here")]

#[path = "../../sandbox/tests/world/mod.rs"]
mod world;

#[path = "../tests/watch/mod.rs"]
mod watch;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use launch::{Answer, End, Message, Request};
use rustix::io::{FdFlags, fcntl_setfd};
use sandbox::Tree;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use watch::{Screen, Source, Watch, id};
use world::World;

/// Starts that are thrown away, and those that count.
const ROUNDS: (usize, usize) = (20, 200);

fn main() {
    // Descriptor 3 is the app's display in both: taken before anything else is opened.
    let mut display: OwnedFd = File::open("/dev/null").unwrap().into();
    assert_eq!(display.as_raw_fd(), 3, "somebody left a descriptor open");
    let world = World::new();
    let disk = tempfile::tempdir_in("/var/tmp").unwrap();
    let path = disk.path().join("bundle");
    fs::write(&path, world::erofs::bundle(&fs::read(world::probe()).unwrap())).unwrap();
    let bundle = world.folder.path().join("mounted");
    fs::create_dir(&bundle).unwrap();
    let image = Tree::erofs(File::open(&path).unwrap().as_fd()).unwrap().attach(&bundle).unwrap();
    let data = disk.path().join("data");
    fs::create_dir(&data).unwrap();
    let filter = sixty_calls();
    let mut watch = Watch::build(world, 0, Source::Image(image), None);
    let appd = watch.connect();
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS.0 + ROUNDS.1 {
        let times =
            [start(&mut watch, &appd, round as u64), bubblewrap(&mut display, &bundle, &data, &filter)];
        if round >= ROUNDS.0 {
            let [our, their] = times.map(|time| time.as_secs_f64() * 1000.0);
            ours.push(our);
            peer.push(their);
        }
    }
    let what = "request to the app's main; peer: bubblewrap, same namespaces: ms";
    println!("{}", serde_json::json!({ "what": what, "ours": ours, "peer": peer }));
}

fn start(watch: &mut Watch, appd: &OwnedFd, session: u64) -> Duration {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut screen = Screen(BufReader::new(ours));
    let begin = Instant::now();
    launch::send(appd, &Request::Start { app: id("draw"), session }, Some(theirs.as_fd())).unwrap();
    watch.turn();
    assert_eq!(screen.line(), "main");
    let time = begin.elapsed();
    assert_eq!(watch.hear(appd), Message::Reply(Answer::Started));
    screen.tell("exit 0");
    assert_eq!(watch.hear(appd), Message::Ended { session, end: End::Exited(0) });
    time
}

fn bubblewrap(display: &mut OwnedFd, bundle: &Path, data: &Path, filter: &[u8]) -> Duration {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut screen = Screen(BufReader::new(ours));
    rustix::io::dup2(&theirs, display).unwrap();
    fcntl_setfd(&*display, FdFlags::empty()).unwrap();
    drop(theirs);
    // It reads the filter from a descriptor, up to its end.
    let (read, write) = rustix::pipe::pipe().unwrap();
    File::from(write).write_all(filter).unwrap();
    let begin = Instant::now();
    let mut child = Command::new("bwrap")
        .args(["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup"])
        .args(["--die-with-parent", "--new-session", "--as-pid-1", "--clearenv", "--cap-drop", "ALL"])
        .arg("--ro-bind")
        .args([bundle, Path::new("/")])
        .arg("--bind")
        .args([data, Path::new("/data")])
        .args(["--seccomp", &read.as_raw_fd().to_string(), "--", "/app"])
        .spawn()
        .unwrap_or_else(|error| panic!("bubblewrap is missing (apt-get install bubblewrap): {error}"));
    assert_eq!(screen.line(), "main");
    let time = begin.elapsed();
    drop(read);
    screen.tell("exit 0");
    assert!(child.wait().unwrap().success());
    // Not inherited by what is started next.
    fcntl_setfd(&*display, FdFlags::CLOEXEC).unwrap();
    time
}

/// Sixty numbers that no system call has are refused: as much to look through as a list of sixty that are.
fn sixty_calls() -> Vec<u8> {
    let rules = (2_000..2_060).map(|number| (number, Vec::new())).collect::<BTreeMap<_, _>>();
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::KillProcess, arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    // `struct sock_filter` of <linux/filter.h>.
    let words = program.iter().flat_map(|word| {
        let code = word.code.to_ne_bytes();
        code.into_iter().chain([word.jt, word.jf]).chain(word.k.to_ne_bytes())
    });
    words.collect()
}
