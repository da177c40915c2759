//! Whom apps run as, when somebody was at the storage before (A37, A38).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it is surprised")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use launch::AppId;
use nestling_launcher::users::{Users, UsersError};
use tempfile::TempDir;

fn id(text: &str) -> AppId {
    AppId::parse(text).unwrap()
}

fn folder() -> TempDir {
    assert!(rustix::process::getuid().is_root(), "these tests give folders away: run them as root");
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    folder
}

fn users(folder: &TempDir) -> Users {
    Users::new(folder.path(), (20_000, 20_002))
}

fn plant(path: &Path, owner: u32, mode: u32) {
    fs::create_dir(path).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    chown(path, Some(owner), Some(owner)).unwrap();
}

#[test]
fn an_app_keeps_its_user_and_another_gets_another() {
    let folder = folder();
    let first = users(&folder).home(&id("draw")).unwrap().user;
    let second = users(&folder).home(&id("chess")).unwrap().user;
    assert_ne!(first, second);
    assert_eq!(users(&folder).home(&id("draw")).unwrap().user, first, "also after a restart");
    let made = fs::metadata(folder.path().join("draw")).unwrap();
    assert_eq!((made.uid(), made.gid(), made.mode() & 0o7777), (first.id(), first.id(), 0o700));
}

#[test]
fn a38_a_user_is_not_reused_while_its_data_exists() {
    let folder = folder();
    let users = users(&folder);
    let numbers = ["a", "b", "c"].map(|app| users.home(&id(app)).unwrap().user);
    assert!(matches!(users.home(&id("d")), Err(UsersError::Full)));
    assert!(users.home(&id("b")).is_ok());
    fs::remove_dir(folder.path().join("b")).unwrap();
    assert_eq!(users.home(&id("d")).unwrap().user, numbers[1]);
}

#[test]
fn a37_a_link_or_a_file_in_place_of_a_folder_is_refused() {
    let (folder, elsewhere) = (folder(), folder());
    plant(&elsewhere.path().join("secret"), 20_000, 0o700);
    symlink(elsewhere.path().join("secret"), folder.path().join("draw")).unwrap();
    fs::write(folder.path().join("chess"), "").unwrap();
    for app in ["draw", "chess"] {
        let error = users(&folder).home(&id(app)).unwrap_err();
        assert!(matches!(error, UsersError::Folder { step: "open", .. }), "{error:?}");
    }
}

#[test]
fn a37_a_folder_of_somebody_else_is_refused() {
    let folder = folder();
    plant(&folder.path().join("draw"), 0, 0o700);
    plant(&folder.path().join("chess"), 801, 0o700);
    for app in ["draw", "chess"] {
        let error = users(&folder).home(&id(app)).unwrap_err();
        assert!(matches!(error, UsersError::Owner { .. }), "{error:?}");
    }
    plant(&folder.path().join("paint"), 20_000, 0o700);
    chown(folder.path().join("paint"), None, Some(0)).unwrap();
    assert!(matches!(users(&folder).home(&id("paint")), Err(UsersError::Owner { group: 0, .. })));
}

#[test]
fn a38_a_folder_of_folders_that_others_could_enter_is_refused() {
    let folder = folder();
    for mode in [0o755, 0o770, 0o701] {
        fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        assert!(matches!(users(&folder).home(&id("draw")), Err(UsersError::Mode { .. })), "{mode:o}");
    }
}

#[test]
fn an_app_that_changes_the_mode_of_its_own_folder_keeps_it() {
    let folder = folder();
    for mode in [0, 0o755, 0o777, 0o7700] {
        plant(&folder.path().join("draw"), 20_000, mode);
        assert_eq!(users(&folder).home(&id("draw")).unwrap().user.id(), 20_000, "{mode:o}");
        fs::remove_dir(folder.path().join("draw")).unwrap();
    }
}

#[test]
fn a38_two_folders_of_one_user_are_both_refused() {
    let folder = folder();
    plant(&folder.path().join("draw"), 20_001, 0o700);
    plant(&folder.path().join("chess"), 20_001, 0o700);
    for app in ["draw", "chess"] {
        assert!(matches!(users(&folder).home(&id(app)), Err(UsersError::Shared { owner: 20_001, .. })));
    }
    let other = users(&folder).home(&id("paint")).unwrap().user;
    assert_eq!(other.id(), 20_000, "others go on");
}

#[test]
fn an_interrupted_beginning_is_taken_away() {
    let folder = folder();
    plant(&folder.path().join(".new-draw"), 0, 0o700);
    assert!(users(&folder).home(&id("draw")).is_ok());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn no_folder_of_folders_is_an_error() {
    let folder = folder();
    let file = folder.path().join("data");
    let users = Users::new(&file, (20_000, 20_001));
    assert!(matches!(users.home(&id("draw")), Err(UsersError::Data { .. })), "none");
    fs::write(&file, "").unwrap();
    assert!(matches!(users.home(&id("draw")), Err(UsersError::Data { .. })), "a file");
    fs::remove_file(&file).unwrap();
    plant(&file, 0, 0o700);
    assert!(users.home(&id("draw")).is_ok(), "and a folder is used as soon as it is there");
}
