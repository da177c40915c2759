//! Where things are.

use std::path::PathBuf;

use daemon::bus::BusConfig;
use serde::Deserialize;

use crate::anchor::HomeConfig;

/// `/etc/nestling/policyd.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The bus.
    pub bus: BusConfig,
    /// policyd's own directory: device key, order log, diary.
    pub state: PathBuf,
    /// Home of the anchor.
    pub anchor: HomeConfig,
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
            // A weak home has to be asked for.
            anchor: HomeConfig::Tpm { device: "/dev/tpmrm0".into() },
            store: "/run/nestling/policy".into(),
            allow_memory: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_anchor_has_one_home_and_a_weak_one_only_where_it_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policyd.toml");
        let anchor = |text: &str| {
            std::fs::write(&file, text).unwrap();
            daemon::config::load::<Config>(&file).ok().map(|config| config.anchor)
        };
        let tpm = |device: &str| Some(HomeConfig::Tpm { device: device.into() });
        let directory = "/var/lib/nestling/policy".into();
        let rows = [
            ("", tpm("/dev/tpmrm0")),
            ("anchor = { home = 'tpm', device = '/dev/tpmrm1' }", tpm("/dev/tpmrm1")),
            (
                "anchor = { home = 'file', directory = '/var/lib/nestling/policy' }",
                Some(HomeConfig::File { directory }),
            ),
            ("anchor = { home = 'file' }", None),
            ("anchor = { home = 'tpm', device = '/dev/tpmrm0', directory = '/var' }", None),
            ("anchor = { home = 'rpmb' }", None),
            ("anchor = '/var/lib/nestling/anchor'", None),
        ];
        for (text, expected) in rows {
            assert_eq!(anchor(text), expected, "{text}");
        }
    }
}
