//! `org.nestling.Looks1`

use daemon::access::{Access, Peer};
use ipc::{Look, Looked};
use tokio::sync::mpsc;
use zbus::fdo;
use zbus::interface;
use zbus::message::Header;
use zbus::object_server::SignalEmitter;

use super::ask;
use crate::office::Seen;
use crate::service::Request;

/// Who looks where the child is. Nobody begins a look here: that is an order.
#[derive(Debug)]
pub struct Looks1 {
    queue: mpsc::Sender<Request>,
    access: Access,
}

const READERS: &[Peer] = &[Peer::Shell, Peer::Location, Peer::Agent];

/// locationd need not know who looked earlier.
const SCREEN: &[Peer] = &[Peer::Shell, Peer::Agent];

impl Looks1 {
    /// Serves it.
    pub fn new(queue: mpsc::Sender<Request>, access: Access) -> Self {
        Self { queue, access }
    }

    async fn seen(&self, header: Option<Header<'_>>, readers: &[Peer]) -> fdo::Result<Seen> {
        if let Some(header) = header {
            self.access
                .require(&header, readers)
                .await
                .map_err(|_| fdo::Error::AccessDenied("not for this user".into()))?;
        }
        ask(&self.queue, Request::Seen).await.map_err(|_| fdo::Error::Failed("policyd is busy".into()))
    }
}

#[interface(name = "org.nestling.Looks1")]
impl Looks1 {
    #[zbus(property(emits_changed_signal = "false"))]
    async fn looking(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<Vec<Look>> {
        Ok(self.seen(header, READERS).await?.looking)
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn today(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<u32> {
        Ok(self.seen(header, READERS).await?.today)
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn looked(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<Vec<Looked>> {
        Ok(self.seen(header, SCREEN).await?.looked)
    }

    #[zbus(signal)]
    pub(crate) async fn looks_changed(
        emitter: &SignalEmitter<'_>,
        looking: &[Look],
        today: u32,
    ) -> zbus::Result<()>;
}
