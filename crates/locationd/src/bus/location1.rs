//! `org.nestling.Location1`

use std::sync::Arc;
use std::time::Duration;

use daemon::access::{Access, Peer};
use daemon::clock::boot_time;
use ipc::Position;
use tokio::sync::{Notify, watch};
use zbus::message::Header;
use zbus::{fdo, interface};

use crate::core::Whereabouts;
use crate::looks::Reader;

/// Where the watch is: for the lifeline, and for who carries it to a guardian while he looks.
#[derive(Debug)]
pub struct Location1 {
    position: watch::Receiver<Option<Whereabouts>>,
    /// When the last open look ends.
    look: watch::Receiver<Option<Duration>>,
    /// Help is called for.
    help: Arc<Notify>,
    access: Access,
}

const HELP: &[Peer] = &[Peer::Telephony];
const READERS: &[Peer] = &[Peer::Telephony, Peer::Agent];

impl Location1 {
    /// Serves the newest value of `position`, as far as the newest of `look` allows, and notifies `help`.
    pub fn new(
        position: watch::Receiver<Option<Whereabouts>>,
        look: watch::Receiver<Option<Duration>>,
        help: Arc<Notify>,
        access: Access,
    ) -> Self {
        Self { position, look, help, access }
    }
}

#[interface(name = "org.nestling.Location1", introspection_docs = false)]
impl Location1 {
    async fn help_called(&self, #[zbus(header)] header: Header<'_>) -> ipc::Result<()> {
        self.access.require(&header, HELP).await?;
        self.help.notify_one();
        Ok(())
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn position(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<Position> {
        // Without a header it is our own process that asks.
        if let Some(header) = header {
            let caller = self.access.require(&header, READERS).await;
            let reader = caller.ok().and_then(Reader::of);
            let reader = reader.ok_or_else(|| fdo::Error::AccessDenied("not for this user".into()))?;
            if !reader.is_given(*self.look.borrow(), boot_time()) {
                return Err(fdo::Error::AccessDenied("nobody looks".into()));
            }
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
