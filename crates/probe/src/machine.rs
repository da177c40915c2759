//! What the tests find: the kernel's file systems, a disk with fs-verity at `/var`, cgroups with all controllers.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::kmod::{ModuleInitFlags, finit_module};
use nix::mount::{MsFlags, mount};
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};
use nix::unistd::{chdir, chroot, write};

use crate::Error;

/// The disk with the test programs (erofs) and the empty one (ext4 with fs-verity).
const PROGRAMS: &str = "/dev/vda";
const VAR: &str = "/dev/vdb";
const NEW_ROOT: &str = "/root";
const MODULES: &str = "/modules";
const CGROUPS: &str = "/sys/fs/cgroup";
const PATIENCE: Duration = Duration::from_secs(10);

fn attach(what: &str, at: &str, kind: &str, flags: MsFlags, options: Option<&str>) -> Result<(), Error> {
    mount(Some(what), at, Some(kind), flags, options).map_err(|source| Error::Kernel {
        step: "mount",
        name: at.to_owned(),
        source,
    })
}

fn file(step: &'static str, name: &str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::File { step, name: name.to_owned(), source }
}

/// `/dev`, `/proc` and `/sys`.
pub(crate) fn mount_basics() -> Result<(), Error> {
    attach("devtmpfs", "/dev", "devtmpfs", MsFlags::MS_NOSUID, Some("mode=755"))?;
    attach("proc", "/proc", "proc", MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC | MsFlags::MS_NODEV, None)?;
    attach("sysfs", "/sys", "sysfs", MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC | MsFlags::MS_NODEV, None)
}

/// The modules of the watch's own initramfs, in its order.
pub(crate) fn load_modules() -> Result<(), Error> {
    let order = Path::new(MODULES).join("order");
    let order = fs::read_to_string(&order).map_err(file("read", "the list of modules"))?;
    for name in order.lines() {
        let module = File::open(Path::new(MODULES).join(name)).map_err(file("open", name))?;
        match finit_module(&module, c"", ModuleInitFlags::empty()) {
            Ok(()) | Err(nix::Error::EEXIST) => {}
            Err(source) => return Err(Error::Kernel { step: "load", name: name.to_owned(), source }),
        }
    }
    Ok(())
}

/// Makes a file system in memory `/`, with the disks below it: the initramfs cannot be left with pivot_root(2), which
/// the sandbox uses.
pub(crate) fn leave_initramfs() -> Result<(), Error> {
    wait_for(PROGRAMS)?;
    wait_for(VAR)?;
    attach("tmpfs", NEW_ROOT, "tmpfs", MsFlags::empty(), Some("mode=755"))?;
    for folder in ["dev", "proc", "sys", "tmp", "run", "var", "programs"] {
        fs::create_dir(Path::new(NEW_ROOT).join(folder)).map_err(file("make", folder))?;
    }
    attach(PROGRAMS, "/root/programs", "erofs", MsFlags::MS_RDONLY | MsFlags::MS_NODEV, None)?;
    attach(VAR, "/root/var", "ext4", MsFlags::MS_NOSUID | MsFlags::MS_NODEV, None)?;
    for (from, to) in [("/dev", "/root/dev"), ("/proc", "/root/proc"), ("/sys", "/root/sys")] {
        mount(Some(from), to, None::<&str>, MsFlags::MS_MOVE, None::<&str>)
            .map_err(|source| Error::Kernel { step: "move", name: from.to_owned(), source })?;
    }
    let entered = |source| Error::Kernel { step: "enter", name: NEW_ROOT.to_owned(), source };
    chdir(NEW_ROOT).map_err(entered)?;
    mount(Some("."), "/", None::<&str>, MsFlags::MS_MOVE, None::<&str>).map_err(entered)?;
    chroot(".").map_err(entered)?;
    chdir("/").map_err(entered)
}

/// What systemd would mount besides.
pub(crate) fn mount_the_rest() -> Result<(), Error> {
    let plain = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    attach("tmpfs", "/tmp", "tmpfs", plain, Some("mode=1777"))?;
    attach("tmpfs", "/run", "tmpfs", plain, Some("mode=755"))?;
    for (folder, kind, options) in
        [("/dev/pts", "devpts", "mode=620,ptmxmode=666"), ("/dev/shm", "tmpfs", "mode=1777")]
    {
        fs::create_dir_all(folder).map_err(file("make", folder))?;
        attach(kind, folder, kind, plain | MsFlags::MS_NOEXEC, Some(options))?;
    }
    fs::create_dir_all("/var/tmp").map_err(file("make", "/var/tmp"))
}

/// cgroup2 with every controller handed down, as systemd's `Delegate=` does for the launcher.
pub(crate) fn delegate_cgroups() -> Result<(), Error> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    attach("cgroup2", CGROUPS, "cgroup2", flags, None)?;
    let folder = Path::new(CGROUPS);
    let controllers =
        fs::read_to_string(folder.join("cgroup.controllers")).map_err(file("read", "cgroup.controllers"))?;
    for controller in controllers.split_whitespace() {
        fs::write(folder.join("cgroup.subtree_control"), format!("+{controller}"))
            .map_err(file("hand down", controller))?;
    }
    Ok(())
}

/// 127.0.0.1, which a test offers to an app and an app must not reach. One rtnetlink message (rtnetlink(7)):
/// `RTM_NEWLINK` with `struct ifinfomsg`, the flag `IFF_UP` of interface 1.
pub(crate) fn loopback_up() -> Result<(), Error> {
    const LENGTH: u32 = 32;
    let type_and_flags = [16u16, 1].map(u16::to_ne_bytes).concat();
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<_>>();
    // Length, type and flags, sequence, sender; family and kind, interface, flags, which of them change.
    let message = [words(&[LENGTH]), type_and_flags, words(&[1, 0, 0, 1, 1, 1])].concat();
    let failed = |source| Error::Kernel { step: "raise", name: "lo".to_owned(), source };
    let protocol = SockProtocol::NetlinkRoute;
    let netlink =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol).map_err(failed)?;
    write(&netlink, &message).map(drop).map_err(failed)
}

fn wait_for(device: &str) -> Result<(), Error> {
    let started = Instant::now();
    while !Path::new(device).exists() {
        if started.elapsed() > PATIENCE {
            return Err(file("find", device)(io::ErrorKind::TimedOut.into()));
        }
        sleep(Duration::from_millis(5));
    }
    Ok(())
}
