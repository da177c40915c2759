//! The connection to the bus.

use serde::Deserialize;
use zbus::Connection;
use zbus::conn::Builder;

use crate::access::Trust;

/// The part of every daemon's configuration that speaks of the bus.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BusConfig {
    /// Address of the bus; empty for the system bus.
    pub address: String,
    /// How callers are told apart.
    pub trust: Trust,
}

/// Connects. Names are requested by the caller after its objects are exported.
///
/// # Errors
/// The bus is not there.
pub async fn connect(config: &BusConfig) -> zbus::Result<Connection> {
    let builder =
        if config.address.is_empty() { Builder::system() } else { Builder::address(config.address.as_str()) };
    // Calls are handled in the order they came; a daemon answers fast or not at all.
    builder.method_timeout(std::time::Duration::from_secs(10)).build().await
}
