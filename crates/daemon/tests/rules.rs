//! The rules follow the published store.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::fs;

use daemon::rules::Rules;
use policy::Policy;
use tempfile::TempDir;

fn family() -> Policy {
    serde_json::from_str(include_str!("../../../tests/family.json")).unwrap()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_new_store_is_read_once() {
    let folder = folder();
    let mut rules = Rules::open(folder.path());
    assert!(rules.in_force().is_none() && rules.revision() == 0 && !rules.refresh());
    for revision in [1, 2] {
        store::publish(folder.path(), revision, &family().into()).unwrap();
        assert!(rules.refresh());
        assert_eq!(
            (rules.in_force().map(|rules| &rules.policy), rules.revision()),
            (Some(&family()), revision)
        );
        assert!(!rules.refresh());
    }
}

#[test]
fn a31_a_store_that_is_gone_or_garbage_is_no_policy() {
    let folder = folder();
    store::publish(folder.path(), 1, &family().into()).unwrap();
    let mut rules = Rules::open(folder.path());
    store::withdraw(folder.path()).unwrap();
    assert!(rules.refresh() && rules.in_force().is_none() && !rules.refresh());

    store::publish(folder.path(), 2, &family().into()).unwrap();
    assert!(rules.refresh() && rules.revision() == 2);
    store::withdraw(folder.path()).unwrap();
    fs::write(folder.path().join(store::FILE), [0xaa; 4096]).unwrap();
    assert!(rules.refresh() && rules.in_force().is_none(), "the old rules are not kept");
    assert!(!rules.refresh());

    store::publish(folder.path(), 3, &family().into()).unwrap();
    assert!(rules.refresh() && rules.revision() == 3);
}
