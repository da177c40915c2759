//! What is done with NV indexes, each an exchange with the TPM (TPM 2.0 Library, Part 3, clause 31).

use std::thread::sleep;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::TpmError;
use super::command::{self, Command};
use super::line::Line;
use super::response::{self, Code, Public, SHA256};

/// `TPMA_NV` (Part 2, clause 13.4). Reading and writing are authorized by the index's own, empty, password: an owner
/// password that an OEM sets later shuts nobody out. No lockout, and a write is of the whole index.
pub(super) const ORDINARY: u32 = AUTHWRITE | WRITEALL | AUTHREAD | NO_DA;
/// The same, of type `TPM_NT_COUNTER`: it can only be incremented.
pub(super) const COUNTER: u32 = 1 << 4 | AUTHWRITE | AUTHREAD | NO_DA;
/// An ordinary one that can be locked for good.
pub(super) const LOCKABLE: u32 = ORDINARY | 1 << 13;
const AUTHWRITE: u32 = 1 << 2;
const WRITEALL: u32 = 1 << 12;
const AUTHREAD: u32 = 1 << 18;
const NO_DA: u32 = 1 << 25;
/// What the TPM itself sets.
const WRITTEN: u32 = 1 << 29;
const WRITELOCKED: u32 = 1 << 11;

/// A TPM that is busy is asked again, after a pause that doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LAST_PAUSE: Duration = Duration::from_millis(640);

/// An index as we define it; of `N` bytes.
pub(super) struct Index<const N: usize> {
    pub(super) handle: u32,
    pub(super) attributes: u32,
}

/// How far an index has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Absent,
    Defined,
    Written,
    /// Written, and never again.
    Locked,
}

/// Indexes of a TPM, for one errand.
pub(super) struct Nv<'a> {
    pub(super) line: &'a mut Line,
    /// When the errand must be over.
    pub(super) until: Instant,
}

impl Nv<'_> {
    /// How far an index has come.
    ///
    /// # Errors
    /// [`TpmError::Foreign`] where somebody else's is in its place.
    pub(super) fn stage<const N: usize>(&mut self, index: &Index<N>) -> Result<Stage, TpmError> {
        let public = match self.run(&Command::read_public(index), Public::read) {
            Err(TpmError::Refused { code, .. }) if code.kind() == Code::HANDLE => return Ok(Stage::Absent),
            other => other?,
        };
        let expected = Public {
            handle: index.handle,
            name_hash: SHA256,
            attributes: index.attributes | public.attributes & (WRITTEN | WRITELOCKED),
            has_policy: false,
            size: command::length::<N>(),
        };
        if public != expected {
            return Err(TpmError::Foreign(index.handle));
        }
        Ok(match (public.attributes & WRITTEN != 0, public.attributes & WRITELOCKED != 0) {
            (false, _) => Stage::Defined,
            (true, false) => Stage::Written,
            (true, true) => Stage::Locked,
        })
    }

    pub(super) fn define<const N: usize>(&mut self, index: &Index<N>) -> Result<(), TpmError> {
        self.run(&Command::define(index), response::nothing)
    }

    pub(super) fn read<const N: usize>(&mut self, index: &Index<N>) -> Result<Zeroizing<[u8; N]>, TpmError> {
        self.run(&Command::read(index), |parameters| response::buffer(parameters).map(Zeroizing::new))
    }

    pub(super) fn write<const N: usize>(&mut self, index: &Index<N>, data: &[u8; N]) -> Result<(), TpmError> {
        self.run(&Command::write(index, data), response::nothing)
    }

    pub(super) fn increment<const N: usize>(&mut self, index: &Index<N>) -> Result<(), TpmError> {
        self.run(&Command::increment(index), response::nothing)
    }

    pub(super) fn lock<const N: usize>(&mut self, index: &Index<N>) -> Result<(), TpmError> {
        self.run(&Command::lock(index), response::nothing)
    }

    fn run<T>(
        &mut self,
        command: &Command,
        read: impl Fn(&[u8]) -> Result<T, response::Malformed>,
    ) -> Result<T, TpmError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let answer = self.line.exchange(&command.bytes, self.until)?;
            match response::parameters(&answer, command.authorized)? {
                Ok(parameters) => return Ok(read(parameters)?),
                Err(code) if code.is_passing() && pause <= LAST_PAUSE => sleep(pause),
                Err(code) => return Err(TpmError::Refused { command: command.name, code }),
            }
            pause *= 2;
        }
    }
}
