//! Whether policyd and the screen are there, as the bus sees it.
//!
//! **Invariant:** a name that passes from one program to another is seen to go and to come: what the first one knew
//! is gone.

use futures_util::StreamExt;
use ipc::names;
use zbus::Connection;
use zbus::fdo::{DBusProxy, NameOwnerChangedStream};
use zbus::names::BusName;

use crate::core::Event;

/// Listens for both names.
pub struct Presence {
    bus: DBusProxy<'static>,
    policyd: NameOwnerChangedStream,
    shell: NameOwnerChangedStream,
}

impl Presence {
    /// Listens from now on.
    ///
    /// # Errors
    /// The bus itself is gone.
    pub async fn listen(connection: &Connection) -> zbus::Result<Self> {
        let bus = DBusProxy::new(connection).await?;
        let policyd = bus.receive_name_owner_changed_with_args(&[(0, names::POLICY)]).await?;
        let shell = bus.receive_name_owner_changed_with_args(&[(0, names::SHELL)]).await?;
        Ok(Self { bus, policyd, shell })
    }

    /// How things stand now. What changes while this asks is told by [`Presence::next`].
    ///
    /// # Errors
    /// The bus itself is gone.
    pub async fn now(&self) -> zbus::Result<[Event; 2]> {
        let is_there = async |name| self.bus.name_has_owner(BusName::from_static_str(name)?).await;
        Ok([Event::Policyd(is_there(names::POLICY).await?), Event::Shell(is_there(names::SHELL).await?)])
    }

    /// What happens next, as one or two events. Cancel-safe. `None` when the bus is gone.
    pub async fn next(&mut self) -> Option<Vec<Event>> {
        let (signal, event): (_, fn(bool) -> Event) = tokio::select! {
            signal = self.policyd.next() => (signal?, Event::Policyd),
            signal = self.shell.next() => (signal?, Event::Shell),
        };
        let Ok(change) = signal.args() else { return Some(vec![]) };
        let went = change.old_owner().as_ref().map(|_| event(false));
        let came = change.new_owner().as_ref().map(|_| event(true));
        Some(went.into_iter().chain(came).collect())
    }
}
