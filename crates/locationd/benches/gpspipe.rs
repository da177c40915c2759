//! A receiver that says as fast as gpsd can read it where it is: what clients of gpsd make of that. Ours is what locationd
//! does with it: lines are cut, read, judged, smoothed and compared with a family's zones. The peer is gpspipe, which
//! copies them into a file. Each is a process of its own and comes to the same gpsd on the same port of loopback, for gpspipe
//! knows no unix sockets; in each run both are there at once, so that both are told the same. Prints JSON for
//! `./nestling bench location`, microseconds.
//!
//! Counted is what came, until the client had the last of it. gpsd drops what a client has no room for, and hangs up on one that had room
//! for a part, as one has that did not get a processor for some milliseconds: root makes room enough for all of it. The limit of 256 KiB a
//! second, which keeps a flood from us, is not in it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench ends where it is surprised")]

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nestling_locationd::core::{Core, Effect, Event};
use nestling_locationd::gpsd::{READ, Reading, WATCH};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::SndBufForce;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use policy::Zone;
use sim::{LatLon, Now, Sky};
use tempfile::NamedTempFile;
use testkit::{Gpsd, Tree};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const RUNS: usize = 9;
/// 2026-11-23, 08:00:00 UTC.
const MORNING: i64 = 1_795_420_800;
/// Seconds of the recording; gpsd makes three objects of each.
const SECONDS: u64 = 20_000;
/// Bytes that may be on their way to a client: more than a run has.
const ROOM: usize = 64 * 1024 * 1024;
/// Until both are connected.
const SETTLE: Duration = Duration::from_secs(1);

/// What a receiver says on a long way to and fro, with a receiver's noise.
fn recording() -> Vec<u8> {
    let mut noise: u32 = 1;
    let mut metres = || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(noise >> 16) / f64::from(u16::MAX) * 3.0
    };
    let mut sky = Sky::new(LatLon::HELSINKI);
    let mut text = String::new();
    for second in 0..SECONDS {
        // 1.2 m/s for half an hour, and back.
        let walked = 1.2 * (second % 3600).min(3600 - second % 3600) as f64;
        let north = LatLon::HELSINKI.lat() + (walked + metres()) / 111_195.0;
        let east = LatLon::HELSINKI.lon() + metres() / 55_330.0;
        sky.move_to(LatLon::new(north, east).unwrap());
        let mono = Duration::from_secs(second);
        text.push_str(&sky.sentences(Now { mono, unix_ms: (MORNING + second as i64) * 1000 }));
    }
    text.into_bytes()
}

fn zone(id: &str, north_m: f64) -> Zone {
    let latitude = LatLon::HELSINKI.lat() + north_m / 111_195.0;
    Zone {
        id: id.into(),
        name: id.into(),
        latitude_e6: (latitude * 1e6) as i32,
        longitude_e6: (LatLon::HELSINKI.lon() * 1e6) as i32,
        radius_m: 100,
        expect: Vec::new(),
    }
}

/// What locationd does with it, until gpsd hangs up; how many objects came.
async fn client(address: SocketAddr) -> usize {
    let mut core = Core::default();
    let zones = vec![zone("home", 0.0), zone("school", 1500.0), zone("club", 700.0)];
    core.handle(Event::Rules(Some(zones)), Duration::ZERO);
    let (mut reading, mut buffer, mut objects) = (Reading::default(), vec![0; READ], 0);
    let (mut moved, mut crossed) = (0, 0);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(WATCH).await.unwrap();
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let bytes = &buffer[..count];
        objects += lines(bytes);
        let mut told = Vec::new();
        reading.feed(bytes, |fix| told.push(fix));
        for fix in told {
            // The recording's seconds are those of the boot-time clock.
            let now = Duration::from_secs((fix.time.as_second() - MORNING) as u64);
            for effect in core.handle(Event::Fix(fix), now) {
                match effect {
                    Effect::PositionChanged(_) => moved += 1,
                    Effect::Record(_) => crossed += 1,
                    _ => {}
                }
            }
        }
    }
    assert!(moved > objects / 9 && crossed > 0, "{moved} believed, {crossed} crossed: {reading:?}");
    objects
}

fn lines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

/// A count that was printed.
fn told(output: &[u8]) -> usize {
    std::str::from_utf8(output).unwrap().trim().parse().unwrap()
}

fn ours(address: SocketAddr) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--client", &address.to_string()]);
    command
}

fn gpspipe(address: SocketAddr) -> Command {
    let tree = Tree::find().unwrap();
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/trixie/peers");
    let libraries = "usr/lib/x86_64-linux-gnu";
    let mut path = peers.join(libraries).into_os_string();
    path.push(":");
    path.push(tree.file(libraries).unwrap());
    let mut command = Command::new(tree.file("usr/lib64/ld-linux-x86-64.so.2").unwrap());
    command.arg("--library-path").arg(path).arg(peers.join("usr/bin/gpspipe"));
    command.args(["-w", &address.to_string()]);
    command
}

/// A client that runs, and what it writes.
struct Client {
    child: Child,
    output: NamedTempFile,
}

impl Client {
    fn start(mut command: Command) -> Self {
        let output = NamedTempFile::new().unwrap();
        let child = command.stdout(output.reopen().unwrap()).stderr(Stdio::null()).spawn().unwrap();
        Self { child, output }
    }

    /// What it wrote, when it ended, and for how many microseconds it had a processor.
    fn end(mut self) -> (Vec<u8>, Instant, f64) {
        let pid = self.child.id();
        // Its books are open until somebody asks how it ended.
        let how = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        waitid(Id::Pid(Pid::from_raw(pid.cast_signed())), how).unwrap();
        let ended = Instant::now();
        let books = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
        self.child.wait().unwrap();
        let running: f64 = books.split(' ').next().unwrap().parse().unwrap();
        (fs::read(self.output.path()).unwrap(), ended, running / 1e3)
    }
}

/// Microseconds for each object, ours first: that passed, and that a client had a processor.
async fn run(recording: &[u8]) -> ([f64; 2], [f64; 2]) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    if let Err(error) = setsockopt(&port, SndBufForce, &ROOM) {
        eprintln!("gpsd may hang up on clients: {error}");
    }
    let (gpsd, mut antenna) = Gpsd::fed_on(port).unwrap();
    let clients = [ours(address), gpspipe(address)].map(Client::start);
    tokio::time::sleep(SETTLE).await;
    let started = Instant::now();
    let ends = clients.map(|client| tokio::task::spawn_blocking(|| client.end()));
    antenna.write_all(recording).await.unwrap();
    // It hangs up; what is on its way still comes.
    drop(gpsd);
    let (mut passed, mut running) = ([0.0; 2], [0.0; 2]);
    for (side, end) in ends.into_iter().enumerate() {
        let (output, ended, processor) = end.await.unwrap();
        let objects = if side == 0 { told(&output) } else { lines(&output) } as f64;
        passed[side] = ended.duration_since(started).as_secs_f64() * 1e6 / objects;
        running[side] = processor / objects;
    }
    (passed, running)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [how, address] = &arguments[..]
        && how == "--client"
    {
        println!("{}", client(address.parse().unwrap()).await);
        return;
    }
    let recording = recording();
    let (mut passed, mut processor) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for _ in 0..RUNS {
        let (wall, running) = run(&recording).await;
        for side in 0..2 {
            passed[side].push(wall[side]);
            processor[side].push(running[side]);
        }
    }
    let what = "gpsd's objects, parsed and judged; peer: gpspipe copies them";
    println!(r#"{{"what":"{what}: us each","ours":{:?},"peer":{:?}}}"#, passed[0], passed[1]);
    println!(r#"{{"what":"{what}: us of a core each","ours":{:?},"peer":{:?}}}"#, processor[0], processor[1]);
}
