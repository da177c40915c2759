//! The launcher's own rights: the capabilities of its unit are enough, and each is needed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it is surprised")]

#[path = "../../sandbox/tests/world/mod.rs"]
mod world;

mod watch;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use launch::{Answer, End, Message, Refusal, Request};
use rustix::thread::{CapabilitySet, CapabilitySets};
use watch::Watch;

/// The capabilities in the launcher's unit.
fn of_the_unit() -> CapabilitySet {
    let unit = include_str!("../../../services/units/nestling-launcher.service");
    let line = unit.lines().find_map(|line| line.strip_prefix("CapabilityBoundingSet=")).unwrap();
    line.split_whitespace().fold(CapabilitySet::empty(), |set, name| {
        set | match name {
            "CAP_SYS_ADMIN" => CapabilitySet::SYS_ADMIN,
            "CAP_SETUID" => CapabilitySet::SETUID,
            "CAP_SETGID" => CapabilitySet::SETGID,
            "CAP_SETPCAP" => CapabilitySet::SETPCAP,
            "CAP_CHOWN" => CapabilitySet::CHOWN,
            other => panic!("a capability nobody needs: {other}"),
        }
    })
}

#[test]
fn the_units_capabilities_are_enough_and_none_is_too_many() {
    let mut watch = Watch::new();
    let appd = watch.connect();
    let all = rustix::thread::capabilities(None).unwrap();
    let with = |set: CapabilitySet| {
        rustix::thread::set_capabilities(None, CapabilitySets { effective: set, ..all }).unwrap();
    };
    with(of_the_unit());
    let mut screen = watch.started(&appd, "draw", 0);
    screen.tell("files");
    assert_eq!(screen.line(), "0");
    for request in [Request::Freeze { session: 0 }, Request::Thaw { session: 0 }, Request::End { session: 0 }]
    {
        assert_eq!(watch.ask(&appd, &request, None), Answer::Done);
    }
    assert_eq!(watch.hear(&appd), Message::Ended { session: 0, end: End::Signalled(9) });
    // An app that shut its own folder: nobody here could look into it, and its own start opens it.
    with(all.effective);
    fs::set_permissions(watch.data.join("draw"), Permissions::from_mode(0o000)).unwrap();
    with(of_the_unit());
    let mut screen = watch.started(&appd, "draw", 100);
    screen.tell("files");
    assert_eq!(screen.line(), "0");
    screen.tell("exit 0");
    assert_eq!(watch.hear(&appd), Message::Ended { session: 100, end: End::Exited(0) });
    for (session, one) in of_the_unit().iter().enumerate() {
        with(of_the_unit() - one);
        // An app that never ran needs a folder, too.
        let (answer, _) = watch.start(&appd, &format!("new-{session}"), session as u64 + 1);
        assert!(
            matches!(answer, Answer::Refused(Refusal::Sandbox | Refusal::Storage)),
            "{one:?}: {answer:?}"
        );
    }
    with(all.effective);
}
