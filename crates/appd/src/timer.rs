//! One timer on the boot-time clock. tokio's own stands still while the watch sleeps: an app's time would go on after it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// A timer that is set again and again; unset it wakes nobody.
#[derive(Debug)]
pub struct Timer {
    file: AsyncFd<OwnedFd>,
    set: Option<Duration>,
}

impl Timer {
    /// An unset timer.
    ///
    /// # Errors
    /// The kernel has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let file = timerfd_create(TimerfdClockId::Boottime, flags)?;
        #[expect(deprecated, reason = "its replacement is unsafe; an OwnedFd keeps what that one asks for")]
        let file = AsyncFd::new(file)?;
        Ok(Self { file, set: None })
    }

    /// Sets it to a time on the boot-time clock, or to none.
    ///
    /// # Errors
    /// Never, with a time within centuries.
    pub fn set(&mut self, time: Option<Duration>) -> io::Result<()> {
        if time == self.set {
            return Ok(());
        }
        // Zero would mean unset: a time that long past is the next nanosecond.
        let time_or_never = time.map_or(Duration::ZERO, |time| time.max(Duration::from_nanos(1)));
        // Further away than anybody waits, and still a time the kernel takes.
        let seconds = time_or_never.as_secs().min(u64::from(u32::MAX)).cast_signed();
        let value = Timespec { tv_sec: seconds, tv_nsec: time_or_never.subsec_nanos().into() };
        let interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        let new = Itimerspec { it_interval: interval, it_value: value };
        timerfd_settime(self.file.get_ref().as_fd(), TimerfdTimerFlags::ABSTIME, &new)?;
        self.set = time;
        Ok(())
    }

    /// Comes when the time has. Cancel-safe.
    ///
    /// # Errors
    /// The runtime is ending.
    pub async fn due(&mut self) -> io::Result<()> {
        loop {
            let mut ready = self.file.readable().await?;
            let mut count = [0; 8];
            let read = ready.try_io(|file| Ok(rustix::io::read(file.get_ref().as_fd(), &mut count)?));
            match read {
                Ok(Ok(_)) => {
                    self.set = None;
                    return Ok(());
                }
                Ok(Err(error)) => return Err(error),
                Err(_not_yet) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use daemon::clock::boot_time;
    use tokio::time::timeout;

    #[tokio::test]
    async fn it_comes_at_its_time_once_and_never_when_unset() {
        let mut timer = Timer::new().unwrap();
        let short = Duration::from_millis(80);
        assert!(timeout(short, timer.due()).await.is_err());
        let time = boot_time() + short;
        timer.set(Some(time)).unwrap();
        timer.due().await.unwrap();
        assert!(boot_time() >= time);
        assert!(timeout(short, timer.due()).await.is_err());
        timer.set(Some(boot_time() + short)).unwrap();
        timer.set(None).unwrap();
        assert!(timeout(short * 2, timer.due()).await.is_err());
        for past in [Duration::ZERO, Duration::from_secs(1)] {
            timer.set(Some(past)).unwrap();
            timeout(short, timer.due()).await.unwrap().unwrap();
        }
    }
}
