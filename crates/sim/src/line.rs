//! The line between the modem's core and its terminal: the one place where what either says gets lost, late or wrong.
//!
//! Invariants: without a fault every byte passes at once, in order; nothing overtakes what was said before it; what
//! is held is at most [`HELD`] pieces. The same faults and the same bytes give the same result: chance has a seed.

use std::collections::VecDeque;
use std::time::Duration;

use crate::fault::{Fault, FaultError, Faults};

/// Pieces on their way; what comes after them is lost, as on a serial line.
const HELD: usize = 1024;
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a modem says when it says nothing: results of nobody's question, values that are none, noise.
const NONSENSE: [&[u8]; 10] = [
    b"RDY",
    b"^HCSQ: \"LTE\",46,51,\"",
    b"+CREG: banana",
    b"+CLCC: ,,,,",
    b"+CMTI: \"XX\",99999",
    b"+CUSD: 5",
    b"+CLIP: ",
    b"\xff\xfe\x00\x1b[31m%s%n",
    b"> ",
    &[b'A'; 300],
];

/// A line that repeats by itself.
#[derive(Debug)]
struct Repeated {
    fault: &'static str,
    next: Duration,
    every: Duration,
    count: usize,
}

/// The line of one modem, with its faults.
#[derive(Debug)]
pub(crate) struct Line {
    faults: Faults,
    held: VecDeque<(Duration, Vec<u8>)>,
    repeated: Vec<Repeated>,
    chance: u64,
}

impl Line {
    pub(crate) fn new() -> Self {
        Self { faults: Faults::default(), held: VecDeque::new(), repeated: Vec::new(), chance: SEED }
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(crate) fn begin(&mut self, fault: Fault, now: Duration) -> Result<(), FaultError> {
        let (name, every) = match &fault {
            Fault::Flood { every_ms, .. } | Fault::Nonsense { every_ms } => (fault.name(), *every_ms),
            _ => ("", 0),
        };
        self.faults.begin(fault)?;
        if every > 0 {
            let every = Duration::from_millis(every.into());
            self.repeated.push(Repeated { fault: name, next: now + every, every, count: 0 });
        }
        Ok(())
    }

    pub(crate) fn end(&mut self, name: &str) -> Result<Fault, FaultError> {
        let fault = self.faults.end(name)?;
        self.repeated.retain(|repeated| repeated.fault != name);
        Ok(fault)
    }

    /// What the terminal says; the modem hears it when this is true.
    pub(crate) fn hear(&mut self, bytes: &[u8], now: Duration) -> bool {
        if self.dead() {
            return false;
        }
        if self.has(&Fault::Echo) {
            self.hold(bytes.to_vec(), now);
        }
        true
    }

    /// What the modem says: an answer, or lines of its own accord.
    pub(crate) fn say(&mut self, bytes: Vec<u8>, now: Duration) {
        if self.dead() {
            return;
        }
        let mut bytes = bytes;
        let (mut keep, mut delay, mut one_in) = (None, 0, None);
        for fault in self.faults.list() {
            match fault {
                Fault::Disordered => bytes = reversed(&bytes),
                Fault::Truncated { keep: bytes } => keep = Some(usize::from(*bytes)),
                Fault::Delayed { ms } => delay = *ms,
                Fault::Garbage { one_in: many } => one_in = Some(u64::from(*many)),
                _ => {}
            }
        }
        if let Some(keep) = keep {
            bytes = truncated(&bytes, keep);
        }
        if let Some(one_in) = one_in {
            for byte in &mut bytes {
                if self.roll().is_multiple_of(one_in) {
                    *byte = self.roll() as u8;
                }
            }
        }
        self.hold(bytes, now + Duration::from_millis(delay.into()));
    }

    /// What has arrived by now.
    pub(crate) fn arrived(&mut self, now: Duration) -> Vec<Vec<u8>> {
        let mut due = Vec::new();
        for mut repeated in std::mem::take(&mut self.repeated) {
            if repeated.next <= now {
                due.push(self.repeat(&repeated));
                // One that was late does not make up for it.
                repeated.next = now + repeated.every;
                repeated.count += 1;
            }
            self.repeated.push(repeated);
        }
        for line in due {
            self.say(line, now);
        }
        let many = self.held.iter().take_while(|(at, _)| *at <= now).count();
        self.held.drain(..many).map(|(_, bytes)| bytes).collect()
    }

    /// When [`Line::arrived`] has something.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        let held = self.held.front().map(|(at, _)| *at);
        self.repeated.iter().map(|repeated| repeated.next).chain(held).min()
    }

    /// The terminal went: what was on its way to it is lost.
    pub(crate) fn cut(&mut self) {
        self.held.clear();
    }

    fn has(&self, fault: &Fault) -> bool {
        self.faults.list().contains(fault)
    }

    fn dead(&self) -> bool {
        self.has(&Fault::Hung) || self.faults.vanished()
    }

    fn hold(&mut self, bytes: Vec<u8>, at: Duration) {
        if self.held.len() < HELD {
            let after = self.held.back().map_or(at, |(last, _)| at.max(*last));
            self.held.push_back((after, bytes));
        }
    }

    fn repeat(&self, repeated: &Repeated) -> Vec<u8> {
        let line = self.faults.list().iter().find_map(|fault| match fault {
            Fault::Flood { line, .. } if fault.name() == repeated.fault => Some(line.as_bytes()),
            _ => None,
        });
        let nonsense = NONSENSE.iter().cycle().nth(repeated.count % NONSENSE.len()).copied();
        [b"\r\n", line.or(nonsense).unwrap_or_default(), b"\r\n"].concat()
    }

    /// xorshift64: a fault is the same on every run.
    fn roll(&mut self) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        self.chance
    }
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_empty()).collect()
}

fn ended<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    lines.into_iter().flat_map(|line| [b"\r\n", line, b"\r\n"]).flatten().copied().collect()
}

fn reversed(bytes: &[u8]) -> Vec<u8> {
    ended(lines(bytes).into_iter().rev())
}

fn truncated(bytes: &[u8], keep: usize) -> Vec<u8> {
    ended(lines(bytes).into_iter().map(|line| line.get(..keep).unwrap_or(line)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANSWER: &[u8] = b"\r\n+CLCC: 1,1,4,0,0,\"+358405550001\",145\r\n\r\nOK\r\n";

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn with(fault: Fault) -> Line {
        let mut line = Line::new();
        line.begin(fault, at(0)).unwrap();
        line
    }

    fn text(pieces: &[Vec<u8>]) -> String {
        String::from_utf8_lossy(&pieces.concat()).into_owned()
    }

    fn answered(line: &mut Line, ms: u64) -> String {
        line.say(ANSWER.to_vec(), at(ms));
        text(&line.arrived(at(ms)))
    }

    #[test]
    fn without_a_fault_everything_passes_at_once() {
        let mut line = Line::new();
        assert!(line.hear(b"AT\r", at(1)));
        assert_eq!(answered(&mut line, 1).as_bytes(), ANSWER);
        assert_eq!(line.next_due(), None);
    }

    #[test]
    fn a_truncated_line_keeps_its_first_bytes_and_its_end() {
        let mut line = with(Fault::Truncated { keep: 6 });
        assert_eq!(answered(&mut line, 1), "\r\n+CLCC:\r\n\r\nOK\r\n");
    }

    #[test]
    fn disorder_puts_the_result_first() {
        let mut line = with(Fault::Disordered);
        assert!(answered(&mut line, 1).starts_with("\r\nOK\r\n\r\n+CLCC"));
    }

    #[test]
    fn an_echo_comes_before_the_answer() {
        let mut line = with(Fault::Echo);
        assert!(line.hear(b"AT+CLCC\r", at(1)));
        assert!(answered(&mut line, 1).starts_with("AT+CLCC\r\r\n+CLCC: 1"));
    }

    #[test]
    fn what_is_late_keeps_its_order_when_the_delay_ends() {
        let mut line = with(Fault::Delayed { ms: 300 });
        assert_eq!(answered(&mut line, 1), "");
        assert_eq!(line.next_due(), Some(at(301)));
        line.end("delayed").unwrap();
        line.say(b"\r\nRING\r\n".to_vec(), at(100));
        assert_eq!(text(&line.arrived(at(300))), "");
        assert_eq!(text(&line.arrived(at(301))).as_bytes(), [ANSWER, b"\r\nRING\r\n"].concat());
    }

    #[test]
    fn a_flood_repeats_until_it_ends_and_nonsense_changes() {
        let mut line = with(Fault::Flood { line: "RING".into(), every_ms: 10 });
        for ms in [10, 20, 30] {
            assert_eq!(line.next_due(), Some(at(ms)));
            assert_eq!(text(&line.arrived(at(ms))), "\r\nRING\r\n");
        }
        line.end("flood").unwrap();
        assert_eq!(line.next_due(), None);
        line.begin(Fault::Nonsense { every_ms: 10 }, at(30)).unwrap();
        let first = text(&line.arrived(at(40)));
        assert_ne!(first, text(&line.arrived(at(50))));
    }

    #[test]
    fn garbage_changes_some_bytes_and_the_same_ones_again() {
        let fault = Fault::Garbage { one_in: 8 };
        let (first, again) = (answered(&mut with(fault.clone()), 1), answered(&mut with(fault), 1));
        assert_eq!(first, again);
        assert_ne!(first.as_bytes(), ANSWER);
    }

    #[test]
    fn a_hung_modem_neither_hears_nor_says_anything() {
        let mut line = with(Fault::Hung);
        line.begin(Fault::Echo, at(0)).unwrap();
        line.begin(Fault::Nonsense { every_ms: 1 }, at(0)).unwrap();
        assert!(!line.hear(b"AT\r", at(5)));
        assert_eq!(answered(&mut line, 5), "");
        line.end("hung").unwrap();
        assert!(line.hear(b"AT\r", at(5)));
    }

    #[test]
    fn what_nobody_reads_in_time_is_lost() {
        let mut line = with(Fault::Delayed { ms: 60_000 });
        for _ in 0..HELD + 10 {
            line.say(ANSWER.to_vec(), at(0));
        }
        assert_eq!(line.held.len(), HELD);
        line.cut();
        assert_eq!(line.next_due(), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_none_stay(bytes in prop::collection::vec(any::<u8>(), 0..200), keep in 1..9_u16) {
            let mut line = with(Fault::Truncated { keep });
            for fault in [Fault::Disordered, Fault::Echo, Fault::Garbage { one_in: 2 }, Fault::Delayed { ms: 5 }] {
                line.begin(fault, at(0)).unwrap();
            }
            line.hear(&bytes, at(1));
            line.say(bytes, at(1));
            line.arrived(at(6));
            prop_assert_eq!(line.next_due(), None);
        }
    }
}
