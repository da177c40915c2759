//! `org.nestling.Guardian1`

use daemon::access::{Access, Peer};
use ipc::{Guardian, Refusal};
use tokio::sync::mpsc;
use zbus::fdo;
use zbus::interface;
use zbus::message::Header;

use super::ask;
use crate::service::Request;

/// Enrolment needs somebody who holds the watch: only its screen can open the window.
#[derive(Debug)]
pub struct Guardian1 {
    queue: mpsc::Sender<Request>,
    access: Access,
}

const SCREEN: &[Peer] = &[Peer::Shell, Peer::Agent];

impl Guardian1 {
    /// Serves it.
    pub fn new(queue: mpsc::Sender<Request>, access: Access) -> Self {
        Self { queue, access }
    }
}

#[interface(name = "org.nestling.Guardian1")]
impl Guardian1 {
    async fn open_enrolment(&self, #[zbus(header)] header: Header<'_>) -> Result<(String, u32), Refusal> {
        self.access.require(&header, SCREEN).await?;
        ask(&self.queue, Request::OpenEnrolment).await
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn guardians(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<Vec<Guardian>> {
        if let Some(header) = header {
            self.access
                .require(&header, SCREEN)
                .await
                .map_err(|_| fdo::Error::AccessDenied("not for this user".into()))?;
        }
        ask(&self.queue, Request::Guardians).await.map_err(|_| fdo::Error::Failed("policyd is busy".into()))
    }
}
