//! `telephonyd.toml`: every value has a default.

use std::path::PathBuf;

use daemon::bus::BusConfig;
use serde::Deserialize;

use crate::audio::AudioConfig;
use crate::ring::RingConfig;

/// What can be set.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which bus, and how callers are told apart on it.
    pub bus: BusConfig,
    /// Where policyd publishes the store.
    pub store: PathBuf,
    /// Our own folder: the guardians of the last good store, the list of calls, the last SIM.
    pub state: PathBuf,
    /// What outlives a restart of the daemon and not one of the watch.
    pub runtime: PathBuf,
    /// What rings.
    pub ring: RingConfig,
    /// The path between modem, microphone and speaker.
    pub audio: AudioConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bus: BusConfig::default(),
            store: daemon::rules::DIRECTORY.into(),
            state: "/var/lib/nestling/telephony".into(),
            runtime: "/run/nestling/telephony".into(),
            ring: RingConfig::default(),
            audio: AudioConfig::default(),
        }
    }
}
