//! One cgroup for each app below a folder that systemd delegated (Documentation/admin-guide/cgroup-v2.rst).
//!
//! **Invariants:** a leaf has every limit it was asked for, or does not exist; a leaf is removed only when it is empty; what
//! is in a leaf is ended by freezing it and killing it again and again, because one `cgroup.kill` can miss ([`Leaf::strike`]).

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{AtFlags, Mode, OFlags};

/// The longest to wait for the kernel to freeze or end what is in a leaf.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How soon after a [`Leaf::strike`] that left somebody the next one is due.
pub const AGAIN: Duration = Duration::from_millis(20);

/// A cgroup did not do what it must.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    /// There is no delegated folder.
    #[error("cannot open the delegated cgroup {}", path.display())]
    Open {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A controller that a limit needs is not delegated.
    #[error("the controllers {CONTROLLERS} are not delegated")]
    Controllers(#[source] io::Error),
    /// A leaf was not made or removed.
    #[error("cannot {step} the cgroup {name}")]
    Leaf {
        /// What was to be done.
        step: &'static str,
        /// Which.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// A file of a leaf was not read or written.
    #[error("cannot use {file}")]
    File {
        /// Its name.
        file: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A leaf did not become frozen or thawed in time.
    #[error("{0} did not come in time")]
    Slow(&'static str),
    /// Frozen and killed all the time, and still there: it waits in the kernel for a storage that does not answer.
    #[error("what is in the cgroup {0} does not end")]
    Survives(String),
}

/// How much an app may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory; swap is none.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u32,
    /// Share of one processor, percent.
    pub processor: u32,
}

const CONTROLLERS: &str = "+memory +pids +cpu";
/// Microseconds over which [`Limits::processor`] counts: short, so that a screen never waits long.
const CPU_PERIOD: u64 = 20_000;

/// The folder systemd gave away (`Delegate=`).
#[derive(Debug)]
pub struct Delegated {
    path: PathBuf,
}

impl Delegated {
    /// Uses the cgroup at `path`, a folder of cgroup2.
    ///
    /// # Errors
    /// It is none.
    pub fn open(path: &Path) -> Result<Self, CgroupError> {
        let check = || {
            let file = fs::metadata(path.join("cgroup.kill"))?;
            if file.is_file() { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
        };
        check().map_err(|source| CgroupError::Open { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned() })
    }

    /// Passes the controllers on to the leaves. To be done once, with no process in the folder itself.
    ///
    /// # Errors
    /// One is missing.
    pub fn enable_controllers(&self) -> Result<(), CgroupError> {
        let file = self.path.join("cgroup.subtree_control");
        write_file(&file, CONTROLLERS).map_err(CgroupError::Controllers)
    }

    /// Limits the memory of the cgroup `name` below it, which somebody else made: the launcher's own.
    ///
    /// # Errors
    /// There is none, or the controller is not passed on to it.
    pub fn limit_memory(&self, name: &str, bytes: u64) -> Result<(), CgroupError> {
        let file = self.path.join(name).join("memory.max");
        write_file(&file, &bytes.to_string())
            .map_err(|source| CgroupError::File { file: "memory.max", source })
    }

    /// A new leaf with limits.
    ///
    /// # Errors
    /// It exists, or a limit was refused: then there is no leaf.
    pub fn leaf(&self, name: &str, limits: &Limits) -> Result<Leaf, CgroupError> {
        let leaf = self.unlimited_leaf(name)?;
        match leaf.limit(limits) {
            Ok(()) => Ok(leaf),
            Err(error) => {
                leaf.remove()?;
                Err(error)
            }
        }
    }

    /// A new leaf without limits: for tests on a host whose controllers are elsewhere (cgroup v1).
    ///
    /// # Errors
    /// It exists, or may not be made.
    pub fn unlimited_leaf(&self, name: &str) -> Result<Leaf, CgroupError> {
        let path = self.path.join(name);
        let failed = |step| move |source| CgroupError::Leaf { step, name: name.to_owned(), source };
        fs::create_dir(&path).map_err(failed("make"))?;
        Leaf::open(path).map_err(failed("open"))
    }

    /// Ends and removes what an earlier launcher left: every leaf whose name begins with `prefix`.
    ///
    /// # Errors
    /// One stays; the others are gone.
    pub fn sweep(&self, prefix: &str) -> Result<usize, CgroupError> {
        let open = |source| CgroupError::Open { path: self.path.clone(), source };
        let mut leaves = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(open)? {
            let entry = entry.map_err(open)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with(prefix) || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let failed = |source| CgroupError::Leaf { step: "open", name, source };
            let leaf = Leaf::open(entry.path()).map_err(failed)?;
            // Nothing goes on in any while one is waited for.
            leaf.strike()?;
            leaves.push(leaf);
        }
        let ended = leaves.into_iter().map(|leaf| leaf.end().and_then(|()| leaf.remove()));
        let ended = ended.collect::<Vec<_>>();
        let removed = ended.len();
        ended.into_iter().collect::<Result<(), _>>().map(|()| removed)
    }
}

/// The cgroup of one app.
#[derive(Debug)]
pub struct Leaf {
    path: PathBuf,
    folder: OwnedFd,
    events: OwnedFd,
}

impl AsFd for Leaf {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }
}

impl Leaf {
    fn open(path: PathBuf) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let folder = rustix::fs::open(&path, flags, Mode::empty())?;
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let events = rustix::fs::openat(&folder, "cgroup.events", flags, Mode::empty())?;
        Ok(Self { path, folder, events })
    }

    fn limit(&self, limits: &Limits) -> Result<(), CgroupError> {
        self.write("memory.max", &limits.memory.to_string())?;
        self.write("memory.swap.max", "0")?;
        self.write("memory.oom.group", "1")?;
        self.write("pids.max", &limits.processes.to_string())?;
        let quota = u64::from(limits.processor) * CPU_PERIOD / 100;
        self.write("cpu.max", &format!("{quota} {CPU_PERIOD}"))
    }

    /// Stops everything in it, and waits until it stands still.
    ///
    /// # Errors
    /// It did not stop.
    pub fn freeze(&self) -> Result<(), CgroupError> {
        self.write("cgroup.freeze", "1")?;
        self.must("frozen 1")
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// It did not.
    pub fn thaw(&self) -> Result<(), CgroupError> {
        self.write("cgroup.freeze", "0")?;
        self.must("frozen 0")
    }

    /// Freezes it and kills every process in it, without waiting. One strike may not be enough: to be repeated every
    /// [`AGAIN`] until [`Leaf::is_empty`].
    ///
    /// `cgroup.kill` passes over a process whose leader is being killed already. So it misses one that calls `execve` from
    /// a second thread while the leader waits for storage: the leader is on its way out and the second thread, which
    /// takes its place, gets no signal. Frozen, the new program does not run a single instruction, so it cannot
    /// do the same again before the next strike.
    ///
    /// # Errors
    /// The kernel refused.
    pub fn strike(&self) -> Result<(), CgroupError> {
        self.write("cgroup.freeze", "1")?;
        self.write("cgroup.kill", "1")
    }

    /// Ends every process in it, frozen or not, whatever it does, and waits until none is left.
    ///
    /// # Errors
    /// `Survives` after [`PATIENCE`], or the kernel refused.
    pub fn end(&self) -> Result<(), CgroupError> {
        if self.is_empty()? {
            return Ok(());
        }
        let start = Instant::now();
        self.write("cgroup.freeze", "1")?;
        // What stands still cannot be in the middle of an execve. Whoever waits for storage is struck all the same.
        self.becomes("frozen 1", AGAIN)?;
        while start.elapsed() < PATIENCE {
            self.strike()?;
            if self.becomes("populated 0", AGAIN)? {
                return Ok(());
            }
        }
        Err(self.survives())
    }

    /// The error for one that was struck for too long.
    pub fn survives(&self) -> CgroupError {
        CgroupError::Survives(self.name())
    }

    /// Has `POLLPRI` when what [`Leaf::is_empty`] says may have changed since it was asked.
    pub fn events(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }

    /// Whether no process is in it.
    ///
    /// # Errors
    /// The kernel does not say.
    pub fn is_empty(&self) -> Result<bool, CgroupError> {
        self.has_event("populated 0")
    }

    /// Whether the kernel ended something in it because its memory was used up.
    ///
    /// # Errors
    /// The kernel does not say.
    pub fn was_out_of_memory(&self) -> Result<bool, CgroupError> {
        let text = self.read("memory.events")?;
        Ok(text.lines().any(|line| line.starts_with("oom_kill ") && line != "oom_kill 0"))
    }

    /// Removes it. It must be empty.
    ///
    /// # Errors
    /// It is not, or may not be removed; it is still there.
    pub fn remove(self) -> Result<(), CgroupError> {
        let name = self.name();
        rustix::fs::unlinkat(rustix::fs::CWD, &self.path, AtFlags::REMOVEDIR)
            .map_err(|errno| CgroupError::Leaf { step: "remove", name, source: errno.into() })
    }

    fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn write(&self, file: &'static str, text: &str) -> Result<(), CgroupError> {
        let write = || {
            let flags = OFlags::WRONLY | OFlags::CLOEXEC;
            let mut file = File::from(rustix::fs::openat(&self.folder, file, flags, Mode::empty())?);
            file.write_all(text.as_bytes())
        };
        write().map_err(|source| CgroupError::File { file, source })
    }

    fn read(&self, file: &'static str) -> Result<String, CgroupError> {
        let read = || {
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            let file = File::from(rustix::fs::openat(&self.folder, file, flags, Mode::empty())?);
            io::read_to_string(file)
        };
        read().map_err(|source| CgroupError::File { file, source })
    }

    fn has_event(&self, line: &str) -> Result<bool, CgroupError> {
        let read = || {
            let mut file = File::from(self.events.try_clone()?);
            file.rewind()?;
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            Ok(text.lines().any(|event| event == line))
        };
        read().map_err(|source| CgroupError::File { file: "cgroup.events", source })
    }

    fn must(&self, line: &'static str) -> Result<(), CgroupError> {
        if self.becomes(line, PATIENCE)? { Ok(()) } else { Err(CgroupError::Slow(line)) }
    }

    /// Whether `cgroup.events` says `line` within `patience`; it has `POLLPRI` when a line changed since it was read.
    fn becomes(&self, line: &str, patience: Duration) -> Result<bool, CgroupError> {
        let start = Instant::now();
        while !self.has_event(line)? {
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
            let mut events = [PollFd::new(&self.events, PollFlags::PRI)];
            match rustix::event::poll(&mut events, Some(&left)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(errno) => {
                    return Err(CgroupError::File { file: "cgroup.events", source: errno.into() });
                }
            }
        }
        Ok(true)
    }
}

fn write_file(path: &Path, text: &str) -> io::Result<()> {
    fs::OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
}
