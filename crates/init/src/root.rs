//! Mounts: the kernel's own file systems, the root, and the move onto it.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use nix::unistd::{chdir, chroot, execve};

use crate::dm::ROOT_DEVICE;

const NEW_ROOT: &str = "/root";
const SYSTEMD: &std::ffi::CStr = c"/usr/lib/systemd/systemd";
const PATIENCE: Duration = Duration::from_secs(10);

/// What failed on the way to the root.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot read {path}")]
    Read { path: &'static str, source: io::Error },
    #[error("cannot mount {what}")]
    Mount { what: &'static str, source: nix::Error },
    #[error("{0} did not appear")]
    NoDevice(String),
    #[error("cannot {step}")]
    Switch { step: &'static str, source: nix::Error },
}

/// `/dev`, `/proc` and `/sys`, as systemd would mount them.
pub(crate) fn mount_basics() -> Result<(), Error> {
    let quiet = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    let basics = [
        ("devtmpfs", "/dev", quiet, Some("mode=755")),
        ("proc", "/proc", quiet | MsFlags::MS_NODEV, None),
        ("sysfs", "/sys", quiet | MsFlags::MS_NODEV, None),
    ];
    for (kind, target, flags, options) in basics {
        mount(Some(kind), target, Some(kind), flags, options)
            .map_err(|source| Error::Mount { what: kind, source })?;
    }
    Ok(())
}

/// Waits until the kernel shows the block device.
pub(crate) fn wait_for(device: &str) -> Result<(), Error> {
    let path = Path::new("/dev").join(device);
    let started = Instant::now();
    while !path.exists() {
        if started.elapsed() > PATIENCE {
            return Err(Error::NoDevice(device.to_owned()));
        }
        sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Mounts the verified device and makes it `/`.
pub(crate) fn switch() -> Result<(), Error> {
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NODEV;
    mount(Some(ROOT_DEVICE), NEW_ROOT, Some("erofs"), flags, None::<&str>)
        .map_err(|source| Error::Mount { what: "the root", source })?;
    for (from, to) in [("/dev", "/root/dev"), ("/proc", "/root/proc"), ("/sys", "/root/sys")] {
        mount(Some(from), to, None::<&str>, MsFlags::MS_MOVE, None::<&str>)
            .map_err(|source| Error::Mount { what: to, source })?;
    }
    // The initramfs is memory until its files are gone; what cannot be removed only costs space.
    let _ = fs::remove_dir_all("/modules");
    let _ = fs::remove_file("/init");
    chdir(NEW_ROOT).map_err(|source| Error::Switch { step: "enter the root", source })?;
    mount(Some("."), "/", None::<&str>, MsFlags::MS_MOVE, None::<&str>)
        .map_err(|source| Error::Mount { what: "the root over /", source })?;
    chroot(".").map_err(|source| Error::Switch { step: "change the root", source })?;
    chdir("/").map_err(|source| Error::Switch { step: "enter /", source })
}

/// Becomes systemd: no argument and no variable of the kernel command line goes with it.
pub(crate) fn hand_over() -> Result<Infallible, Error> {
    execve(SYSTEMD, &[SYSTEMD], &[c"TERM=dumb"])
        .map_err(|source| Error::Switch { step: "start systemd", source })
}
