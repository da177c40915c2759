//! What the probes need: root, a cgroup, a bundle with the hostile app, and a wire to it.
//!
//! The same test programs run inside the watch: there the probe lies beside them (`probe`) or where `NESTLING_PROBE` says, and
//! no compiler is needed.
#![allow(dead_code, unreachable_pub, reason = "each test program uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it is surprised")]

pub mod erofs;

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sandbox::cgroup::{Delegated, Leaf};
use sandbox::seccomp::{self, Filter, Policy};
use sandbox::{App, AppUser, Exit, Sandbox, Tree};
use tempfile::TempDir;

pub const SIGSYS: i32 = 31;
pub const USER: u32 = 20_000;

/// The answer to one call of the probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Value(i64),
    Errno(i32),
    /// It was ended instead, by this signal.
    Killed(i32),
}

/// A folder of this test program's own. Everything the probes need is linked, not written, into it: a file somebody has
/// open for writing is not executed, and a fork of another test could hold it open.
fn workshop() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let base = std::env::temp_dir();
        sweep(&base, fs::remove_dir_all);
        let folder = base.join(format!("{MARK}{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        folder
    })
}

const MARK: &str = "nestling-test-";

/// Removes what a test program that is over left behind.
fn sweep(folder: &Path, remove: fn(PathBuf) -> std::io::Result<()>) {
    for left in fs::read_dir(folder).unwrap().flatten() {
        let name = left.file_name().to_string_lossy().into_owned();
        if name.strip_prefix(MARK).is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = remove(left.path());
        }
    }
}

/// The hostile app's program.
pub fn probe() -> &'static Path {
    static PROBE: OnceLock<PathBuf> = OnceLock::new();
    PROBE.get_or_init(|| {
        let built = workshop().join("probe");
        let beside = std::env::current_exe().unwrap().with_file_name("probe");
        if let Some(path) = std::env::var_os("NESTLING_PROBE") {
            fs::copy(path, &built).unwrap();
        } else if beside.is_file() {
            fs::copy(beside, &built).unwrap();
        } else {
            fs::copy(compiled(), &built).unwrap();
        }
        fs::set_permissions(&built, Permissions::from_mode(0o755)).unwrap();
        // The same program once more, as another file: Landlock knows files, not names.
        fs::copy(&built, workshop().join("another")).unwrap();
        built
    })
}

/// A program that is a copy of the probe.
pub fn another_program() -> PathBuf {
    probe().with_file_name("another")
}

fn compiled() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sandbox/tests/hostile/app.rs");
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("probe");
    let modified = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    if modified(&built) > modified(&source) {
        return built;
    }
    let part = built.with_extension(std::process::id().to_string());
    let output = Command::new("rustc")
        .args(["--edition=2024", "-O", "-Ctarget-feature=+crt-static", "-Crelocation-model=pie"])
        .args(["-Awarnings", "-o"])
        .args([&part, &source])
        .output()
        .expect("rustc, or a built probe beside the test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::rename(part, &built).unwrap();
    built
}

/// A folder of cgroup2 of this test's own.
pub fn delegated() -> &'static (Delegated, PathBuf) {
    static FOLDER: OnceLock<(Delegated, PathBuf)> = OnceLock::new();
    FOLDER.get_or_init(|| {
        assert!(rustix::process::getuid().is_root(), "these tests build sandboxes: run them as root");
        let root = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"]
            .into_iter()
            .find(|root| Path::new(root).join("cgroup.controllers").is_file())
            .expect("cgroup2 must be mounted");
        sweep(Path::new(root), fs::remove_dir);
        let path = Path::new(root).join(format!("{MARK}{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        (Delegated::open(&path).unwrap(), path)
    })
}

/// Whether this kernel can limit: on a host with cgroup v1 it cannot, in the watch it must.
pub fn has_controllers() -> bool {
    let text = fs::read_to_string(delegated().1.join("cgroup.controllers")).unwrap();
    ["memory", "pids", "cpu"].iter().all(|name| text.split_whitespace().any(|word| word == *name))
}

pub fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{what}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The reviewed list, with some words of it changed: to see what stands behind it.
pub fn list_with(changes: &[(&str, &str)]) -> Filter {
    let (mut text, architecture) = match std::env::consts::ARCH {
        "x86_64" => (seccomp::X86_64.to_owned(), seccompiler::TargetArch::x86_64),
        _ => (seccomp::AARCH64.to_owned(), seccompiler::TargetArch::aarch64),
    };
    for (from, to) in changes {
        let lines = text.lines().map(|line| {
            let plain = line.split('#').next().unwrap_or_default().trim();
            if plain == *from { (*to).to_owned() } else { line.to_owned() }
        });
        let edited = lines.collect::<Vec<_>>().join("\n");
        assert_ne!(edited, text, "no line {from:?}");
        text = edited;
    }
    Policy::parse(&text).unwrap().compile(architecture).unwrap()
}

/// Every `deny` of the list turned into `allow`.
pub fn list_without_denials() -> Filter {
    let names = Policy::parse(seccomp::X86_64).unwrap().rules;
    let denied = names.into_iter().filter(|(_, rule)| *rule == seccomp::Rule::Deny).map(|(name, _)| name);
    let changes = denied.map(|name| (format!("deny {name}"), format!("allow {name}"))).collect::<Vec<_>>();
    let changes = changes.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect::<Vec<_>>();
    list_with(&changes)
}

/// A bundle and data, as folders.
pub struct World {
    pub folder: TempDir,
}

impl World {
    pub fn new() -> Self {
        delegated();
        let program = probe();
        let folder = tempfile::tempdir_in(workshop()).unwrap();
        let world = Self { folder };
        fs::create_dir_all(world.bundle().join("data")).unwrap();
        fs::set_permissions(world.bundle(), Permissions::from_mode(0o755)).unwrap();
        fs::hard_link(program, world.bundle().join("app")).unwrap();
        fs::create_dir(world.data()).unwrap();
        fs::set_permissions(world.data(), Permissions::from_mode(0o700)).unwrap();
        chown(world.data(), Some(USER), Some(USER)).unwrap();
        world
    }

    pub fn bundle(&self) -> PathBuf {
        self.folder.path().join("bundle")
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn sandbox<'a>(&self, leaf: &'a Leaf, filter: &'a Filter) -> Sandbox<'a> {
        let bundle = Tree::bundle(fs::File::open(self.bundle()).unwrap()).unwrap();
        let data = Tree::data(fs::File::open(self.data()).unwrap()).unwrap();
        Sandbox::new(AppUser::new(USER).unwrap(), bundle, leaf, filter).data(data)
    }

    pub fn start(&self) -> Probe {
        self.start_with(&Filter::native().unwrap())
    }

    pub fn start_with(&self, filter: &Filter) -> Probe {
        self.start_in(delegated().0.unlimited_leaf(&unique("probe")).unwrap(), filter)
    }

    pub fn start_in(&self, leaf: Leaf, filter: &Filter) -> Probe {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let app = self.sandbox(&leaf, filter).display(OwnedFd::from(theirs)).prepare().unwrap().spawn();
        Probe::new(app.unwrap(), leaf, ours)
    }
}

/// Processes that nothing ends, as if they waited for a storage that does not answer: in the freezer of cgroup v1, which
/// not even SIGKILL opens.
pub struct Stuck(PathBuf);

impl Stuck {
    /// All that is in the cgroup `leaf`; `None` where there is no cgroup v1 (in the watch).
    pub fn all_of(leaf: &Path) -> Option<Self> {
        let root = Path::new("/sys/fs/cgroup/freezer");
        if !root.join("tasks").is_file() {
            eprintln!(
                "not tested here: only cgroup v1's freezer makes a process that nothing ends, and it is not there"
            );
            return None;
        }
        sweep(root, fs::remove_dir);
        let folder = root.join(format!("{MARK}{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        for pid in fs::read_to_string(leaf.join("cgroup.procs")).unwrap().lines() {
            fs::write(folder.join("cgroup.procs"), pid).unwrap();
        }
        fs::write(folder.join("freezer.state"), "FROZEN").unwrap();
        while fs::read_to_string(folder.join("freezer.state")).unwrap() != "FROZEN\n" {
            std::thread::sleep(Duration::from_millis(1));
        }
        Some(Self(folder))
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        fs::write(self.0.join("freezer.state"), "THAWED").unwrap();
        while fs::remove_dir(&self.0).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The running hostile app.
pub struct Probe {
    pub app: App,
    pub leaf: Option<Leaf>,
    wire: BufReader<UnixStream>,
}

impl Probe {
    pub fn new(app: App, leaf: Leaf, wire: UnixStream) -> Self {
        wire.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut probe = Self { app, leaf: Some(leaf), wire: BufReader::new(wire) };
        let mut line = String::new();
        probe.wire.read_line(&mut line).unwrap();
        assert_eq!(line, "main\n", "ended at its start: {:?}", probe.app.try_wait());
        probe
    }

    /// Sends a line without waiting.
    pub fn tell(&mut self, line: &str) {
        writeln!(self.wire.get_mut(), "{line}").unwrap();
    }

    /// What it says next.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.wire.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The answer to a line; the exit if there is none.
    pub fn ask(&mut self, line: &str) -> Result<String, Exit> {
        self.tell(line);
        let mut text = String::new();
        match self.wire.read_line(&mut text) {
            Ok(1..) => Ok(text.trim_end().to_owned()),
            _ => Err(self.app.wait().unwrap()),
        }
    }

    /// One system call; an argument is a number, `text:...` or `buf`.
    pub fn call(&mut self, number: i64, arguments: &[&str]) -> Outcome {
        let line = format!("call {number} {}", arguments.join(" "));
        match self.ask(line.trim_end()) {
            Ok(text) => match text.parse::<i64>().unwrap() {
                value @ 0.. => Outcome::Value(value),
                errno => Outcome::Errno(-errno as i32),
            },
            Err(Exit::Signal(signal)) => Outcome::Killed(signal),
            Err(Exit::Code(code)) => panic!("the probe ended by itself with {code}"),
        }
    }

    /// A call that must work.
    pub fn must(&mut self, number: i64, arguments: &[&str]) -> i64 {
        match self.call(number, arguments) {
            Outcome::Value(value) => value,
            other => panic!("{number}: {other:?}"),
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let Some(leaf) = self.leaf.take() else { return };
        leaf.end().unwrap();
        let _ = self.app.try_wait();
        leaf.remove().unwrap();
    }
}
