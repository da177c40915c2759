//! The doors of the image's gpsd: which it opens by itself, and that our unit shuts each of them. Needs root.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sim::{World, WorldConfig};
use tempfile::TempDir;
use testkit::Gpsd;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// Where a system bus would be, and how many came to it.
struct Bus {
    folder: TempDir,
    came: Arc<AtomicUsize>,
}

impl Bus {
    fn open() -> Self {
        let (folder, came) = (tempfile::tempdir().unwrap(), Arc::new(AtomicUsize::new(0)));
        let (listener, counter) = (UnixListener::bind(folder.path().join("bus")).unwrap(), Arc::clone(&came));
        // Nobody is answered: who came is counted and hung up on.
        thread::spawn(move || listener.incoming().for_each(|_| _ = counter.fetch_add(1, Ordering::SeqCst)));
        Self { folder, came }
    }
}

/// Which doors stand open of a gpsd that runs within `wrapper` and has a fix.
async fn doors(number: u32, wrap: impl Fn(&Path) -> Vec<String>) -> Vec<&'static str> {
    let world = World::start(WorldConfig::default());
    let bus = Bus::open();
    let key = 0x4e54_0000 | (std::process::id() & 0xfff) << 4 | number;
    let mut wrapper = vec![
        "env".to_owned(),
        format!("GPSD_SHM_KEY={key:#x}"),
        format!("DBUS_SYSTEM_BUS_ADDRESS=unix:path={}/bus", bus.folder.path().display()),
    ];
    wrapper.extend(wrap(bus.folder.path()));
    let words: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    let gpsd = Gpsd::start_within(&world, &words).unwrap();
    has_a_fix(gpsd.socket()).await;

    let mut open = Vec::new();
    let process = Path::new("/proc").join(gpsd.pid().to_string());
    let sockets: Vec<String> = fs::read_dir(process.join("fd"))
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|path| Some(path.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    assert!(!sockets.is_empty(), "it serves on a socket");
    let is_ours = |line: &str| sockets.iter().any(|inode| line.split_whitespace().any(|word| word == inode));
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let lines = fs::read_to_string(process.join("net").join(table)).unwrap_or_default();
        if lines.lines().any(is_ours) {
            open.push(table);
        }
    }
    let segments = fs::read_to_string("/proc/sysvipc/shm").unwrap();
    if segments.lines().any(|line| line.split_whitespace().next() == Some(&key.to_string())) {
        open.push("shared memory");
    }
    if bus.came.load(Ordering::SeqCst) > 0 {
        open.push("bus");
    }
    open
}

async fn has_a_fix(socket: &Path) {
    let mut stream = BufReader::new(UnixStream::connect(socket).await.unwrap());
    stream.write_all(b"?WATCH={\"enable\":true,\"json\":true};\n").await.unwrap();
    let mut line = String::new();
    while !line.contains(r#""class":"TPV""#) {
        line.clear();
        assert!(stream.read_line(&mut line).await.unwrap() > 0, "gpsd hung up");
    }
}

/// The wrapper that does what our unit says, line by line.
fn as_the_unit_says(bus: &Path) -> Vec<String> {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services/units/nestling-gpsd.service");
    let unit = fs::read_to_string(unit).unwrap();
    assert!(unit.contains("\nExecStart=/usr/sbin/gpsd -N -b /dev"), "the fixture starts it so");
    let says = |line: &str| unit.lines().any(|other| other == line);
    let mut words = vec!["unshare".to_owned(), "--mount".to_owned()];
    if says("PrivateNetwork=yes") {
        words.push("--net".to_owned());
    }
    if says("PrivateIPC=yes") {
        words.push("--ipc".to_owned());
    }
    let hide = format!("mount -t tmpfs none {} && exec \"$@\"", bus.display());
    let script = if says("InaccessiblePaths=-/run/dbus") { hide } else { "exec \"$@\"".to_owned() };
    words.extend(["sh".to_owned(), "-c".to_owned(), script, "sh".to_owned()]);
    words
}

#[tokio::test]
async fn a51_gpsd_shut_in_by_our_unit_opens_no_port_no_shared_memory_and_no_bus() {
    assert_eq!(doors(1, as_the_unit_says).await, Vec::<&str>::new());
}

/// Or the test above would hold by itself.
#[tokio::test]
async fn gpsd_by_itself_leaves_fixes_in_shared_memory_and_goes_to_the_bus() {
    assert_eq!(doors(2, |_| Vec::new()).await, ["shared memory", "bus"]);
}
