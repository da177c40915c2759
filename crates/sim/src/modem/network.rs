//! Where the modem stands: what is in its tray, whether its radio is on, what the network offers.
//!
//! Invariant: without a card that can be read, or without a radio, there is no registration; a call ends with what
//! carried it.

use serde::{Deserialize, Serialize};

use super::{Call, Modem, Output, SimCard, unsolicited};
use crate::event::Event;
use crate::fault::Tray;

/// `+CME ERROR: SIM not inserted`, `SIM PIN required` (3GPP TS 27.007, 9.2.1)
const NO_SIM: u16 = 10;
const PIN_REQUIRED: u16 = 11;

/// The `<stat>` of `+CREG` (3GPP TS 27.007, 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Registration {
    /// Not searching.
    Off = 0,
    /// In the subscriber's own network.
    Home = 1,
    /// Looking for one.
    Searching = 2,
    /// The network refuses the subscriber.
    Denied = 3,
    /// In another network.
    Roaming = 5,
}

impl Registration {
    /// The network carries this subscriber's calls.
    pub(crate) fn serves(self) -> bool {
        matches!(self, Self::Home | Self::Roaming)
    }
}

/// The cell the modem is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mast {
    /// Location or tracking area code.
    pub area: u16,
    /// Cell identity, 28 bits.
    pub cell: u32,
}

impl Default for Mast {
    fn default() -> Self {
        Self { area: 200, cell: 123_456 }
    }
}

impl Modem {
    /// Whether there is a SIM in the tray.
    pub fn has_sim(&self) -> bool {
        self.tray != Tray::Empty
    }

    /// Where the modem stands with the network.
    pub fn registration(&self) -> Registration {
        let open = matches!(self.tray, Tray::Open(_));
        if open && self.radio { self.offered } else { Registration::Off }
    }

    /// The card, or the error code that stands for it.
    pub(super) fn card(&self) -> Result<&SimCard, u16> {
        match &self.tray {
            Tray::Empty => Err(NO_SIM),
            Tray::Locked(_) => Err(PIN_REQUIRED),
            Tray::Open(card) => Ok(card),
        }
    }

    /// The network offers something else.
    pub fn set_registration(&mut self, registration: Registration) -> Vec<Output> {
        self.becomes(|modem| modem.offered = registration)
    }

    /// The modem changes to another cell.
    pub(crate) fn set_mast(&mut self, mast: Mast) -> Vec<Output> {
        let told = self.registration().serves() && self.mast != mast;
        self.mast = mast;
        if told { self.tell_registration().into_iter().collect() } else { vec![] }
    }

    /// Somebody opens the tray.
    pub(crate) fn set_tray(&mut self, tray: Tray) -> Vec<Output> {
        if self.tray == tray {
            return vec![];
        }
        let mut out = self.lose_calls();
        out.extend(self.becomes(|modem| modem.tray = tray));
        out
    }

    /// The radio is switched on or off.
    pub(crate) fn set_radio(&mut self, on: bool) -> Vec<Output> {
        self.becomes(|modem| modem.radio = on)
    }

    fn becomes(&mut self, change: impl FnOnce(&mut Self)) -> Vec<Output> {
        let (was, radio) = (self.registration(), self.radio);
        change(self);
        let is = self.registration();
        let lost = (was.serves() && !is.serves()) || (radio && !self.radio);
        let mut out = if lost { self.lose_calls() } else { vec![] };
        if was != is {
            out.extend(self.tell_registration());
        }
        out
    }

    fn tell_registration(&self) -> Option<Output> {
        let names = ["+CREG", "+CGREG", "+CEREG"];
        let told = names.iter().zip(self.settings.registration).filter(|(_, mode)| *mode > 0);
        let lines: Vec<_> =
            told.map(|(name, mode)| format!("{name}: {}", self.registration_values(mode))).collect();
        (!lines.is_empty()).then(|| unsolicited(&lines))
    }

    /// What carried the calls is gone.
    fn lose_calls(&mut self) -> Vec<Output> {
        let lost = |call: Call| Output::Event(Event::Lost { number: call.number });
        let mut out: Vec<_> = self.calls.end(|_| true).into_iter().map(lost).collect();
        if !out.is_empty() {
            out.push(unsolicited(&["NO CARRIER".to_owned()]));
        }
        out
    }
}
