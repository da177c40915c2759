//! Running other programs: an error always carries the command and what it said.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Runs `command` silently; its output is part of the error.
pub fn run(command: &mut Command) -> Result<()> {
    output(command).map(drop)
}

/// Runs `command` and returns its standard output as text.
pub fn text(command: &mut Command) -> Result<String> {
    Ok(String::from_utf8_lossy(&output(command)?).into_owned())
}

/// Runs `command` and returns its standard output.
pub fn output(command: &mut Command) -> Result<Vec<u8>> {
    command.stdin(Stdio::null());
    let name = describe(command);
    let Output { status, stdout, stderr } =
        command.output().with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!(
            "{name}: {status}\n{}{}",
            String::from_utf8_lossy(&stdout).trim_end(),
            String::from_utf8_lossy(&stderr).trim_end()
        );
    }
    Ok(stdout)
}

/// Runs `command` with its output on our terminal.
pub fn show(command: &mut Command) -> Result<()> {
    let name = describe(command);
    let status = command.status().with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!("{name}: {status}");
    }
    Ok(())
}

fn describe(command: &Command) -> String {
    let mut name = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args().take(6) {
        name.push(' ');
        name.push_str(&argument.to_string_lossy());
    }
    name
}

/// Makes `folder` ours until the result is dropped: a second command waits instead of building into the same place.
pub fn lock(folder: &Path) -> Result<File> {
    fs::create_dir_all(folder)?;
    let file = File::create(folder.join(".lock"))?;
    file.lock().with_context(|| format!("locking {}", folder.display()))?;
    Ok(file)
}

/// Says what is being done and, when it is done, how long it took.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    eprintln!("  {what} …");
    let result = work().with_context(|| what.to_owned())?;
    let seconds = started.elapsed().as_secs_f64();
    if seconds >= 1.0 {
        eprintln!("  {what}: {seconds:.1} s");
    }
    Ok(result)
}
