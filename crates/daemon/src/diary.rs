//! Lines for the diary, kept until policyd has taken them.
//!
//! A daemon decides at once and tells later: [`Diary::record`] never waits. A task of its own hands the
//! lines to policyd in their order, again after a failure or when policyd comes back.
//!
//! **Invariants:** at most [`QUEUE`] lines wait; what did not fit is counted and becomes one line
//! [`OVERFLOW`]. A line is told at least once: one whose answer was lost is told again. No line reaches a log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use ipc::{Diary1Proxy, DiaryRecord, Refusal};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use zbus::Connection;
use zbus::proxy::OwnerChangedStream;

use crate::clock::boot_time;

/// Lines that wait for policyd.
pub const QUEUE: usize = 256;
/// Kind of the line that stands for those that did not fit; its detail `count` says how many.
pub const OVERFLOW: &str = "diary-overflow";

/// Pauses between tries, doubled from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));
/// A line older than this says so in its detail `late-s`: policyd stamps a line when it takes it.
const LATE: Duration = Duration::from_secs(5);

#[derive(Debug)]
enum Item {
    Line { record: DiaryRecord, since: Duration },
    Flush(oneshot::Sender<()>),
}

/// Where a daemon leaves its lines. Clones share one queue.
#[derive(Debug, Clone)]
pub struct Diary {
    queue: mpsc::Sender<Item>,
    lost: Arc<AtomicU64>,
}

impl Diary {
    /// Starts the task that hands the lines over. policyd need not be there yet.
    ///
    /// # Errors
    /// The bus itself is gone.
    pub async fn start(connection: &Connection) -> zbus::Result<Self> {
        let proxy = Diary1Proxy::new(connection).await?;
        let owners = proxy.inner().receive_owner_changed().await?;
        let (queue, lines) = mpsc::channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let writer = Writer { proxy, owners, lost: Arc::clone(&lost) };
        tokio::spawn(writer.run(lines));
        Ok(Self { queue, lost })
    }

    /// Leaves a line; see `ipc::limits` for how long its parts may be. Returns at once.
    pub fn record<'a>(&self, kind: &str, details: impl IntoIterator<Item = (&'a str, String)>) {
        let details = details.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let record = DiaryRecord { kind: kind.to_owned(), details };
        if self.queue.try_send(Item::Line { record, since: boot_time() }).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Before a daemon ends: waits until every line so far was taken, but no longer than `limit`.
    /// Returns whether they were.
    pub async fn flush(&self, limit: Duration) -> bool {
        let (done, told) = oneshot::channel();
        let all = async { self.queue.send(Item::Flush(done)).await.is_ok() && told.await.is_ok() };
        timeout(limit, all).await.unwrap_or(false)
    }
}

struct Writer {
    proxy: Diary1Proxy<'static>,
    owners: OwnerChangedStream<'static>,
    lost: Arc<AtomicU64>,
}

impl Writer {
    async fn run(mut self, mut lines: mpsc::Receiver<Item>) {
        while let Some(item) = lines.recv().await {
            match item {
                Item::Line { record, since } => self.hand_over(record, since).await,
                // The one who waits may have gone.
                Item::Flush(done) => drop(done.send(())),
            }
            let lost = self.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                tracing::warn!(lost, "the diary's queue was full");
                let details = [("count".to_owned(), lost.to_string())].into();
                self.hand_over(DiaryRecord { kind: OVERFLOW.to_owned(), details }, boot_time()).await;
            }
        }
    }

    /// Tries until policyd has the line, or says that it will never take it.
    async fn hand_over(&mut self, mut record: DiaryRecord, since: Duration) {
        let (mut pause, longest) = PAUSES;
        loop {
            let age = boot_time().saturating_sub(since);
            if age >= LATE {
                record.details.insert("late-s".to_owned(), age.as_secs().to_string());
            }
            let error = match self.proxy.record(&record).await {
                Ok(_) => return,
                Err(error @ (Refusal::NotAllowed(_) | Refusal::Malformed(_))) => {
                    tracing::error!(kind = record.kind, %error, "policyd refuses a line of the diary for good");
                    return;
                }
                Err(error) => error,
            };
            tracing::debug!(kind = record.kind, %error, "a line of the diary waits");
            tokio::select! {
                () = sleep(pause) => pause = longest.min(pause * 2),
                owner = self.owners.next() => match owner {
                    Some(Some(_)) => pause = PAUSES.0,
                    Some(None) => sleep(pause).await,
                    // The bus is gone, and so is this daemon, soon.
                    None => return,
                },
            }
        }
    }
}
