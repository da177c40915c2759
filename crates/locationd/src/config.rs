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
    /// gpsd's socket for commands: over it the receiver's device is taken from gpsd, which closes it, and given back.
    pub gpsd_commands: PathBuf,
    /// The receiver's device, as gpsd was given it.
    pub receiver: PathBuf,
    /// Whether the receiver stays on, whatever that costs: for boards on a cable, and for tests.
    pub receiver_always_on: bool,
    /// Where the kernel has a folder for each battery.
    pub power_supply: PathBuf,
    /// Where it has one for each sensor, of which one may count steps.
    pub iio: PathBuf,
    /// After so many seconds without a fix the cell of the mobile network says where the watch is.
    pub cell_after: u64,
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
            gpsd_commands: "/run/nestling/gpsd-control/control.sock".into(),
            receiver: "/dev/nestling/gnss".into(),
            receiver_always_on: false,
            power_supply: daemon::sysfs::POWER_SUPPLY.into(),
            iio: "/sys/bus/iio/devices".into(),
            cell_after: 600,
            store: daemon::rules::DIRECTORY.into(),
            state: "/var/lib/nestling/location".into(),
            runtime: "/run/nestling/location".into(),
        }
    }
}
