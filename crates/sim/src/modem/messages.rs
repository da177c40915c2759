//! Texts: commands of 3GPP TS 27.005 in PDU mode, and what the network delivers.

use std::collections::VecDeque;
use std::time::Duration;

use super::at::{Ask, values};
use super::pdu::{self, PduError, Stored};
use super::store::{Memory, Store};
use super::{Answer, Modem, Output, unsolicited};
use crate::clock::Now;
use crate::event::Event;

/// `+CMS ERROR` codes (TS 27.005, 3.2.5).
const INVALID_PDU: u16 = 304;
const INVALID_INDEX: u16 = 321;
const NO_NETWORK: u16 = 331;

/// What a part takes over the air. ModemManager reads one alone of several announced at once, as no network
/// does.
const PART_TAKES: Duration = Duration::from_millis(400);

/// Parts on their way to the modem.
#[derive(Debug, Default)]
pub(super) struct Air {
    waiting: VecDeque<Stored>,
    free_at: Duration,
}

/// The PDU that `+CMGS` waits for, and its length as announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    length: usize,
}

impl Modem {
    pub(super) fn message(&mut self, name: &str, ask: Ask<'_>) -> Option<Answer> {
        Some(match (name, ask) {
            ("+CMGF", Ask::Set("0")) => Answer::ok(),
            ("+CPMS", Ask::Set(set)) => {
                select(&mut self.store, &values(set))?;
                Answer::line(self.store.usage(false))
            }
            ("+CPMS", Ask::Read) => Answer::line(self.store.usage(true)),
            ("+CMGL", Ask::Set(set)) => {
                let status = set.parse().ok().filter(|status| *status <= 4)?;
                Answer::lines(self.store.list(status))
            }
            ("+CMGR", Ask::Set(set)) => {
                let found = set.parse().ok().and_then(|index| self.store.read(index));
                found.map_or_else(|| Answer::cms(INVALID_INDEX), Answer::lines)
            }
            ("+CMGD", Ask::Set(set)) => {
                let numbers: Vec<usize> = values(set).iter().filter_map(|value| value.parse().ok()).collect();
                let deleted = match numbers.as_slice() {
                    [index] => self.store.delete(*index, 0),
                    [index, flag @ 0..=4] => self.store.delete(*index, *flag as u8),
                    _ => return None,
                };
                if deleted { Answer::ok() } else { Answer::cms(INVALID_INDEX) }
            }
            ("+CMGS", Ask::Set(set)) => {
                let length = set.parse().ok().filter(|length| (8..=164).contains(length))?;
                self.entry = Some(Entry { length });
                Answer::prompt()
            }
            _ => return None,
        })
    }

    /// Ctrl-Z sends the PDU, escape does not.
    pub(super) fn end_entry(&mut self, send: bool, out: &mut Vec<Output>) {
        let hex = std::mem::take(&mut self.line);
        let too_long = std::mem::take(&mut self.too_long);
        let Some(entry) = self.entry.take() else { return };
        let answer = match pdu::submit(&hex) {
            _ if !send => Answer::ok(),
            Ok(submit) if submit.length == entry.length && !too_long => {
                if self.registration().serves() {
                    let (number, text, part) = (submit.number, submit.text, submit.part);
                    out.push(Output::Event(Event::SmsSent { number, text, part }));
                    self.sms_reference = self.sms_reference.wrapping_add(1);
                    Answer::line(format!("+CMGS: {}", self.sms_reference))
                } else {
                    Answer::cms(NO_NETWORK)
                }
            }
            _ => Answer::cms(INVALID_PDU),
        };
        out.push(Output::Bytes(answer.bytes()));
    }

    /// Takes all parts of a text, or none when they will not fit. They arrive one after the other.
    pub(super) fn receive(&mut self, from: &str, text: &str, now: Now) -> Result<Vec<Output>, PduError> {
        self.sms_reference = self.sms_reference.wrapping_add(1);
        let pdus = pdu::deliver(from, text, self.sms_reference, now, self.config.zone)?;
        let number = from.to_owned();
        let parts = pdus.len();
        if self.store.free() < self.air.waiting.len() + parts || self.card().is_err() {
            return Ok(vec![Output::Event(Event::SmsRefused { number })]);
        }
        self.air.waiting.extend(pdus);
        let mut out = vec![Output::Event(Event::SmsDelivered { number, parts })];
        out.extend(self.arrive(now.mono));
        Ok(out)
    }

    /// Stores and announces the next part, when its time has come.
    pub(super) fn arrive(&mut self, now: Duration) -> Option<Output> {
        if self.air.free_at > now {
            return None;
        }
        let (memory, index) = self.store.receive(self.air.waiting.pop_front()?)?;
        self.air.free_at = now + PART_TAKES;
        Some(unsolicited(&[format!("+CMTI: \"{}\",{index}", memory.name())]))
    }
}

impl Air {
    /// When the next part arrives.
    pub(super) fn next_due(&self) -> Option<Duration> {
        (!self.waiting.is_empty()).then_some(self.free_at)
    }
}

/// `+CPMS` names one to three memories.
fn select(store: &mut Store, names: &[&str]) -> Option<()> {
    let memories: Vec<Memory> = names.iter().map(|name| Memory::named(name)).collect::<Option<_>>()?;
    if memories.is_empty() || memories.len() > store.selected.len() {
        return None;
    }
    for (selected, memory) in store.selected.iter_mut().zip(memories) {
        *selected = memory;
    }
    Some(())
}
