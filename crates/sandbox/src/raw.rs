//! System calls that have no safe interface. The only module with `unsafe`.
//!
//! **Invariants:** nothing here allocates; what the child calls here after `clone3` touches no lock of libc's.
#![allow(unsafe_code, reason = "clone3, execve and the newest calls have no safe interface")]

use std::ffi::CStr;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use nix::libc;
use rustix::io::Errno;

/// A list of strings as `execve` reads it: pointers to them, ended by a null.
pub(crate) struct Strings {
    /// Owns what `pointers` points to; never changed after construction.
    _owned: Vec<std::ffi::CString>,
    pointers: Vec<*const libc::c_char>,
}

impl Strings {
    pub(crate) fn new(owned: Vec<std::ffi::CString>) -> Self {
        // The text of a CString is on the heap: moving the vector does not move it.
        let pointers = owned.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect();
        Self { _owned: owned, pointers }
    }
}

/// Which side of [`clone3`] this is.
pub(crate) enum Side {
    Child,
    Parent { pidfd: OwnedFd },
}

/// linux/sched.h; libc's constant has the wrong width.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
const NAMESPACES: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

/// Forks into new namespaces (all but user and time) and into `cgroup`.
pub(crate) fn clone3(cgroup: BorrowedFd<'_>) -> Result<Side, Errno> {
    let mut pidfd: RawFd = -1;
    // SAFETY: clone_args is plain integers, for which zero is a value.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = (NAMESPACES | libc::CLONE_PIDFD) as u64 | CLONE_INTO_CGROUP;
    arguments.pidfd = ptr::from_mut(&mut pidfd) as u64;
    arguments.exit_signal = libc::SIGCHLD as u64;
    arguments.cgroup = cgroup.as_raw_fd() as u64;
    // SAFETY: `arguments` and the `pidfd` it points to outlive the call. Without CLONE_VM and with a null stack the child
    // goes on on a copy of this stack, as after fork(2). Other threads' locks may be held in that copy for ever, so
    // the child (child.rs) takes none: it makes system calls only and never returns to the caller of `Prepared::spawn`.
    let result = unsafe {
        libc::syscall(libc::SYS_clone3, ptr::from_mut(&mut arguments), size_of::<libc::clone_args>())
    };
    match result {
        0 => Ok(Side::Child),
        1.. => {
            // SAFETY: CLONE_PIDFD: the kernel stored a new descriptor, ours alone.
            Ok(Side::Parent { pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } })
        }
        _ => Err(last()),
    }
}

/// Replaces the program. Returns only if that failed.
pub(crate) fn execve(path: &CStr, arguments: &Strings, environment: &Strings) -> Errno {
    // SAFETY: the path and all strings are zero-terminated and both lists end with a null pointer, by `Strings::new`.
    unsafe { libc::execve(path.as_ptr(), arguments.pointers.as_ptr(), environment.pointers.as_ptr()) };
    last()
}

/// Ends the process at once; nothing of the parent's copy is flushed or dropped.
pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: _exit has no precondition.
    unsafe { libc::_exit(code) }
}

/// Makes `to` the same file as `from`, open across `execve`. In the child only: `to` may be a descriptor that somebody
/// in the parent owns, and the copy of that owner never runs again.
pub(crate) fn put(from: RawFd, to: RawFd) -> Result<(), Errno> {
    // SAFETY: dup2 reads two integers. Nobody in the child relies on what `to` was.
    check(i64::from(unsafe { libc::dup2(from, to) }))
}

/// Marks every descriptor from `first` on to be closed by `execve`.
pub(crate) fn close_on_exec_from(first: u32) -> Result<(), Errno> {
    // SAFETY: three integers; nothing is closed yet.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) })
}

/// Empties the capability bounding set, whatever the kernel's newest capability is.
pub(crate) fn empty_bounding_set() -> Result<(), Errno> {
    for capability in 0..64 {
        // SAFETY: prctl with integers only.
        match check(i64::from(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) })) {
            Ok(()) => {}
            // The first the kernel does not know; capability 0 it knows.
            Err(Errno::INVAL) if capability > 0 => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Unblocks every signal: a mask is inherited through `execve`.
pub(crate) fn unblock_signals() -> Result<(), Errno> {
    // SAFETY: sigset_t is plain integers, for which zero is a value; sigemptyset only writes to it.
    let empty = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        set
    };
    // SAFETY: reads one set, which outlives the call; the old one is not asked for.
    check(i64::from(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const empty, ptr::null_mut()) }))
}

/// `mount_setattr(2)` on the mount at `mount`: sets `attributes`, and makes it private.
pub(crate) fn mount_setattr(mount: BorrowedFd<'_>, attributes: u64) -> Result<(), Errno> {
    let request =
        libc::mount_attr { attr_set: attributes, attr_clr: 0, propagation: libc::MS_PRIVATE, userns_fd: 0 };
    // SAFETY: the path is an empty C string, `request` is of the size given, and both outlive the call.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            ptr::from_ref(&request),
            size_of::<libc::mount_attr>(),
        )
    })
}

/// `landlock_restrict_self(2)`.
pub(crate) fn landlock_restrict_self(ruleset: RawFd) -> Result<(), Errno> {
    // SAFETY: two integers.
    check(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset, 0) })
}

/// `seccomp(SECCOMP_SET_MODE_FILTER)`.
pub(crate) fn seccomp(filter: &[seccompiler::sock_filter]) -> Result<(), Errno> {
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(|_| Errno::INVAL)?,
        // seccompiler's sock_filter and libc's are both the kernel's `struct sock_filter`. The kernel only reads.
        filter: filter.as_ptr().cast_mut().cast(),
    };
    // SAFETY: `program` points to `len` instructions, which the kernel copies before the call returns.
    check(unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, ptr::from_ref(&program))
    })
}

fn check(result: i64) -> Result<(), Errno> {
    if result < 0 { Err(last()) } else { Ok(()) }
}

fn last() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}
