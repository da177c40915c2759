//! Where things are.

use std::path::PathBuf;

use daemon::bus::BusConfig;
use serde::Deserialize;

/// `/etc/nestling/policyd.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The bus.
    pub bus: BusConfig,
    /// policyd's own directory: device key, order log, diary.
    pub state: PathBuf,
    /// Home of the file anchor.
    pub anchor: PathBuf,
    /// Where the policy store is published.
    pub store: PathBuf,
    /// Whether `state` may lie in memory. On a watch it means that the disk is gone, so the watch is
    /// sealed: an empty folder must not look like a first run.
    pub allow_memory: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bus: BusConfig::default(),
            state: "/var/lib/nestling/policy".into(),
            anchor: "/var/lib/nestling/anchor".into(),
            store: "/run/nestling/policy".into(),
            allow_memory: false,
        }
    }
}
