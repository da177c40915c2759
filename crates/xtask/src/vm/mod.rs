//! The running watch: [`Vm::boot`] starts an image in QEMU and hands out what a developer, the demo and the tests do
//! with it: look at the screen, touch it, talk to the agent, read the console.
//!
//! Invariants: a machine belongs to one [`Vm`] and ends with it; everything of it is in its folder,
//! `target/vm/<name>/`.

pub mod agent;
mod folder;
pub mod qemu;
pub mod qmp;
pub mod screen;
mod tpm;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use self::agent::Agent;
use self::folder::Folder;
use self::qemu::socket;
use self::qmp::Qmp;
use self::screen::Screen;
use self::tpm::Tpm;
use crate::debian::tree;
use crate::image::Image;
use crate::{paths, process};

/// Width and height of the screen, pixels.
pub const SCREEN: u32 = 466;
/// Size of `/var`.
const VAR: u64 = 64 << 20;
/// More colours than a text console has: the shell has drawn.
const DRAWN: usize = 24;

/// Where the screen is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// Nowhere; pictures can be taken all the same.
    None,
    /// In a window.
    Window,
    /// Over VNC on this port of the loopback.
    Vnc(u16),
}

/// How to start a machine.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its folder below `target/vm`; one machine at a time.
    pub name: String,
    /// Where the screen is shown.
    pub display: Display,
    /// Begin with an empty `/var` and an empty TPM, as a new watch; else with what the last run left.
    pub fresh: bool,
    /// A folder whose files a new `/var` begins with, as a technician could have put them there.
    pub seed: Option<PathBuf>,
    /// More for the kernel command line, such as [`JOURNAL_ON_CONSOLE`].
    pub cmdline: String,
}

/// The journal goes to `console.log` as well.
pub const JOURNAL_ON_CONSOLE: &str =
    "systemd.journald.forward_to_console=1 systemd.journald.max_level_console=info systemd.log_color=0";

impl Options {
    /// A new watch without a screen, for tests.
    pub fn headless(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            display: Display::None,
            fresh: true,
            seed: None,
            cmdline: JOURNAL_ON_CONSOLE.to_owned(),
        }
    }
}

/// A running machine; it ends when this is dropped.
pub struct Vm {
    child: Child,
    // Fields end in this order, after QEMU.
    _tpm: Tpm,
    folder: Folder,
    qmp: Option<Qmp>,
    started: Instant,
}

impl Vm {
    /// Starts `image` and returns as soon as QEMU runs: the guest boots on.
    pub fn boot(image: &Image, options: &Options) -> Result<Self> {
        let folder = Folder::take(&paths::vm(&options.name))?;
        for old in ["console.log", socket::QMP, socket::QMP_SIM, socket::MODEM, socket::GNSS, socket::AGENT] {
            let _ = fs::remove_file(folder.path().join(old));
        }
        // A watch's storage and its TPM belong together: one without the other would be sealed.
        let (var, tpm) = (folder.path().join("var.img"), folder.path().join(tpm::STATE));
        let fresh = options.fresh || !var.exists() || !tpm.exists();
        if fresh && tpm.exists() {
            fs::remove_dir_all(tpm)?;
        }
        make_var(&var, fresh, options.seed.as_deref())?;
        let tpm = Tpm::start(&folder)?;
        let stderr = fs::File::create(folder.path().join("qemu.log"))?;
        let child = qemu::command(image, folder.path(), options.display, &options.cmdline)?
            .stderr(stderr)
            .spawn()
            .context("starting QEMU")?;
        let mut vm = Self { child, _tpm: tpm, folder, qmp: None, started: Instant::now() };
        vm.folder.note("qemu", vm.child.id())?;
        vm.qmp = Some(vm.wait_for_qmp()?);
        Ok(vm)
    }

    fn wait_for_qmp(&mut self) -> Result<Qmp> {
        let socket = self.socket(socket::QMP);
        while self.started.elapsed() < Duration::from_secs(10) {
            if let Some(status) = self.child.try_wait()? {
                let said = fs::read_to_string(self.folder.path().join("qemu.log")).unwrap_or_default();
                bail!("QEMU ended at once ({status}): {said}");
            }
            if socket.exists()
                && let Ok(qmp) = Qmp::connect(&socket)
            {
                return Ok(qmp);
            }
            sleep(Duration::from_millis(20));
        }
        bail!("QEMU offers no {} after 10 s", socket.display())
    }

    /// A socket of the machine, see [`qemu::socket`].
    pub fn socket(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The machine's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Since QEMU was started.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// What the kernel (and with [`JOURNAL_ON_CONSOLE`] everybody) wrote so far, without colours.
    pub fn console(&self) -> String {
        let bytes = fs::read(self.folder.path().join("console.log")).unwrap_or_default();
        plain(&String::from_utf8_lossy(&bytes))
    }

    /// Waits until the console holds `text`.
    pub fn wait_for_console(&mut self, text: &str, patience: Duration) -> Result<()> {
        self.wait_for(patience, &format!("`{text}` on the console"), |vm| {
            Ok(vm.console().contains(text).then_some(()))
        })
    }

    /// Waits until the shell has drawn, and returns what it drew.
    pub fn wait_for_first_frame(&mut self, patience: Duration) -> Result<Screen> {
        self.wait_for(patience, "the first frame", |vm| {
            let screen = vm.qmp()?.screen()?;
            Ok((screen.colours() >= DRAWN).then_some(screen))
        })
    }

    /// Waits until the screen is as `wanted` says, and returns it.
    pub fn wait_for_screen(
        &mut self,
        what: &str,
        patience: Duration,
        wanted: impl Fn(&Screen) -> bool,
    ) -> Result<Screen> {
        self.wait_for(patience, what, |vm| {
            let screen = vm.qmp()?.screen()?;
            Ok(wanted(&screen).then_some(screen))
        })
    }

    /// Tries `probe` until it finds something; the machine must go on running meanwhile.
    pub fn wait_for<T>(
        &mut self,
        patience: Duration,
        what: &str,
        mut probe: impl FnMut(&mut Self) -> Result<Option<T>>,
    ) -> Result<T> {
        let started = Instant::now();
        loop {
            if let Some(found) = probe(self)? {
                return Ok(found);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("QEMU ended ({status}) before {what}:\n{}", tail(&self.console()));
            }
            if started.elapsed() > patience {
                bail!("{what} did not come within {patience:?}:\n{}", tail(&self.console()));
            }
            sleep(Duration::from_millis(100));
        }
    }

    /// The machine's screen, touch and switch.
    pub fn qmp(&mut self) -> Result<&mut Qmp> {
        self.qmp.as_mut().context("the machine is off")
    }

    /// A connection to the agent; only one at a time.
    pub fn agent(&self) -> Result<Agent> {
        Agent::connect(&self.socket(socket::AGENT))
    }

    /// Waits until the machine switches itself off or restarts, which ends it as well.
    pub fn wait_for_end(&mut self, patience: Duration) -> Result<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            ensure!(started.elapsed() < patience, "the machine still runs after {patience:?}");
            sleep(Duration::from_millis(50));
        }
    }

    /// Pulls the plug.
    pub fn power_off(mut self) -> Result<()> {
        self.qmp()?.quit()?;
        self.wait_for_end(Duration::from_secs(5)).map(drop)
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// A new `/var`: with fs-verity for app bundles, and a fifth of it kept for those whom the unit that mounts it names.
///
/// # Errors
/// There is no room for it, or mkfs fails.
pub fn make_var(file: &Path, fresh: bool, seed: Option<&Path>) -> Result<()> {
    if file.exists() && !fresh {
        return Ok(());
    }
    let _ = fs::remove_file(file);
    fs::File::create(file)?.set_len(VAR)?;
    process::run(
        tree::tool_as("mkfs.ext4", "usr/sbin/mke2fs")
            // fs-verity's blocks are of 4 KiB and may not be larger than the file system's, which are 1 KiB on so small a disk.
            .args([
                "-q",
                "-F",
                "-t",
                "ext4",
                "-b",
                "4096",
                "-m",
                "20",
                "-O",
                "verity",
                "-E",
                "root_owner=0:0",
            ])
            .args(seed.iter().flat_map(|folder| [Path::new("-d"), folder]))
            .arg(file),
    )
}

/// Text without the escape sequences of terminals (ECMA-48: `ESC [`, parameters, one letter).
fn plain(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(
            part.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).get(1..).unwrap_or_default(),
        );
    }
    plain
}

/// The last lines of a log.
fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(plain("a \x1b[0;1;31mFAILED\x1b[0m: b\x1b[?7h\x1b["), "a FAILED: b");
    }
}
