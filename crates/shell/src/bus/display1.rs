//! `org.nestling.Display1`

use daemon::access::{Access, Peer};
use ipc::Refusal;
use zbus::OwnedFd;
use zbus::interface;
use zbus::message::Header;

use crate::display::Display;

/// The place on the screen, for appd alone.
pub(super) struct Display1 {
    display: Display,
    access: Access,
}

const APPS: &[Peer] = &[Peer::Apps];

impl Display1 {
    pub(super) fn new(display: Display, access: Access) -> Self {
        Self { display, access }
    }
}

#[interface(name = "org.nestling.Display1")]
impl Display1 {
    async fn attach(&self, #[zbus(header)] header: Header<'_>, session: u64) -> Result<OwnedFd, Refusal> {
        self.access.require(&header, APPS).await?;
        match self.display.attach(session) {
            Ok(descriptor) => Ok(descriptor.into()),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "an app gets no place");
                Err(Refusal::Failed("there is no place for an app".into()))
            }
        }
    }

    async fn detach(&self, #[zbus(header)] header: Header<'_>, session: u64) -> Result<(), Refusal> {
        self.access.require(&header, APPS).await?;
        self.display.detach(session);
        Ok(())
    }
}
