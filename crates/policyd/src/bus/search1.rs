//! `org.nestling.Search1`

use daemon::access::{Access, Peer};
use ipc::{Refusal, Search};
use tokio::sync::mpsc;
use zbus::fdo;
use zbus::interface;
use zbus::message::Header;
use zbus::object_server::SignalEmitter;

use super::ask;
use crate::service::Request;

/// Who looks for the watch. Nobody begins a search here: that is an order.
#[derive(Debug)]
pub struct Search1 {
    queue: mpsc::Sender<Request>,
    access: Access,
}

const SCREEN: &[Peer] = &[Peer::Shell];
const READERS: &[Peer] = &[Peer::Shell, Peer::Telephony, Peer::Agent];

impl Search1 {
    /// Serves it.
    pub fn new(queue: mpsc::Sender<Request>, access: Access) -> Self {
        Self { queue, access }
    }
}

#[interface(name = "org.nestling.Search1")]
impl Search1 {
    async fn shows(&self, #[zbus(header)] header: Header<'_>, search: u64) -> Result<(), Refusal> {
        self.access.require(&header, SCREEN).await?;
        let screen = header.sender().map(ToString::to_string).unwrap_or_default();
        ask(&self.queue, |reply| Request::ShowsSearch(search, screen, reply)).await
    }

    async fn stop(&self, #[zbus(header)] header: Header<'_>, search: u64) -> Result<(), Refusal> {
        self.access.require(&header, SCREEN).await?;
        ask(&self.queue, |reply| Request::StopSearch(search, reply)).await
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn search(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<Search> {
        if let Some(header) = header {
            self.access
                .require(&header, READERS)
                .await
                .map_err(|_| fdo::Error::AccessDenied("not for this user".into()))?;
        }
        ask(&self.queue, Request::Search).await.map_err(|_| fdo::Error::Failed("policyd is busy".into()))
    }

    #[zbus(signal)]
    pub(crate) async fn search_changed(emitter: &SignalEmitter<'_>, search: Search) -> zbus::Result<()>;
}
