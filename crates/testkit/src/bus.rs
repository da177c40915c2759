//! A D-Bus bus of one's own: the host's `dbus-daemon` with a configuration that allows everything.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use zbus::Connection;

use crate::process::{FixtureError, PATIENCE, Process, bound, io_error};

/// A running bus; it ends when this is dropped.
#[derive(Debug)]
pub struct PrivateBus {
    // Ends before its folder is removed.
    _daemon: Process,
    address: String,
    folder: TempDir,
}

impl PrivateBus {
    /// Starts a bus.
    pub async fn start() -> Result<Self, FixtureError> {
        let folder =
            tempfile::Builder::new().prefix("bus").tempdir().map_err(io_error("make a folder for a bus"))?;
        let socket = folder.path().join("socket");
        let address = format!("unix:path={}", socket.display());
        let config = folder.path().join("bus.conf");
        std::fs::write(&config, configuration(&address)).map_err(io_error("write a bus configuration"))?;
        let mut command = bound("dbus-daemon");
        command.arg("--nofork").arg("--nopidfile").arg(format!("--config-file={}", config.display()));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut daemon = Process::start("dbus-daemon", &mut command, &folder.path().join("log"))?;
        daemon.until("open its socket", wait_for_socket(&socket)).await?;
        Ok(Self { _daemon: daemon, address, folder })
    }

    /// For `DBUS_SYSTEM_BUS_ADDRESS` and the like.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A folder that lives as long as the bus, for sockets and logs of what runs on it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A new connection.
    pub async fn connect(&self) -> Result<Connection, FixtureError> {
        let builder = zbus::connection::Builder::address(self.address.as_str());
        Ok(builder.method_timeout(PATIENCE).build().await?)
    }
}

/// Waits until somebody listens on a socket.
pub(crate) async fn wait_for_socket(path: &Path) -> Result<(), FixtureError> {
    while tokio::net::UnixStream::connect(path).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

fn configuration(address: &str) -> String {
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"#
    )
}
