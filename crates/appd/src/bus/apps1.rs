//! `org.nestling.Apps1`: for the screen, which acts for the child. The developer's agent may look, and open.

use daemon::access::{Access, Peer};
use ipc::{App, AppSession, Refusal, names, paths};
use tokio::sync::{mpsc, oneshot, watch};
use zbus::message::Header;
use zbus::names::BusName;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, fdo, interface};

use crate::core::{Event, Refused};
use crate::service::{Input, View};

/// Only hands over: the core decides.
#[derive(Debug)]
pub struct Apps1 {
    access: Access,
    inputs: mpsc::Sender<Input>,
    view: watch::Receiver<View>,
}

const SCREEN: &[Peer] = &[Peer::Shell];
const OPENERS: &[Peer] = &[Peer::Shell, Peer::Agent];
const READERS: &[Peer] = &[Peer::Shell, Peer::Agent];

impl Apps1 {
    /// Serves it.
    pub fn new(access: Access, inputs: mpsc::Sender<Input>, view: watch::Receiver<View>) -> Self {
        Self { access, inputs, view }
    }

    /// Sends signals to the shell alone.
    ///
    /// # Errors
    /// Never: path and name are valid.
    pub(crate) fn to_shell(connection: &Connection) -> zbus::Result<SignalEmitter<'static>> {
        let shell = BusName::from_static_str(names::SHELL)?;
        Ok(SignalEmitter::new(connection, paths::APPS)?.set_destination(shell))
    }

    async fn ask(&self, header: Header<'_>, allowed: &[Peer], event: Event) -> ipc::Result<()> {
        self.access.require(&header, allowed).await?;
        let (reply, answer) = oneshot::channel();
        let ending = || Refusal::Failed("appd is ending".into());
        self.inputs.send(Input::Request(event, reply)).await.map_err(|_| ending())?;
        answer.await.map_err(|_| ending())?.map_err(refusal)
    }

    async fn read(&self, header: Option<Header<'_>>) -> fdo::Result<View> {
        // Without a header it is our own process that asks.
        if let Some(header) = header {
            let allowed = self.access.require(&header, READERS).await;
            allowed.map_err(|_| fdo::Error::AccessDenied("not for this user".into()))?;
        }
        Ok(self.view.borrow().clone())
    }
}

fn refusal(refused: Refused) -> Refusal {
    match refused {
        Refused::Malformed => Refusal::Malformed("no app's id, or no reason of the screen's".into()),
        Refused::NotFound => Refusal::NotFound("no such run".into()),
    }
}

#[interface(name = "org.nestling.Apps1", introspection_docs = false)]
impl Apps1 {
    async fn open(&self, #[zbus(header)] header: Header<'_>, app: String) -> ipc::Result<()> {
        self.ask(header, OPENERS, Event::Open(app)).await
    }

    async fn hide(&self, #[zbus(header)] header: Header<'_>, session: u64) -> ipc::Result<()> {
        self.ask(header, SCREEN, Event::Hide(session)).await
    }

    async fn show(&self, #[zbus(header)] header: Header<'_>, session: u64) -> ipc::Result<()> {
        self.ask(header, SCREEN, Event::Show(session)).await
    }

    async fn end(&self, #[zbus(header)] header: Header<'_>, session: u64, reason: String) -> ipc::Result<()> {
        self.ask(header, SCREEN, Event::End(session, reason)).await
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn apps(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<Vec<App>> {
        Ok(self.read(header).await?.apps)
    }

    #[zbus(property(emits_changed_signal = "false"))]
    async fn session(&self, #[zbus(header)] header: Option<Header<'_>>) -> fdo::Result<AppSession> {
        Ok(self.read(header).await?.session)
    }

    #[zbus(signal)]
    pub(crate) async fn session_changed(emitter: &SignalEmitter<'_>, session: AppSession)
    -> zbus::Result<()>;

    #[zbus(signal)]
    pub(crate) async fn apps_changed(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}
