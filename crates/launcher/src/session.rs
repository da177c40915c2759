//! One run of one app.
//!
//! **Invariants:** nothing here waits for an app to die; a session is over when its process was waited for and its cgroup is
//! empty; one that is being ended stays frozen and is struck until then.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use launch::{AppId, End};
use rustix::event::{PollFd, PollFlags};
use sandbox::cgroup::{AGAIN, CgroupError, Leaf, PATIENCE};
use sandbox::{App, Exit};

use crate::chain;
use crate::server::ServerError;

/// It runs, or it is being ended, or it is over and nobody has looked yet.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) number: u64,
    pub(crate) app: AppId,
    /// Whether the connection it was started on is gone: nobody asks for it or hears of it any more.
    pub(crate) abandoned: bool,
    process: App,
    leaf: Leaf,
    exit: Option<Exit>,
    ending: Option<Ending>,
}

#[derive(Debug)]
struct Ending {
    begun: Instant,
    struck: Instant,
    told: bool,
}

impl Session {
    pub(crate) fn new(number: u64, app: AppId, process: App, leaf: Leaf) -> Self {
        Self { number, app, abandoned: false, process, leaf, exit: None, ending: None }
    }

    /// Ready when [`Session::step`] has something to do.
    pub(crate) fn poll_fd(&self) -> PollFd<'_> {
        // A process that was waited for is ready for ever.
        let (descriptor, flags): (BorrowedFd<'_>, _) = match self.exit {
            None => (self.process.as_fd(), PollFlags::IN),
            Some(_) => (self.leaf.events(), PollFlags::PRI),
        };
        PollFd::from_borrowed_fd(descriptor, flags)
    }

    /// Whether [`Session::step`] is due every [`AGAIN`], too.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// One that is being ended is frozen already.
    pub(crate) fn freeze(&mut self) -> Result<(), CgroupError> {
        if self.is_ending() { Ok(()) } else { self.leaf.freeze() }
    }

    /// One that is being ended does not run again.
    pub(crate) fn thaw(&mut self) -> Result<(), CgroupError> {
        if self.is_ending() { Ok(()) } else { self.leaf.thaw() }
    }

    /// Begins to end it.
    pub(crate) fn end(&mut self) -> Result<(), CgroupError> {
        if self.is_ending() {
            return Ok(());
        }
        self.leaf.strike()?;
        let now = Instant::now();
        self.ending = Some(Ending { begun: now, struck: now, told: false });
        Ok(())
    }

    /// Looks whether it is over, and if so how it ended; if not, does what is due.
    pub(crate) fn step(&mut self) -> Result<Option<Exit>, ServerError> {
        if self.exit.is_none() {
            self.exit = self.process.try_wait().map_err(ServerError::Wait)?;
        }
        if let Some(exit) = self.exit {
            if self.leaf.is_empty()? {
                return Ok(Some(exit));
            }
            self.end()?;
        }
        self.strike_again()?;
        Ok(None)
    }

    fn strike_again(&mut self) -> Result<(), CgroupError> {
        let Some(ending) = &mut self.ending else { return Ok(()) };
        if ending.struck.elapsed() < AGAIN {
            return Ok(());
        }
        self.leaf.strike()?;
        ending.struck = Instant::now();
        if ending.begun.elapsed() > PATIENCE && !ending.told {
            ending.told = true;
            // It keeps its place among the sessions; everything else goes on.
            tracing::error!(app = self.app.as_str(), error = chain(&self.leaf.survives()), "still there");
        }
        Ok(())
    }

    /// Takes the cgroup away, in which nothing is any more, and says how it ended.
    pub(crate) fn bury(self, exit: Exit) -> Result<End, CgroupError> {
        let Self { leaf, .. } = self;
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
