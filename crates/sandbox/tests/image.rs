//! A bundle as it is on the watch: an erofs image, mounted from its file.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it is surprised")]

mod world;

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use nix::libc;
use sandbox::seccomp::Filter;
use sandbox::{AppUser, Sandbox, Tree};
use world::{Outcome, Probe, World, erofs};

#[test]
fn a_bundle_is_mounted_from_its_file_again_and_again() {
    let world = World::new();
    // Not on tmpfs: the kernel mounts files of real file systems only.
    let disk = tempfile::tempdir_in("/var/tmp").unwrap();
    let path = disk.path().join("bundle");
    fs::write(&path, erofs::bundle(&fs::read(world::probe()).unwrap())).unwrap();
    let at = world.folder.path().join("mounted");
    fs::create_dir(&at).unwrap();
    let attached = Tree::erofs(File::open(&path).unwrap().as_fd()).unwrap().attach(&at).unwrap();
    assert!(at.join("app").is_file());
    let filter = Filter::native().unwrap();
    for _ in 0..2 {
        let leaf = world::delegated().0.unlimited_leaf(&world::unique("image")).unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let data = Tree::data(File::open(world.data()).unwrap()).unwrap();
        let user = AppUser::new(world::USER).unwrap();
        let sandbox = Sandbox::new(user, attached.tree().unwrap(), &leaf, &filter);
        let app = sandbox.data(data).display(theirs.into()).prepare().unwrap().spawn().unwrap();
        let mut probe = Probe::new(app, leaf, ours);
        assert_eq!(probe.ask("files").unwrap(), "0");
        let outcome = probe.call(libc::SYS_openat, &["-100", "text:/new", "65", "438"]);
        assert!(matches!(outcome, Outcome::Errno(libc::EROFS | libc::EACCES)), "{outcome:?}");
    }
    drop(attached);
    assert!(!at.join("app").exists(), "unmounted with its owner");
}

#[test]
fn a35_what_is_no_image_is_not_mounted() {
    let disk = tempfile::tempdir_in("/var/tmp").unwrap();
    let path = disk.path().join("bundle");
    let good = erofs::bundle(b"program");
    for bad in [&b""[..], b"text", &[0; 8192], &good[..1030]] {
        fs::write(&path, bad).unwrap();
        assert!(Tree::erofs(File::open(&path).unwrap().as_fd()).is_err());
    }
    let folder = File::open(disk.path()).unwrap();
    assert!(Tree::erofs(folder.as_fd()).is_err());
}
