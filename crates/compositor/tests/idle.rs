//! What an app costs that does nothing. Alone in its process, because it counts the threads' wakeups.

mod world;

use std::time::Duration;

use compositor::Touch;
use world::{Shell, server_threads};

#[test]
fn a_static_app_and_no_app_cost_no_wakeup() {
    let shell = Shell::limited(|limits| limits.ping_every = Duration::from_millis(100));
    std::thread::sleep(Duration::from_millis(100));
    let before = server_threads();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(server_threads(), before, "no app");

    let (session, mut client) = shell.drawn();
    shell.compositor.touch(session, Touch::Down(1.0, 1.0));
    shell.compositor.touch(session, Touch::Up);
    client.until(Duration::from_millis(300), |_| false);
    assert!(client.told.pings > 0);
    let before = server_threads();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(server_threads(), before, "a static app");
}
