//! The machine: the watch's kernel, two disks, two serial lines and nothing else.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::report::Report;
use super::{Disks, Tally};
use crate::process;
use crate::vm::qemu;

/// A translated processor boots in 15 s and runs the tests in some minutes.
const LIMIT: Duration = Duration::from_mins(20);

/// QEMU, which ends with this.
struct Machine(Child);

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Boots, prints what the tests say as they say it, and counts.
pub(super) fn run(folder: &Path, disks: &Disks) -> Result<Tally> {
    let _lock = process::lock(folder)?;
    let child = command(folder, disks)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(folder.join("qemu.log"))?)
        .spawn()
        .context("starting QEMU")?;
    let mut machine = Machine(child);
    let line = machine.0.stdout.take().context("QEMU has no output")?;
    let (lines, heard) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(line).lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                break;
            }
        }
    });
    let started = Instant::now();
    let mut report = Report::default();
    while let Some(left) = LIMIT.checked_sub(started.elapsed()) {
        match heard.recv_timeout(left) {
            Ok(line) => {
                println!("   {line}");
                report.read(line.trim_end());
            }
            Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => break,
        }
    }
    if !report.is_finished() {
        let console = fs::read_to_string(folder.join("console.log")).unwrap_or_default();
        let said = fs::read_to_string(folder.join("qemu.log")).unwrap_or_default();
        let last: Vec<_> = console.lines().rev().take(20).collect();
        println!("   the machine did not finish; the kernel's last words:");
        for line in last.iter().rev() {
            println!("   {line}");
        }
        println!("   {said}");
    }
    let (tally, wrong) = report.tally();
    for what in wrong {
        println!("   {what}");
    }
    Ok(tally)
}

fn command(folder: &Path, disks: &Disks) -> Command {
    let accelerator = qemu::accelerator(&disks.kernel);
    let mut command = Command::new(qemu::QEMU);
    command.current_dir(folder);
    command.args(["-nodefaults", "-no-user-config", "-no-reboot", "-nic", "none", "-display", "none"]);
    command.args(["-m", "1024", "-smp", "2", "-machine", "q35,i8042=off,vmport=off,usb=off"]);
    command.args(accelerator.arguments());
    command.arg("-kernel").arg(&disks.kernel).arg("-initrd").arg(&disks.initramfs);
    command.arg("-append").arg(format!("console=ttyS0 quiet panic=-1 audit=0 {}", accelerator.cmdline()));
    // The kernel on the first line, the tests on the second.
    command.args(["-serial", "file:console.log", "-serial", "stdio"]);
    qemu::drive(&mut command, "programs", &disks.programs.display().to_string(), true);
    qemu::drive(&mut command, "var", &disks.var.display().to_string(), false);
    command
}
