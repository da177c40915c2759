//! `org.nestling.Telephony1`: for the screen, which acts for the child. The developer's agent may look, and call for help; locationd asks
//! for the cell, and policyd may ask what the network says of the time.

use daemon::Private;
use daemon::access::{Access, Peer};
use ipc::{Call, Cell, Contact, Happening, Missed, ModemState, NetworkTime, PastCall, Refusal, names, paths};
use tokio::sync::{mpsc, oneshot, watch};
use zbus::message::Header;
use zbus::names::BusName;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, fdo, interface};

use crate::core::{Refused, Request};
use crate::service::{Input, View};

/// Only hands over: the core decides.
#[derive(Debug)]
pub(crate) struct Telephony1 {
    access: Access,
    inputs: mpsc::Sender<Input>,
    view: watch::Receiver<View>,
}

const TOUCH: &[Peer] = &[Peer::Shell];
/// Whoever can reach the bus of a developer's watch may call for help, too.
const HELP: &[Peer] = &[Peer::Shell, Peer::Agent];
const READERS: &[Peer] = &[Peer::Shell, Peer::Agent];
/// Whoever says where the watch is.
const PLACE: &[Peer] = &[Peer::Location];
/// Whoever sets the clock.
const CLOCK: &[Peer] = &[Peer::Policy, Peer::Agent];

impl Telephony1 {
    /// Serves it.
    pub(crate) fn new(access: Access, inputs: mpsc::Sender<Input>, view: watch::Receiver<View>) -> Self {
        Self { access, inputs, view }
    }

    /// Sends signals to the shell alone.
    ///
    /// # Errors
    /// Never: path and name are valid.
    pub(crate) fn to_shell(connection: &Connection) -> zbus::Result<SignalEmitter<'static>> {
        let shell = BusName::from_static_str(names::SHELL)?;
        Ok(SignalEmitter::new(connection, paths::TELEPHONY)?.set_destination(shell))
    }

    async fn ask(&self, header: Header<'_>, allowed: &[Peer], request: Request) -> ipc::Result<()> {
        self.access.require(&header, allowed).await?;
        let (reply, answer) = oneshot::channel();
        let ending = || Refusal::Failed("telephonyd is ending".into());
        self.inputs.send(Input::Request(request, reply)).await.map_err(|_| ending())?;
        answer.await.map_err(|_| ending())?.map_err(refusal)
    }

    async fn read(&self, header: Option<Header<'_>>) -> fdo::Result<View> {
        self.read_as(READERS, header).await
    }

    async fn read_as(&self, readers: &[Peer], header: Option<Header<'_>>) -> fdo::Result<View> {
        if let Some(header) = header {
            let allowed = self.access.require(&header, readers).await;
            allowed.map_err(|_| fdo::Error::AccessDenied("not for this user".into()))?;
        }
        Ok(self.view.borrow().clone())
    }
}

fn refusal(refused: Refused) -> Refusal {
    match refused {
        Refused::TooEarly => Refusal::Denied("too-early".into()),
        Refused::Denied(reason) => Refusal::Denied(reason.into()),
        Refused::Malformed => Refusal::Malformed("a tone is one of 0 to 9, * and #".into()),
        Refused::NotFound => Refusal::NotFound("no such call or contact".into()),
        Refused::Busy => Refusal::Busy("another call is in the way".into()),
        Refused::NoNetwork => Refusal::Failed("no network for this call".into()),
        Refused::Failed => Refusal::Failed("the modem did not do it".into()),
    }
}

#[interface(name = "org.nestling.Telephony1", introspection_docs = false)]
impl Telephony1 {
    async fn dial(&self, #[zbus(header)] header: Header<'_>, contact: String) -> ipc::Result<()> {
        self.ask(header, TOUCH, Request::Dial(contact)).await
    }

    async fn dial_emergency(&self, #[zbus(header)] header: Header<'_>, number: String) -> ipc::Result<()> {
        self.ask(header, HELP, Request::DialEmergency(Private(number))).await
    }

    async fn accept(&self, #[zbus(header)] header: Header<'_>, call: u64) -> ipc::Result<()> {
        self.ask(header, TOUCH, Request::Accept(call)).await
    }

    async fn hang_up(&self, #[zbus(header)] header: Header<'_>, call: u64) -> ipc::Result<()> {
        self.ask(header, TOUCH, Request::HangUp(call)).await
    }

    async fn mute(&self, #[zbus(header)] header: Header<'_>, call: u64) -> ipc::Result<()> {
        self.ask(header, TOUCH, Request::Mute(call)).await
    }

    async fn tone(&self, #[zbus(header)] header: Header<'_>, call: u64, key: String) -> ipc::Result<()> {
        self.ask(header, TOUCH, Request::Tone(call, key)).await
    }

    async fn calls(&self, #[zbus(header)] header: Header<'_>) -> ipc::Result<Vec<PastCall>> {
        self.access.require(&header, TOUCH).await?;
        Ok(self.view.borrow().log.calls.clone())
    }

    async fn events(
        &self,
        #[zbus(header)] header: Header<'_>,
        since: u64,
    ) -> ipc::Result<(bool, Vec<Happening>)> {
        self.access.require(&header, TOUCH).await?;
        Ok(self.view.borrow().events.since(since))
    }

    async fn cell(&self, #[zbus(header)] header: Header<'_>) -> ipc::Result<Cell> {
        self.access.require(&header, PLACE).await?;
        let (reply, answer) = oneshot::channel();
        let ending = || Refusal::Failed("telephonyd is ending".into());
        self.inputs.send(Input::Cell(reply)).await.map_err(|_| ending())?;
        answer.await.map_err(|_| ending())
    }

    async fn saw_missed(&self, #[zbus(header)] header: Header<'_>, newest: u64) -> ipc::Result<()> {
        self.ask(header, TOUCH, Request::SawMissed(newest)).await
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn missed(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<Vec<Missed>> {
        Ok(self.read(header).await?.log.missed)
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn call(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<Call> {
        Ok(self.read(header).await?.call)
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn contacts(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<Vec<Contact>> {
        Ok(self.read(header).await?.surroundings.contacts)
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn modem(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<ModemState> {
        Ok(self.read(header).await?.surroundings.modem)
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn emergency_number(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<String> {
        Ok(self.read(header).await?.surroundings.emergency_number.to_owned())
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn network_time(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<NetworkTime> {
        Ok(self.read_as(CLOCK, header).await?.network_time)
    }

    #[zbus(signal)]
    pub(crate) async fn happened(emitter: &SignalEmitter<'_>, happening: Happening) -> zbus::Result<()>;
}
