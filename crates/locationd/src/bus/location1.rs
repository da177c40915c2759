//! `org.nestling.Location1`

use daemon::access::{Access, Peer};
use ipc::Position;
use tokio::sync::watch;
use zbus::message::Header;
use zbus::{fdo, interface};

use crate::core::Whereabouts;

/// Where the watch is: for the lifeline alone, which tells it to guardians.
#[derive(Debug)]
pub struct Location1 {
    position: watch::Receiver<Option<Whereabouts>>,
    access: Access,
}

const READERS: &[Peer] = &[Peer::Telephony, Peer::Agent];

impl Location1 {
    /// Serves the newest value of `position`.
    pub fn new(position: watch::Receiver<Option<Whereabouts>>, access: Access) -> Self {
        Self { position, access }
    }
}

#[interface(name = "org.nestling.Location1")]
impl Location1 {
    #[zbus(property(emits_changed_signal = "false"))]
    async fn position(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<Position> {
        // Without a header it is our own process that asks.
        if let Some(header) = header {
            let caller = self.access.require(&header, READERS).await;
            caller.map_err(|_| fdo::Error::AccessDenied("not for this user".into()))?;
        }
        Ok(self.position.borrow().as_ref().map_or_else(unknown, told))
    }
}

fn unknown() -> Position {
    Position {
        known: false,
        latitude: 0.0,
        longitude: 0.0,
        accuracy_m: 0.0,
        unix_time: 0,
        zone: String::new(),
        doubt: String::new(),
    }
}

fn told(here: &Whereabouts) -> Position {
    Position {
        known: true,
        latitude: here.place.latitude(),
        longitude: here.place.longitude(),
        accuracy_m: here.accuracy_m,
        unix_time: here.time.as_second(),
        zone: here.zone.clone().unwrap_or_default(),
        doubt: here.doubt.map_or_else(String::new, |doubt| doubt.as_str().to_owned()),
    }
}
