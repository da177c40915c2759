//! The loop: one socket, one connection, a few sessions, one thread.
//!
//! **Invariants:** a connection of anybody but appd is closed unread; when appd's ends, or a newer one comes, every
//! session of it is frozen and killed first; a peer that does not read what it is told is gone; the loop never waits for an app
//! to die: one that takes long keeps its place among the sessions, is killed again and again, and everybody else is served.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use launch::{Answer, AppId, End, Message, PacketError, Refusal, Request};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use sandbox::Sandbox;
use sandbox::cgroup::{AGAIN, CgroupError, Delegated, Leaf, Limits};
use sandbox::seccomp::Filter;

use crate::bundles::Bundles;
use crate::chain;
use crate::grants::Grants;
use crate::session::Session;
use crate::users::Users;

/// Prefix of an app's cgroup.
const LEAF: &str = "app-";
/// How long a new appd may have to wait for the apps of the one before. Nearly all end within two milliseconds.
const GRACE: Duration = Duration::from_millis(500);

/// What the server works with.
#[derive(Debug)]
pub struct Setup<G, B> {
    /// Who may connect, by user number.
    pub peer: u32,
    /// Who must have made the displays, by user number.
    pub screen: u32,
    /// What guardians granted.
    pub grants: G,
    /// What reviewers signed.
    pub bundles: B,
    /// Who apps run as.
    pub users: Users,
    /// Where their cgroups are.
    pub cgroup: Delegated,
    /// What each may use. `None` on a test's host, whose controllers are elsewhere.
    pub limits: Option<Limits>,
    /// What each may ask the kernel.
    pub filter: Filter,
    /// Sessions at once.
    pub sessions: usize,
}

/// The launcher cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// It cannot wait for anything.
    #[error("cannot wait")]
    Poll(#[source] Errno),
    /// The listening socket failed.
    #[error("cannot accept")]
    Accept(#[source] Errno),
    /// A cgroup does not obey, or at the start: an app of an earlier launcher does not end.
    #[error("the kernel does not end an app")]
    Cgroup(#[from] CgroupError),
    /// A process cannot be waited for.
    #[error("cannot wait for a process")]
    Wait(#[source] Errno),
}

/// The launcher.
#[derive(Debug)]
pub struct Server<G, B> {
    setup: Setup<G, B>,
    listener: OwnedFd,
    connection: Option<OwnedFd>,
    sessions: Vec<Session>,
    started: u64,
}

/// What is ready.
#[derive(Debug, Default)]
struct Ready {
    listener: bool,
    connection: bool,
}

impl<G: Grants, B: Bundles> Server<G, B> {
    /// A server on `listener`. Apps that an earlier launcher left are ended.
    ///
    /// # Errors
    /// One cannot be.
    pub fn new(setup: Setup<G, B>, listener: OwnedFd) -> Result<Self, ServerError> {
        let left = setup.cgroup.sweep(LEAF)?;
        if left > 0 {
            tracing::warn!(left, "apps of an earlier launcher were ended");
        }
        Ok(Self { setup, listener, connection: None, sessions: Vec::new(), started: 0 })
    }

    /// Waits for at most `patience` (`None`: for ever), and does what is to be done then.
    ///
    /// # Errors
    /// The launcher cannot go on.
    pub fn turn(&mut self, patience: Option<Duration>) -> Result<(), ServerError> {
        let ready = self.wait(patience)?;
        self.look()?;
        if ready.connection {
            self.receive()?;
        }
        if ready.listener {
            self.accept()?;
        }
        Ok(())
    }

    fn wait(&self, patience: Option<Duration>) -> Result<Ready, ServerError> {
        let mut waiting = vec![PollFd::new(&self.listener, PollFlags::IN)];
        waiting.extend(self.connection.iter().map(|connection| PollFd::new(connection, PollFlags::IN)));
        waiting.extend(self.sessions.iter().map(Session::poll_fd));
        let again = self.sessions.iter().any(Session::is_ending).then_some(AGAIN);
        let patience = patience.into_iter().chain(again).min();
        let patience = patience
            .map(|time| Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) });
        match rustix::event::poll(&mut waiting, patience.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Ready::default()),
            Err(errno) => return Err(ServerError::Poll(errno)),
        }
        let mut answers = waiting.iter().map(|entry| !entry.revents().is_empty());
        let listener = answers.next().unwrap_or_default();
        let connection = self.connection.is_some() && answers.next().unwrap_or_default();
        Ok(Ready { listener, connection })
    }

    /// Takes a new connection, if it is appd's; the newest wins, because an appd that was restarted knows nothing of
    /// the sessions of the one before.
    fn accept(&mut self) -> Result<(), ServerError> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let connection = match rustix::net::accept_with(&self.listener, flags) {
            Ok(connection) => connection,
            Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => return Ok(()),
            Err(errno) => return Err(ServerError::Accept(errno)),
        };
        match sockopt::socket_peercred(&connection) {
            Ok(peer) if peer.uid.as_raw() == self.setup.peer => {}
            Ok(peer) => {
                tracing::warn!(uid = peer.uid.as_raw(), "a stranger was turned away");
                return Ok(());
            }
            Err(error) => {
                tracing::warn!(%error, "a connection without credentials was turned away");
                return Ok(());
            }
        }
        self.hang_up()?;
        tracing::info!("appd is here");
        self.connection = Some(connection);
        Ok(())
    }

    /// Closes the connection and ends all that was started on it.
    fn hang_up(&mut self) -> Result<(), ServerError> {
        if self.connection.take().is_none() {
            return Ok(());
        }
        for session in &mut self.sessions {
            session.abandoned = true;
            session.end()?;
        }
        let start = Instant::now();
        while !self.sessions.is_empty() && start.elapsed() < GRACE {
            self.wait_for_sessions()?;
            self.look()?;
        }
        match self.sessions.len() {
            0 => tracing::info!("appd is gone, and so are its apps"),
            left => tracing::warn!(left, "appd is gone, and its apps are being ended"),
        }
        Ok(())
    }

    /// Waits until something may have become of a session that is being ended.
    fn wait_for_sessions(&self) -> Result<(), ServerError> {
        let mut waiting = self.sessions.iter().map(Session::poll_fd).collect::<Vec<_>>();
        let again = Timespec { tv_sec: 0, tv_nsec: i64::from(AGAIN.subsec_nanos()) };
        match rustix::event::poll(&mut waiting, Some(&again)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(ServerError::Poll(errno)),
        }
    }

    fn receive(&mut self) -> Result<(), ServerError> {
        let Some(connection) = &self.connection else { return Ok(()) };
        let answer = match launch::receive::<Request>(connection) {
            Ok((request, descriptor)) => self.answer(request, descriptor),
            Err(PacketError::WouldBlock) => return Ok(()),
            Err(error @ (PacketError::TooLarge | PacketError::Malformed(_))) => {
                tracing::warn!(error = chain(&error), "appd sent no request");
                Answer::Refused(Refusal::Malformed)
            }
            Err(PacketError::Gone) => return self.hang_up(),
            Err(error @ PacketError::Socket(_)) => {
                tracing::warn!(error = chain(&error), "appd's connection failed");
                return self.hang_up();
            }
        };
        self.tell(&Message::Reply(answer))
    }

    fn tell(&mut self, message: &Message) -> Result<(), ServerError> {
        let Some(connection) = &self.connection else { return Ok(()) };
        let Err(error) = launch::send(connection, message, None) else { return Ok(()) };
        tracing::warn!(error = chain(&error), "appd does not listen");
        self.hang_up()
    }

    fn answer(&mut self, request: Request, descriptor: Option<OwnedFd>) -> Answer {
        let result = match (request, descriptor) {
            (Request::List, None) => return self.list(),
            (Request::Start { app, session }, Some(display)) => {
                self.start(&app, session, display).map(|()| Answer::Started)
            }
            (Request::Freeze { session }, None) => self.on(session, Session::freeze),
            (Request::Thaw { session }, None) => self.on(session, Session::thaw),
            (Request::End { session }, None) => self.on(session, Session::end),
            _ => Err(Refusal::Malformed),
        };
        result.unwrap_or_else(Answer::Refused)
    }

    fn list(&mut self) -> Answer {
        self.setup.bundles.apps().map_or_else(Answer::Refused, Answer::Apps)
    }

    fn on(
        &mut self,
        number: u64,
        action: impl Fn(&mut Session) -> Result<(), CgroupError>,
    ) -> Result<Answer, Refusal> {
        let mut sessions = self.sessions.iter_mut();
        let session = sessions.find(|session| session.number == number && !session.abandoned);
        let session = session.ok_or(Refusal::NoSession)?;
        action(session).map(|()| Answer::Done).map_err(|error| {
            tracing::error!(app = session.app.as_str(), error = chain(&error), "a session does not obey");
            Refusal::Sandbox
        })
    }

    /// Everything that must be true, in the order of what it costs.
    fn start(&mut self, app: &AppId, number: u64, display: OwnedFd) -> Result<(), Refusal> {
        let begin = Instant::now();
        if self.sessions.iter().any(|session| session.number == number && !session.abandoned) {
            return Err(Refusal::Malformed);
        }
        if self.sessions.len() >= self.setup.sessions {
            return Err(Refusal::Busy);
        }
        check_display(display.as_fd(), self.setup.screen)?;
        let newest = self.setup.bundles.info(app)?;
        self.setup.grants.may_open(&newest)?;
        let (info, bundle) = self.setup.bundles.tree(app)?;
        if info != newest {
            self.setup.grants.may_open(&info)?;
        }
        let home = self.setup.users.home(app).map_err(|error| {
            tracing::error!(app = app.as_str(), error = chain(&error), "an app has no place for its files");
            Refusal::Storage
        })?;
        let refused = |what: &'static str| {
            move |error: &dyn std::error::Error| {
                tracing::error!(app = app.as_str(), error = chain(error), "{what}");
                Refusal::Sandbox
            }
        };
        let data = sandbox::Tree::data(&home.folder).map_err(|e| refused("no data")(&e))?;
        let leaf = self.leaf(app).map_err(|e| refused("no cgroup")(&e))?;
        let sandbox = Sandbox::new(home.user, bundle, &leaf, &self.setup.filter).data(data).display(display);
        let process = match sandbox.prepare().map_err(|e| refused("no sandbox")(&e)) {
            Ok(prepared) => prepared.spawn().map_err(|e| refused("no process")(&e)),
            Err(refusal) => Err(refusal),
        };
        match process {
            Ok(process) => {
                self.sessions.push(Session::new(number, app.clone(), process, leaf));
                let micros = begin.elapsed().as_micros() as u64;
                tracing::info!(app = app.as_str(), micros, "started");
                Ok(())
            }
            Err(refusal) => {
                if let Err(error) = leaf.end().and_then(|()| leaf.remove()) {
                    tracing::error!(error = chain(&error), "a cgroup stays");
                }
                Err(refusal)
            }
        }
    }

    fn leaf(&mut self, app: &AppId) -> Result<Leaf, CgroupError> {
        self.started += 1;
        let name = format!("{LEAF}{}-{}", app.as_str(), self.started);
        match &self.setup.limits {
            Some(limits) => self.setup.cgroup.leaf(&name, limits),
            None => self.setup.cgroup.unlimited_leaf(&name),
        }
    }

    /// Looks at every session: buries those that are over, and strikes those that should be.
    fn look(&mut self) -> Result<(), ServerError> {
        let mut over = Vec::new();
        let mut going = Vec::new();
        for mut session in std::mem::take(&mut self.sessions) {
            match session.step()? {
                Some(exit) => over.push((session, exit)),
                None => going.push(session),
            }
        }
        self.sessions = going;
        for (session, exit) in over {
            let (app, number, abandoned) = (session.app.clone(), session.number, session.abandoned);
            let end = session.bury(exit)?;
            match end {
                End::Exited(0) => tracing::info!(app = app.as_str(), "ended"),
                end => tracing::warn!(app = app.as_str(), ?end, "ended"),
            }
            if !abandoned {
                self.tell(&Message::Ended { session: number, end })?;
            }
        }
        Ok(())
    }
}

/// A display is one end of a connected unix stream that the shell made: nothing else gets through to an app, whatever
/// appd holds.
fn check_display(display: BorrowedFd<'_>, screen: u32) -> Result<(), Refusal> {
    let look = || {
        let is_unix_stream = sockopt::socket_domain(display)? == AddressFamily::UNIX
            && sockopt::socket_type(display)? == SocketType::STREAM
            && !sockopt::socket_acceptconn(display)?;
        Ok(is_unix_stream && sockopt::socket_peercred(display)?.uid.as_raw() == screen)
    };
    match look() {
        Ok(true) => Ok(()),
        Ok(false) => {
            tracing::warn!("appd sent a display that is not the screen's");
            Err(Refusal::Malformed)
        }
        Err::<_, Errno>(error) => {
            tracing::warn!(%error, "appd sent a display that is no socket");
            Err(Refusal::Malformed)
        }
    }
}
