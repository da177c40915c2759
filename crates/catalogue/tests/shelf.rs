//! The installed bundles: what is altered does not start, what is not whole is not there.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod common;

use std::fs;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use catalogue::verity::Digest;
use catalogue::{Error, Shelf, Verity};
use common::{DRAW, DRAW_2, Stage, draw, now, read};
use launch::Refusal;

/// A shelf with draw 1 installed.
fn installed() -> Stage {
    let stage = Stage::with_draw();
    stage.shelf().bundle(&draw(), now()).unwrap();
    assert_eq!(stage.names(), ["draw-1.erofs"]);
    stage
}

/// It is refused once, gone from the shelf, and installed afresh by the next touch.
fn refused_once_and_installed_afresh(stage: &Stage) {
    let mut shelf = stage.shelf();
    assert_eq!(shelf.bundle(&draw(), now()).unwrap_err(), Refusal::Altered);
    assert_eq!(stage.names(), Vec::<String>::new());
    assert_eq!(read(&shelf.bundle(&draw(), now()).unwrap()), DRAW.3);
}

#[test]
fn a35_a_bundle_altered_after_it_was_installed_does_not_start() {
    let stage = installed();
    let file = stage.installed("draw-1.erofs");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&file, b"the other drawing pad").unwrap();
    refused_once_and_installed_afresh(&stage);
}

#[test]
fn a35_a_symbolic_link_on_the_shelf_is_not_followed() {
    let stage = installed();
    let file = stage.installed("draw-1.erofs");
    fs::rename(&file, stage.path("elsewhere")).unwrap();
    symlink(stage.path("elsewhere"), &file).unwrap();
    refused_once_and_installed_afresh(&stage);
    assert!(stage.path("elsewhere").exists());
}

#[test]
fn a35_a_bundle_with_a_second_name_does_not_start() {
    let stage = installed();
    fs::hard_link(stage.installed("draw-1.erofs"), stage.path("second")).unwrap();
    refused_once_and_installed_afresh(&stage);
}

#[test]
fn a35_a_folder_or_a_pipe_in_a_bundles_place_does_not_start() {
    let stage = installed();
    let file = stage.installed("draw-1.erofs");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    refused_once_and_installed_afresh(&stage);
    fs::remove_file(&file).unwrap();
    nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
    refused_once_and_installed_afresh(&stage);
}

#[test]
fn a35_a_file_nobody_installed_is_measured_like_any_other() {
    let stage = Stage::with_draw();
    let mut shelf = stage.shelf();
    fs::write(stage.installed("draw-1.erofs"), b"put here by hand").unwrap();
    assert_eq!(shelf.bundle(&draw(), now()).unwrap_err(), Refusal::Altered);
}

#[test]
fn a35_what_was_measured_is_what_is_used_even_if_the_name_is_given_to_another() {
    let stage = installed();
    let bundle = stage.shelf().bundle(&draw(), now()).unwrap();
    let other = stage.installed("other");
    fs::write(&other, b"swapped in afterwards").unwrap();
    fs::rename(&other, stage.installed("draw-1.erofs")).unwrap();
    assert_eq!(read(&bundle), DRAW.3);
}

#[test]
fn a35_a_bundle_altered_in_the_catalogue_is_not_installed() {
    for altered in [&b"the first drawing PAD"[..], b"short", b"", &[b'x'; 4096]] {
        let stage = Stage::with_draw();
        fs::write(stage.target(), altered).unwrap();
        let mut shelf = stage.shelf();
        assert_eq!(shelf.bundle(&draw(), now()).unwrap_err(), Refusal::Altered);
        assert_eq!(stage.names(), Vec::<String>::new());
    }
}

#[test]
fn a_bundle_missing_in_the_catalogue_is_the_catalogues_fault() {
    let stage = Stage::with_draw();
    fs::remove_file(stage.target()).unwrap();
    assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap_err(), Refusal::Catalogue);
    assert_eq!(stage.names(), Vec::<String>::new());
}

#[test]
fn a35_a_newer_version_on_the_watch_is_not_replaced_by_an_older_one() {
    let stage = Stage::new();
    stage.publish(1, &[DRAW_2]);
    stage.shelf().bundle(&draw(), now()).unwrap();
    stage.publish(2, &[DRAW]);
    let mut shelf = stage.shelf();
    assert!(matches!(shelf.find(&draw(), now()).unwrap_err(), Error::Older { installed: 2, .. }));
    assert_eq!(stage.names(), ["draw-2.erofs"]);
}

#[test]
fn an_update_takes_the_old_version_away() {
    let stage = installed();
    stage.publish(2, &[DRAW, DRAW_2]);
    assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap().version, 2);
    assert_eq!(stage.names(), ["draw-2.erofs"]);
}

#[test]
fn what_a_power_cut_left_unfinished_is_gone_after_the_next_start() {
    let stage = Stage::with_draw();
    drop(stage.shelf());
    fs::write(stage.installed("draw-1.erofs.new"), b"half").unwrap();
    let mut shelf = stage.shelf();
    assert_eq!(stage.names(), Vec::<String>::new());
    // And one that stands in the way later is not written through.
    symlink(stage.path("elsewhere"), stage.installed("draw-1.erofs.new")).unwrap();
    shelf.bundle(&draw(), now()).unwrap();
    assert!(!stage.path("elsewhere").exists());
    assert_eq!(stage.names(), ["draw-1.erofs"]);
}

#[test]
fn a_shelf_others_can_enter_is_not_used() {
    let stage = Stage::with_draw();
    drop(stage.shelf());
    fs::set_permissions(&stage.places.bundles, fs::Permissions::from_mode(0o755)).unwrap();
    let refused = Shelf::open(stage.places.clone()).unwrap_err();
    assert!(matches!(refused, Error::Folder { .. }));
}

/// A kernel that forgets to seal.
#[derive(Debug)]
struct Unsealed;

impl Verity for Unsealed {
    fn seal(&self, _: BorrowedFd<'_>) -> io::Result<()> {
        Ok(())
    }

    fn measure(&self, _: BorrowedFd<'_>) -> io::Result<Option<Digest>> {
        Ok(None)
    }
}

#[test]
fn a35_a_bundle_that_is_not_sealed_does_not_start() {
    let stage = installed();
    let mut shelf = Shelf::with(stage.places.clone(), Unsealed).unwrap();
    assert_eq!(shelf.bundle(&draw(), now()).unwrap_err(), Refusal::Altered);
    // Nor is one installed that cannot be sealed.
    assert_eq!(shelf.bundle(&draw(), now()).unwrap_err(), Refusal::Altered);
    assert_eq!(stage.names(), Vec::<String>::new());
}
