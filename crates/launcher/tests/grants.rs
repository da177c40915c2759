//! The rules as policyd publishes them.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::fs;

use launch::{AppId, AppInfo, Refusal};
use nestling_launcher::grants::{Grants, Published};

fn app(id: &str) -> AppInfo {
    AppInfo { id: AppId::parse(id).unwrap(), name: "An app".into(), category: "creative".into(), age: 3 }
}

#[test]
fn a_published_grant_opens_an_app_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut grants = Published::new(folder.path());
    assert_eq!(grants.may_open(&app("draw")), Err(Refusal::NoRules));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    let grant = |app: &str, until| policy::AppGrant { app: app.into(), until, permissions: vec![] };
    let mum = policy::Contact {
        id: "mum".into(),
        name: "Mum".into(),
        kind: policy::Kind::Guardian,
        numbers: vec!["+358401234567".parse().unwrap()],
        picture: "cat".into(),
        may: policy::May { ring: true, be_called: true, write: false, be_written: false },
    };
    let policy = policy::Policy {
        apps: vec![grant("draw", None), grant("chess", Some(now + 3600)), grant("over", Some(now - 1))],
        ..policy::Policy::of(policy::Region::Eu, vec![mum])
    };
    store::publish(folder.path(), 1, &policy.clone().into()).unwrap();
    assert_eq!(grants.may_open(&app("draw")), Ok(()));
    assert_eq!(grants.may_open(&app("chess")), Ok(()));
    assert_eq!(grants.may_open(&app("over")), Err(Refusal::TimeUp));
    assert_eq!(grants.may_open(&app("paint")), Err(Refusal::NotGranted));
    store::publish(folder.path(), 2, &policy::Policy { apps: Vec::new(), ..policy }.into()).unwrap();
    assert_eq!(grants.may_open(&app("draw")), Err(Refusal::NotGranted), "the newest store decides");
    fs::write(folder.path().join(store::FILE), "rubbish").unwrap();
    assert_eq!(grants.may_open(&app("draw")), Err(Refusal::NoRules));
}
