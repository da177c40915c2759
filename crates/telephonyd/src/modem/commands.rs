//! What the core has the modem do. Each runs in a task of its own: an AT command may take seconds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daemon::Private;
use ipc::Cell;
use tokio::sync::{Mutex, Notify, mpsc, oneshot, watch};
use tokio::time::timeout;
use zbus::proxy::CacheProperties;
use zbus::{Connection, ObjectPath, OwnedObjectPath, Variant};

use super::proxies::{CallProxy, ModemLocationProxy, VoiceProxy};
use super::{cell, name_of};
use crate::core::{CallId, Event, Ticket};
use crate::service::Input;

/// A number that is dialled waits so long for the line to be closed, and not a moment longer: it may be the one for help.
const CLOSES_WITHIN: Duration = Duration::from_secs(2);

/// Why the modem did not do it.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("there is no modem that can call")]
    NoModem,
    #[error("what was to be dialled is no number")]
    NotDialable,
    #[error("ModemManager did not do it")]
    Bus(#[from] zbus::Error),
}

/// Gives ModemManager orders and tells the core what became of them.
#[derive(Debug, Clone)]
pub(crate) struct Commands {
    connection: Connection,
    modem: watch::Receiver<Option<OwnedObjectPath>>,
    inputs: mpsc::Sender<Input>,
    /// Whoever looks after the modem hears of what it did not do.
    doubts: Arc<Notify>,
    /// Held while the line is being closed: what was dialled before that would be ended with it.
    closing: Arc<Mutex<()>>,
}

impl Commands {
    pub(super) fn new(
        connection: &Connection,
        modem: watch::Receiver<Option<OwnedObjectPath>>,
        inputs: mpsc::Sender<Input>,
        doubts: Arc<Notify>,
    ) -> Self {
        Self { connection: connection.clone(), modem, inputs, doubts, closing: Arc::default() }
    }

    /// Ends a call.
    pub(crate) fn hang_up(&self, id: CallId) {
        let this = self.clone();
        tokio::spawn(async move {
            let done = async { Ok::<_, CommandError>(this.call(&id).await?.hangup().await?) };
            if let Err(error) = done.await {
                this.failed(&error, "a call is not ended");
                this.tell(Event::HangUpFailed(id)).await;
            }
        });
    }

    /// Takes a call.
    pub(crate) fn accept(&self, ticket: Ticket, id: CallId) {
        let this = self.clone();
        tokio::spawn(async move {
            let done = async { Ok::<_, CommandError>(this.call(&id).await?.accept().await?) };
            let done = done.await.inspect_err(|error| this.failed(error, "a call is not accepted"));
            this.tell(Event::Accepted(ticket, done.is_ok())).await;
        });
    }

    /// Sends a tone into a call.
    pub(crate) fn tone(&self, ticket: Ticket, id: CallId, key: char) {
        let this = self.clone();
        tokio::spawn(async move {
            let done =
                async { Ok::<_, CommandError>(this.call(&id).await?.send_dtmf(&key.to_string()).await?) };
            let done = done.await.inspect_err(|error| this.failed(error, "a tone is not sent"));
            this.tell(Event::Toned(ticket, done.is_ok())).await;
        });
    }

    /// Calls a number.
    pub(crate) fn dial(&self, ticket: Ticket, number: Private<String>) {
        let this = self.clone();
        tokio::spawn(async move {
            drop(timeout(CLOSES_WITHIN, this.closing.lock()).await);
            let call = this.create_and_start(&number.0).await;
            let call = call.inspect_err(|error| this.failed(error, "a number is not dialled"));
            this.tell(Event::Dialled(ticket, call.ok())).await;
        });
    }

    /// Ends whatever call the modem still holds. Where it cannot there is nothing to do but to doubt the modem.
    pub(crate) fn close_line(&self) {
        let this = self.clone();
        tokio::spawn(async move {
            let _closing = this.closing.lock().await;
            let done = async { Ok::<_, CommandError>(this.voice().await?.hangup_all().await?) };
            if let Err(error) = done.await {
                this.failed(&error, "the line is not closed");
            }
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

    /// Tells the cell the modem is in; none where ModemManager does not say.
    pub(crate) fn cell(&self, reply: oneshot::Sender<Cell>) {
        let this = self.clone();
        tokio::spawn(async move {
            let told = async {
                let modem = this.modem.borrow().clone().ok_or(CommandError::NoModem)?;
                let builder =
                    ModemLocationProxy::builder(&this.connection).cache_properties(CacheProperties::No);
                Ok::<_, CommandError>(builder.path(modem).build().await?.get_location().await?)
            };
            let told = told.await.inspect_err(|error| tracing::debug!(%error, "the cell is not told"));
            // Who asked may have gone.
            let _ = reply.send(told.map_or_else(|_| cell::none(), |told| cell::read(&told)));
        });
    }

    /// Has it forget a call that rings: the next ring makes a new one, with the number of whoever rings then.
    pub(crate) fn ask_again(&self, id: CallId) {
        let this = self.clone();
        tokio::spawn(async move {
            if let Err(error) = this.delete(&id).await {
                this.failed(&error, "who rings is not asked again");
                this.tell(Event::NotAsked(id)).await;
            }
        });
    }

    async fn create_and_start(&self, number: &str) -> Result<CallId, CommandError> {
        // Whatever door it came by: a service code changes the subscription, a `;` begins another command.
        if !is_dialable(number) {
            return Err(CommandError::NotDialable);
        }
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

    fn failed(&self, error: &CommandError, what: &'static str) {
        let cause = match error {
            CommandError::Bus(error) => Some(name_of(error)),
            CommandError::NoModem | CommandError::NotDialable => None,
        };
        tracing::warn!(%error, cause, "{what}");
        self.doubts.notify_one();
    }

    async fn tell(&self, event: Event) {
        // The loop has ended: so does the daemon.
        let _ = self.inputs.send(Input::Event(event)).await;
    }
}

/// A plain number, as all contacts' and all emergency numbers are: at most 15 digits (ITU-T E.164), with or without `+`.
/// `*` and `#` make a code for the network or the modem (3GPP TS 22.030, clause 6.5), letters and `,` dial modifiers
/// (ITU-T V.250, clause 6.3.1).
fn is_dialable(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or(number);
    (2..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a10_only_plain_numbers_are_dialled() {
        for number in ["112", "08", "116117", "+358405550001", "110"] {
            assert!(is_dialable(number), "{number}");
        }
        for code in [
            "*#06#",
            "##002#",
            "*21*+358405550666#",
            "*100#",
            "112#",
            "112;",
            "112,1",
            "1",
            "",
            "+",
            "++112",
            "112\rAT+CFUN=0",
            "112p1",
            "112w1",
            "T112",
            "L",
            ">1",
            "112!",
            "112@",
            " 112",
            "112 ",
            "+3584055500010001",
            "\u{661}\u{661}\u{662}",
        ] {
            assert!(!is_dialable(code), "{code}");
        }
    }

    proptest! {
        #[test]
        fn a10_nothing_that_is_dialled_says_more_than_a_number(text in "\\PC{0,20}|[+0-9*#,;ABCDPTW!@>\r\n]{0,16}") {
            let plain = text.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit());
            prop_assert!(!is_dialable(&text) || plain);
        }
    }
}
