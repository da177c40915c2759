//! After a call: everything is right again, nothing is left over, and the watch can be reached.

use std::time::Duration;

use ipc::{CallState, ModemState};
use tokio::time::{Instant, sleep, timeout};
use zbus::OwnedObjectPath;

use crate::chance::Caller;
use crate::house::PATIENCE;
use crate::ledger::{Place, Who};
use crate::watch::{DISTURBED, LOOK_AGAIN, VERDICT, Watch};

/// What was lost is back half a minute after its cause ended.
const BACK_WITHIN: Duration = Duration::from_secs(30);

impl Watch {
    /// Does for telephonyd what systemd does (services/units/nestling-modem-again.path).
    pub(crate) async fn grant_a_restart(&mut self) {
        if std::fs::remove_file(self.house.root.join("runtime/modem-manager-again")).is_err() {
            return;
        }
        self.restarts += 1;
        if let Err(error) = self.house.manager.restart().await {
            self.ledger.wrong.push(format!("ModemManager does not come back: {error}"));
        }
    }

    /// Nothing is left over, anywhere.
    pub(crate) async fn quiet(&mut self, limit: Duration) -> Result<(), String> {
        let end = Instant::now() + limit;
        loop {
            self.grant_a_restart().await;
            let left = self.left_over().await;
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() > end {
                return Err(left.join(", "));
            }
            sleep(LOOK_AGAIN * 5).await;
        }
    }

    async fn left_over(&self) -> Vec<String> {
        let mut left = Vec::new();
        let status = self.house.world.status();
        if !status.calls.is_empty() {
            left.push(format!("the network holds {} calls", status.calls.len()));
        }
        match self.calls_of_modem_manager().await {
            Ok(calls) if calls.is_empty() => {}
            Ok(calls) => left.push(format!("ModemManager has {} calls", calls.len())),
            Err(error) => left.push(format!("ModemManager: {error}")),
        }
        match (self.house.shell.telephony.call().await, self.house.shell.telephony.modem().await) {
            (Ok(call), Ok(modem)) if call.state == CallState::None && modem == ModemState::Registered => {}
            (call, modem) => left.push(format!("telephonyd: {:?}, {modem:?}", call.map(|call| call.state))),
        }
        left
    }

    async fn calls_of_modem_manager(&self) -> zbus::Result<Vec<OwnedObjectPath>> {
        let path = self.house.manager.modem();
        let properties =
            zbus::fdo::PropertiesProxy::new(&self.bus, "org.freedesktop.ModemManager1", path).await?;
        let voice = zbus::names::InterfaceName::from_static_str("org.freedesktop.ModemManager1.Modem.Voice")?;
        Vec::try_from(properties.get(voice, "Calls").await?)
    }

    /// Everything is right again, nothing is left over, and the watch can be reached.
    pub(crate) async fn tidy(&mut self, fault: Option<&'static str>) {
        self.house.world.mend();
        let Some(fault) = fault else {
            if let Err(left) = self.quiet(VERDICT).await {
                self.ledger.wrong.push(format!("left over: {left}"));
                self.start_again().await;
            }
            return;
        };
        // ModemManager keeps a modem whose port was closed until udev says that the device went, which nobody does here.
        if fault != "vanished" {
            let end = Instant::now() + BACK_WITHIN;
            let why = match self.quiet(BACK_WITHIN).await {
                Err(left) => left,
                Ok(()) if !self.is_reached(fault, end).await => "a stranger is not turned away".into(),
                Ok(()) => match self.quiet(VERDICT).await {
                    Ok(()) => return,
                    Err(left) => left,
                },
            };
            eprintln!("not back in {} s after {fault}: {why}", BACK_WITHIN.as_secs());
            *self.late.entry(fault).or_default() += 1;
        }
        self.start_again().await;
    }

    /// A stranger is turned away again.
    async fn is_reached(&mut self, fault: &'static str, end: Instant) -> bool {
        let stranger =
            Caller { who: Who::Stranger, number: Some("+358405550099".into()), label: "…99".into() };
        let call = self.call(stranger);
        while self.ended(&call).is_none() && Instant::now() < end {
            self.grant_a_restart().await;
            sleep(LOOK_AGAIN * 5).await;
        }
        let reached = self.ended(&call).is_some();
        if !reached {
            let _ = self.house.world.leave(call.caller.number.as_deref());
        }
        let rings = self.rings(&call).await;
        // After a fault ModemManager may join him with a call that nobody saw end: until he is asked about.
        if !reached && !rings.is_empty() {
            self.ledger.wrong.push(format!("{rings:?} rang while {:?} called", call.caller));
        }
        self.account(&call, &rings, false, Place::First, Some(fault));
        reached
    }

    /// ModemManager is started again, as its unit would be.
    async fn start_again(&mut self) {
        // Nobody is at the other end any more, and nobody holds the watch to its ear.
        let _ = self.house.world.hang_up();
        let id = self.on_screen().await;
        let _ = timeout(DISTURBED, self.house.shell.telephony.hang_up(id)).await;
        if let Err(error) = self.house.manager.restart().await {
            self.ledger.wrong.push(format!("ModemManager does not come back: {error}"));
        } else if let Err(left) = self.quiet(PATIENCE).await {
            self.ledger.wrong.push(format!("left over after ModemManager was started again: {left}"));
        }
    }
}
