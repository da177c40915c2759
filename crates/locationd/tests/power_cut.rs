//! The power goes at every write of the track: no more than the newest row is lost, and nothing expired comes back.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use daemon::wall::Now;
use jiff::Timestamp;
use nestling_locationd::core::Whereabouts;
use nestling_locationd::track::{Row, SIZE, Track, parse};
use policy::Place;
use tempfile::TempDir;
use testkit::power_cut::{Cut, Disk, Fault, Image, Step, failing, heard, record, say};

const ROOT: &str = "NESTLING_POWER_CUT_ROOT";
const NOON: i64 = 1_795_435_200;
/// Rows in a life, one every ten minutes, kept for an hour.
const ROWS: u64 = 12;
const APART: u64 = 600;
const HOUR: u64 = 3600;

fn at(boot: u64) -> Now {
    Now { boot: Duration::from_secs(boot), unix: NOON }
}

fn here(row: u64) -> Whereabouts {
    let place = Place::new(60.0 + row as f64 / 100.0, 24.94).unwrap();
    Whereabouts {
        place,
        accuracy_m: 5.0,
        time: Timestamp::from_second(NOON).unwrap(),
        zone: None,
        doubt: None,
    }
}

fn latitude_e6(row: u64) -> i32 {
    60_000_000 + row as i32 * 10_000
}

/// The program that is recorded.
#[test]
#[ignore = "what the others record"]
fn a_track_lives() {
    let own = tempfile::tempdir().unwrap();
    live(std::env::var_os(ROOT).map_or(own.path().to_owned(), PathBuf::from).as_path());
}

/// What the disk does not take is lost, and life goes on.
fn live(root: &Path) {
    let mut track = open(root, false, at(100));
    let _ = track.keep_for(Some(1), at(100));
    for row in 1..=ROWS {
        if row == 5 {
            track = open(root, true, at(100 + row * APART - 1));
        }
        let now = at(100 + row * APART);
        if track
            .keep_for(Some(1), now)
            .and_then(|()| track.seen(&here(row), Some(Duration::ZERO), now))
            .is_ok()
        {
            say(&row.to_string());
        }
    }
}

fn open(root: &Path, same_boot: bool, now: Now) -> Track {
    (0..12).find_map(|_| Track::open(root, same_boot, now).ok()).unwrap()
}

fn program(root: &Path) -> Command {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "a_track_lives", "--ignored", "--nocapture", "--test-threads=1"]);
    program.env(ROOT, root);
    program
}

fn recording() -> (Disk, Vec<Step>) {
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let before = Disk::holding(root.path()).unwrap();
    let log = tempfile::NamedTempFile::new().unwrap();
    (before, record(&program(root.path()), root.path(), log.path()).unwrap())
}

fn laid(image: &Image) -> TempDir {
    let memory = Path::new("/dev/shm");
    let root = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    image.lay(root.path()).unwrap();
    root
}

/// The next boot after a cut, when `said` rows were promised.
fn starts_again(image: &Image, said: u64, what: &str) {
    let root = laid(image);
    let mut track = Track::open(root.path(), false, at(15)).unwrap();
    // Sealed, say: nobody tells how long rows are kept.
    track.keep_for(None, at(15)).unwrap();
    let rows: Vec<i32> = track.last(usize::MAX).iter().map(|row| row.latitude_e6).collect();
    for promised in said.saturating_sub(1).max(1)..=said {
        assert!(rows.contains(&latitude_e6(promised)), "{what}: row {promised} of {said} is lost: {rows:?}");
    }
    for row in &rows {
        let number = (1..=said + 1).find(|number| latitude_e6(*number) == *row);
        let number = number.unwrap_or_else(|| panic!("{what}: {row} was never written"));
        assert!(said.saturating_sub(number) * APART < HOUR, "{what}: row {number} of {said} is expired");
    }
    only_these_are_left(root.path(), &track.last(usize::MAX), what);
    track.seen(&here(ROWS + 1), Some(Duration::ZERO), at(60)).unwrap();
    track.tidy(at(60 + HOUR)).unwrap();
    if said > 0 {
        assert!(track.last(1).is_empty(), "{what}");
        only_these_are_left(root.path(), &[], what);
    }
}

/// Every byte behind the heads belongs to one of these.
fn only_these_are_left(root: &Path, rows: &[Row], what: &str) {
    let files: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files, [root.join("track")], "{what}");
    let bytes = fs::read(&files[0]).unwrap();
    assert_eq!(bytes.len(), SIZE, "{what}");
    let found: Vec<Row> = parse(&bytes).unwrap().rows().copied().collect();
    assert!(found.iter().rev().eq(rows), "{what}: {found:?}");
    let full = bytes[1024..].chunks(32).filter(|slot| slot.iter().any(|byte| *byte != 0)).count();
    assert_eq!(full, rows.len(), "{what}: half a row is left");
}

fn holds(cuts: impl Fn(u64) -> Vec<Cut>) {
    let (mut disk, steps) = recording();
    let (mut said, mut seen) = (0, HashSet::new());
    for (number, step) in (0_u64..).zip(&steps) {
        disk.step(step).unwrap();
        if let Step::Said(text) = step {
            said = text.parse().unwrap();
        }
        for cut in cuts(number) {
            let Some(image) = disk.image(cut) else { continue };
            let what = format!("step {number}, {cut:?}");
            starts_again(&image, said, &what);
            seen.insert((said, image));
        }
    }
    println!("{} steps, {} different disks", steps.len(), seen.len());
    assert!(said == ROWS && seen.len() > 20, "the life was lived to its end");
}

#[test]
fn a53_a_program_killed_at_any_write_keeps_nothing_expired() {
    holds(|_| vec![Cut::Kept]);
}

#[test]
fn a53_no_promised_row_waits_for_a_sync() {
    holds(|_| vec![Cut::Synced]);
}

#[test]
fn a53_a_torn_write_is_no_row_and_leaves_none() {
    holds(|step| vec![Cut::Half, Cut::Torn(step), Cut::Torn(step + 1000)]);
}

#[test]
fn a53_writes_that_overtake_each_other_bring_nothing_back() {
    holds(|step| (0..3).map(|seed| Cut::Some(step * 16 + seed)).collect());
}

/// Full, or failing, for a moment: what was promised is there, the rest is lost, and what expires still goes.
#[test]
fn a53_a_disk_that_fails_keeps_nothing_expired() {
    let mut lives = 0;
    for (call, error) in
        [("pwrite64", "ENOSPC"), ("fdatasync", "EIO"), ("fsync", "EIO"), ("pread64,read", "EIO")]
    {
        for first in (1..).step_by(3) {
            let root = tempfile::tempdir().unwrap();
            let fault = Fault { call, error, first, last: Some(first + 2) };
            let log = tempfile::NamedTempFile::new().unwrap();
            let paths = [root.path().join("track"), root.path().to_owned()];
            let ended = failing(&program(root.path()), &paths, fault, log.path()).output().unwrap();
            assert!(ended.status.success(), "{fault:?}: {}", String::from_utf8_lossy(&ended.stderr));
            if !fs::read_to_string(log.path()).unwrap().contains("(INJECTED)") {
                break;
            }
            lives += 1;
            let told = heard(&ended.stderr).len();
            assert!(told >= ROWS as usize - 5, "{fault:?}: {told} rows");
            let mut track = Track::open(root.path(), false, at(15)).unwrap();
            track.keep_for(Some(1), at(15)).unwrap();
            only_these_are_left(root.path(), &track.last(usize::MAX), &format!("{fault:?}"));
            track.tidy(at(15 + HOUR)).unwrap();
            only_these_are_left(root.path(), &[], &format!("{fault:?}"));
        }
    }
    println!("{lives} lives");
    assert!(lives > 10, "{lives} are too few to mean something");
}
