//! What other threads want done on the loop's thread, and the descriptor they wake it by.
//!
//! **Invariant:** a job that was accepted wakes the loop once, and runs once.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use slint::EventLoopError;
use slint::platform::EventLoopProxy;

use crate::Error;

type Job = Box<dyn FnOnce() + Send>;

/// The queue.
pub(crate) struct Jobs {
    queue: Mutex<VecDeque<Job>>,
    quit: AtomicBool,
    wake: OwnedFd,
}

impl Jobs {
    pub(crate) fn new() -> Result<Self, Error> {
        let wake = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)
            .map_err(|e| Error::System("make the wake-up descriptor", e))?;
        Ok(Self { queue: Mutex::default(), quit: AtomicBool::new(false), wake })
    }

    /// Readable when there is something to do.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// True once after somebody asked the loop to end.
    pub(crate) fn take_quit(&self) -> bool {
        self.quit.swap(false, Ordering::AcqRel)
    }

    /// Does what there is to do.
    pub(crate) fn run(&self) {
        // Emptied before the jobs are taken: one that comes later wakes again.
        let _ = rustix::io::read(&self.wake, &mut [0; 8]);
        let jobs = std::mem::take(&mut *self.queue.lock().unwrap_or_else(PoisonError::into_inner));
        for job in jobs {
            job();
        }
    }

    fn wake(&self) -> Result<(), EventLoopError> {
        // A full counter means a wake-up is already on its way.
        match rustix::io::write(&self.wake, &1_u64.to_ne_bytes()) {
            Ok(_) | Err(Errno::AGAIN) => Ok(()),
            Err(_) => Err(EventLoopError::EventLoopTerminated),
        }
    }
}

/// What Slint gives to other threads.
pub(crate) struct Handle(pub(crate) Arc<Jobs>);

impl EventLoopProxy for Handle {
    fn quit_event_loop(&self) -> Result<(), EventLoopError> {
        self.0.quit.store(true, Ordering::Release);
        self.0.wake()
    }

    fn invoke_from_event_loop(&self, event: Job) -> Result<(), EventLoopError> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
        self.0.wake()
    }
}
