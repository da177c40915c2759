//! The line to the TPM: one command, one answer, within a time.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::mem;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Instant;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use zeroize::Zeroizing;

use super::TpmError;
use super::response::{self, LONGEST};

/// Opens the way to a TPM.
pub type Open = Box<dyn Fn() -> io::Result<File> + Send>;

/// Opens the kernel's device. Without `O_NONBLOCK` a write would return only when the TPM has answered, if ever.
pub(super) fn device(path: PathBuf) -> Open {
    Box::new(move || {
        OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(&path)
    })
}

/// A way to a TPM, opened when it is first needed.
pub(super) struct Line {
    open: Open,
    state: State,
}

enum State {
    Closed,
    Open(File),
    /// The answer to a command did not come in time. Nothing is asked any more, and the device stays open: the kernel
    /// would make whoever closes it wait for that answer.
    Stuck(#[expect(dead_code, reason = "only held")] File),
}

impl Line {
    pub(super) fn new(open: Open) -> Self {
        Self { open, state: State::Closed }
    }

    /// Sends a command and takes the answer.
    ///
    /// # Errors
    /// There is no TPM, it is silent, or it says what no answer begins with. A line in the middle of something is not
    /// used again.
    pub(super) fn exchange(
        &mut self,
        command: &[u8],
        until: Instant,
    ) -> Result<Zeroizing<Vec<u8>>, TpmError> {
        let mut file = match mem::replace(&mut self.state, State::Closed) {
            State::Open(file) => file,
            State::Closed => (self.open)().map_err(TpmError::Open)?,
            stuck @ State::Stuck(_) => {
                self.state = stuck;
                return Err(TpmError::Silent);
            }
        };
        let answer = talk(&mut file, command, until);
        match answer {
            Ok(_) => self.state = State::Open(file),
            Err(TpmError::Silent) => self.state = State::Stuck(file),
            Err(_) => {}
        }
        answer
    }
}

fn talk(file: &mut File, command: &[u8], until: Instant) -> Result<Zeroizing<Vec<u8>>, TpmError> {
    file.write_all(command).map_err(TpmError::Io)?;
    let mut answer = Zeroizing::new(vec![0; LONGEST]);
    let mut filled = 0;
    while filled < response::length(answer.get(..filled).unwrap_or_default())? {
        wait(file, until)?;
        match file.read(answer.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => return Err(TpmError::Io(io::ErrorKind::UnexpectedEof.into())),
            Ok(count) => filled += count,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => return Err(TpmError::Io(error)),
        }
    }
    answer.truncate(filled);
    Ok(answer)
}

/// Waits until there is something to read.
fn wait(file: &File, until: Instant) -> Result<(), TpmError> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(file.as_fd(), PollFlags::POLLIN)], timeout) {
            Ok(0) => return Err(TpmError::Silent),
            Ok(_) => return Ok(()),
            Err(nix::Error::EINTR) => {}
            Err(error) => return Err(TpmError::Io(error.into())),
        }
    }
}
