//! `locationd.toml`: every value has a default.

use std::path::PathBuf;

use daemon::bus::BusConfig;
use serde::Deserialize;

/// What can be set.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which bus, and how callers are told apart on it.
    pub bus: BusConfig,
    /// gpsd's private socket.
    pub gpsd: PathBuf,
    /// Where policyd publishes the store.
    pub store: PathBuf,
    /// Where the track is kept.
    pub state: PathBuf,
    /// A folder that every boot empties.
    pub runtime: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bus: BusConfig::default(),
            gpsd: "/run/nestling/gpsd/gpsd.sock".into(),
            store: daemon::rules::DIRECTORY.into(),
            state: "/var/lib/nestling/location".into(),
            runtime: "/run/nestling/location".into(),
        }
    }
}
