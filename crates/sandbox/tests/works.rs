//! What an app can do: the sandbox that only refuses is easy.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it is surprised")]

mod world;

use nix::libc;
use sandbox::Exit;
use world::{Outcome, World};

#[test]
fn an_app_runs_with_its_two_variables_and_one_argument() {
    let world = World::new();
    let mut probe = world.start();
    assert_eq!(probe.ask("environment").unwrap(), "HOME=/data WAYLAND_SOCKET=3");
    assert_eq!(probe.ask("arguments").unwrap(), "/app");
    assert_eq!(probe.ask("exit 7"), Err(Exit::Code(7)));
}

#[test]
fn threads_files_time_and_shared_memory_work() {
    let world = World::new();
    let mut probe = world.start();
    assert_eq!(probe.ask("threads 8").unwrap(), "8");
    assert_eq!(probe.ask("files").unwrap(), "0");
    assert!(probe.ask("time").unwrap().parse::<u32>().unwrap() >= 20);
    let memfd = probe.must(libc::SYS_memfd_create, &["text:shm", "3"]).to_string();
    assert_eq!(probe.call(libc::SYS_ftruncate, &[&memfd, "8192"]), Outcome::Value(0));
    let (read_write, shared) = ("3", "1");
    probe.must(libc::SYS_mmap, &["0", "8192", read_write, shared, &memfd, "0"]);
    // F_ADD_SEALS, F_SEAL_SHRINK
    assert_eq!(probe.call(libc::SYS_fcntl, &[&memfd, "1033", "2"]), Outcome::Value(0));
}

#[test]
fn a_crash_is_told_by_its_signal() {
    let world = World::new();
    assert!(matches!(world.start().ask("abort"), Err(Exit::Signal(_))));
}

#[test]
fn a_frozen_app_stands_still_until_it_is_thawed() {
    let world = World::new();
    let mut probe = world.start();
    probe.leaf.as_ref().unwrap().freeze().unwrap();
    probe.tell("hello");
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert_eq!(probe.app.try_wait().unwrap(), None);
    probe.leaf.as_ref().unwrap().thaw().unwrap();
    assert_eq!(probe.ask("hello").unwrap(), "hello");
}

#[test]
fn a_frozen_app_can_be_ended() {
    let world = World::new();
    let probe = world.start();
    let leaf = probe.leaf.as_ref().unwrap();
    leaf.freeze().unwrap();
    leaf.end().unwrap();
    assert!(leaf.is_empty().unwrap());
    assert_eq!(probe.app.wait().unwrap(), Exit::Signal(9));
}

#[test]
fn an_app_ends_with_its_launcher() {
    // For the kernel the launcher is the thread that cloned: when it ends, the app does (PR_SET_PDEATHSIG).
    let probe = std::thread::spawn(|| World::new().start()).join().unwrap();
    assert_eq!(probe.app.wait().unwrap(), Exit::Signal(9));
}
