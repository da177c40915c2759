//! One test program, from start to the last of its processes.

use std::fmt;
use std::fs::File;
use std::io;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// A translated processor is some twenty times slower than a real one.
const LIMIT: Duration = Duration::from_mins(4);

/// How a test program ended.
#[derive(Debug)]
pub(crate) enum End {
    Exited(i32),
    Signalled(Signal),
    TimeUp,
    NotStarted(io::Error),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit {code}"),
            Self::Signalled(signal) => write!(f, "{signal}"),
            Self::TimeUp => write!(f, "no end after {} s", LIMIT.as_secs()),
            Self::NotStarted(error) => write!(f, "not started: {error}"),
        }
    }
}

/// Runs `program` with all its tests, those that only run here as well. What it writes goes to `line`.
pub(crate) fn run(program: &str, line: &File) -> End {
    let started = start(program, line);
    let end = match started {
        Ok(pid) => wait(pid),
        Err(error) => End::NotStarted(error),
    };
    sweep();
    end
}

fn start(program: &str, line: &File) -> io::Result<Pid> {
    let child = Command::new(program)
        .args(["--include-ignored", "--test-threads=1"])
        .env_clear()
        .envs([("PATH", "/usr/bin"), ("HOME", "/var/tmp"), ("TMPDIR", "/var/tmp"), ("RUST_BACKTRACE", "1")])
        .stdin(Stdio::null())
        .stdout(line.try_clone()?)
        .stderr(line.try_clone()?)
        .spawn()?;
    Ok(Pid::from_raw(child.id().cast_signed()))
}

/// Waits for `test`, and as the first program for every orphan.
fn wait(test: Pid) -> End {
    let started = Instant::now();
    while started.elapsed() < LIMIT {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) if pid == test => return End::Exited(code),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == test => return End::Signalled(signal),
            Ok(WaitStatus::StillAlive) => sleep(Duration::from_millis(5)),
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(error) => return End::NotStarted(error.into()),
        }
    }
    End::TimeUp
}

/// Ends every process but this one.
fn sweep() {
    let everyone = Pid::from_raw(-1);
    // There is nobody where nothing is left.
    let _ = kill(everyone, Signal::SIGKILL);
    while waitpid(None, None).is_ok() {}
}
