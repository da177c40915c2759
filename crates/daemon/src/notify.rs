//! What the service manager hears from us (sd_notify).

use std::time::Duration;

use sd_notify::NotifyState;

/// Objects are exported, the name is ours: dependants may start.
pub fn ready() {
    if let Err(error) = sd_notify::notify(&[NotifyState::Ready]) {
        tracing::warn!(%error, "the service manager does not hear that we are ready");
    }
}

/// Fed from the core loop, so that a loop that hangs is ended and started again.
#[derive(Debug)]
pub struct Watchdog {
    interval: Option<tokio::time::Interval>,
}

impl Watchdog {
    /// Feeds at half the time the unit's `WatchdogSec=` gives; without one [`Watchdog::due`] never comes.
    pub fn new() -> Self {
        let half = sd_notify::watchdog_enabled().map(|time| (time / 2).max(Duration::from_millis(100)));
        Self { interval: half.map(tokio::time::interval) }
    }

    /// Comes when it is time to [`Watchdog::feed`].
    pub async fn due(&mut self) {
        match &mut self.interval {
            Some(interval) => {
                interval.tick().await;
            }
            None => std::future::pending().await,
        }
    }

    /// Tells the service manager that the loop turns.
    pub fn feed(&self) {
        if let Err(error) = sd_notify::notify(&[NotifyState::Watchdog]) {
            tracing::warn!(%error, "the watchdog is not fed");
        }
    }
}

impl Default for Watchdog {
    fn default() -> Self {
        Self::new()
    }
}
