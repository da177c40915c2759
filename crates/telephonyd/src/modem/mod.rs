//! The client of ModemManager.
//!
//! `follow` turns its signals into events for the core, `commands` carries out what the core wants. Messages,
//! USSD and SIM toolkit are not looked at.

mod commands;
mod follow;
mod proxies;
mod table;

use tokio::sync::{mpsc, watch};
use zbus::Connection;

pub(crate) use self::commands::Commands;
use crate::service::Input;

/// Begins to follow ModemManager, which need not be there yet.
///
/// # Errors
/// The bus itself is gone.
pub(crate) async fn start(connection: &Connection, inputs: mpsc::Sender<Input>) -> zbus::Result<Commands> {
    let (modem, path) = watch::channel(None);
    let commands = Commands::new(connection, path, inputs.clone());
    follow::start(connection, modem, inputs).await?;
    Ok(commands)
}
