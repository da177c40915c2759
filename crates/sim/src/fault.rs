//! What can be wrong with a modem, each thing with a name.
//!
//! A fault is told to a world, which keeps those that are on. What is the line's is done by [`crate::line`], between
//! the modem's core and its terminal; what is the modem's own (card, network, radio) is set on the core when a fault
//! comes or goes. Nothing else knows of faults.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::modem::{Registration, SimCard};

/// A line that a flood repeats.
const LINE_LIMIT: usize = 256;
/// A minute, in milliseconds.
const LONGEST: u32 = 60_000;

/// One thing that is wrong, as commands and scenarios write it: `"hung"`, `{ delayed = { ms = 300 } }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// Every line of the modem's loses what comes after its first bytes; its end comes all the same.
    Truncated {
        /// How many bytes are left.
        keep: u16,
    },
    /// The lines of an answer come last one first: the result before what it is the result of.
    Disordered,
    /// The terminal hears itself, whatever `ATE0` said.
    Echo,
    /// All the modem says comes later, in order.
    Delayed {
        /// How much later, in milliseconds.
        ms: u32,
    },
    /// The modem repeats a line of its own accord, whatever it is.
    Flood {
        /// Without its end.
        line: String,
        /// Milliseconds from one to the next.
        every_ms: u32,
    },
    /// Lines that mean nothing stand between those that do.
    Nonsense {
        /// Milliseconds from one to the next.
        every_ms: u32,
    },
    /// Bytes of the modem's are others on their way.
    Garbage {
        /// One in so many.
        one_in: u16,
    },
    /// The modem hears nothing and says nothing; its port stays open, and the network holds its calls.
    Hung,
    /// The modem is pulled out: its port is closed and cannot be opened, and its calls are lost.
    Vanished,
    /// The tray is empty; calls are lost.
    SimPulled,
    /// Another subscriber's card is in the tray.
    SimSwapped,
    /// The card asks for a PIN nobody knows.
    SimLocked,
    /// The network refuses the subscriber.
    Denied,
    /// Only another network is there.
    Roaming,
    /// No network is found.
    Searching,
    /// The radio is off, until this ends or the watch switches it on (`+CFUN=1`).
    Airplane,
}

/// A fault cannot begin or end.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FaultError {
    /// A value is out of its bounds.
    #[error("{fault}: {what}")]
    Bounds {
        /// Which fault.
        fault: &'static str,
        /// What it must be.
        what: &'static str,
    },
    /// One of its kind is on already.
    #[error("{0} is on already")]
    On(&'static str),
    /// It is not on.
    #[error("no fault {0:?} is on")]
    NotOn(String),
}

/// What the tray holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tray {
    /// Nothing.
    Empty,
    /// A card that asks for its PIN.
    Locked(SimCard),
    /// A card that is read.
    Open(SimCard),
}

impl Fault {
    /// The name, by which it ends: `sim-pulled`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "truncated",
            Self::Disordered => "disordered",
            Self::Echo => "echo",
            Self::Delayed { .. } => "delayed",
            Self::Flood { .. } => "flood",
            Self::Nonsense { .. } => "nonsense",
            Self::Garbage { .. } => "garbage",
            Self::Hung => "hung",
            Self::Vanished => "vanished",
            Self::SimPulled => "sim-pulled",
            Self::SimSwapped => "sim-swapped",
            Self::SimLocked => "sim-locked",
            Self::Denied => "denied",
            Self::Roaming => "roaming",
            Self::Searching => "searching",
            Self::Airplane => "airplane",
        }
    }

    /// Whether its values are within their bounds.
    pub(crate) fn check(&self) -> Result<(), FaultError> {
        let every = |ms: u32| (1..=LONGEST).contains(&ms);
        let what = match self {
            Self::Truncated { keep: 0 } => "keep is at least 1",
            Self::Delayed { ms } if !every(*ms) => "ms is between 1 and 60000",
            Self::Flood { every_ms, .. } | Self::Nonsense { every_ms } if !every(*every_ms) => {
                "every-ms is between 1 and 60000"
            }
            Self::Flood { line, .. } if line.len() > LINE_LIMIT || line.contains(['\r', '\n']) => {
                "the line has at most 256 bytes and no end"
            }
            Self::Garbage { one_in: 0 | 1 } => "one-in is at least 2",
            _ => return Ok(()),
        };
        Err(FaultError::Bounds { fault: self.name(), what })
    }

    /// What is in the tray because of it, where `card` belongs there.
    fn tray(&self, card: Option<&SimCard>) -> Option<Tray> {
        match self {
            Self::SimPulled => Some(Tray::Empty),
            Self::SimSwapped => Some(Tray::Open(SimCard::numbered(99))),
            Self::SimLocked => card.cloned().map(Tray::Locked),
            _ => None,
        }
    }

    fn registration(&self) -> Option<Registration> {
        match self {
            Self::Denied => Some(Registration::Denied),
            Self::Roaming => Some(Registration::Roaming),
            Self::Searching => Some(Registration::Searching),
            _ => None,
        }
    }

    /// It switches the radio off.
    pub(crate) fn silences(&self) -> bool {
        matches!(self, Self::Vanished | Self::Airplane)
    }
}

/// Those that are on, oldest first; at most one of a kind. Of two that speak of the same thing the newer counts.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn list(&self) -> &[Fault] {
        &self.0
    }

    pub(crate) fn begin(&mut self, fault: Fault) -> Result<(), FaultError> {
        fault.check()?;
        if self.0.iter().any(|on| on.name() == fault.name()) {
            return Err(FaultError::On(fault.name()));
        }
        self.0.push(fault);
        Ok(())
    }

    pub(crate) fn end(&mut self, name: &str) -> Result<Fault, FaultError> {
        let at = self.0.iter().position(|fault| fault.name() == name);
        at.map(|at| self.0.remove(at)).ok_or_else(|| FaultError::NotOn(name.to_owned()))
    }

    /// What the tray holds, where `card` belongs in it.
    pub(crate) fn tray(&self, card: Option<&SimCard>) -> Tray {
        let wrong = self.0.iter().rev().find_map(|fault| fault.tray(card));
        wrong.unwrap_or_else(|| card.cloned().map_or(Tray::Empty, Tray::Open))
    }

    /// What the network offers, where `usual` is what it does otherwise.
    pub(crate) fn registration(&self, usual: Registration) -> Registration {
        self.0.iter().rev().find_map(Fault::registration).unwrap_or(usual)
    }

    pub(crate) fn silenced(&self) -> bool {
        self.0.iter().any(Fault::silences)
    }

    pub(crate) fn vanished(&self) -> bool {
        self.0.contains(&Fault::Vanished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_fault_is_how_it_is_written() {
        for text in [
            r#""disordered""#,
            r#""echo""#,
            r#""hung""#,
            r#""vanished""#,
            r#""sim-pulled""#,
            r#""sim-swapped""#,
            r#""sim-locked""#,
            r#""denied""#,
            r#""roaming""#,
            r#""searching""#,
            r#""airplane""#,
            r#"{"truncated":{"keep":4}}"#,
            r#"{"delayed":{"ms":300}}"#,
            r#"{"flood":{"line":"RING","every-ms":5}}"#,
            r#"{"nonsense":{"every-ms":5}}"#,
            r#"{"garbage":{"one-in":50}}"#,
        ] {
            let fault: Fault = serde_json::from_str(text).unwrap();
            assert!(text.contains(&format!("\"{}\"", fault.name())), "{text}");
            assert_eq!(serde_json::to_string(&fault).unwrap(), text);
            fault.check().unwrap();
        }
    }

    #[test]
    fn a_fault_that_is_not_wholly_understood_is_none() {
        for text in [
            r#""hang""#,
            r#"{"hung":{"ms":1}}"#,
            r#"{"delayed":{"ms":300,"jitter":1}}"#,
            r#"{"delayed":{"ms":-1}}"#,
            r#"{"delayed":{"ms":300},"echo":null}"#,
        ] {
            assert!(serde_json::from_str::<Fault>(text).is_err(), "{text}");
        }
        for fault in [
            Fault::Truncated { keep: 0 },
            Fault::Delayed { ms: 60_001 },
            Fault::Nonsense { every_ms: 0 },
            Fault::Flood { line: "RING\r\nRING".into(), every_ms: 1 },
            Fault::Flood { line: "x".repeat(257), every_ms: 1 },
            Fault::Garbage { one_in: 1 },
        ] {
            assert!(Faults::default().begin(fault.clone()).is_err(), "{fault:?}");
        }
    }

    #[test]
    fn of_two_faults_about_one_thing_the_newer_counts_until_it_ends() {
        let mut faults = Faults::default();
        let usual = Registration::Home;
        faults.begin(Fault::Denied).unwrap();
        faults.begin(Fault::Roaming).unwrap();
        assert_eq!(faults.begin(Fault::Denied), Err(FaultError::On("denied")));
        assert_eq!(faults.registration(usual), Registration::Roaming);
        faults.end("roaming").unwrap();
        assert_eq!(faults.registration(usual), Registration::Denied);
        faults.end("denied").unwrap();
        assert_eq!(faults.registration(usual), usual);
        assert_eq!(faults.end("denied"), Err(FaultError::NotOn("denied".into())));
        assert_eq!(faults.end("like"), Err(FaultError::NotOn("like".into())));
    }
}
