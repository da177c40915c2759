//! ModemManager's interfaces, as far as we use them.
//!
//! **Invariants:** what is not declared here telephonyd calls nowhere: no USSD, no SIM toolkit, no PIN, no raw AT (`Command`), no
//! setting that takes a call by itself. `services/dbus/org.freedesktop.ModemManager1.conf` lets it through to these methods
//! alone; `crates/xtask/tests/modem_doors.rs` holds the reviewed list, and both to it.
//!
//! Source: the introspection files of ModemManager 1.24, `introspection/org.freedesktop.ModemManager1.*.xml`.
//! Properties are read whole with `GetAll`; signals come in one stream (see `follow`).

use std::collections::HashMap;

use zbus::proxy;
use zbus::{OwnedObjectPath, Variant};

/// ModemManager's bus name.
pub(super) const NAME: &str = "org.freedesktop.ModemManager1";
/// The root of its objects, which is also its `ObjectManager`.
pub(super) const ROOT: &str = "/org/freedesktop/ModemManager1";
pub(super) const MODEM: &str = "org.freedesktop.ModemManager1.Modem";
pub(super) const THREE_GPP: &str = "org.freedesktop.ModemManager1.Modem.Modem3gpp";
pub(super) const VOICE: &str = "org.freedesktop.ModemManager1.Modem.Voice";
pub(super) const CALL: &str = "org.freedesktop.ModemManager1.Call";
pub(super) const SIM: &str = "org.freedesktop.ModemManager1.Sim";

#[proxy(interface = "org.freedesktop.ModemManager1.Modem", default_service = "org.freedesktop.ModemManager1")]
pub(super) trait Modem {
    fn enable(&self, enable: bool) -> zbus::Result<()>;
}

#[proxy(
    interface = "org.freedesktop.ModemManager1.Modem.Modem3gpp",
    default_service = "org.freedesktop.ModemManager1"
)]
pub(super) trait Modem3gpp {
    /// An empty operator lets the modem choose.
    fn register(&self, operator: &str) -> zbus::Result<()>;
}

#[proxy(
    interface = "org.freedesktop.ModemManager1.Modem.Voice",
    default_service = "org.freedesktop.ModemManager1"
)]
pub(super) trait Voice {
    fn create_call(&self, properties: HashMap<&str, Variant<'_>>) -> zbus::Result<OwnedObjectPath>;
    fn hangup_all(&self) -> zbus::Result<()>;
    fn delete_call(&self, call: &zbus::ObjectPath<'_>) -> zbus::Result<()>;
}

#[proxy(interface = "org.freedesktop.ModemManager1.Call", default_service = "org.freedesktop.ModemManager1")]
pub(super) trait Call {
    fn start(&self) -> zbus::Result<()>;
    fn accept(&self) -> zbus::Result<()>;
    fn send_dtmf(&self, dtmf: &str) -> zbus::Result<()>;
    fn hangup(&self) -> zbus::Result<()>;
}

#[proxy(
    interface = "org.freedesktop.ModemManager1.Modem.Location",
    default_service = "org.freedesktop.ModemManager1"
)]
pub(super) trait ModemLocation {
    /// By `MMModemLocationSource`.
    fn get_location(&self) -> zbus::Result<HashMap<u32, zbus::OwnedVariant>>;
}

#[proxy(
    interface = "org.freedesktop.ModemManager1.Modem.Time",
    default_service = "org.freedesktop.ModemManager1"
)]
pub(super) trait Time {
    /// ISO 8601. Asked also to hear whether the modem answers.
    fn get_network_time(&self) -> zbus::Result<String>;
}
