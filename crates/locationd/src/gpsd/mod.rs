//! The client of gpsd, on the unix socket that is ours alone.
//!
//! gpsd parses radio: it is taken for hostile. Its lines are cut by [`Lines`], read by [`parse_line`], and
//! nothing else of it is used.
//!
//! **Invariants:** however gpsd ends, stalls or lies, the client comes back; it never holds more than one
//! line and one read, and reads no more than [`FLOOD`] bytes in a second.

mod lines;
mod reading;
mod report;

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

pub use lines::{LIMIT, Lines};
pub use reading::Reading;
pub use report::{LineError, parse_line};

use crate::core::Fix;

/// Asks gpsd for everything it has to say.
pub const WATCH: &[u8] = b"?WATCH={\"enable\":true,\"json\":true};\n";
/// Pauses between tries to connect, doubled from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// A gpsd that reports nothing for so long is connected to anew, the first time and at last: it may be stuck, or its
/// receiver may sleep or be unplugged, and then nobody is to wake up for it four times a minute.
const SILENCE: (Duration, Duration) = (Duration::from_secs(15), Duration::from_mins(4));
/// Bytes read at once.
pub const READ: usize = 4096;
/// Bytes of gpsd's that are read in one second; a receiver with forty satellites ten times a second makes a quarter.
const FLOOD: usize = 256 * 1024;

const SECOND: Duration = Duration::from_secs(1);

/// Why a connection to gpsd ended.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Nobody listens.
    #[error("gpsd cannot be reached")]
    Connect(#[source] io::Error),
    /// Reading or writing failed.
    #[error("the connection to gpsd broke")]
    Broken(#[source] io::Error),
    /// gpsd ended it.
    #[error("gpsd hung up")]
    HungUp,
    /// Nothing came for a while.
    #[error("gpsd is silent")]
    Silent,
}

/// What the journal has been told already, however often the receiver is looked at: an unplugged one must not fill it, nor a liar.
#[derive(Debug, Default)]
pub struct Told {
    /// That there is no receiver; until it is heard again.
    silent: AtomicBool,
    /// That gpsd says what it should not; once.
    lies: AtomicBool,
}

impl Told {
    /// There was a fix.
    pub fn heard(&self) {
        self.silent.store(false, Relaxed);
    }
}

/// Brings every fix gpsd tells, until nobody wants them any more.
pub async fn follow(socket: &Path, fixes: mpsc::Sender<Fix>, told: &Told) {
    let (mut pause, mut silence) = (PAUSES.0, SILENCE.0);
    while !fixes.is_closed() {
        let mut reading = Reading::default();
        let error = match session(socket, silence, &fixes, &mut reading, told).await {
            Ok(()) => return,
            Err(error) => error,
        };
        if reading.fixes() > 0 {
            (pause, silence) = (PAUSES.0, SILENCE.0);
            told.heard();
        }
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        if told.silent.swap(true, Relaxed) {
            tracing::debug!(%error, cause, ?reading, "trying again");
        } else {
            tracing::warn!(%error, cause, ?reading, "trying again");
        }
        if matches!(error, SessionError::Silent) {
            silence = SILENCE.1.min(silence * 2);
        }
        sleep(pause).await;
        pause = PAUSES.1.min(pause * 2);
    }
}

/// One connection. `Ok` when nobody wants fixes any more.
async fn session(
    socket: &Path,
    silence: Duration,
    fixes: &mpsc::Sender<Fix>,
    reading: &mut Reading,
    told: &Told,
) -> Result<(), SessionError> {
    let mut stream = UnixStream::connect(socket).await.map_err(SessionError::Connect)?;
    stream.write_all(WATCH).await.map_err(SessionError::Broken)?;
    let mut pace = Pace::new();
    let mut buffer = vec![0; READ];
    // Only whole reports count: whoever sends a byte now and then is as silent.
    let mut reported = Instant::now();
    loop {
        let heard = timeout_at(reported + silence, stream.read(&mut buffer)).await;
        let count = heard.map_err(|_| SessionError::Silent)?.map_err(SessionError::Broken)?;
        if count == 0 {
            return Err(SessionError::HungUp);
        }
        let (mut brought, before) = (Vec::new(), reading.reports());
        reading.feed(buffer.get(..count).unwrap_or_default(), |fix| brought.push(fix));
        if let Some(error) = reading.refused()
            && !told.lies.swap(true, Relaxed)
        {
            tracing::warn!(%error, "gpsd says what it should not; the rest is only counted");
        }
        if reading.reports() > before {
            reported = Instant::now();
        }
        for fix in brought {
            if fixes.send(fix).await.is_err() {
                return Ok(());
            }
        }
        pace.keep(count).await;
    }
}

/// Reads no more than [`FLOOD`] in a second; the socket's buffer holds gpsd back, and gpsd drops who is slow.
struct Pace {
    began: Instant,
    bytes: usize,
}

impl Pace {
    fn new() -> Self {
        Self { began: Instant::now(), bytes: 0 }
    }

    async fn keep(&mut self, count: usize) {
        if self.began.elapsed() >= SECOND {
            *self = Self::new();
        }
        self.bytes += count;
        if self.bytes > FLOOD {
            sleep_until(self.began + SECOND).await;
        }
    }
}

#[cfg(test)]
mod tests;
