//! Notices that the server's thread is stuck in one turn, and cuts the app off.
//!
//! The thread arms a timer when a turn begins and disarms it when it ends; a second thread sleeps on the
//! timer and so never runs while all is well. A turn that ends by itself is judged by the processor time it took.
//!
//! **Invariants:** no wakeup unless a turn takes too long. A machine that stood still is no reason: the turn
//! must still be the same one a moment after the timer rang.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::{Shutdown, shutdown};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};

use crate::{Limits, StartError};

/// What the two threads share.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    timer: OwnedFd,
    busy: Duration,
    work: Duration,
    start: Instant,
    /// Milliseconds after `start`, plus one; 0 between turns.
    since: AtomicU64,
    /// Processor time of the server's thread when the turn began, in nanoseconds.
    worked: AtomicU64,
    /// Counts turns.
    turn: AtomicU64,
    /// The socket of the app that is served.
    app: Mutex<Option<OwnedFd>>,
    /// The app was cut off.
    cut: AtomicBool,
    stop: AtomicBool,
}

impl Heartbeat {
    pub(crate) fn start(limits: &Limits) -> Result<Arc<Self>, StartError> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)
            .map_err(|error| StartError::Descriptor(error.into()))?;
        let heartbeat = Arc::new(Self {
            timer,
            busy: limits.busy,
            work: limits.work,
            worked: AtomicU64::new(0),
            start: Instant::now(),
            since: AtomicU64::new(0),
            turn: AtomicU64::new(0),
            app: Mutex::new(None),
            cut: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let watcher = Arc::clone(&heartbeat);
        std::thread::Builder::new()
            .name("wayland-watch".into())
            .spawn(move || watcher.watch())
            .map_err(StartError::Thread)?;
        Ok(heartbeat)
    }

    fn watch(&self) {
        let mut expirations = [0; 8];
        while rustix::io::read(&self.timer, &mut expirations).is_ok() {
            if self.stop.load(Ordering::Acquire) {
                return;
            }
            let turn = self.turn.load(Ordering::Acquire);
            std::thread::sleep(self.busy / 10);
            if self.turn.load(Ordering::Acquire) == turn && !self.alive() {
                self.cut.store(true, Ordering::Release);
                let app = self.app.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(app) = app.as_ref() {
                    tracing::warn!("the Wayland server is stuck in one turn: the app is cut off");
                    let _ = shutdown(app, Shutdown::Both);
                }
            }
        }
    }

    /// The app that is served from now on. Forgets that an earlier one was cut off.
    pub(crate) fn serve(&self, app: Option<OwnedFd>) {
        *self.app.lock().unwrap_or_else(PoisonError::into_inner) = app;
        self.cut.store(false, Ordering::Release);
    }

    pub(crate) fn begin(&self) {
        let since = self.start.elapsed().as_millis() as u64 + 1;
        self.since.store(since, Ordering::Release);
        self.turn.fetch_add(1, Ordering::AcqRel);
        self.worked.store(processor_time(), Ordering::Relaxed);
        self.arm(self.busy);
    }

    /// True when the app was cut off during this turn, or the turn was too much work.
    pub(crate) fn end(&self) -> bool {
        self.arm(Duration::ZERO);
        let worked = processor_time().saturating_sub(self.worked.load(Ordering::Relaxed));
        let too_much = u128::from(worked) > self.work.as_nanos();
        self.turn.fetch_add(1, Ordering::AcqRel);
        self.since.store(0, Ordering::Release);
        self.cut.swap(false, Ordering::AcqRel) || too_much
    }

    pub(crate) fn alive(&self) -> bool {
        let since = self.since.load(Ordering::Acquire);
        let now = self.start.elapsed().as_millis() as u64 + 1;
        since == 0 || u128::from(now.saturating_sub(since)) < self.busy.as_millis()
    }

    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.arm(Duration::from_nanos(1));
    }

    fn arm(&self, after: Duration) {
        if self.stop.load(Ordering::Acquire) && !after.is_zero() && after > Duration::from_nanos(1) {
            return;
        }
        let it_value = Timespec::try_from(after).unwrap_or_default();
        let once = Itimerspec { it_interval: Timespec::default(), it_value };
        let _ = timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once);
    }
}

/// Of the calling thread, in nanoseconds.
fn processor_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    (time.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64)
}
