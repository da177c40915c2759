//! The client of ModemManager.
//!
//! `follow` turns its signals into events for the core, `commands` carries out what the core wants. Messages,
//! USSD and SIM toolkit are not looked at.

mod ask;
mod commands;
mod follow;
mod health;
mod proxies;
mod sim;
mod table;

use std::sync::Arc;

use daemon::diary::Diary;
use tokio::sync::{Notify, mpsc, watch};
use zbus::Connection;

pub(crate) use self::commands::Commands;
use self::sim::Sims;
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
