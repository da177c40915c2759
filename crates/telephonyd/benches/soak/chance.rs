//! Chance with a seed, and what it chooses from.

use sim::Fault;

use crate::ledger::{Place, Who};

/// xorshift64: a run can be repeated.
#[derive(Debug)]
pub(crate) struct Chance(u64);

/// Somebody who calls, as the network writes the number.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) who: Who,
    pub(crate) number: Option<String>,
    pub(crate) label: String,
}

/// How a call to the watch goes on, if it rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The caller hangs up before there can be a verdict.
    InHaste,
    /// Nobody touches it, and the caller hangs up.
    Missed,
    /// The child turns it away.
    Declined,
    /// The child takes it; the caller ends it.
    AnsweredThenRemote,
    /// The child takes it and ends it.
    AnsweredThenWatch,
}

const TURNS: [Turn; 6] = [
    Turn::InHaste,
    Turn::Missed,
    Turn::Missed,
    Turn::Declined,
    Turn::AnsweredThenRemote,
    Turn::AnsweredThenWatch,
];
/// The family's, in the order of their numbers.
const CONTACTS: [&str; 5] = ["mum", "dad", "gran", "aunt", "bo"];
/// Those whose second call waits.
const GUARDIANS: [&str; 2] = ["mum", "dad"];
/// telephonyd tells 32 callers apart within a minute: with the contacts and those without a number these are fewer.
const STRANGERS: u64 = 20;

impl Caller {
    /// Where a call of his stands that comes during another.
    pub(crate) fn second_place(&self) -> Place {
        let guardian = |id: &str| GUARDIANS.contains(&id);
        if matches!(&self.who, Who::Contact(id) if guardian(id)) { Place::Waits } else { Place::Busy }
    }
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        chance.below(1);
        chance
    }

    /// From 0, below `many`.
    pub(crate) fn below(&mut self, many: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % many
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize].clone()
    }

    pub(crate) fn turn(&mut self) -> Turn {
        self.one_of(&TURNS)
    }

    /// A contact's id.
    pub(crate) fn contact(&mut self) -> &'static str {
        self.one_of(&CONTACTS)
    }

    /// A contact, in one of the ways a network writes its number.
    pub(crate) fn known(&mut self) -> Caller {
        let at = self.below(CONTACTS.len() as u64) as usize;
        let national = format!("40555000{}", at + 1);
        let number =
            self.one_of(&[format!("+358{national}"), format!("00358{national}"), format!("0{national}")]);
        let label = format!("…0{}", at + 1);
        Caller { who: Who::Contact(CONTACTS[at].into()), number: Some(number), label }
    }

    /// Somebody who must not ring.
    pub(crate) fn stranger(&mut self) -> Caller {
        let (number, label) = match self.below(10) {
            0 | 1 => (None, "withheld".to_owned()),
            2 => (Some("16400".to_owned()), "unreadable".to_owned()),
            _ => {
                let last = 10 + self.below(STRANGERS);
                let start = self.one_of(&["+35840555", "0035840555", "040555"]);
                (Some(format!("{start}66{last}")), format!("…{last}"))
            }
        };
        Caller { who: Who::Stranger, number, label }
    }

    pub(crate) fn caller(&mut self) -> Caller {
        if self.one_in(2) { self.known() } else { self.stranger() }
    }

    /// Something that leaves what the modem says as it is, or takes all of it.
    pub(crate) fn fault(&mut self) -> Fault {
        self.one_of(&[
            Fault::Echo,
            Fault::Delayed { ms: 250 },
            Fault::Nonsense { every_ms: 300 },
            Fault::Flood { line: "+CREG: 1".into(), every_ms: 100 },
            Fault::Hung,
            Fault::Vanished,
            Fault::Denied,
            Fault::Searching,
            Fault::Roaming,
            Fault::Airplane,
            Fault::SimPulled,
            Fault::SimSwapped,
            Fault::SimLocked,
        ])
    }

    /// Something that changes what the modem says.
    pub(crate) fn garbling_fault(&mut self) -> Fault {
        self.one_of(&[
            Fault::Truncated { keep: 14 },
            Fault::Disordered,
            Fault::Garbage { one_in: 60 },
            Fault::Flood { line: "+CRING: VOICE".into(), every_ms: 200 },
        ])
    }
}
