//! The disk is full, or fails, for a moment of a life or from a moment on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Result, ensure};
use testkit::power_cut::{Fault, failing, heard};

use crate::cuts::{self, Recording};
use crate::life::{self, ORDERS, Promise};
use crate::long;
use crate::watch::{FILES, FOLDERS, Watch};

/// A life in `root`, with a fault. Returns how it ended, and whether the fault was met.
fn live(root: &Path, fault: Fault) -> (Output, bool) {
    let paths: Vec<PathBuf> = FOLDERS.iter().chain(&FILES).map(|name| root.join(name)).collect();
    let log = tempfile::NamedTempFile::new().unwrap();
    let ended = failing(&life::program(root), &paths, fault, log.path()).output().unwrap();
    let met = fs::read_to_string(log.path()).unwrap().contains("(INJECTED)");
    (ended, met)
}

/// Lives once for each of the faults `fault` makes of the numbers from 1 on (every `stride`th in the short lane),
/// until one comes after the last call. `then` judges what a life left, and what it said.
fn live_with(stride: usize, fault: impl Fn(usize) -> Fault, then: impl Fn(&Path, &Output) -> Result<()>) {
    let stride = if long() { 1 } else { stride };
    let (mut lives, mut broken) = (0, Vec::new());
    for number in (1..).step_by(stride) {
        let root = life::empty(&life::quick_place());
        let fault = fault(number);
        let (ended, met) = live(root.path(), fault);
        if !met {
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
            break;
        }
        lives += 1;
        if let Err(why) = then(root.path(), &ended) {
            broken.push(format!("{fault:?}: {why:#}"));
        }
    }
    println!("{lives} lives with {:?} and the like", fault(1));
    assert!(broken.is_empty(), "{} of {lives} lives:\n{}", broken.len(), broken.join("\n"));
    assert!(lives > 2, "too few calls to mean something");
}

/// A fault that passes: everything was accepted in the end, and refused before that or not.
fn for_a_moment(call: &'static str, stride: usize) {
    for error in if long() { &["ENOSPC", "EIO"][..] } else { &["EIO"] } {
        let fault = |first| Fault { call, error, first, last: Some(first + first % 3) };
        live_with(stride, fault, |root, ended| {
            ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
            let watch = Watch::boot(root)?;
            let diary = watch.diary()?;
            ensure!(diary.iter().any(|(_, kind, _)| kind == "call-refused"), "a line is lost: {diary:?}");
            drop(watch);
            Promise { offered: ORDERS, accepted: ORDERS, lines: diary.len() }.is_kept(root, &diary)
        });
    }
}

#[test]
fn a46_a_write_that_fails_is_a_refusal_or_none() {
    for_a_moment("pwrite64", 2);
    for_a_moment("write", 1);
}

#[test]
fn a46_a_sync_that_fails_is_a_refusal_or_none() {
    for_a_moment("fsync", 1);
}

#[test]
fn a46_a_name_that_cannot_be_changed_is_a_refusal_or_none() {
    for_a_moment("?unlink,unlinkat", 1);
    for_a_moment("?rename,?renameat,renameat2", 1);
}

/// Room is made again while the watch is off.
#[test]
fn a46_a_disk_that_stays_full_loses_nothing() {
    for call in ["pwrite64", "fsync"] {
        let fault = |first| Fault { call, error: "ENOSPC", first, last: None };
        live_with(5, fault, |root, ended| {
            let mut promise = Promise::default();
            for step in heard(&ended.stderr) {
                promise.hear(&step);
            }
            let watch = Watch::boot(root)?;
            let diary = watch.diary()?;
            drop(watch);
            promise.is_kept(root, &diary)
        });
    }
}

/// A diary that has to be rolled back and cannot, for want of room, is a good diary.
#[test]
fn a46_a_full_disk_when_starting_after_a_power_cut_loses_nothing() {
    let (recording, diary) = Recording::of_a_life();
    let mut met = 0;
    for (image, mut promise, first) in cuts::starts(&recording) {
        let root = cuts::laid(&image);
        let fault = Fault { call: "pwrite64", error: "ENOSPC", first: 1, last: None };
        let (ended, here) = live(root.path(), fault);
        met += usize::from(here);
        for step in heard(&ended.stderr) {
            promise.hear(&step);
        }
        let kept = promise.is_kept(root.path(), &diary);
        assert!(kept.is_ok(), "{first}: {kept:#?}");
    }
    assert!(met > 5, "{met} full disks are too few to mean something");
}

/// A read that fails is no damage of the order log, and as much of the diary as cannot be read is kept and told.
#[test]
fn a46_a_read_that_fails_loses_nothing() {
    let fault = |first| Fault { call: "pread64", error: "EIO", first, last: Some(first + first % 3) };
    live_with(2, fault, |root, ended| {
        ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        let watch = Watch::boot(root)?;
        let diary = watch.diary()?;
        let told = diary.first().is_some_and(|(_, kind, _)| kind == "diary-damaged");
        let kept = fs::read_dir(root.join("state"))?
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().ends_with(".damaged"));
        ensure!(told == kept, "{diary:?}");
        ensure!(told || diary.iter().any(|(_, kind, _)| kind == "call-refused"), "a line is lost: {diary:?}");
        drop(watch);
        Promise { offered: ORDERS, accepted: ORDERS, lines: diary.len() }.is_kept(root, &diary)
    });
}
