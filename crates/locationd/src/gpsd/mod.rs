//! The client of gpsd, on the unix socket that is ours alone.
//!
//! gpsd parses radio: it is taken for hostile. Its lines are cut by [`Lines`], read by [`parse_line`], and
//! nothing else of it is used.
//!
//! **Invariants:** however gpsd ends, stalls or lies, the client comes back; it never holds more than one
//! line and one read.

mod lines;
mod report;

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

pub use lines::{LIMIT, Lines};
pub use report::{LineError, parse_line};

use crate::core::Fix;

const WATCH: &[u8] = b"?WATCH={\"enable\":true,\"json\":true};\n";
/// Pauses between tries to connect, doubled from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// A receiver tells something every second; a gpsd that is silent for so long is connected to anew.
const SILENCE: Duration = Duration::from_secs(15);
const READ: usize = 4096;

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

/// What a connection brought.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    fixes: u64,
    refused: u64,
}

/// Brings every fix gpsd tells, until nobody wants them any more.
pub async fn follow(socket: &Path, fixes: mpsc::Sender<Fix>) {
    let (shortest, longest) = PAUSES;
    let mut pause = shortest;
    while !fixes.is_closed() {
        let mut tally = Tally::default();
        let began = Instant::now();
        let error = match session(socket, &fixes, &mut tally).await {
            Ok(()) => return,
            Err(error) => error,
        };
        if tally.fixes > 0 || began.elapsed() > longest {
            pause = shortest;
        }
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        if pause == shortest {
            tracing::warn!(%error, cause, ?tally, "trying again");
        } else {
            tracing::debug!(%error, cause, ?tally, "trying again");
        }
        sleep(pause).await;
        pause = longest.min(pause * 2);
    }
}

/// One connection. `Ok` when nobody wants fixes any more.
async fn session(socket: &Path, fixes: &mpsc::Sender<Fix>, tally: &mut Tally) -> Result<(), SessionError> {
    let mut stream = UnixStream::connect(socket).await.map_err(SessionError::Connect)?;
    stream.write_all(WATCH).await.map_err(SessionError::Broken)?;
    let mut lines = Lines::default();
    let mut buffer = vec![0; READ];
    loop {
        let heard = timeout(SILENCE, stream.read(&mut buffer)).await.map_err(|_| SessionError::Silent)?;
        let count = heard.map_err(SessionError::Broken)?;
        if count == 0 {
            return Err(SessionError::HungUp);
        }
        let mut told = Vec::new();
        let skipped = lines.skipped();
        lines.feed(buffer.get(..count).unwrap_or_default(), |line| match parse_line(line) {
            Ok(Some(fix)) => told.push(fix),
            Ok(None) => {}
            Err(error) => {
                // Once for each connection: a liar must not fill the journal.
                if tally.refused == 0 {
                    tracing::warn!(%error, "gpsd says what it should not; the rest is only counted");
                }
                tally.refused += 1;
            }
        });
        tally.refused += lines.skipped() - skipped;
        for fix in told {
            tally.fixes += 1;
            if fixes.send(fix).await.is_err() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests;
