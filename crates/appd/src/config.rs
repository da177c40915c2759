//! `appd.toml`: every value has a default.

use std::path::PathBuf;

use daemon::bus::BusConfig;
use serde::Deserialize;

/// What can be set.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which bus, and how callers are told apart on it.
    pub bus: BusConfig,
    /// Where policyd publishes the store.
    pub store: PathBuf,
    /// The launcher's socket.
    pub launcher: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bus: BusConfig::default(),
            store: daemon::rules::DIRECTORY.into(),
            launcher: launch::SOCKET.into(),
        }
    }
}
