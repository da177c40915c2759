//! The first program: loads the drivers of the root, opens it through dm-verity with the root hash from the
//! kernel command line, and hands over to systemd.
//!
//! Invariants: nothing of the root is read before its hash is enforced; an error of any kind restarts the
//! watch; there is no way from here to a shell.

mod cmdline;
mod dm;
mod modules;
mod root;

use std::convert::Infallible;
use std::fs;
use std::io::Write as _;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::reboot::{RebootMode, reboot};

/// Why the watch did not start.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("kernel command line")]
    Cmdline(#[from] cmdline::Error),
    #[error("modules")]
    Modules(#[from] modules::Error),
    #[error("verified root")]
    Verity(#[from] dm::Error),
    #[error("root")]
    Root(#[from] root::Error),
}

fn main() {
    let Err(error) = start();
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    say(&format!("cannot start: {reason}; restarting"));
    // Time for the console to get it out.
    sleep(Duration::from_millis(500));
    let _ = reboot(RebootMode::RB_AUTOBOOT);
    // A kernel that cannot restart panics when pid 1 ends, and `panic=` restarts it then.
}

fn start() -> Result<Infallible, Error> {
    root::mount_basics()?;
    let line =
        fs::read("/proc/cmdline").map_err(|source| root::Error::Read { path: "/proc/cmdline", source })?;
    let verity = cmdline::parse(&line)?;
    modules::load_all()?;
    root::wait_for(&verity.device)?;
    dm::open_verity(&verity)?;
    root::switch()?;
    Ok(root::hand_over()?)
}

/// The kernel's log is the one place that reaches the console and survives in pstore.
fn say(message: &str) {
    if let Ok(mut kmsg) = fs::OpenOptions::new().write(true).open("/dev/kmsg") {
        let _ = kmsg.write_all(format!("<2>nestling-init: {message}\n").as_bytes());
    }
}
