//! `org.nestling.Policy1`

use daemon::access::{Access, Peer};
use ipc::{PolicyState, Refusal, limits};
use tokio::sync::mpsc;
use zbus::fdo;
use zbus::interface;
use zbus::message::Header;
use zbus::object_server::SignalEmitter;

use super::ask;
use crate::service::{Request, Status};

/// The one door for orders. Who brings an order does not matter, its signature does; who may knock is
/// limited all the same.
#[derive(Debug)]
pub struct Policy1 {
    queue: mpsc::Sender<Request>,
    access: Access,
}

const SUBMITTERS: &[Peer] = &[Peer::Agent];
const READERS: &[Peer] = &[Peer::Shell, Peer::Telephony, Peer::Location, Peer::Apps, Peer::Agent];

impl Policy1 {
    /// Serves it.
    pub fn new(queue: mpsc::Sender<Request>, access: Access) -> Self {
        Self { queue, access }
    }

    async fn status(&self, header: Option<Header<'_>>) -> fdo::Result<Status> {
        if let Some(header) = header {
            self.access
                .require(&header, READERS)
                .await
                .map_err(|_| fdo::Error::AccessDenied("not for this user".into()))?;
        }
        ask(&self.queue, Request::Status).await.map_err(|_| fdo::Error::Failed("policyd is busy".into()))
    }
}

#[interface(name = "org.nestling.Policy1")]
impl Policy1 {
    async fn submit(&self, #[zbus(header)] header: Header<'_>, envelope: Vec<u8>) -> Result<u64, Refusal> {
        self.access.require(&header, SUBMITTERS).await?;
        if envelope.len() > limits::ENVELOPE {
            return Err(Refusal::Malformed("the envelope is too long".into()));
        }
        ask(&self.queue, |reply| Request::Submit(envelope, reply)).await
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn revision(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<u64> {
        Ok(self.status(header).await?.revision)
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn state(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<PolicyState> {
        Ok(self.status(header).await?.state)
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn lost(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<bool> {
        Ok(self.status(header).await?.lost)
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn watch(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<String> {
        Ok(self.status(header).await?.watch)
    }

    #[zbus(signal)]
    pub(crate) async fn changed(
        emitter: &SignalEmitter<'_>,
        revision: u64,
        state: PolicyState,
    ) -> zbus::Result<()>;
}
