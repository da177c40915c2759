//! With the kernel's own fs-verity, and as root: run by `./nestling test probes` in the virtual machine, whose
//! temporary folder is on ext4 with fs-verity.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod common;

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsFd as _;
use std::time::Instant;

use catalogue::verity::digest;
use catalogue::{KernelVerity, Shelf, Verity as _};
use common::{DRAW, Stage, draw, now, read};
use launch::Refusal;
use nix::mount::{MsFlags, mount, umount};

fn shelf(stage: &Stage) -> Shelf {
    Shelf::open(stage.places.clone()).unwrap()
}

#[test]
#[ignore = "needs fs-verity, run in the VM by ./nestling test probes"]
fn the_kernel_measures_what_we_compute() {
    let stage = Stage::new();
    for length in [0, 1, 4096, 4097, 128 * 4096 + 1, 300 * 4096 + 77] {
        let content: Vec<u8> = (0..length).map(|at: usize| (at % 251) as u8).collect();
        let path = stage.path(&length.to_string());
        fs::write(&path, &content).unwrap();
        let file = File::open(&path).unwrap();
        assert_eq!(KernelVerity.measure(file.as_fd()).unwrap(), None, "not sealed yet");
        KernelVerity.seal(file.as_fd()).unwrap();
        let measured = KernelVerity.measure(file.as_fd()).unwrap();
        assert_eq!(measured, Some(digest(content.as_slice()).unwrap()), "{length} bytes");
    }
}

#[test]
#[ignore = "needs fs-verity, run in the VM by ./nestling test probes"]
fn a35_an_installed_bundle_cannot_be_written_by_root_itself() {
    let stage = Stage::with_draw();
    let bundle = shelf(&stage).bundle(&draw(), now()).unwrap();
    let path = stage.installed("draw-1.erofs");
    assert!(OpenOptions::new().write(true).open(&path).is_err());
    assert!(nix::unistd::truncate(&path, 0).is_err());
    assert_eq!(read(&bundle), DRAW.3);
    assert_eq!(KernelVerity.measure(bundle.file.as_fd()).unwrap(), Some(bundle.digest));
}

#[test]
#[ignore = "needs fs-verity, run in the VM by ./nestling test probes"]
fn a35_a_copy_without_a_seal_and_one_sealed_with_other_content_do_not_start() {
    let stage = Stage::with_draw();
    let mut shelf = shelf(&stage);
    shelf.bundle(&draw(), now()).unwrap();
    let path = stage.installed("draw-1.erofs");

    fs::remove_file(&path).unwrap();
    fs::write(&path, DRAW.3).unwrap();
    assert_eq!(shelf.bundle(&draw(), now()).unwrap_err(), Refusal::Altered, "the same bytes, not sealed");

    fs::write(&path, b"the other drawing pad").unwrap();
    KernelVerity.seal(File::open(&path).unwrap().as_fd()).unwrap();
    assert_eq!(shelf.bundle(&draw(), now()).unwrap_err(), Refusal::Altered, "other bytes, sealed");

    assert_eq!(read(&shelf.bundle(&draw(), now()).unwrap()), DRAW.3);
}

#[test]
#[ignore = "needs root, run in the VM by ./nestling test probes"]
fn a35_a_bundle_of_another_user_does_not_start() {
    let stage = Stage::with_draw();
    let mut shelf = stage.shelf();
    shelf.bundle(&draw(), now()).unwrap();
    std::os::unix::fs::chown(stage.installed("draw-1.erofs"), Some(12345), None).unwrap();
    assert_eq!(shelf.bundle(&draw(), now()).unwrap_err(), Refusal::Altered);
}

#[test]
#[ignore = "needs root, run in the VM by ./nestling test probes"]
fn a_full_disk_leaves_nothing_half_installed() {
    let stage = Stage::new();
    stage.publish(1, &[("draw", 1, "Nestling", &vec![7; 1 << 20])]);
    fs::create_dir(&stage.places.bundles).unwrap();
    let options = Some("size=64k,mode=700");
    mount(Some("tmpfs"), &stage.places.bundles, Some("tmpfs"), MsFlags::empty(), options).unwrap();
    let refused = stage.shelf().bundle(&draw(), now()).unwrap_err();
    let names = stage.names();
    umount(&stage.places.bundles).unwrap();
    assert_eq!((refused, names), (Refusal::Storage, Vec::new()));
}

#[test]
#[ignore = "needs root, run in the VM by ./nestling test probes"]
fn a_file_system_that_cannot_seal_takes_no_bundle() {
    let stage = Stage::with_draw();
    fs::create_dir(&stage.places.bundles).unwrap();
    let options = Some("size=1m,mode=700");
    mount(Some("tmpfs"), &stage.places.bundles, Some("tmpfs"), MsFlags::empty(), options).unwrap();
    let refused = Shelf::open(stage.places.clone()).unwrap().bundle(&draw(), now()).unwrap_err();
    let names = stage.names();
    umount(&stage.places.bundles).unwrap();
    assert_eq!((refused, names), (Refusal::Storage, Vec::new()));
}

#[test]
#[ignore = "needs fs-verity, run in the VM by ./nestling test probes"]
fn a_start_does_not_take_longer_for_a_larger_bundle() {
    let stage = Stage::new();
    stage.publish(1, &[DRAW, ("large", 1, "Nestling", &vec![7; 16 << 20])]);
    let mut shelf = shelf(&stage);
    let median = |shelf: &mut Shelf, id: &str| {
        let app = launch::AppId::parse(id).unwrap();
        shelf.bundle(&app, now()).unwrap();
        let mut times: Vec<_> = (0..100)
            .map(|_| {
                let started = Instant::now();
                shelf.bundle(&app, now()).unwrap();
                started.elapsed()
            })
            .collect();
        times.sort();
        times[50]
    };
    let (small, large) = (median(&mut shelf, "draw"), median(&mut shelf, "large"));
    println!("a start spends {small:?} here, {large:?} with 16 MiB");
    assert!(large < small * 3, "{small:?} {large:?}");
}
