//! The machine's TPM: one swtpm, which keeps what a TPM keeps in the machine's folder.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::folder::Folder;
use super::qemu::socket;

/// What the TPM remembers, in the machine's folder.
pub(super) const STATE: &str = "tpm";
/// swtpm writes its process id here once it listens.
const READY: &str = "swtpm.ready";

/// A running TPM; it ends when this is dropped.
pub(super) struct Tpm(Child);

impl Tpm {
    /// Powers the TPM of a machine and returns when QEMU can connect to it.
    pub(super) fn start(folder: &Folder) -> Result<Self> {
        let (state, ready) = (folder.path().join(STATE), folder.path().join(READY));
        fs::create_dir_all(&state)?;
        for old in [&ready, &folder.path().join(socket::TPM)] {
            let _ = fs::remove_file(old);
        }
        let log = folder.path().join("swtpm.log");
        let child = Command::new("swtpm")
            .args([
                "socket",
                "--tpm2",
                "--tpmstate",
                &format!("dir={STATE}"),
                "--pid",
                &format!("file={READY}"),
            ])
            .args(["--ctrl", &format!("type=unixio,path={}", socket::TPM)])
            // It has nothing to do once QEMU is gone, also where nobody is left to end it.
            .arg("--terminate")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .spawn()
            .context("starting swtpm; `./nestling` installs it")?;
        let mut tpm = Self(child);
        folder.note("swtpm", tpm.0.id())?;
        let started = Instant::now();
        while fs::read(&ready).map_or(true, |note| note.is_empty()) {
            if let Some(status) = tpm.0.try_wait()? {
                bail!("swtpm ended at once ({status}): {}", fs::read_to_string(&log).unwrap_or_default());
            }
            if started.elapsed() > Duration::from_secs(10) {
                bail!("swtpm does not listen after 10 s");
            }
            sleep(Duration::from_millis(5));
        }
        Ok(tpm)
    }
}

impl Drop for Tpm {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
