//! `org.nestling.Location1`

use std::sync::Arc;
use std::time::Duration;

use daemon::access::{Access, Peer};
use daemon::clock::boot_time;
use daemon::wall::Now;
use ipc::Position;
use tokio::sync::{Notify, watch};
use zbus::message::Header;
use zbus::{fdo, interface};

use crate::looks::Reader;
use crate::newest::Newest;

/// Where the watch is: for the lifeline, and for who carries it to a guardian while he looks.
#[derive(Debug)]
pub struct Location1 {
    newest: watch::Receiver<Newest>,
    /// A fix older than this says less than a cell.
    old: Duration,
    /// When the last open look ends.
    look: watch::Receiver<Option<Duration>>,
    /// Help is called for.
    help: Arc<Notify>,
    access: Access,
}

const HELP: &[Peer] = &[Peer::Telephony];
const READERS: &[Peer] = &[Peer::Telephony, Peer::Agent];

impl Location1 {
    /// Serves the newest value of `newest`, as far as the newest of `look` allows, and notifies `help`; see [`Newest::position`] for `old`.
    pub fn new(
        newest: watch::Receiver<Newest>,
        old: Duration,
        look: watch::Receiver<Option<Duration>>,
        help: Arc<Notify>,
        access: Access,
    ) -> Self {
        Self { newest, old, look, help, access }
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
        Ok(self.newest.borrow().position(Now::read(), self.old))
    }
}
