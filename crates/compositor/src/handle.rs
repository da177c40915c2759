//! What the shell holds: it sends commands to the server's thread and looks at the picture.
//!
//! **Invariants:** no call waits for the server's thread, except that [`Compositor::picture`] waits for a copy
//! of pixels that is under way. Commands for a session that is over do nothing.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};

use rustix::event::{EventfdFlags, eventfd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use crate::heartbeat::Heartbeat;
use crate::mailbox::{Mailbox, Picture};
use crate::server::{Command, Server};
use crate::{Limits, Touch};

/// The screen, and what an app may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// What an app may take.
    pub limits: Limits,
}

impl Config {
    /// A screen of this size, with the watch's limits.
    pub fn new(width: u32, height: u32) -> Self {
        Self { width, height, limits: Limits::default() }
    }
}

/// One app's time on the screen, from [`Compositor::attach`] to [`Event::Ended`]. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Session(pub(crate) u64);

/// What happened. Told on the server's thread: hand it over and return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The app drew for the first time. Stands for its first `Frame` as well.
    FirstFrame(Session),
    /// The picture changed. Told once until [`Compositor::picture`] is called.
    Frame(Session),
    /// The app is served no more. The last event of its session. One that broke a rule stays connected, to a server
    /// that reads nothing, until [`Compositor::end`] or the next [`Compositor::attach`].
    Ended(Session, Reason),
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The app closed its end, or died.
    Closed,
    /// It broke the protocol: a wrong request, a truncated buffer, memory that is no memory file.
    Protocol,
    /// A buffer larger than the limits.
    TooLarge,
    /// More commits, requests, bytes, objects or descriptors than the limits.
    Flood,
    /// No first frame, no answer to a ping, or nothing read, in time.
    Silent,
    /// The server's thread panicked while it served the app, or had no descriptor left for it. Ours to mend.
    Panicked,
    /// The shell ended it, or attached another.
    Ended,
}

impl Reason {
    /// The word for the diary.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Protocol => "protocol",
            Self::TooLarge => "too-large",
            Self::Flood => "flood",
            Self::Silent => "silent",
            Self::Panicked => "panicked",
            Self::Ended => "ended",
        }
    }
}

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No descriptor or no memory.
    #[error("cannot create a descriptor for the Wayland server")]
    Descriptor(#[source] std::io::Error),
    /// No thread.
    #[error("cannot start the Wayland server's thread")]
    Thread(#[source] std::io::Error),
    /// A screen without pixels, or of more than 16384 pixels a side.
    #[error("no screen of {0} x {1} pixels")]
    Screen(u32, u32),
}

/// No app can be attached.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// No descriptor.
    #[error("cannot create a socket pair for an app")]
    Socket(#[source] std::io::Error),
    /// The server's thread is gone.
    #[error("the Wayland server has stopped")]
    Stopped,
}

/// The shell's handle. Clones are the same server; dropping the last one ends its thread.
#[derive(Debug, Clone)]
pub struct Compositor {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    commands: Sender<Command>,
    wake: Arc<OwnedFd>,
    mailbox: Arc<Mailbox>,
    heartbeat: Arc<Heartbeat>,
    sessions: AtomicU64,
}

impl Compositor {
    /// Starts the server's thread. `emit` is called on it.
    pub fn start(config: Config, emit: impl Fn(Event) + Send + 'static) -> Result<Self, StartError> {
        let sides = 1..=16_384;
        if !sides.contains(&config.width) || !sides.contains(&config.height) {
            return Err(StartError::Screen(config.width, config.height));
        }
        let descriptor = |error: rustix::io::Errno| StartError::Descriptor(error.into());
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(descriptor)?;
        let wake = Arc::new(wake);
        let mailbox = Arc::new(Mailbox::new(config.width, config.height));
        let heartbeat = Heartbeat::start(&config.limits)?;
        let (commands, receiver) = channel();
        let server =
            Server::new(config, receiver, Arc::clone(&wake), Arc::clone(&mailbox), Arc::clone(&heartbeat));
        std::thread::Builder::new()
            .name("wayland".into())
            .spawn(move || server.run(&emit))
            .map_err(StartError::Thread)?;
        let sessions = AtomicU64::new(1);
        Ok(Self { shared: Arc::new(Shared { commands, wake, mailbox, heartbeat, sessions }) })
    }

    /// Begins a session, visible, with a black picture; one that is under way ends with [`Reason::Ended`].
    /// The descriptor is the app's end of the socket, close-on-exec.
    pub fn attach(&self) -> Result<(Session, OwnedFd), AttachError> {
        let flags = SocketFlags::CLOEXEC;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)
            .map_err(|error| AttachError::Socket(error.into()))?;
        let session = Session(self.shared.sessions.fetch_add(1, Ordering::Relaxed));
        if self.send(Command::Attach(session, ours)) {
            Ok((session, theirs))
        } else {
            Err(AttachError::Stopped)
        }
    }

    /// Disconnects the app.
    pub fn end(&self, session: Session) {
        self.send(Command::End(session));
    }

    /// Asks the app to close: `xdg_toplevel.close`.
    pub fn close(&self, session: Session) {
        self.send(Command::Close(session));
    }

    /// Whether the app can be seen. While not: no frame callbacks, no pings, no touches; a touch that is down
    /// is cancelled; the newest picture is kept up to date.
    pub fn show(&self, session: Session, visible: bool) {
        self.send(Command::Show(session, visible));
    }

    /// A finger, in pixels of the screen. One that comes down beside the app is not told to it.
    pub fn touch(&self, session: Session, touch: Touch) {
        self.send(Command::Touch(session, touch));
    }

    /// The newest picture is on the screen: the app may draw the next.
    pub fn shown(&self, session: Session) {
        self.send(Command::Shown(session));
    }

    /// Looks at the newest picture; afterwards it has no damage until the app draws again. The app's next
    /// frame waits while `look` runs. Calling the same method inside `look` waits forever.
    pub fn picture(&self, look: impl FnOnce(&Picture<'_>)) {
        self.shared.mailbox.look(look);
    }

    /// False while the server's thread has been busy with one turn for longer than [`Limits::busy`].
    pub fn alive(&self) -> bool {
        self.shared.heartbeat.alive()
    }

    fn send(&self, command: Command) -> bool {
        let sent = self.shared.commands.send(command).is_ok();
        wake(&self.shared.wake);
        sent
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Stop);
        wake(&self.wake);
        self.heartbeat.stop();
    }
}

/// An eventfd that is full has woken the thread already.
fn wake(eventfd: &OwnedFd) {
    let _ = rustix::io::write(eventfd, &1u64.to_ne_bytes());
}
