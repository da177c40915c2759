//! What the core has the modem do. Each runs in a task of its own: an AT command may take seconds.

use std::collections::HashMap;

use daemon::Private;
use tokio::sync::{mpsc, watch};
use zbus::proxy::CacheProperties;
use zbus::{Connection, ObjectPath, OwnedObjectPath, Variant};

use super::proxies::{CallProxy, VoiceProxy};
use crate::core::{CallId, Event, Ticket};
use crate::service::Input;

/// Why the modem did not do it.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("there is no modem that can call")]
    NoModem,
    #[error("ModemManager did not do it")]
    Bus(#[from] zbus::Error),
}

/// Gives ModemManager orders and tells the core what became of them.
#[derive(Debug, Clone)]
pub(crate) struct Commands {
    connection: Connection,
    modem: watch::Receiver<Option<OwnedObjectPath>>,
    inputs: mpsc::Sender<Input>,
}

impl Commands {
    pub(super) fn new(
        connection: &Connection,
        modem: watch::Receiver<Option<OwnedObjectPath>>,
        inputs: mpsc::Sender<Input>,
    ) -> Self {
        Self { connection: connection.clone(), modem, inputs }
    }

    /// Ends a call.
    pub(crate) fn hang_up(&self, id: CallId) {
        let this = self.clone();
        tokio::spawn(async move {
            let done = async { Ok::<_, CommandError>(this.call(&id).await?.hangup().await?) };
            if let Err(error) = done.await {
                warn(&error, "a call is not ended");
                this.tell(Event::HangUpFailed(id)).await;
            }
        });
    }

    /// Takes a call.
    pub(crate) fn accept(&self, ticket: Ticket, id: CallId) {
        let this = self.clone();
        tokio::spawn(async move {
            let done = async { Ok::<_, CommandError>(this.call(&id).await?.accept().await?) };
            let done = done.await.inspect_err(|error| warn(error, "a call is not accepted"));
            this.tell(Event::Accepted(ticket, done.is_ok())).await;
        });
    }

    /// Sends a tone into a call.
    pub(crate) fn tone(&self, ticket: Ticket, id: CallId, key: char) {
        let this = self.clone();
        tokio::spawn(async move {
            let done =
                async { Ok::<_, CommandError>(this.call(&id).await?.send_dtmf(&key.to_string()).await?) };
            let done = done.await.inspect_err(|error| warn(error, "a tone is not sent"));
            this.tell(Event::Toned(ticket, done.is_ok())).await;
        });
    }

    /// Calls a number.
    pub(crate) fn dial(&self, ticket: Ticket, number: Private<String>) {
        let this = self.clone();
        tokio::spawn(async move {
            let call = this.create_and_start(&number.0).await;
            let call = call.inspect_err(|error| warn(error, "a number is not dialled"));
            this.tell(Event::Dialled(ticket, call.ok())).await;
        });
    }

    /// Lets ModemManager forget a call that is over; it keeps them for ever otherwise.
    pub(crate) fn forget(&self, id: CallId) {
        let this = self.clone();
        tokio::spawn(async move {
            if let Err(error) = this.delete(&id).await {
                // It was faster, or has gone itself.
                tracing::debug!(%error, "a call that is over is not forgotten");
            }
        });
    }

    async fn create_and_start(&self, number: &str) -> Result<CallId, CommandError> {
        let voice = self.voice().await?;
        let path = voice.create_call(HashMap::from([("number", Variant::from(number))])).await?;
        let id = CallId(path.as_str().to_owned());
        if let Err(error) = self.call(&id).await?.start().await {
            self.forget(id);
            return Err(error.into());
        }
        Ok(id)
    }

    async fn delete(&self, id: &CallId) -> Result<(), CommandError> {
        let path = ObjectPath::try_from(id.0.as_str())?;
        Ok(self.voice().await?.delete_call(&path).await?)
    }

    async fn voice(&self) -> Result<VoiceProxy<'static>, CommandError> {
        let modem = self.modem.borrow().clone().ok_or(CommandError::NoModem)?;
        let builder = VoiceProxy::builder(&self.connection).cache_properties(CacheProperties::No);
        Ok(builder.path(modem).build().await?)
    }

    async fn call<'a>(&self, id: &'a CallId) -> Result<CallProxy<'a>, CommandError> {
        let builder = CallProxy::builder(&self.connection).cache_properties(CacheProperties::No);
        Ok(builder.path(id.0.as_str()).build().await?)
    }

    async fn tell(&self, event: Event) {
        // The loop has ended: so does the daemon.
        let _ = self.inputs.send(Input::Event(event)).await;
    }
}

fn warn(error: &CommandError, what: &'static str) {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::warn!(%error, cause, "{what}");
}
