//! The rules as policyd publishes them.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::fs;

use launch::{AppId, Refusal};
use nestling_launcher::grants::{Grants, Published};

fn id(text: &str) -> AppId {
    AppId::parse(text).unwrap()
}

#[test]
fn a_published_grant_opens_an_app_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut grants = Published::new(folder.path());
    assert_eq!(grants.may_open(&id("draw")), Err(Refusal::NoRules));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    let grant = |app: &str, until| policy::AppGrant { app: app.into(), until };
    let policy = policy::Policy {
        region: policy::Region::Eu,
        contacts: vec![policy::Contact {
            id: "mum".into(),
            name: "Mum".into(),
            kind: policy::Kind::Guardian,
            numbers: vec!["+358401234567".parse().unwrap()],
            picture: "cat".into(),
            may: policy::May { ring: true, be_called: true },
        }],
        zones: Vec::new(),
        apps: vec![grant("draw", None), grant("chess", Some(now + 3600)), grant("over", Some(now - 1))],
    };
    store::publish(folder.path(), 1, &policy).unwrap();
    assert_eq!(grants.may_open(&id("draw")), Ok(()));
    assert_eq!(grants.may_open(&id("chess")), Ok(()));
    assert_eq!(grants.may_open(&id("over")), Err(Refusal::TimeUp));
    assert_eq!(grants.may_open(&id("paint")), Err(Refusal::NotGranted));
    store::publish(folder.path(), 2, &policy::Policy { apps: Vec::new(), ..policy }).unwrap();
    assert_eq!(grants.may_open(&id("draw")), Err(Refusal::NotGranted), "the newest store decides");
    fs::write(folder.path().join(store::FILE), "rubbish").unwrap();
    assert_eq!(grants.may_open(&id("draw")), Err(Refusal::NoRules));
}
