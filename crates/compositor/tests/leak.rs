//! What a session leaves behind. Alone in its process, because it measures the process.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod world;

use world::{Paper, Shell};

#[test]
fn a43_a_thousand_sessions_leave_nothing_behind() {
    let shell = Shell::start();
    let measure = || {
        let fds = std::fs::read_dir("/proc/self/fd").unwrap().count();
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        (fds, statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4)
    };
    let session = || {
        let (session, mut client) = shell.drawn();
        let child = client.new_surface();
        let parent = client.surface.clone().unwrap();
        let subcompositor = client.told.subcompositor.clone().unwrap();
        subcompositor.get_subsurface(&child, &parent, &client.handle(), ());
        client.draw_on(&child, &Paper::new(9, 9, 0xff00_0000));
        parent.commit();
        client.round();
        shell.compositor.end(session);
        shell.ended(session);
    };
    (0..100).for_each(|_| session());
    let before = measure();
    (0..1000).for_each(|_| session());
    let after = measure();
    assert!(after.0 < before.0 + 3, "descriptors: {before:?} {after:?}");
    assert!(after.1 < before.1 + 2_000, "KiB: {before:?} {after:?}");
}
