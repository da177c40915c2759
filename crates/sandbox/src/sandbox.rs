//! The builder, and the parent's half of a start.

use std::ffi::{CString, NulError};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use rustix::process::{WaitId, WaitIdOptions, WaitIdStatus};

use crate::cgroup::{CgroupError, Leaf};
use crate::child::{self, Plan, REPORT_SIZE, Step, high};
use crate::fence::{self, FenceError};
use crate::mount::Tree;
use crate::program::{self, ProgramError};
use crate::raw::{self, Side, Strings};
use crate::seccomp::Filter;

/// The longest a child may take from clone to `execve`; it needs a millisecond or two.
const PATIENCE: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// User and group of one app, never root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppUser(u32);

impl AppUser {
    /// The user with this number; `None` for the numbers that mean root, nobody or "unchanged".
    pub fn new(id: u32) -> Option<Self> {
        (id >= 1000 && id != 65534 && id < u32::MAX).then_some(Self(id))
    }

    /// The number, of the user and of the group.
    pub fn id(self) -> u32 {
        self.0
    }
}

/// A sandbox in which nothing is allowed but to run the bundle's `app`.
#[derive(Debug)]
pub struct Sandbox<'a> {
    user: AppUser,
    bundle: Tree,
    leaf: &'a Leaf,
    filter: &'a Filter,
    data: Option<Tree>,
    display: Option<OwnedFd>,
    environment: Vec<String>,
}

/// A sandbox could not be built. Nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The bundle has no program, or it is a link or no file.
    #[error("the bundle has no program")]
    Program(#[source] Errno),
    /// The program is none an app may be.
    #[error("the program is refused")]
    Refused(#[from] ProgramError),
    /// There is no Landlock as it must be.
    #[error("there is no Landlock ruleset")]
    Fence(#[from] FenceError),
    /// No descriptor could be had.
    #[error("cannot prepare the descriptors")]
    Descriptors(#[source] Errno),
    /// A variable holds a zero byte.
    #[error("a variable holds a zero byte")]
    Text(#[from] NulError),
}

/// A process was not started, or it ended before it was an app.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// There is no new process.
    #[error("cannot clone")]
    Clone(#[source] Errno),
    /// The pipe for the report failed.
    #[error("cannot hear of the child")]
    Report(#[source] Errno),
    /// The child ended itself, because a step failed.
    #[error("step {step:?} failed")]
    Step {
        /// Which.
        step: Step,
        /// Why.
        source: Errno,
    },
    /// The child hung; it was ended.
    #[error("the child took too long")]
    Hung,
    /// The child hung and could not be ended.
    #[error("the child hangs")]
    Cgroup(#[from] CgroupError),
}

impl<'a> Sandbox<'a> {
    /// A sandbox for `user` around `bundle`, in the cgroup `leaf`, behind the list of system calls `filter`.
    pub fn new(user: AppUser, bundle: Tree, leaf: &'a Leaf, filter: &'a Filter) -> Self {
        Self { user, bundle, leaf, filter, data: None, display: None, environment: Vec::new() }
    }

    /// The app may keep files: `tree` is `/data`, and `HOME`.
    #[must_use]
    pub fn data(mut self, tree: Tree) -> Self {
        self.data = Some(tree);
        self
    }

    /// The app may talk to the other end of `display`, its descriptor [`crate::DISPLAY_FD`].
    #[must_use]
    pub fn display(mut self, display: OwnedFd) -> Self {
        self.display = Some(display);
        self
    }

    /// The app may know the time zone (`TZ`, as in tzset(3)).
    #[must_use]
    pub fn time_zone(mut self, zone: &str) -> Self {
        self.environment.push(format!("TZ={zone}"));
        self
    }

    /// The app may know the language of the screen (`LANG`).
    #[must_use]
    pub fn language(mut self, language: &str) -> Self {
        self.environment.push(format!("LANG={language}"));
        self
    }

    /// Does all that can be done before there is a process.
    ///
    /// # Errors
    /// See [`PrepareError`].
    pub fn prepare(self) -> Result<Prepared<'a>, PrepareError> {
        let path_flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY | OFlags::NONBLOCK;
        let program = rustix::fs::openat(&self.bundle, crate::PROGRAM, path_flags, Mode::empty())
            .map_err(PrepareError::Program)?;
        program::check(program.as_fd())?;
        let data = self.data.as_ref().map(AsFd::as_fd);
        let fence = fence::ruleset(self.bundle.as_fd(), program.as_fd(), data)?;

        let mut environment = self.environment;
        if self.data.is_some() {
            environment.push(format!("HOME=/{}", crate::DATA));
        }
        if self.display.is_some() {
            environment.push(format!("WAYLAND_SOCKET={}", crate::DISPLAY_FD));
        }
        let environment = environment.into_iter().map(CString::new).collect::<Result<_, _>>()?;

        let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
            .map_err(PrepareError::Descriptors)?;
        let lift = |descriptor: &dyn AsFd| high(descriptor.as_fd()).map_err(PrepareError::Descriptors);
        let plan = Plan {
            bundle: lift(&self.bundle)?,
            data: self.data.as_ref().map(|data| lift(data)).transpose()?,
            null: lift(&null)?,
            display: self.display.as_ref().map(|display| lift(display)).transpose()?,
            fence: lift(&fence)?,
            filters: self.filter.programs().to_vec(),
            user: self.user,
            arguments: Strings::new(vec![c"/app".to_owned()]),
            environment: Strings::new(environment),
        };
        Ok(Prepared { plan, leaf: self.leaf })
    }
}

/// A sandbox that lacks only its process.
pub struct Prepared<'a> {
    plan: Plan,
    leaf: &'a Leaf,
}

impl Prepared<'_> {
    /// Starts the app, and returns when its program runs.
    ///
    /// # Errors
    /// See [`SpawnError`]; there is no process then.
    pub fn spawn(self) -> Result<App, SpawnError> {
        let (hear, low) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(SpawnError::Report)?;
        let tell = high(&low).map_err(SpawnError::Report)?;
        drop(low);
        let pidfd = match raw::clone3(self.leaf.as_fd()).map_err(SpawnError::Clone)? {
            Side::Child => child::run(&self.plan, tell.as_fd()),
            Side::Parent { pidfd } => pidfd,
        };
        drop(tell);
        let app = App { pidfd };
        match listen(hear.as_fd()) {
            Ok(None) => Ok(app),
            Ok(Some((step, source))) => {
                app.wait().map_err(SpawnError::Report)?;
                Err(SpawnError::Step { step, source })
            }
            Err(errno) => {
                self.leaf.end()?;
                app.wait().map_err(SpawnError::Report)?;
                Err(if errno == Errno::TIMEDOUT { SpawnError::Hung } else { SpawnError::Report(errno) })
            }
        }
    }
}

/// Waits until the program was executed (`None`) or a step failed.
fn listen(pipe: BorrowedFd<'_>) -> Result<Option<(Step, Errno)>, Errno> {
    let mut waiting = [PollFd::from_borrowed_fd(pipe, PollFlags::IN)];
    if rustix::io::retry_on_intr(|| rustix::event::poll(&mut waiting, Some(&PATIENCE)))? == 0 {
        return Err(Errno::TIMEDOUT);
    }
    let mut report = [0; REPORT_SIZE];
    match rustix::io::retry_on_intr(|| rustix::io::read(pipe, &mut report))? {
        0 => Ok(None),
        // A report is shorter than PIPE_BUF: it comes whole.
        _ => child::read_report(report).map(Some).ok_or(Errno::PROTO),
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// A running app. Its descriptor is readable when its process is over.
///
/// Dropping it ends nothing: [`Leaf::end`] does, and needs no right over the app's user.
#[derive(Debug)]
pub struct App {
    pidfd: OwnedFd,
}

impl AsFd for App {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl App {
    /// Waits for the process to end.
    ///
    /// # Errors
    /// Somebody else waited for it.
    pub fn wait(&self) -> Result<Exit, Errno> {
        loop {
            if let Some(exit) = self.look(WaitIdOptions::EXITED)? {
                return Ok(exit);
            }
        }
    }

    /// How the process ended; `None` while it runs.
    ///
    /// # Errors
    /// Somebody else waited for it.
    pub fn try_wait(&self) -> Result<Option<Exit>, Errno> {
        self.look(WaitIdOptions::EXITED | WaitIdOptions::NOHANG)
    }

    fn look(&self, options: WaitIdOptions) -> Result<Option<Exit>, Errno> {
        let wait = || rustix::process::waitid(WaitId::PidFd(self.pidfd.as_fd()), options);
        Ok(rustix::io::retry_on_intr(wait)?.and_then(|status| exit_of(&status)))
    }
}

fn exit_of(status: &WaitIdStatus) -> Option<Exit> {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Some(Exit::Code(code)),
        (None, Some(signal)) => Some(Exit::Signal(signal)),
        (None, None) => None,
    }
}
