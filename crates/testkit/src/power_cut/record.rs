//! Runs programs under `strace`.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Step;
use super::parse::{CALLS, Parser, SAID};
use crate::process::{FixtureError, bound, io_error};

/// Tells whoever runs or records this program something that the disk must keep from now on.
pub fn say(text: &str) {
    // One call, so that it is one step. Nobody listens when the program runs alone.
    let _ = io::stderr().write_all(format!("{SAID}{text}\n").as_bytes());
}

/// What a program that was not recorded said on its standard error.
pub fn heard(stderr: &[u8]) -> Vec<Step> {
    let text = String::from_utf8_lossy(stderr);
    text.lines().filter_map(|line| line.strip_prefix(SAID)).map(|said| Step::Said(said.to_owned())).collect()
}

/// Runs a program to its end and returns its steps below `root`; `log` is a file for `strace`.
///
/// # Errors
/// `strace` is not there, the program fails, or does something that is not followed.
pub fn record(program: &Command, root: &Path, log: &Path) -> Result<Vec<Step>, FixtureError> {
    let root = fs::canonicalize(root).map_err(io_error("find the recorded folder"))?;
    let mut strace = under_strace(program);
    // Texts in hexadecimal, and longer than the longest write.
    strace.args(["-y", "-xx", "-s", "1048576", "-e", &format!("trace={CALLS}"), "-o"]).arg(log);
    let ended = with(strace, program)
        .output()
        .map_err(|source| FixtureError::Start { program: "strace".into(), source })?;
    if !ended.status.success() {
        let log = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        return Err(FixtureError::Recorded { log });
    }
    let text = fs::read_to_string(log).map_err(io_error("read strace's log"))?;
    let mut parser = Parser::new(&root);
    let steps = text.lines().map(|line| {
        let not_followed = |why| FixtureError::NotFollowed { why, line: line.chars().take(300).collect() };
        parser.line(line).map_err(not_followed).transpose()
    });
    steps.flatten().collect()
}

/// System calls that fail.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Name of the call, or names of one that differs by architecture: `pwrite64`; `?rename,renameat2`.
    pub call: &'static str,
    /// What it answers: `ENOSPC`.
    pub error: &'static str,
    /// The first of the calls that fails, counted from 1.
    pub first: usize,
    /// The last that does; `None` if none works again.
    pub last: Option<usize>,
}

/// A command that runs a program to its end while calls of it on one of `paths` fail; `log` is a file for
/// `strace`, where those calls end with `(INJECTED)`. Calls are counted for each thread of the program.
pub fn failing(program: &Command, paths: &[PathBuf], fault: Fault, log: &Path) -> Command {
    let Fault { call, error, first, last } = fault;
    let mut strace = under_strace(program);
    for path in paths {
        strace.arg("-P").arg(path);
    }
    let when = last.map_or(format!("{first}+"), |last| format!("{first}..{last}"));
    let inject = format!("inject={call}:error={error}:when={when}");
    strace.args(["-s", "0", "-e", &format!("trace={call}"), "-e", &inject, "-o"]).arg(log);
    with(strace, program)
}

fn under_strace(program: &Command) -> Command {
    let mut strace = bound("strace");
    strace.args(["-f", "--seccomp-bpf"]);
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    strace
}

fn with(mut strace: Command, program: &Command) -> Command {
    strace.arg("--").arg(program.get_program()).args(program.get_args());
    strace
}
