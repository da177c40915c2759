//! An AT modem with its network, as a state machine: bytes, world events and the time go in, [`Output`]s
//! come out (ITU-T V.250; 3GPP TS 27.005, TS 27.007).
//!
//! Invariants: a command line gets exactly one final result; lines that do not start with `AT` get none, as
//! V.250 has it, so that an echoing terminal cannot start a loop; held input never exceeds [`at::LINE_LIMIT`].

mod answer;
mod at;
mod calls;
mod card;
mod commands;
mod fixed;
mod gsm7;
mod messages;
mod network;
mod pdu;
mod store;

use std::time::Duration;

use thiserror::Error;

use self::answer::Answer;
pub use self::calls::{Call, CallState};
use self::calls::{Calls, Due};
pub use self::card::SimCard;
use self::messages::{Air, Entry};
pub use self::network::{Mast, Registration};
pub use self::pdu::PduError;
use self::store::Store;
use crate::clock::Now;
use crate::event::{Event, HangUp};
use crate::fault::Tray;

/// What a modem is made with.
#[derive(Clone, Debug)]
pub struct ModemConfig {
    /// 15 digits.
    pub imei: String,
    /// `None`: the tray is empty.
    pub sim: Option<SimCard>,
    /// The network's name.
    pub operator: String,
    /// Quarter hours east of Greenwich that the network tells (NITZ).
    pub zone: i8,
    /// Where the modem stands with the network at first.
    pub registration: Registration,
}

impl Default for ModemConfig {
    fn default() -> Self {
        Self {
            imei: "490154203237518".into(),
            sim: Some(SimCard::default()),
            operator: "Kidfone FI".into(),
            zone: 8,
            registration: Registration::Home,
        }
    }
}

impl ModemConfig {
    /// The modem of watch `number`, below 100, with its own card.
    pub fn numbered(number: u8) -> Self {
        // The last digit of an IMEI checks the others, which nobody does here.
        let imei = format!("4901542032375{:02}", number % 100);
        Self { imei, sim: Some(SimCard::numbered(number)), ..Self::default() }
    }
}

/// What the modem does with what it was given, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Bytes for the watch.
    Bytes(Vec<u8>),
    /// Something the network saw.
    Event(Event),
}

/// Why the network cannot do what the world asks.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum WorldError {
    /// No call is in the state this needs.
    #[error("there is no such call")]
    NoCall,
    /// A number is `+`, digits, `*`, `#` or, for the sender of a text, a short name.
    #[error("{0:?} is not a number")]
    Number(String),
    /// The text cannot be sent.
    #[error("the text cannot be sent")]
    Text(#[source] PduError),
}

/// The modem. `now` never runs backwards.
#[derive(Debug)]
pub struct Modem {
    config: ModemConfig,
    line: Vec<u8>,
    too_long: bool,
    entry: Option<Entry>,
    settings: Settings,
    calls: Calls,
    store: Store,
    air: Air,
    tray: Tray,
    /// What the network offers.
    offered: Registration,
    /// Switched on (`+CFUN`).
    radio: bool,
    mast: Mast,
    sms_reference: u8,
}

/// What the terminal has set; a new terminal starts from the defaults, as after power-on.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is the switch of one command")]
struct Settings {
    echo: bool,
    clip: bool,
    cring: bool,
    waiting: bool,
    /// `+CREG`, `+CGREG`, `+CEREG`
    registration: [u8; 3],
    operator_numeric: bool,
    charset: Option<&'static str>,
}

impl Modem {
    /// A modem that is switched on.
    pub fn new(config: ModemConfig) -> Self {
        let (tray, offered) = (config.sim.clone().map_or(Tray::Empty, Tray::Open), config.registration);
        Self {
            config,
            line: Vec::new(),
            too_long: false,
            entry: None,
            settings: Settings::default(),
            calls: Calls::default(),
            store: Store::default(),
            air: Air::default(),
            tray,
            offered,
            radio: true,
            mast: Mast::default(),
            sms_reference: 0,
        }
    }

    /// The calls the network holds.
    pub fn calls(&self) -> &[Call] {
        self.calls.list()
    }

    /// Texts in the modem's store.
    pub fn stored_messages(&self) -> usize {
        self.store.len()
    }

    /// The terminal went away: a half line and its settings are forgotten; calls and texts are not.
    pub fn unlinked(&mut self) {
        self.line.clear();
        self.too_long = false;
        self.entry = None;
        self.settings = Settings::default();
    }

    /// Bytes from the watch.
    pub fn feed(&mut self, bytes: &[u8], now: Now) -> Vec<Output> {
        let mut out = Vec::new();
        for byte in bytes {
            match (self.entry.is_some(), *byte) {
                (true, 0x1a | 0x1b) => self.end_entry(*byte == 0x1a, &mut out),
                (false, b'\r') => self.end_line(now, &mut out),
                (_, b'\r' | b'\n') => {}
                // V.250, 5.2.2: backspace.
                (_, 0x08) => drop(self.line.pop()),
                (_, byte) if self.line.len() < at::LINE_LIMIT => self.line.push(byte),
                _ => self.too_long = true,
            }
        }
        out
    }

    fn end_line(&mut self, now: Now, out: &mut Vec<Output>) {
        let line = std::mem::take(&mut self.line);
        let too_long = std::mem::take(&mut self.too_long);
        let text = String::from_utf8_lossy(&line);
        let Some(body) = text.get(..2).filter(|at| at.eq_ignore_ascii_case("AT")).and_then(|_| text.get(2..))
        else {
            return;
        };
        if self.settings.echo {
            out.push(Output::Bytes([line.as_slice(), b"\r"].concat()));
        }
        let answer = match at::commands(body) {
            Ok(commands) if !too_long => self.run_all(&commands, now, out),
            _ => Answer::error(),
        };
        out.push(Output::Bytes(answer.bytes()));
    }

    /// The passing of time: ringing goes on, the other end begins to ring, texts arrive.
    pub fn tick(&mut self, now: Now) -> Vec<Output> {
        let mut out = Vec::new();
        for due in self.calls.tick(now.mono) {
            match due {
                Due::Ring(call) => out.push(self.ring(&call)),
                Due::RemoteRings(call) => {
                    let number = call.number.unwrap_or_default();
                    out.push(Output::Event(Event::RemoteRinging { number }));
                }
            }
        }
        out.extend(self.arrive(now.mono));
        out
    }

    /// When [`Modem::tick`] has something to do.
    pub fn next_tick(&self) -> Option<Duration> {
        self.calls.next_due().into_iter().chain(self.air.next_due()).min()
    }

    /// Somebody calls; `None` withholds the number.
    pub fn incoming(&mut self, number: Option<&str>, now: Now) -> Result<Vec<Output>, WorldError> {
        if let Some(number) = number {
            dialable(number)?;
        }
        let number = number.map(str::to_owned);
        let Some(call) =
            self.registration().serves().then(|| self.calls.incoming(number.clone(), now.mono)).flatten()
        else {
            return Ok(vec![Output::Event(Event::Unreachable { number })]);
        };
        Ok(self.first_ring(&call))
    }

    fn first_ring(&self, call: &Call) -> Vec<Output> {
        let event = Output::Event(Event::Ringing { number: call.number.clone() });
        if call.state == CallState::Incoming {
            return vec![event, self.ring(call)];
        }
        let (number, kind) = presented(call);
        let line = format!("+CCWA: \"{number}\",{kind},1");
        if self.settings.waiting { vec![event, unsolicited(&[line])] } else { vec![event] }
    }

    fn ring(&self, call: &Call) -> Output {
        let ring = if self.settings.cring { "+CRING: VOICE" } else { "RING" };
        let mut lines = vec![ring.to_owned()];
        if self.settings.clip {
            let (number, kind) = presented(call);
            // CLI validity 1: withheld by the caller (TS 27.007, 7.6).
            let validity = u8::from(call.number.is_none());
            lines.push(format!("+CLIP: \"{number}\",{kind},,,,{validity}"));
        }
        unsolicited(&lines)
    }

    /// The other end takes the call the watch dialled.
    pub fn remote_answer(&mut self) -> Result<Vec<Output>, WorldError> {
        let call = self.calls.remote_answer().ok_or(WorldError::NoCall)?;
        Ok(vec![Output::Event(Event::RemoteAnswered { number: call.number.unwrap_or_default() })])
    }

    /// The other ends of all calls hang up.
    pub fn remote_hang_up(&mut self, now: Now) -> Result<Vec<Output>, WorldError> {
        self.remote_ends(|_| true, now)
    }

    /// The other end hangs up that has this number, or withholds it.
    pub fn remote_leaves(&mut self, number: Option<&str>, now: Now) -> Result<Vec<Output>, WorldError> {
        self.remote_ends(|call| call.number.as_deref() == number, now)
    }

    fn remote_ends(&mut self, fits: impl FnMut(&Call) -> bool, now: Now) -> Result<Vec<Output>, WorldError> {
        let over = self.calls.end(fits);
        if over.is_empty() {
            return Err(WorldError::NoCall);
        }
        // A waiting call goes without a word: `+CLCC` alone tells.
        let told = over.iter().any(|call| call.state != CallState::Waiting);
        let ended = |call: Call| Output::Event(Event::HungUpByRemote { number: call.number });
        let mut out: Vec<_> = over.into_iter().map(ended).collect();
        if told {
            out.push(unsolicited(&["NO CARRIER".to_owned()]));
        }
        if let Some(call) = self.calls.promote(now.mono) {
            out.push(self.ring(&call));
        }
        Ok(out)
    }

    /// Somebody sends a text, from a number or a short name.
    pub fn sms(&mut self, from: &str, text: &str, now: Now) -> Result<Vec<Output>, WorldError> {
        sendable(from, text)?;
        self.receive(from, text, now).map_err(WorldError::Text)
    }

    /// Sends a line of its own accord, whatever it is: for tests with hostile modems.
    pub fn raw(&mut self, line: &str) -> Vec<Output> {
        vec![unsolicited(&[line.to_owned()])]
    }

    fn hang_up(
        &mut self,
        command: HangUp,
        now: Now,
        fits: impl FnMut(&Call) -> bool,
        out: &mut Vec<Output>,
    ) -> usize {
        let over = self.calls.end(fits);
        let count = over.len();
        for Call { number, state, .. } in over {
            let answered = state == CallState::Active;
            out.push(Output::Event(Event::HungUpByWatch { number, answered, command }));
        }
        if let Some(call) = self.calls.promote(now.mono) {
            out.push(self.ring(&call));
        }
        count
    }
}

/// Whether this text can be sent from there.
pub(crate) fn sendable(from: &str, text: &str) -> Result<(), WorldError> {
    if !(1..=20).contains(&from.chars().count()) {
        return Err(WorldError::Number(from.to_owned()));
    }
    let whenever = Now { mono: Duration::ZERO, unix_ms: 0 };
    pdu::deliver(from, text, 0, whenever, 0).map(drop).map_err(WorldError::Text)
}

/// Whether this can be a caller's number.
pub(crate) fn dialable(number: &str) -> Result<(), WorldError> {
    let digits = number.strip_prefix('+').unwrap_or(number);
    let fits = (1..=20).contains(&digits.len()) && digits.bytes().all(|digit| pdu::bcd(digit).is_some());
    if fits { Ok(()) } else { Err(WorldError::Number(number.to_owned())) }
}

fn presented(call: &Call) -> (&str, u8) {
    call.number.as_deref().map_or(("", 128), |number| (number, calls::number_type(number)))
}

fn unsolicited(lines: &[String]) -> Output {
    Output::Bytes(lines.iter().flat_map(|line| ["\r\n", line, "\r\n"]).collect::<String>().into_bytes())
}

#[cfg(test)]
mod tests;
