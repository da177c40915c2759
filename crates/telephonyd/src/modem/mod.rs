//! The client of ModemManager.
//!
//! `follow` turns its signals into events for the core, `commands` carries out what the core wants. Messages,
//! USSD and SIM toolkit are not looked at.

mod ask;
mod cell;
mod clock;
mod commands;
mod follow;
mod health;
mod lost;
mod proxies;
mod sim;
mod table;

use std::sync::Arc;

use daemon::diary::Diary;
use tokio::sync::{Notify, mpsc, watch};
use zbus::{Connection, DBusError as _};

pub(crate) use self::commands::Commands;
use self::sim::Sims;
pub(crate) use self::table::{Calls, ModemSeen, Properties};
use crate::config::Config;
use crate::service::Input;

/// Below `runtime`: systemd restarts ModemManager when it is written.
const AGAIN: &str = "modem-manager-again";

/// Begins to follow ModemManager, which need not be there yet.
///
/// # Errors
/// The bus itself is gone.
pub(crate) async fn start(
    connection: &Connection,
    config: &Config,
    inputs: mpsc::Sender<Input>,
    diary: Diary,
) -> zbus::Result<Commands> {
    let (modem, path) = watch::channel(None);
    let doubts = Arc::new(Notify::new());
    let commands = Commands::new(connection, path, inputs.clone(), Arc::clone(&doubts));
    let sims = Sims::load(&config.state, diary);
    follow::start(connection, modem, inputs, sims, config.runtime.join(AGAIN), doubts).await?;
    Ok(commands)
}

/// What the log may have of an error of ModemManager: its name. Its words quote what the modem said, and modems say numbers.
fn name_of(error: &zbus::Error) -> String {
    match error {
        zbus::Error::MethodError(name, ..) => name.to_string(),
        zbus::Error::FDO(error) => error.name().to_string(),
        zbus::Error::InputOutput(error) => error.kind().to_string(),
        _ => "an answer that is none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use zbus::names::OwnedErrorName;

    use super::name_of;

    #[test]
    fn a_number_that_modem_manager_quotes_is_not_logged() {
        let words = "Unhandled response '+CLIP: \"+358405550001\",145'".to_owned();
        let name = "org.freedesktop.ModemManager1.Error.Core.Failed";
        let message = zbus::Message::signal("/", "a.b", "C").build(&()).unwrap();
        let error = OwnedErrorName::try_from(name).unwrap();
        assert_eq!(name_of(&zbus::Error::MethodError(error, Some(words.clone()), message)), name);
        let failed = zbus::fdo::Error::Failed(words);
        assert_eq!(name_of(&zbus::Error::FDO(Box::new(failed))), "org.freedesktop.DBus.Error.Failed");
    }
}
