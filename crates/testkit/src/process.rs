//! Child processes that end with their fixture and whose log is shown when something is wrong.

use std::error::Error as _;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use thiserror::Error;

/// Loaded machines are slow; nothing waits this long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);
/// How soon it is noticed that a program has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// Bytes of a log; with `NESTLING_MM_DEBUG` ModemManager writes this much in half a minute.
const LOG_SHOWN: usize = 100_000;

/// A fixture did not come up. Its `Debug` is what `unwrap` shows, so it reads like its `Display` with all causes.
#[derive(Error)]
pub enum FixtureError {
    /// The programs of the image are not unpacked.
    #[error("no {missing}: `./nestling test` unpacks it (or set NESTLING_TREE to a tree that has it)")]
    NoTree {
        /// The file that is not there.
        missing: PathBuf,
    },
    /// Files or sockets of the fixture.
    #[error("cannot {what}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A program could not be started.
    #[error("cannot start {program}; `./nestling test` installs what is missing")]
    Start {
        /// Which.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A program runs, but did not do what was waited for.
    #[error("{program} did not {what} within {waited:?}, or ended ({state}); the end of its log:\n{log}")]
    Late {
        /// Which.
        program: &'static str,
        /// What was waited for.
        what: &'static str,
        /// For how long.
        waited: Duration,
        /// Whether it still runs.
        state: String,
        /// Its last lines.
        log: String,
    },
    /// A recorded program failed, or could not be started.
    #[error("a recorded program failed; what it and strace said:\n{log}")]
    Recorded {
        /// Its output.
        log: String,
    },
    /// A recorded program did something whose effect on the disk is not known.
    #[error("strace's log is not followed, {why}: {line}")]
    NotFollowed {
        /// Why.
        why: &'static str,
        /// The beginning of the line.
        line: String,
    },
    /// The private bus does not work.
    #[error("the private bus failed")]
    Bus(#[from] zbus::Error),
}

impl fmt::Debug for FixtureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Names what was tried when I/O fails.
pub(crate) fn io_error(what: &'static str) -> impl FnOnce(io::Error) -> FixtureError {
    move |source| FixtureError::Io { what, source }
}

/// A running program.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

/// A command that the kernel ends with the thread that runs it.
pub(crate) fn bound(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program.as_ref());
    command
}

impl Process {
    /// Starts a program; standard error goes to `log`, and so does standard output unless it is set.
    pub(crate) fn start(name: &'static str, command: &mut Command, log: &Path) -> Result<Self, FixtureError> {
        let file =
            File::options().create(true).append(true).open(log).map_err(io_error("open a log file"))?;
        command.stderr(Stdio::from(file));
        let child = command.spawn().map_err(|source| FixtureError::Start { program: name.into(), source })?;
        Ok(Self { name, child, log: log.to_owned() })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The end of its log.
    fn log(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let end = log.get(log.len().saturating_sub(LOG_SHOWN)..).unwrap_or_default();
        String::from_utf8_lossy(end).into_owned()
    }

    pub(crate) fn late(&mut self, what: &'static str) -> FixtureError {
        let state = match self.child.try_wait() {
            Ok(Some(status)) => {
                status.signal().map_or(format!("{status}"), |signal| format!("signal {signal}"))
            }
            Ok(None) => "still running".into(),
            Err(error) => error.to_string(),
        };
        let log = self.log();
        FixtureError::Late { program: self.name, what, waited: PATIENCE, state, log }
    }

    /// Waits for `done` while the program runs, as long as [`PATIENCE`] allows.
    pub(crate) async fn until<T>(
        &mut self,
        what: &'static str,
        done: impl Future<Output = Result<T, FixtureError>>,
    ) -> Result<T, FixtureError> {
        let mut done = std::pin::pin!(done);
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Ok(result) = tokio::time::timeout(LOOK_AGAIN, &mut done).await {
                return result;
            }
            if !self.runs() {
                break;
            }
        }
        Err(self.late(what))
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        // Both fail only for a process that has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end, so that it can clean up, and insists after two seconds.
    pub(crate) fn terminate(&mut self) {
        let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM);
        for _ in 0..200 {
            if !self.runs() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the end of the log of {}:\n{}", self.name, self.log());
        }
        self.kill();
    }
}
