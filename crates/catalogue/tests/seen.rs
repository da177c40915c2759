//! tough's datastore on a disk that somebody wrote to: nothing in it is followed, waited for, or read whole.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use catalogue::author::Rehash;
use catalogue::{Places, Shelf};
use common::{DRAW, DRAW_2, Stage, draw, now};
use launch::Refusal;

/// Every file tough reads, writes or removes there.
const FILES: [&str; 5] =
    ["latest_known_time.json", "root.json", "timestamp.json", "snapshot.json", "targets.json"];
const LATEST: &str = FILES[0];
/// A time no clock of a test has reached.
const LATER: &str = "\"2099-01-01T00:00:00Z\"";

/// A watch that knows its catalogue, and is off.
fn known() -> Stage {
    let stage = Stage::with_draw();
    stage.shelf().apps(now()).unwrap();
    stage
}

fn seen(stage: &Stage, name: &str) -> PathBuf {
    stage.places.seen.join(name)
}

fn fifo(path: &PathBuf) {
    let _ = fs::remove_file(path);
    nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
}

/// The version a newly started launcher opens. One that waits for a pipe fails the test instead of holding it up.
fn opened(places: &Places) -> Result<u64, Refusal> {
    let (answer, answers) = mpsc::channel();
    let places = places.clone();
    std::thread::spawn(move || {
        let mut shelf = Shelf::with(places, Rehash).unwrap();
        answer.send(shelf.bundle(&draw(), now()).map(|bundle| bundle.version))
    });
    answers.recv_timeout(Duration::from_secs(20)).unwrap()
}

/// All is as if the file had not been there: a plain file of tough's own.
fn is_written_afresh(stage: &Stage, name: &str) {
    let now = fs::symlink_metadata(seen(stage, name)).unwrap();
    assert!(now.is_file() && now.nlink() == 1 && now.len() <= catalogue::limits::METADATA, "{name}");
}

/// The most memory this process had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a35_a_huge_file_among_what_was_seen_is_removed_unread() {
    for name in FILES.into_iter().chain(["other"]) {
        let stage = known();
        let file = fs::File::create(seen(&stage, name)).unwrap();
        // Sparse: it takes no space, and was as much memory as it claims to be long.
        file.set_len(400 << 20).unwrap();
        assert_eq!(opened(&stage.places), Ok(1), "{name}");
        assert!(peak() < 200 << 10, "{name}: {} KiB", peak());
        assert_eq!(seen(&stage, name).exists(), name != "other");
    }
}

#[test]
fn a35_one_byte_above_the_limit_is_removed_and_the_limit_is_not() {
    let stage = known();
    for (size, kept) in [(catalogue::limits::METADATA, true), (catalogue::limits::METADATA + 1, false)] {
        fs::File::create(seen(&stage, "other")).unwrap().set_len(size).unwrap();
        assert_eq!(opened(&stage.places), Ok(1));
        assert_eq!(seen(&stage, "other").exists(), kept, "{size}");
    }
}

#[test]
fn a35_a_pipe_among_what_was_seen_is_not_waited_for() {
    for name in FILES {
        let stage = known();
        fifo(&seen(&stage, name));
        assert_eq!(opened(&stage.places), Ok(1), "{name}");
        is_written_afresh(&stage, name);
    }
}

#[test]
fn a35_a_pipe_put_there_before_an_installation_is_not_waited_for() {
    let stage = known();
    let places = stage.places.clone();
    let latest = seen(&stage, LATEST);
    let (answer, answers) = mpsc::channel();
    std::thread::spawn(move || {
        let mut shelf = Shelf::with(places, Rehash).unwrap();
        shelf.apps(now()).unwrap();
        fifo(&latest);
        answer.send(shelf.bundle(&draw(), now()).map(|bundle| bundle.version))
    });
    assert_eq!(answers.recv_timeout(Duration::from_secs(20)).unwrap(), Ok(1));
    is_written_afresh(&stage, LATEST);
}

#[test]
fn a35_a_symbolic_link_among_what_was_seen_is_neither_followed_nor_written_through() {
    for name in FILES {
        for target in [LATER, "precious"] {
            let stage = known();
            let elsewhere = stage.path("elsewhere");
            fs::write(&elsewhere, target).unwrap();
            fs::remove_file(seen(&stage, name)).unwrap();
            symlink(&elsewhere, seen(&stage, name)).unwrap();
            // Were the later time believed, nothing would be installed.
            assert_eq!(opened(&stage.places), Ok(1), "{name}");
            assert_eq!(fs::read_to_string(&elsewhere).unwrap(), target, "{name}");
            is_written_afresh(&stage, name);
        }
        let stage = known();
        fs::remove_file(seen(&stage, name)).unwrap();
        symlink(stage.path("nowhere"), seen(&stage, name)).unwrap();
        assert_eq!(opened(&stage.places), Ok(1), "{name}");
        assert!(!stage.path("nowhere").exists(), "{name}");
    }
}

#[test]
fn a35_a_hard_link_among_what_was_seen_is_not_written_through() {
    for name in FILES {
        let stage = known();
        let elsewhere = stage.path("elsewhere");
        fs::write(&elsewhere, LATER).unwrap();
        fs::remove_file(seen(&stage, name)).unwrap();
        fs::hard_link(&elsewhere, seen(&stage, name)).unwrap();
        assert_eq!(opened(&stage.places), Ok(1), "{name}");
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), LATER, "{name}");
        is_written_afresh(&stage, name);
    }
}

#[test]
fn a35_an_empty_folder_among_what_was_seen_is_removed_and_a_full_one_refuses_the_catalogue() {
    for name in FILES.into_iter().chain(["other"]) {
        let stage = known();
        let _ = fs::remove_file(seen(&stage, name));
        fs::create_dir(seen(&stage, name)).unwrap();
        assert_eq!(opened(&stage.places), Ok(1), "{name}");
        assert!(!seen(&stage, name).is_dir(), "{name}");

        let _ = fs::remove_file(seen(&stage, name));
        fs::create_dir(seen(&stage, name)).unwrap();
        fs::write(seen(&stage, name).join("inside"), "precious").unwrap();
        assert_eq!(opened(&stage.places), Err(Refusal::Storage), "{name}");
        assert_eq!(fs::read_to_string(seen(&stage, name).join("inside")).unwrap(), "precious");
    }
}

#[test]
fn a35_a_file_of_somebody_else_among_what_was_seen_is_removed() {
    let stage = known();
    fs::write(seen(&stage, LATEST), LATER).unwrap();
    // Only root can give a file away; elsewhere there is nothing to see.
    if std::os::unix::fs::chown(seen(&stage, LATEST), Some(65534), None).is_ok() {
        assert_eq!(opened(&stage.places), Ok(1));
        assert_ne!(fs::read_to_string(seen(&stage, LATEST)).unwrap(), LATER);
    }
}

#[test]
fn a35_a_name_that_is_no_text_is_looked_at_like_any_other() {
    use std::os::unix::ffi::OsStrExt as _;
    let stage = known();
    let odd = stage.places.seen.join(std::ffi::OsStr::from_bytes(b"\xff\n"));
    fifo(&odd);
    assert_eq!(opened(&stage.places), Ok(1));
    assert!(fs::symlink_metadata(odd).is_err());
}

#[test]
fn a35_a_folder_exchanged_while_the_launcher_runs_is_not_used() {
    let stage = known();
    let mut shelf = stage.shelf();
    shelf.apps(now()).unwrap();
    fs::rename(&stage.places.seen, stage.path("elsewhere")).unwrap();
    symlink(stage.path("elsewhere"), &stage.places.seen).unwrap();
    assert_eq!(shelf.bundle(&draw(), now()).unwrap_err(), Refusal::Storage);
    fs::remove_file(&stage.places.seen).unwrap();
    fs::rename(stage.path("elsewhere"), &stage.places.seen).unwrap();
    fs::set_permissions(&stage.places.seen, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(shelf.bundle(&draw(), now()).unwrap_err(), Refusal::Storage);
}

#[test]
fn a35_what_is_whole_still_stops_an_older_catalogue_when_its_neighbour_is_removed() {
    let stage = Stage::new();
    stage.publish(2, &[DRAW_2]);
    assert_eq!(opened(&stage.places), Ok(2));
    fifo(&seen(&stage, "targets.json"));
    fifo(&seen(&stage, LATEST));
    stage.publish(1, &[DRAW]);
    assert_eq!(opened(&stage.places), Err(Refusal::Catalogue));
}

#[test]
fn a35_a_link_where_the_latest_time_is_put_aside_is_not_written_through() {
    let stage = known();
    fs::write(seen(&stage, LATEST), LATER).unwrap();
    fs::write(stage.path("elsewhere"), "precious").unwrap();
    symlink(stage.path("elsewhere"), seen(&stage, "latest_known_time.new")).unwrap();
    assert_eq!(opened(&stage.places), Err(Refusal::Expired));
    assert_eq!(fs::read_to_string(stage.path("elsewhere")).unwrap(), "precious");
    assert_eq!(fs::read_to_string(seen(&stage, LATEST)).unwrap(), LATER);
    assert!(fs::symlink_metadata(seen(&stage, "latest_known_time.new")).is_err());
}
