//! A37, A43: an app that does not want to end. One `cgroup.kill` can miss it; `Leaf::end` cannot.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it is surprised")]

mod world;

use std::fs;
use std::time::{Duration, Instant};

use nix::libc;
use sandbox::Exit;
use sandbox::cgroup::{AGAIN, CgroupError, Delegated, PATIENCE};
use sandbox::seccomp::Filter;
use world::{Outcome, Probe, World, delegated};

/// An app in the middle of executing itself for ever, at another moment for each `round`.
fn immortal(world: &World, round: u64) -> Probe {
    let mut probe = world.start();
    probe.tell("execs");
    for _ in 0..2 {
        assert_eq!(probe.line(), "main", "it executed itself");
    }
    std::thread::sleep(Duration::from_millis(7 * round));
    assert_eq!(probe.app.try_wait().unwrap(), None);
    probe
}

#[test]
fn a37_an_app_that_execs_itself_for_ever_is_ended() {
    let world = World::new();
    for round in 0..20 {
        let probe = immortal(&world, round);
        let start = Instant::now();
        probe.leaf.as_ref().unwrap().end().unwrap();
        assert!(start.elapsed() < Duration::from_secs(3), "round {round}: {:?}", start.elapsed());
        assert_eq!(probe.app.wait().unwrap(), Exit::Signal(libc::SIGKILL));
    }
}

#[test]
fn a37_strikes_alone_end_it_without_waiting_for_it_to_freeze() {
    let world = World::new();
    for round in 0..20 {
        let probe = immortal(&world, round);
        let leaf = probe.leaf.as_ref().unwrap();
        let start = Instant::now();
        while !leaf.is_empty().unwrap() {
            leaf.strike().unwrap();
            std::thread::sleep(AGAIN);
            assert!(start.elapsed() < Duration::from_secs(3), "round {round}");
        }
    }
}

#[test]
fn a37_the_next_launcher_ends_what_has_lost_its_parent_death_signal() {
    let world = World::new();
    let folder = delegated().1.join(world::unique("swept"));
    fs::create_dir(&folder).unwrap();
    let swept = Delegated::open(&folder).unwrap();
    for round in 0..5 {
        let mut probes = Vec::new();
        for name in ["app-one", "app-two"] {
            let leaf = swept.unlimited_leaf(name).unwrap();
            let mut probe = world.start_in(leaf, &Filter::native().unwrap());
            probe.tell("execs");
            assert_eq!(probe.line(), "main");
            // As when a launcher is gone: nobody holds the leaf.
            probe.leaf = None;
            probes.push(probe);
        }
        std::thread::sleep(Duration::from_millis(11 * round));
        assert_eq!(swept.sweep("app-").unwrap(), 2);
        assert_eq!(fs::read_dir(&folder).unwrap().flatten().filter(|e| e.path().is_dir()).count(), 0);
    }
    fs::remove_dir(folder).unwrap();
}

#[test]
fn a43_what_the_kernel_does_not_end_is_a_named_error_and_not_for_ever() {
    let world = World::new();
    let (delegated, path) = delegated();
    let name = world::unique("stuck");
    let probe = world.start_in(delegated.unlimited_leaf(&name).unwrap(), &Filter::native().unwrap());
    let leaf = probe.leaf.as_ref().unwrap();
    let Some(stuck) = world::Stuck::all_of(&path.join(&name)) else { return };
    let start = Instant::now();
    let error = leaf.end().unwrap_err();
    assert!(matches!(&error, CgroupError::Survives(leaf) if *leaf == name), "{error:?}");
    assert!(start.elapsed() < PATIENCE + Duration::from_secs(1));
    drop(stuck);
    leaf.end().unwrap();
}

#[test]
fn a_frozen_app_and_an_empty_leaf_are_ended() {
    let world = World::new();
    let probe = world.start();
    let leaf = probe.leaf.as_ref().unwrap();
    leaf.freeze().unwrap();
    leaf.end().unwrap();
    leaf.end().unwrap();
    assert_eq!(probe.app.wait().unwrap(), Exit::Signal(libc::SIGKILL));
}

#[test]
fn a43_an_app_that_shuts_its_own_folder_opens_it_again_at_its_next_start() {
    let world = World::new();
    for mode in ["0", "511"] {
        let mut probe = world.start();
        let folder = probe.must(libc::SYS_openat, &["-100", "text:/data", "65536"]).to_string();
        assert_eq!(probe.call(libc::SYS_fchmod, &[&folder, mode]), Outcome::Value(0));
        drop(probe);
        assert_eq!(world.start().ask("files").unwrap(), "0", "{mode}");
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(world.data()).unwrap().permissions());
        assert_eq!(mode & 0o7777, 0o700);
    }
}
