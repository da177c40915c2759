//! What of a catalogue is believed: signatures, versions, dates, sizes.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use catalogue::author::Keys;
use catalogue::{Error, Places};
use common::{DAY, DRAW, DRAW_2, Stage, draw, now};
use launch::{AppId, Refusal};

#[test]
fn a_signed_app_is_listed_and_opened() {
    let stage = Stage::with_draw();
    let mut shelf = stage.shelf();
    assert_eq!(shelf.apps(now()).unwrap().len(), 1);
    let bundle = shelf.bundle(&draw(), now()).unwrap();
    assert_eq!((bundle.version, bundle.info.name.as_str()), (1, "Draw"));
    assert_eq!(common::read(&bundle), DRAW.3);
}

#[test]
fn a35_an_app_no_reviewer_signed_is_not_there() {
    let stage = Stage::with_draw();
    let mut shelf = stage.shelf();
    let other = AppId::parse("other").unwrap();
    fs::write(stage.installed("other-1.erofs"), b"x").unwrap();
    fs::write(stage.places.catalogue.join("targets/other-1.erofs"), b"x").unwrap();
    assert_eq!(shelf.bundle(&other, now()).unwrap_err(), Refusal::NotSigned);
}

#[test]
fn a35_metadata_of_another_signer_is_not_believed() {
    let stage = Stage::with_draw();
    let stranger = Keys::open_or_make(&stage.path("stranger")).unwrap();
    let release = stage.release(2, &[DRAW_2]);
    stage.keep_root(|stage| stage.publish_as(&stranger, &release));
    assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap_err(), Refusal::Catalogue);
    assert_eq!(stage.shelf().apps(now()).unwrap_err(), Refusal::Catalogue);
}

#[test]
fn a35_an_installed_app_of_a_catalogue_that_is_not_believed_does_not_start() {
    let stage = Stage::with_draw();
    let mut shelf = stage.shelf();
    shelf.bundle(&draw(), now()).unwrap();
    let stranger = Keys::open_or_make(&stage.path("stranger")).unwrap();
    let release = stage.release(2, &[DRAW]);
    stage.keep_root(|stage| stage.publish_as(&stranger, &release));
    assert_eq!(shelf.bundle(&draw(), now()).unwrap_err(), Refusal::Catalogue);
}

#[test]
fn a35_a_changed_byte_of_any_metadata_file_is_noticed() {
    for (name, from, to) in [
        ("timestamp.json", "\"version\": 1", "\"version\": 9"),
        ("1.snapshot.json", "\"version\": 1", "\"version\": 9"),
        ("1.targets.json", "\"age\": 3", "\"age\": 0"),
        ("1.targets.json", "\"publisher\": \"Nestling\"", "\"publisher\": \"Nestlinh\""),
    ] {
        let stage = Stage::with_draw();
        let text = fs::read_to_string(stage.metadata(name)).unwrap();
        assert!(text.contains(from), "{name}");
        fs::write(stage.metadata(name), text.replace(from, to)).unwrap();
        assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap_err(), Refusal::Catalogue, "{name}");
    }
}

#[test]
fn a35_a_tampered_root_is_not_believed() {
    let stage = Stage::with_draw();
    let text = fs::read_to_string(&stage.places.root).unwrap();
    fs::write(&stage.places.root, text.replace("\"threshold\": 1", "\"threshold\": 2")).unwrap();
    assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap_err(), Refusal::Catalogue);
}

#[test]
fn a35_truncated_missing_and_huge_metadata_is_refused() {
    for name in ["timestamp.json", "1.snapshot.json", "1.targets.json"] {
        let stage = Stage::with_draw();
        let whole = fs::read(stage.metadata(name)).unwrap();
        for length in [0, 1, whole.len() / 2, whole.len() - 2] {
            fs::write(stage.metadata(name), &whole[..length]).unwrap();
            assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap_err(), Refusal::Catalogue, "{name}");
        }
        let mut huge = whole.clone();
        huge.resize(2 << 20, b' ');
        fs::write(stage.metadata(name), huge).unwrap();
        assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap_err(), Refusal::Catalogue, "{name}");
        fs::remove_file(stage.metadata(name)).unwrap();
        assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap_err(), Refusal::Catalogue, "{name}");
    }
}

#[test]
fn a35_a_link_or_a_pipe_in_the_catalogue_is_not_followed() {
    let stage = Stage::with_draw();
    let timestamp = stage.metadata("timestamp.json");
    fs::rename(&timestamp, stage.path("elsewhere")).unwrap();
    symlink(stage.path("elsewhere"), &timestamp).unwrap();
    assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap_err(), Refusal::Catalogue);
    fs::remove_file(&timestamp).unwrap();
    nix::unistd::mkfifo(&timestamp, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap_err(), Refusal::Catalogue);
}

#[test]
fn a35_an_older_catalogue_does_not_follow_a_newer_one() {
    let stage = Stage::new();
    stage.publish(2, &[DRAW_2]);
    stage.shelf().bundle(&draw(), now()).unwrap();
    stage.publish(1, &[DRAW]);
    // Remembered across restarts of the launcher.
    assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap_err(), Refusal::Catalogue);
    stage.publish(3, &[DRAW_2]);
    assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap().version, 2);
}

#[test]
fn a35_an_old_snapshot_behind_a_new_timestamp_is_noticed() {
    let stage = Stage::with_draw();
    let old = fs::read(stage.metadata("1.snapshot.json")).unwrap();
    stage.publish(2, &[DRAW_2]);
    fs::write(stage.metadata("2.snapshot.json"), old).unwrap();
    assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap_err(), Refusal::Catalogue);
}

#[test]
fn an_expired_catalogue_starts_what_is_installed_and_installs_nothing() {
    let stage = Stage::with_draw();
    stage.shelf().bundle(&draw(), now()).unwrap();
    stage.publish_expired(2, &[DRAW, ("paint", 1, "Nestling", b"new")]);
    let mut shelf = stage.shelf();
    assert_eq!(shelf.bundle(&draw(), now()).unwrap().version, 1);
    let paint = AppId::parse("paint").unwrap();
    assert_eq!(shelf.bundle(&paint, now()).unwrap_err(), Refusal::Expired);
    assert_eq!(stage.names(), ["draw-1.erofs"]);
}

#[test]
fn an_expired_catalogue_updates_nothing_and_stops_nothing() {
    let stage = Stage::with_draw();
    stage.shelf().bundle(&draw(), now()).unwrap();
    stage.publish_expired(2, &[DRAW, DRAW_2]);
    assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap().version, 1);
    stage.publish(3, &[DRAW, DRAW_2]);
    assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap().version, 2);
}

#[test]
fn a35_an_expired_catalogue_must_be_signed_all_the_same() {
    let stage = Stage::with_draw();
    stage.shelf().bundle(&draw(), now()).unwrap();
    let stranger = Keys::open_or_make(&stage.path("stranger")).unwrap();
    let mut release = stage.release(2, &[DRAW]);
    release.timestamp_expires = now() - DAY;
    stage.keep_root(|stage| stage.publish_as(&stranger, &release));
    assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap_err(), Refusal::Catalogue);
    // Nor is an expired one an older one's way in.
    stage.keep_root(|stage| stage.publish_expired(5, &[DRAW]));
    stage.shelf().bundle(&draw(), now()).unwrap();
    stage.keep_root(|stage| stage.publish_expired(4, &[DRAW]));
    assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap_err(), Refusal::Catalogue);
}

#[test]
fn a_catalogue_that_expires_while_the_launcher_runs_installs_nothing_from_then_on() {
    let stage = Stage::with_draw();
    let mut shelf = stage.shelf();
    assert_eq!(shelf.apps(now()).unwrap().len(), 1);
    assert_eq!(shelf.bundle(&draw(), now() + 31 * DAY).unwrap_err(), Refusal::Expired);
    assert_eq!(shelf.bundle(&draw(), now()).unwrap().version, 1);
    assert_eq!(shelf.bundle(&draw(), now() + 31 * DAY).unwrap().version, 1);
}

#[test]
fn a_clock_that_went_back_installs_nothing_and_stops_nothing() {
    let stage = Stage::with_draw();
    stage.shelf().bundle(&draw(), now()).unwrap();
    stage.publish(2, &[DRAW, ("paint", 1, "Nestling", b"new")]);
    let latest = stage.places.seen.join("latest_known_time.json");
    fs::write(&latest, "\"2099-01-01T00:00:00Z\"").unwrap();
    let mut shelf = stage.shelf();
    assert_eq!(shelf.bundle(&draw(), now()).unwrap().version, 1);
    let paint = AppId::parse("paint").unwrap();
    assert_eq!(shelf.bundle(&paint, now()).unwrap_err(), Refusal::Expired);
    // The latest time is not forgotten by that.
    assert_eq!(fs::read_to_string(&latest).unwrap(), "\"2099-01-01T00:00:00Z\"");
    // With the clock right again the same launcher installs.
    fs::write(&latest, "\"2024-01-01T00:00:00Z\"").unwrap();
    assert_eq!(shelf.bundle(&paint, now()).unwrap().version, 1);
}

#[test]
fn a35_an_app_whose_time_is_over_neither_starts_nor_is_listed() {
    let stage = Stage::with_draw();
    stage.shelf().bundle(&draw(), now()).unwrap();
    let mut release = stage.release(2, &[DRAW]);
    let manifest = "id = \"draw\"\nversion = 1\nname = \"Draw\"\npublisher = \"Nestling\"\n\
                    category = \"creative\"\nage = 3\npermissions = []\nnot_after = 1000\n";
    release.bundles[0].0 = catalogue::author::Manifest::parse(manifest).unwrap();
    stage.publish_as(&stage.keys, &release);
    let mut shelf = stage.shelf();
    assert!(matches!(shelf.find(&draw(), now()).unwrap_err(), Error::Over { .. }));
    assert_eq!(shelf.apps(now()).unwrap(), []);
    assert_eq!(shelf.apps(SystemTime::UNIX_EPOCH + Duration::from_secs(999)).unwrap().len(), 1);
}

#[test]
fn a35_two_publishers_of_one_app_start_neither() {
    let stage = Stage::new();
    stage.publish(1, &[DRAW, ("draw", 2, "Somebody", b"x")]);
    let mut shelf = stage.shelf();
    assert!(matches!(shelf.find(&draw(), now()).unwrap_err(), Error::Publisher(_)));
    assert_eq!(shelf.bundle(&draw(), now()).unwrap_err(), Refusal::NotSigned);
    assert_eq!(shelf.apps(now()).unwrap(), []);
}

#[test]
fn a_new_catalogue_is_seen_without_a_restart() {
    let stage = Stage::with_draw();
    let mut shelf = stage.shelf();
    assert_eq!(shelf.bundle(&draw(), now()).unwrap().version, 1);
    stage.publish(2, &[DRAW, DRAW_2]);
    assert_eq!(shelf.bundle(&draw(), now()).unwrap().version, 2);
    stage.publish(3, &[]);
    assert_eq!(shelf.bundle(&draw(), now()).unwrap_err(), Refusal::NotSigned);
}

#[test]
fn a_watch_without_a_catalogue_refuses_every_app() {
    let stage = Stage::new();
    assert_eq!(stage.shelf().bundle(&draw(), now()).unwrap_err(), Refusal::Catalogue);
}

#[test]
fn the_same_keys_bundles_and_dates_give_the_same_bytes() {
    let stage = Stage::new();
    let release = stage.release(7, &[DRAW, DRAW_2]);
    let root = catalogue::author::Root { expires: now() };
    let mut listings = Vec::new();
    for name in ["a", "b"] {
        let folder = stage.path(name);
        catalogue::author::sign(&stage.keys, root, &release, &folder).unwrap();
        let mut files = Vec::new();
        for part in ["", "metadata", "targets"] {
            for file in fs::read_dir(folder.join(part)).unwrap() {
                let file = file.unwrap();
                if file.file_type().unwrap().is_file() {
                    files.push((file.file_name(), fs::read(file.path()).unwrap()));
                }
            }
        }
        files.sort();
        listings.push(files);
    }
    assert_eq!(listings[0], listings[1]);
    assert_eq!(listings[0].len(), 7);
}

#[test]
fn a_key_others_can_read_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::new();
    let key = stage.path("keys/targets.pk8");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(Keys::open_or_make(&stage.path("keys")).is_err());
}

#[test]
fn the_places_of_the_watch_are_absolute() {
    let places = Places::default();
    assert!(places.root.starts_with(&places.catalogue) && places.bundles.is_absolute());
}
