//! What the child does between `clone3` and `execve`: a fixed row of system calls, in the one order that works.
//!
//! Mounts first, because Landlock and the lost capabilities forbid them later; descriptors before the user changes;
//! seccomp last, so that its list need not hold the calls of this row (`execve` and the report alone remain).
//!
//! **Invariants:** no allocation, no lock, no return. What failed is told through the report pipe, which `execve` closes.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{MountPropagationFlags, MoveMountFlags, UnmountFlags};
use rustix::process::{Gid, Resource, Rlimit, Signal, Uid};
use rustix::thread::CapabilitySets;
use seccompiler::BpfProgram;

use crate::raw::{self, Strings};
use crate::sandbox::AppUser;

/// One step on the way to the app. Its number is what the child reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Step {
    /// The kernel ends an app before any daemon when memory is short.
    OomScore = 1,
    /// No mount reaches the launcher any more.
    Private,
    /// The bundle lies over the root.
    Bundle,
    /// The app's own files lie over the bundle's `data`.
    Data,
    /// The bundle is the root.
    Root,
    /// The old root is gone.
    OldRoot,
    /// The host's name, the same on every watch.
    HostName,
    /// A session of its own, without a terminal.
    Session,
    /// No signal is blocked.
    Signals,
    /// Standard streams, the display, nothing else.
    Descriptors,
    /// Resource limits.
    Limits,
    /// The bounding set is empty.
    Bounding,
    /// No supplementary group.
    Groups,
    /// The app's own group.
    Group,
    /// The app's own user.
    User,
    /// Every other set of capabilities is empty.
    Capabilities,
    /// The app ends with the launcher.
    ParentDeath,
    /// Nothing executed gains rights.
    NoNewPrivileges,
    /// The working folder.
    Folder,
    /// Landlock.
    Fence,
    /// seccomp.
    Filter,
    /// The app's program.
    Execute,
}

impl Step {
    const ALL: [Self; 22] = [
        Self::OomScore,
        Self::Private,
        Self::Bundle,
        Self::Data,
        Self::Root,
        Self::OldRoot,
        Self::HostName,
        Self::Session,
        Self::Signals,
        Self::Descriptors,
        Self::Limits,
        Self::Bounding,
        Self::Groups,
        Self::Group,
        Self::User,
        Self::Capabilities,
        Self::ParentDeath,
        Self::NoNewPrivileges,
        Self::Folder,
        Self::Fence,
        Self::Filter,
        Self::Execute,
    ];
}

/// What the child says about a step that failed: the step, then the errno.
pub(crate) const REPORT_SIZE: usize = 5;

/// Reads a report.
pub(crate) fn read_report(report: [u8; REPORT_SIZE]) -> Option<(Step, Errno)> {
    let [number, errno @ ..] = report;
    let step = Step::ALL.into_iter().find(|step| *step as u8 == number)?;
    Some((step, Errno::from_raw_os_error(i32::from_ne_bytes(errno))))
}

/// Everything the child needs, made before the clone. The descriptors are above 9: none is where another must go.
pub(crate) struct Plan {
    pub(crate) bundle: OwnedFd,
    pub(crate) data: Option<OwnedFd>,
    pub(crate) null: OwnedFd,
    pub(crate) display: Option<OwnedFd>,
    pub(crate) fence: OwnedFd,
    pub(crate) filters: Vec<BpfProgram>,
    pub(crate) user: AppUser,
    pub(crate) arguments: Strings,
    pub(crate) environment: Strings,
}

/// Becomes the app, or reports and ends.
pub(crate) fn run(plan: &Plan, report: BorrowedFd<'_>) -> ! {
    let (step, errno) = become_app(plan);
    let mut bytes = [step as u8; REPORT_SIZE];
    if let Some(rest) = bytes.get_mut(1..) {
        rest.copy_from_slice(&errno.raw_os_error().to_ne_bytes());
    }
    // If even this fails the parent sees an app that ended at once with 127.
    let _ = rustix::io::write(report, &bytes);
    raw::exit(127)
}

type Failure = (Step, Errno);

fn at(step: Step) -> impl FnOnce(Errno) -> Failure {
    move |errno| (step, errno)
}

fn become_app(plan: &Plan) -> Failure {
    let rest = || {
        change_root(plan)?;
        rustix::system::sethostname(b"watch").map_err(at(Step::HostName))?;
        rustix::process::setsid().map_err(at(Step::Session))?;
        raw::unblock_signals().map_err(at(Step::Signals))?;
        descriptors(plan).map_err(at(Step::Descriptors))?;
        limits().map_err(at(Step::Limits))?;
        rustix::process::umask(Mode::RWXG | Mode::RWXO);
        drop_rights(plan.user)?;
        // As the app: the launcher's root may not look into the app's folder (it has no CAP_DAC_OVERRIDE).
        working_folder(plan).map_err(at(Step::Folder))?;
        raw::landlock_restrict_self(plan.fence.as_raw_fd()).map_err(at(Step::Fence))?;
        for filter in &plan.filters {
            raw::seccomp(filter).map_err(at(Step::Filter))?;
        }
        Ok(())
    };
    match rest() {
        Err(failure) => failure,
        Ok(()) => (Step::Execute, raw::execve(c"/app", &plan.arguments, &plan.environment)),
    }
}

/// An app may have taken its own folder's rights from itself (fchmod): it owns it, so they are set back here.
fn working_folder(plan: &Plan) -> Result<(), Errno> {
    let folder: &CStr = if plan.data.is_some() { c"/data" } else { c"/" };
    if plan.data.is_some() && Mode::from_raw_mode(rustix::fs::stat(folder)?.st_mode) != Mode::RWXU {
        rustix::fs::chmod(folder, Mode::RWXU)?;
    }
    rustix::process::chdir(folder)
}

fn change_root(plan: &Plan) -> Result<(), Failure> {
    oom_score().map_err(at(Step::OomScore))?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change(c"/", private).map_err(at(Step::Private))?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    rustix::mount::move_mount(&plan.bundle, c"", CWD, c"/", flags).map_err(at(Step::Bundle))?;
    if let Some(data) = &plan.data {
        rustix::mount::move_mount(data, c"", &plan.bundle, c"data", flags).map_err(at(Step::Data))?;
    }
    rustix::process::fchdir(&plan.bundle).map_err(at(Step::Root))?;
    // pivot_root(2), "pivot_root(".", ".")": the old root lies over the new one until it is detached.
    rustix::process::pivot_root(c".", c".").map_err(at(Step::Root))?;
    rustix::mount::unmount(c".", UnmountFlags::DETACH).map_err(at(Step::OldRoot))
}

/// Raising one's own score needs no right; /proc is still there.
fn oom_score() -> Result<(), Errno> {
    let file =
        rustix::fs::open(c"/proc/self/oom_score_adj", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&file, b"900").map(drop)
}

fn descriptors(plan: &Plan) -> Result<(), Errno> {
    for standard in 0..3 {
        raw::put(plan.null.as_raw_fd(), standard)?;
    }
    let Some(display) = &plan.display else {
        return raw::close_on_exec_from(3);
    };
    raw::put(display.as_raw_fd(), crate::DISPLAY_FD)?;
    raw::close_on_exec_from(4)
}

const MIB: u64 = 1024 * 1024;

/// What a cgroup does not count. Memory, processes and processor time are the cgroup's.
const LIMITS: [(Resource, u64); 9] = [
    (Resource::Core, 0),
    (Resource::Nofile, 64),
    (Resource::Fsize, 64 * MIB),
    (Resource::Nproc, 32),
    (Resource::Memlock, 0),
    (Resource::Msgqueue, 0),
    (Resource::Sigpending, 64),
    (Resource::Nice, 0),
    (Resource::Rtprio, 0),
];

fn limits() -> Result<(), Errno> {
    for (resource, value) in LIMITS {
        let limit = Rlimit { current: Some(value), maximum: Some(value) };
        rustix::process::setrlimit(resource, limit)?;
    }
    Ok(())
}

fn drop_rights(user: AppUser) -> Result<(), Failure> {
    raw::empty_bounding_set().map_err(at(Step::Bounding))?;
    rustix::thread::set_thread_groups(&[]).map_err(at(Step::Groups))?;
    let gid = Gid::from_raw(user.id());
    rustix::thread::set_thread_res_gid(gid, gid, gid).map_err(at(Step::Group))?;
    let uid = Uid::from_raw(user.id());
    rustix::thread::set_thread_res_uid(uid, uid, uid).map_err(at(Step::User))?;
    // Changing from root emptied these already; only KEEPCAPS and its like would have kept them.
    let none = CapabilitySets {
        effective: rustix::thread::CapabilitySet::empty(),
        permitted: rustix::thread::CapabilitySet::empty(),
        inheritable: rustix::thread::CapabilitySet::empty(),
    };
    rustix::thread::set_capabilities(None, none).map_err(at(Step::Capabilities))?;
    rustix::thread::clear_ambient_capability_set().map_err(at(Step::Capabilities))?;
    // After the change of user, which clears it.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(at(Step::ParentDeath))?;
    rustix::thread::set_no_new_privs(true).map_err(at(Step::NoNewPrivileges))
}

/// Moves a descriptor above those the app will have, so that placing one overwrites none that is still needed.
pub(crate) fn high(descriptor: impl AsFd) -> Result<OwnedFd, Errno> {
    rustix::io::fcntl_dupfd_cloexec(descriptor, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_its_step() {
        for step in Step::ALL {
            let [a, b, c, d] = 13i32.to_ne_bytes();
            assert_eq!(read_report([step as u8, a, b, c, d]), Some((step, Errno::ACCESS)));
        }
        assert_eq!(read_report([0; 5]), None);
        assert_eq!(read_report([200; 5]), None);
    }
}
