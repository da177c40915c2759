//! One run of one app.

use std::os::fd::{AsFd, BorrowedFd};

use launch::{AppId, End};
use rustix::io::Errno;
use sandbox::cgroup::{CgroupError, Leaf};
use sandbox::{App, Exit};

/// It runs, or it is over and nobody has looked yet.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) number: u64,
    pub(crate) app: AppId,
    process: App,
    leaf: Leaf,
}

impl Session {
    pub(crate) fn new(number: u64, app: AppId, process: App, leaf: Leaf) -> Self {
        Self { number, app, process, leaf }
    }

    /// Readable when its process is over.
    pub(crate) fn process(&self) -> BorrowedFd<'_> {
        self.process.as_fd()
    }

    pub(crate) fn freeze(&self) -> Result<(), CgroupError> {
        self.leaf.freeze()
    }

    pub(crate) fn thaw(&self) -> Result<(), CgroupError> {
        self.leaf.thaw()
    }

    pub(crate) fn kill(&self) -> Result<(), CgroupError> {
        self.leaf.kill()
    }

    /// How it ended; `None` while it runs.
    pub(crate) fn try_wait(&self) -> Result<Option<Exit>, Errno> {
        self.process.try_wait()
    }

    /// Takes its cgroup away, once nothing is in it, and says how it ended.
    pub(crate) fn bury(self, exit: Exit) -> Result<End, CgroupError> {
        let Self { leaf, .. } = self;
        leaf.kill()?;
        leaf.wait_empty()?;
        // Without a memory controller (a test's host) nothing runs out of its own memory.
        let out_of_memory = exit == Exit::Signal(9) && leaf.was_out_of_memory().unwrap_or(false);
        leaf.remove()?;
        Ok(match exit {
            _ if out_of_memory => End::OutOfMemory,
            Exit::Code(code) => End::Exited(code),
            Exit::Signal(signal) => End::Signalled(signal),
        })
    }
}
