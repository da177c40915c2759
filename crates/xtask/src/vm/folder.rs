//! The folder of a machine, `target/vm/<name>/`: one machine at a time. A QEMU or a TPM whose owner was killed and
//! could not end it is ended here, by its noted process id and only while it runs in this very folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The programs of a machine; the process of each is noted in `<program>.pid`.
const PROGRAMS: [&str; 2] = ["qemu", "swtpm"];

/// A folder that is ours until this is dropped.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Takes the folder, or says who has it.
    pub(super) fn take(path: &Path) -> Result<Self> {
        fs::create_dir_all(path)?;
        let path = path.canonicalize()?;
        let lock = File::create(path.join(".lock"))?;
        if lock.try_lock().is_err() {
            bail!("a watch runs in {} already", path.display());
        }
        let folder = Self { path, _lock: lock };
        for program in PROGRAMS {
            folder.end_orphan(program)?;
        }
        Ok(folder)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Remembers a process of the machine, `qemu` or `swtpm`.
    pub(super) fn note(&self, program: &str, pid: u32) -> Result<()> {
        fs::write(self.note_of(program), pid.to_string())
            .with_context(|| format!("noting the process of {program}"))
    }

    fn note_of(&self, program: &str) -> PathBuf {
        self.path.join(format!("{program}.pid"))
    }

    fn end_orphan(&self, program: &str) -> Result<()> {
        let Ok(note) = fs::read_to_string(self.note_of(program)) else { return Ok(()) };
        let Ok(pid) = note.trim().parse::<i32>() else { return Ok(()) };
        let runs_here = || fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == self.path);
        for _ in 0..50 {
            if !runs_here() {
                return Ok(());
            }
            // It may end between the look and the signal.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            sleep(Duration::from_millis(20));
        }
        bail!("the process {pid} of {program}, of an earlier run, does not end")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for program in PROGRAMS {
            let _ = fs::remove_file(self.note_of(program));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_use_is_refused_and_free_afterwards() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::take(place.path()).unwrap();
        assert!(Folder::take(place.path()).is_err());
        drop(folder);
        assert!(Folder::take(place.path()).is_ok());
    }

    #[test]
    fn an_orphan_of_this_folder_is_ended_and_nobody_else() {
        let (place, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let sleeper =
            |at: &Path| std::process::Command::new("sleep").arg("60").current_dir(at).spawn().unwrap();
        let mut orphan = sleeper(place.path());
        let mut stranger = sleeper(elsewhere.path());
        let note = |program: &str, process: &std::process::Child| {
            let file = place.path().join(format!("{program}.pid"));
            fs::write(file, process.id().to_string()).unwrap();
        };
        note("qemu", &stranger);
        note("swtpm", &stranger);
        drop(Folder::take(place.path()).unwrap());
        assert!(stranger.try_wait().unwrap().is_none());
        note("swtpm", &orphan);
        // The orphan is our child here, so it is waited for beside, as init would.
        let waiter = std::thread::spawn(move || orphan.wait().unwrap());
        Folder::take(place.path()).unwrap();
        assert!(!waiter.join().unwrap().success());
        stranger.kill().unwrap();
        stranger.wait().unwrap();
    }
}
