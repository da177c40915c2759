//! A43: an app uses everything up. What the cgroup counts is only tried where its controllers are (in the watch).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it is surprised")]

mod world;

use nix::libc;
use sandbox::Exit;
use sandbox::cgroup::{CgroupError, Delegated, Limits};
use world::{Outcome, SIGSYS, World};

#[test]
fn a43_descriptors_threads_and_file_size_end_somewhere() {
    let world = World::new();
    let mut probe = world.start();
    let count = (0..100).take_while(|_| probe.call(libc::SYS_dup, &["0"]) != Outcome::Errno(libc::EMFILE));
    assert_eq!(count.count(), 64 - 5);
    let mut probe = world.start();
    assert_eq!(probe.ask("threads 200").unwrap(), format!("-{}", libc::EAGAIN));
    let mut probe = world.start();
    let file = probe.must(libc::SYS_openat, &["-100", "text:/data/big", "66", "384"]).to_string();
    let (fits, too_long) = ((64 << 20).to_string(), ((64 << 20) + 1).to_string());
    assert_eq!(probe.call(libc::SYS_ftruncate, &[&file, &fits]), Outcome::Value(0));
    // SIGXFSZ does not end the first process of a pid namespace; the call fails.
    assert_eq!(probe.call(libc::SYS_ftruncate, &[&file, &too_long]), Outcome::Errno(libc::EFBIG));
}

#[test]
fn a43_no_limit_is_raised_and_no_priority_taken() {
    let world = World::new();
    for (number, arguments) in [
        (libc::SYS_setrlimit, &["7", "buf"][..]),
        (libc::SYS_prlimit64, &["0", "7", "buf", "0"]),
        (libc::SYS_setpriority, &["0", "0", "-20"]),
        (libc::SYS_sched_setscheduler, &["0", "1", "buf"]),
        (libc::SYS_mlock, &["buf", "4096"]),
    ] {
        assert_eq!(world.start().call(number, arguments), Outcome::Killed(SIGSYS), "{number}");
    }
}

#[test]
fn a43_the_kernel_takes_an_app_before_any_daemon() {
    let world = World::new();
    let _probe = world.start();
    let leaf = world::delegated().1.clone();
    let text = std::fs::read_dir(leaf).unwrap().flatten().find_map(|entry| {
        let pids = std::fs::read_to_string(entry.path().join("cgroup.procs")).ok()?;
        let pid = pids.lines().next()?.to_owned();
        std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).ok()
    });
    assert_eq!(text.unwrap(), "900\n");
}

#[test]
fn a_limit_that_cannot_be_set_is_no_leaf() {
    // A folder whose controllers nobody passed on.
    let path = world::delegated().1.join(world::unique("bare"));
    std::fs::create_dir(&path).unwrap();
    let delegated = Delegated::open(&path).unwrap();
    let limits = Limits { memory: 64 << 20, processes: 32, processor: 80 };
    let result = delegated.leaf("limited", &limits);
    assert!(matches!(result, Err(CgroupError::File { file: "memory.max", .. })), "{result:?}");
    assert!(!path.join("limited").exists());
    std::fs::create_dir(path.join("launcher")).unwrap();
    let result = delegated.limit_memory("launcher", 48 << 20);
    assert!(matches!(result, Err(CgroupError::File { file: "memory.max", .. })), "{result:?}");
    std::fs::remove_dir(path.join("launcher")).unwrap();
    std::fs::remove_dir(path).unwrap();
}

#[test]
#[ignore = "needs the controllers of cgroup2: runs in the watch"]
fn a43_memory_processes_and_processor_are_limited() {
    assert!(world::has_controllers(), "this kernel does not delegate memory, pids and cpu");
    let (delegated, _) = world::delegated();
    delegated.enable_controllers().unwrap();
    let own = world::delegated().1.join("launcher");
    std::fs::create_dir(&own).unwrap();
    delegated.limit_memory("launcher", 48 << 20).unwrap();
    assert_eq!(std::fs::read_to_string(own.join("memory.max")).unwrap(), "50331648\n");
    std::fs::remove_dir(own).unwrap();
    let world = World::new();
    let filter = sandbox::seccomp::Filter::native().unwrap();
    let limits = Limits { memory: 32 << 20, processes: 8, processor: 50 };
    let start = || {
        let leaf = delegated.leaf(&world::unique("limited"), &limits).unwrap();
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let app = world.sandbox(&leaf, &filter).display(theirs.into()).prepare().unwrap().spawn().unwrap();
        world::Probe::new(app, leaf, ours)
    };
    let mut probe = start();
    assert_eq!(probe.ask("threads 16").unwrap(), format!("-{}", libc::EAGAIN));
    let mut probe = start();
    assert_eq!(probe.ask("eat"), Err(Exit::Signal(libc::SIGKILL)));
    assert!(probe.leaf.as_ref().unwrap().was_out_of_memory().unwrap());
    let mut probe = start();
    let before = probe.must(libc::SYS_getrusage, &["0", "buf"]);
    assert_eq!(before, 0);
    probe.tell("spin");
    std::thread::sleep(std::time::Duration::from_secs(1));
    let text = std::fs::read_dir(&world::delegated().1).unwrap().flatten();
    let throttled = text.filter_map(|entry| std::fs::read_to_string(entry.path().join("cpu.stat")).ok());
    assert!(
        throttled
            .flat_map(|stat| stat.lines().map(ToOwned::to_owned).collect::<Vec<_>>())
            .any(|line| line.starts_with("nr_throttled ") && line != "nr_throttled 0")
    );
}
