//! `org.nestling.Diary1`

use daemon::access::{Access, Peer};
use ipc::{DiaryEntry, DiaryRecord, Refusal};
use tokio::sync::mpsc;
use zbus::interface;
use zbus::message::Header;

use super::ask;
use crate::service::Request;

/// Daemons write, the child's screen reads. Nobody can change or remove a line.
#[derive(Debug)]
pub struct Diary1 {
    queue: mpsc::Sender<Request>,
    access: Access,
}

const WRITERS: &[Peer] = &[Peer::Telephony, Peer::Location, Peer::Apps];
const READERS: &[Peer] = &[Peer::Shell, Peer::Agent];

impl Diary1 {
    /// Serves it.
    pub fn new(queue: mpsc::Sender<Request>, access: Access) -> Self {
        Self { queue, access }
    }
}

#[interface(name = "org.nestling.Diary1")]
impl Diary1 {
    async fn record(&self, #[zbus(header)] header: Header<'_>, record: DiaryRecord) -> Result<u64, Refusal> {
        let peer = self.access.require(&header, WRITERS).await?;
        ask(&self.queue, |reply| Request::Record(peer, record, reply)).await
    }

    async fn read(
        &self,
        #[zbus(header)] header: Header<'_>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<DiaryEntry>, Refusal> {
        self.access.require(&header, READERS).await?;
        ask(&self.queue, |reply| Request::Read(after, limit, reply)).await
    }
}
