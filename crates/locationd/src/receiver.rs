//! The receiver, by way of gpsd: followed while it is wanted, and really off while it is not.
//!
//! gpsd keeps a device open for a minute after its last client went, so it is taken from it by a command, and given back before
//! the next client comes. A device that nobody has open is powered down by the kernel (its gnss drivers do so when the last
//! descriptor is closed). Should the command fail, gpsd's minute is what is left.
//!
//! **Invariants:** with the receiver unwanted no connection is open and nothing here wakes; gpsd, hung or gone, delays a switch by no more than
//! [`PATIENCE`]; what a device has kept since it was last open is not taken for now.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use daemon::clock::boot_time;

use crate::core::Fix;
use crate::gpsd;

/// gpsd answers at once, or not.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a device has kept comes within this of its opening.
const KEPT: Duration = Duration::from_secs(3);
/// By how much a fix may come later than those before, milliseconds.
const LATE_MS: i64 = 2000;

/// Knows what a device has kept since it was last open from what is heard now: a line without a receiver's own power, such as
/// a virtual machine's, holds what nobody reads.
#[derive(Debug, Default)]
struct Fresh {
    opened: Duration,
    /// How far the receiver's clock was ahead of ours, milliseconds.
    ahead: Option<i64>,
}

impl Fresh {
    fn opened(&mut self, now: Duration) {
        self.opened = now;
    }

    /// Whether a fix is of now, and no older one.
    fn is(&mut self, fix: &Fix, now: Duration) -> bool {
        let ahead =
            fix.time.as_millisecond().saturating_sub(i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
        let kept = self.ahead.is_some_and(|before| ahead < before.saturating_sub(LATE_MS));
        // A receiver whose clock was put right is believed a little later.
        if kept && now.saturating_sub(self.opened) < KEPT {
            return false;
        }
        self.ahead = Some(ahead);
        true
    }
}

/// Where gpsd and its device are.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// The socket that speaks JSON.
    pub gpsd: PathBuf,
    /// The socket that takes commands.
    pub commands: PathBuf,
    /// The device.
    pub device: PathBuf,
}

impl Receiver {
    /// Brings every fix while the receiver is `wanted`. Ends when nobody wants to know any more.
    pub async fn follow(self, mut wanted: watch::Receiver<bool>, fixes: mpsc::Sender<Fix>) {
        let (mut fresh, told) = (Fresh::default(), gpsd::Told::default());
        // Whether gpsd took no command the last time, for the journal.
        let mut deaf = false;
        while wanted.wait_for(|wanted| *wanted).await.is_ok() {
            fresh.opened(boot_time());
            // gpsd has it already when it was started since, or when it was never taken.
            if let Err(error) = self.command(b'+').await {
                tracing::debug!(%error, "gpsd is not asked for the receiver");
            }
            tokio::select! {
                () = self.look(&mut fresh, &fixes, &told) => return,
                changed = wanted.wait_for(|wanted| !*wanted) => if changed.is_err() {
                    return;
                },
            }
            let obeyed = self.command(b'-').await;
            let is_new = !deaf;
            deaf = !matches!(obeyed, Ok(true));
            match obeyed {
                Ok(false) if is_new => tracing::warn!("gpsd does not let go of the receiver"),
                Err(error) if is_new => tracing::warn!(%error, "gpsd is not told to let go of the receiver"),
                _ => {}
            }
        }
    }

    /// Until nobody wants to know any more.
    async fn look(&self, fresh: &mut Fresh, fixes: &mpsc::Sender<Fix>, told: &gpsd::Told) {
        let (sender, mut brought) = mpsc::channel(1);
        let bring = async {
            while let Some(fix) = brought.recv().await {
                told.heard();
                if fresh.is(&fix, boot_time()) && fixes.send(fix).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = gpsd::follow(&self.gpsd, sender, told) => {}
            () = bring => {}
        }
    }

    /// Gives the device (`+`) or takes it (`-`); whether gpsd says that it did so.
    async fn command(&self, what: u8) -> io::Result<bool> {
        let exchange = async {
            let mut stream = UnixStream::connect(&self.commands).await?;
            let command = [&[what], self.device.as_os_str().as_bytes(), b"\r\n"].concat();
            stream.write_all(&command).await?;
            let mut answer = [0; 64];
            let count = stream.read(&mut answer).await?;
            Ok(answer.get(..count).is_some_and(|answer| answer.starts_with(br#"{"class":"ACK"}"#)))
        };
        timeout(PATIENCE, exchange).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{SignedDuration, Timestamp};

    fn fix(second: i64) -> Fix {
        let noon: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        Fix::new(60.17, 24.94, 5.0, noon + SignedDuration::from_secs(second)).unwrap()
    }

    #[test]
    fn a51_what_a_device_kept_while_it_was_closed_is_not_taken_for_now() {
        let boot = Duration::from_secs;
        let mut fresh = Fresh::default();
        fresh.opened(boot(100));
        assert!(fresh.is(&fix(0), boot(101)) && fresh.is(&fix(1), boot(102)));
        fresh.opened(boot(200));
        for second in 2..90 {
            assert!(!fresh.is(&fix(second), boot(201)), "{second}");
        }
        assert!(fresh.is(&fix(100), boot(201)));
        // A clock that was put back is believed after a while, and then at once.
        assert!(!fresh.is(&fix(50), boot(202)) && fresh.is(&fix(52), boot(204)));
        fresh.opened(boot(300));
        assert!(fresh.is(&fix(149), boot(301)));
    }
}
