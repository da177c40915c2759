//! `org.nestling.Location1`

use std::time::Duration;

use daemon::access::{Access, Peer};
use daemon::clock::boot_time;
use daemon::wall::Now;
use ipc::Position;
use tokio::sync::watch;
use zbus::message::Header;
use zbus::{fdo, interface};

use crate::help;
use crate::looks::{Given, Reader};
use crate::newest::Newest;

/// Where the watch is: for the lifeline while help is called for, and for who carries it to a guardian while he looks.
#[derive(Debug)]
pub struct Location1 {
    newest: watch::Receiver<Newest>,
    /// A fix older than this says less than a cell.
    old: Duration,
    /// When the last open look ends.
    look: watch::Receiver<Option<Duration>>,
    /// When the time ends that help opened.
    help: watch::Sender<Option<Duration>>,
    access: Access,
}

const HELP: &[Peer] = &[Peer::Telephony];
const READERS: &[Peer] = &[Peer::Telephony, Peer::Agent];

impl Location1 {
    /// Serves the newest value of `newest`, as far as the newest of `look` and `help` allow, which it tells of each call; see [`Newest::position`] for `old`.
    pub fn new(
        newest: watch::Receiver<Newest>,
        old: Duration,
        look: watch::Receiver<Option<Duration>>,
        help: watch::Sender<Option<Duration>>,
        access: Access,
    ) -> Self {
        Self { newest, old, look, help, access }
    }
}

#[interface(name = "org.nestling.Location1", introspection_docs = false)]
impl Location1 {
    async fn help_called(&self, #[zbus(header)] header: Header<'_>) -> ipc::Result<()> {
        self.access.require(&header, HELP).await?;
        self.help.send_modify(|until| help::called(until, boot_time()));
        Ok(())
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn position(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<Position> {
        // Without a header it is our own process that asks.
        if let Some(header) = header {
            let caller = self.access.require(&header, READERS).await;
            let given = Given { look: *self.look.borrow(), help: *self.help.borrow() };
            let reader = caller.ok().and_then(Reader::of);
            if !reader.is_some_and(|reader| reader.is_given(given, boot_time())) {
                return Err(fdo::Error::AccessDenied("not for this user now".into()));
            }
        }
        Ok(self.newest.borrow().position(Now::read(), self.old))
    }
}
