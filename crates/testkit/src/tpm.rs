//! A real TPM 2.0 in software: swtpm, with its state in a folder of its own.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::{FixtureError, PATIENCE, Process, bound, io_error};

/// A TPM that commands are sent to over a unix socket, one connection at a time.
#[derive(Debug)]
pub struct SoftTpm {
    folder: TempDir,
    process: Process,
}

impl SoftTpm {
    /// A new TPM, powered and started.
    ///
    /// # Errors
    /// There is no swtpm, or it does not listen.
    pub fn start() -> Result<Self, FixtureError> {
        let folder = tempfile::tempdir().map_err(io_error("make a folder"))?;
        let process = power(folder.path())?;
        Ok(Self { folder, process })
    }

    /// Pulls the plug and puts it in again: what the TPM did not keep is gone.
    ///
    /// # Errors
    /// As at the start.
    pub fn power_cycle(&mut self) -> Result<(), FixtureError> {
        self.process.kill();
        self.process = power(self.folder.path())?;
        Ok(())
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        socket(self.folder.path())
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("tpm.sock")
}

fn power(folder: &Path) -> Result<Process, FixtureError> {
    let socket = socket(folder);
    match fs::remove_file(&socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(io_error("remove a socket")(error));
        }
        _ => {}
    }
    let mut command = bound("swtpm");
    command.args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"]);
    command.arg("--tpmstate").arg(format!("dir={}", folder.display()));
    command.arg("--server").arg(format!("type=unixio,path={}", socket.display()));
    let mut process = Process::start("swtpm", &mut command, &folder.join("swtpm.log"))?;
    let started = Instant::now();
    while UnixStream::connect(&socket).is_err() {
        if !process.runs() || started.elapsed() > PATIENCE {
            return Err(process.late("listen"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(process)
}
