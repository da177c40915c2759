//! The server's thread: sleeps until the shell or the app wants something, and does one bounded turn.
//!
//! **Invariants:** between turns it sleeps in one `poll` with no timeout unless the app owes something. A panic
//! ends the session and nothing else: the commands that wait are kept.

use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::heartbeat::Heartbeat;
use crate::live::Live;
use crate::mailbox::Mailbox;
use crate::{Config, Event, Reason, Session, Touch};

/// What the shell wants.
#[derive(Debug)]
pub(crate) enum Command {
    Attach(Session, OwnedFd),
    End(Session),
    Close(Session),
    Show(Session, bool),
    Touch(Session, Touch),
    Shown(Session),
    Stop,
}

/// The thread's own.
pub(crate) struct Server {
    config: Config,
    commands: Receiver<Command>,
    wake: Arc<OwnedFd>,
    mailbox: Arc<Mailbox>,
    heartbeat: Arc<Heartbeat>,
    live: Option<Live>,
    /// Survives a panic, so that its end can be told.
    session: Option<Session>,
    /// The socket of an app that broke a rule, until the shell ends its session: it is not served, and does not learn
    /// of it, so that whoever kills the app knows why before the app is gone by itself.
    parked: Option<(Session, OwnedFd)>,
}

impl Server {
    pub(crate) fn new(
        config: Config,
        commands: Receiver<Command>,
        wake: Arc<OwnedFd>,
        mailbox: Arc<Mailbox>,
        heartbeat: Arc<Heartbeat>,
    ) -> Self {
        Self { config, commands, wake, mailbox, heartbeat, live: None, session: None, parked: None }
    }

    /// Serves until the last handle is dropped.
    pub(crate) fn run(mut self, emit: &dyn Fn(Event)) {
        loop {
            let turns = catch_unwind(AssertUnwindSafe(|| while self.turn(emit) {}));
            if turns.is_ok() {
                break;
            }
            tracing::error!("the Wayland server panicked: the app is ended");
            self.heartbeat.end();
            let live = self.live.take();
            let _ = catch_unwind(AssertUnwindSafe(|| drop(live)));
            let session = self.session.take();
            let _ = catch_unwind(AssertUnwindSafe(|| self.tell(session, Reason::Panicked, emit)));
        }
        if let Some(live) = self.live.take() {
            live.finish();
        }
        self.heartbeat.serve(None);
    }

    fn turn(&mut self, emit: &dyn Fn(Event)) -> bool {
        let Some((woken, ready)) = self.sleep() else { return false };
        self.heartbeat.begin();
        let now = Instant::now();
        let mut running = true;
        if woken {
            running = self.obey(now, emit);
        }
        let result = self.serve(ready, now, emit);
        if self.heartbeat.end() {
            self.end(Reason::Flood, emit);
        } else if let Err(reason) = result {
            self.end(reason, emit);
        }
        running
    }

    /// Waits. Says whether there may be commands, and whether the app is ready. `None` when that is impossible.
    fn sleep(&self) -> Option<(bool, bool)> {
        let timeout = self.live.as_ref().and_then(Live::deadline).map(|at| {
            let rest = at.saturating_duration_since(Instant::now());
            Timespec::try_from(rest).unwrap_or_default()
        });
        let wake = PollFd::new(&*self.wake, PollFlags::IN);
        let result = if let Some(live) = &self.live {
            let wanted = if live.clogged() { PollFlags::OUT } else { PollFlags::IN };
            let app = live.app();
            let mut fds = [wake, PollFd::new(&app, wanted)];
            poll(&mut fds, timeout.as_ref()).map(|_| {
                let [wake, app] = &fds;
                (!wake.revents().is_empty(), !app.revents().is_empty())
            })
        } else {
            let mut fds = [wake];
            poll(&mut fds, timeout.as_ref()).map(|_| (true, false))
        };
        match result {
            Ok(ready) => Some(ready),
            Err(rustix::io::Errno::INTR) => Some((false, false)),
            Err(error) => {
                tracing::error!(%error, "the Wayland server cannot wait");
                None
            }
        }
    }

    /// Does what the shell wants. False when it wants no more.
    fn obey(&mut self, now: Instant, emit: &dyn Fn(Event)) -> bool {
        let mut count = [0; 8];
        let _ = rustix::io::read(self.wake.as_fd(), &mut count);
        loop {
            match self.commands.try_recv() {
                Ok(Command::Attach(session, app)) => self.attach(session, app, now, emit),
                Ok(Command::End(session)) => {
                    self.parked.take_if(|(parked, _)| *parked == session);
                    if self.session == Some(session) {
                        self.end(Reason::Ended, emit);
                    }
                }
                Ok(Command::Close(session)) => self.with(session, |live| live.close(now)),
                Ok(Command::Show(session, visible)) => self.with(session, |live| live.show(visible, now)),
                Ok(Command::Touch(session, touch)) => self.with(session, |live| live.touch(touch, now)),
                Ok(Command::Shown(session)) => self.with(session, Live::shown),
                Err(TryRecvError::Empty) => return true,
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn with(&mut self, session: Session, act: impl FnOnce(&mut Live)) {
        if let Some(live) = self.live.as_mut().filter(|live| live.session == session) {
            act(live);
        }
    }

    fn attach(&mut self, session: Session, app: OwnedFd, now: Instant, emit: &dyn Fn(Event)) {
        self.parked = None;
        // The old picture is gone before the shell hears of the end.
        if let Some(live) = self.live.take() {
            live.finish();
        }
        self.mailbox.begin(session, self.config.width, self.config.height);
        self.end(Reason::Ended, emit);
        self.session = Some(session);
        self.heartbeat.serve(app.try_clone().ok());
        self.live = Live::new(&self.config, session, app, now);
        if self.live.is_none() {
            tracing::error!("no descriptor left for an app's display");
            self.end(Reason::Panicked, emit);
        }
    }

    fn serve(&mut self, ready: bool, now: Instant, emit: &dyn Fn(Event)) -> Result<(), Reason> {
        let Some(live) = &mut self.live else { return Ok(()) };
        if ready && !live.clogged() {
            live.pull(now)?;
        }
        live.settle(now, &self.mailbox, emit)
    }

    fn end(&mut self, reason: Reason, emit: &dyn Fn(Event)) {
        if let Some(mut live) = self.live.take() {
            if !matches!(reason, Reason::Closed | Reason::Ended) {
                self.parked = live.park().map(|socket| (live.session, socket));
            }
            live.finish();
        }
        let session = self.session.take();
        self.tell(session, reason, emit);
    }

    fn tell(&self, session: Option<Session>, reason: Reason, emit: &dyn Fn(Event)) {
        if let Some(session) = session {
            self.heartbeat.serve(None);
            emit(Event::Ended(session, reason));
        }
    }
}
