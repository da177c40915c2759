//! The anchor in a TPM 2.0, with commands of our own over the kernel's `/dev/tpmrm0`.
//!
//! Four NV indexes, in the range the TCG's registry gives to platform makers:
//!
//! - a **counter**, which the TPM itself lets nobody set back;
//! - two **slots**: epoch, what the watch is bound to, and the counter's value at which this slot counts;
//! - the **key** of the order log, locked against writing for as long as the index exists.
//!
//! Raising writes the slot that does not count, for the counter's next value, and increments: the increment is the
//! commit. The counter is made last and gets its first value last, so that a TPM prepared by half is one that was never
//! prepared; the next try goes on where the last one was cut.
//!
//! **What it is good for.** A technician (attacker 3) writes the storage of a watch that is off. He can restore an old
//! log and not the counter; he cannot write a log of his own, because its links need the key. To talk to the TPM he
//! needs the running watch, where the kernel's device belongs to policyd alone (`/dev/tpmrm0`, mode 0600) and the one
//! beside it to root (`/dev/tpm0`); or a kernel of his own, or wires on the TPM's bus, which is attacker 4 and the
//! OEM's part (verified boot, a TPM within the SoC).
//!
//! **What it is not.** The indexes have empty passwords: a password would lie on the storage beside the log. Whoever
//! talks to the TPM with the owner's right can take them away. Then the anchor is empty, and a log longer than one
//! order seals the watch; with the log gone as well the watch is new. Passwords of owner and lockout, set in the
//! factory, close that, and nothing here needs them again once the indexes are there.
//!
//! **Invariants:** there is no second home, so a missing, silent or odd TPM is an anchor that cannot be read; an index
//! of another size or with other attributes is somebody else's and is neither read nor written; an errand ends within
//! its time.

mod command;
mod line;
mod nv;
pub mod response;
mod slot;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use self::line::Line;
pub use self::line::Open;
use self::nv::{Index, Nv, Stage};
use self::response::{Code, Malformed};
use self::slot::{Contents, Slot};
use super::{Anchor, AnchorError, Home, LogKey, may_raise};
use crate::core::boot::{AnchorFound, Anchored};

const COUNTER: Index<8> = Index { handle: 0x0150_4e00, attributes: nv::COUNTER };
const SLOTS: [Index<{ slot::LENGTH }>; 2] = [
    Index { handle: 0x0150_4e01, attributes: nv::ORDINARY },
    Index { handle: 0x0150_4e02, attributes: nv::ORDINARY },
];
const KEY: Index<32> = Index { handle: 0x0150_4e03, attributes: nv::LOCKABLE };

/// How long reading, raising or the key may take. A TPM takes milliseconds for each of some ten commands.
const PATIENCE: Duration = Duration::from_secs(10);

/// What can go wrong with a TPM.
#[derive(Debug, thiserror::Error)]
pub enum TpmError {
    /// There is none, or it is not ours.
    #[error("the TPM cannot be opened")]
    Open(#[source] io::Error),
    /// The line to it broke.
    #[error("the TPM cannot be talked to")]
    Io(#[source] io::Error),
    /// It does not answer, now or earlier.
    #[error("the TPM does not answer")]
    Silent,
    /// It answers what is no answer.
    #[error("the TPM's answer makes no sense")]
    Malformed(#[from] Malformed),
    /// It refused a command.
    #[error("{command} failed with {code}")]
    Refused {
        /// Which.
        command: &'static str,
        /// Why.
        code: Code,
    },
    /// An index is not as we define it.
    #[error("NV index {0:#010x} is somebody else's")]
    Foreign(u32),
    /// One is missing beside a counter that counts.
    #[error("NV index {0:#010x} is gone")]
    Gone(u32),
}

/// An anchor in a TPM.
pub struct TpmAnchor {
    line: Line,
    patience: Duration,
}

impl TpmAnchor {
    /// In the TPM behind this device, `/dev/tpmrm0`.
    pub fn new(device: PathBuf) -> Self {
        Self::over(line::device(device), PATIENCE)
    }

    /// In the TPM that `open` leads to; everything asked of it ends after `patience`.
    pub fn over(open: Open, patience: Duration) -> Self {
        Self { line: Line::new(open), patience }
    }

    fn nv(&mut self) -> Nv<'_> {
        Nv { until: Instant::now() + self.patience, line: &mut self.line }
    }
}

impl Anchor for TpmAnchor {
    fn read(&mut self) -> AnchorFound {
        match contents(&mut self.nv()) {
            Ok(contents) => contents.found(),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the anchor cannot be read");
                AnchorFound::Unreadable
            }
        }
    }

    fn key(&mut self) -> Result<LogKey, AnchorError> {
        let mut nv = self.nv();
        prepare(&mut nv)?;
        match nv.stage(&KEY)? {
            Stage::Locked => Ok(LogKey(nv.read(&KEY)?)),
            _ => Err(AnchorError::KeyGone),
        }
    }

    fn raise(&mut self, to: Anchored) -> Result<(), AnchorError> {
        let mut nv = self.nv();
        let contents = prepare(&mut nv)?;
        if !may_raise(contents.found(), to)? {
            return Ok(());
        }
        let at =
            contents.counter.and_then(|counter| counter.checked_add(1)).ok_or(AnchorError::Unreadable)?;
        let [even, odd] = &SLOTS;
        let index = if at.is_multiple_of(2) { even } else { odd };
        nv.write(index, &Slot { at, anchored: to }.to_bytes())?;
        Ok(nv.increment(&COUNTER)?)
    }

    fn home(&self) -> Home {
        Home::Tpm
    }
}

/// Reads counter and slots.
fn contents(nv: &mut Nv<'_>) -> Result<Contents, TpmError> {
    let counter = match nv.stage(&COUNTER)? {
        Stage::Absent | Stage::Defined => None,
        Stage::Written | Stage::Locked => Some(u64::from_be_bytes(*nv.read(&COUNTER)?)),
    };
    let mut slots = [None; 2];
    for (place, index) in slots.iter_mut().zip(&SLOTS) {
        *place = match nv.stage(index)? {
            Stage::Absent if counter.is_some() => return Err(TpmError::Gone(index.handle)),
            Stage::Absent | Stage::Defined => None,
            Stage::Written | Stage::Locked => Some(*nv.read(index)?),
        };
    }
    Ok(Contents { counter, slots })
}

/// Makes what is missing; nothing, once the counter counts.
fn prepare(nv: &mut Nv<'_>) -> Result<Contents, AnchorError> {
    let found = contents(nv)?;
    if found.counter.is_some() {
        return Ok(found);
    }
    if found.found() != AnchorFound::Empty {
        return Err(AnchorError::Unreadable);
    }
    for slot in &SLOTS {
        if nv.stage(slot)? == Stage::Absent {
            nv.define(slot)?;
        }
    }
    if nv.stage(&KEY)? == Stage::Absent {
        nv.define(&KEY)?;
    }
    if nv.stage(&KEY)? == Stage::Defined {
        nv.write(&KEY, LogKey::random()?.as_bytes())?;
    }
    if nv.stage(&KEY)? == Stage::Written {
        nv.lock(&KEY)?;
    }
    if nv.stage(&COUNTER)? == Stage::Absent {
        nv.define(&COUNTER)?;
    }
    nv.increment(&COUNTER)?;
    Ok(contents(nv)?)
}
