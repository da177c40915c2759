//! The loop: one socket, one connection, a few sessions, one thread.
//!
//! **Invariants:** a connection of anybody but appd is closed unread; when appd's ends, or a newer one comes, every
//! session of it is ended first; a peer that does not read what it is told is gone.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use launch::{Answer, AppId, End, Message, PacketError, Refusal, Request};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use sandbox::Sandbox;
use sandbox::cgroup::{CgroupError, Delegated, Leaf, Limits};
use sandbox::seccomp::Filter;

use crate::bundles::Bundles;
use crate::chain;
use crate::grants::Grants;
use crate::session::Session;
use crate::users::Users;

/// Prefix of an app's cgroup.
const LEAF: &str = "app-";

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
    /// What ran before cannot be ended.
    #[error("an earlier app cannot be ended")]
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
    sessions: Vec<u64>,
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
        for number in ready.sessions {
            self.look_at(number)?;
        }
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
        let processes = self.sessions.iter().map(|session| session.process());
        waiting.extend(processes.map(|process| PollFd::from_borrowed_fd(process, PollFlags::IN)));
        waiting.extend(self.connection.iter().map(|connection| PollFd::new(connection, PollFlags::IN)));
        let patience = patience
            .map(|time| Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) });
        match rustix::event::poll(&mut waiting, patience.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Ready::default()),
            Err(errno) => return Err(ServerError::Poll(errno)),
        }
        let mut answers = waiting.iter().map(|entry| !entry.revents().is_empty());
        let listener = answers.next().unwrap_or_default();
        let sessions = self.sessions.iter().zip(answers.by_ref()).filter(|(_, over)| *over);
        let sessions = sessions.map(|(session, _)| session.number).collect();
        Ok(Ready { listener, sessions, connection: answers.next().unwrap_or_default() })
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
        for session in &self.sessions {
            session.kill()?;
        }
        for number in self.sessions.iter().map(|session| session.number).collect::<Vec<_>>() {
            self.wait_for(number)?;
        }
        tracing::info!("appd is gone, and so are its apps");
        Ok(())
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
            (Request::End { session }, None) => self.on(session, Session::kill),
            _ => Err(Refusal::Malformed),
        };
        result.unwrap_or_else(Answer::Refused)
    }

    fn list(&mut self) -> Answer {
        self.setup.bundles.apps().map_or_else(Answer::Refused, Answer::Apps)
    }

    fn on(
        &self,
        number: u64,
        action: impl Fn(&Session) -> Result<(), CgroupError>,
    ) -> Result<Answer, Refusal> {
        let session = self.sessions.iter().find(|session| session.number == number);
        let session = session.ok_or(Refusal::NoSession)?;
        action(session).map(|()| Answer::Done).map_err(|error| {
            tracing::error!(app = session.app.as_str(), error = chain(&error), "a session does not obey");
            Refusal::Sandbox
        })
    }

    /// Everything that must be true, in the order of what it costs.
    fn start(&mut self, app: &AppId, number: u64, display: OwnedFd) -> Result<(), Refusal> {
        let begin = std::time::Instant::now();
        if self.sessions.iter().any(|session| session.number == number) {
            return Err(Refusal::Malformed);
        }
        if self.sessions.len() >= self.setup.sessions {
            return Err(Refusal::Busy);
        }
        check_display(display.as_fd(), self.setup.screen)?;
        self.setup.grants.may_open(app)?;
        let bundle = self.setup.bundles.tree(app)?;
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
                if let Err(error) = leaf.wait_empty().and_then(|()| leaf.remove()) {
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

    /// A session's process may be over.
    fn look_at(&mut self, number: u64) -> Result<(), ServerError> {
        let Some(at) = self.sessions.iter().position(|session| session.number == number) else {
            return Ok(());
        };
        let exit =
            self.sessions.get(at).map(Session::try_wait).transpose().map_err(ServerError::Wait)?.flatten();
        let Some(exit) = exit else { return Ok(()) };
        let session = self.sessions.remove(at);
        let app = session.app.clone();
        let end = session.bury(exit)?;
        match end {
            End::Exited(0) => tracing::info!(app = app.as_str(), "ended"),
            end => tracing::warn!(app = app.as_str(), ?end, "ended"),
        }
        self.tell(&Message::Ended { session: number, end })
    }

    /// Waits for a session that was killed.
    fn wait_for(&mut self, number: u64) -> Result<(), ServerError> {
        while let Some(session) = self.sessions.iter().find(|session| session.number == number) {
            let mut process = [PollFd::from_borrowed_fd(session.process(), PollFlags::IN)];
            rustix::io::retry_on_intr(|| rustix::event::poll(&mut process, None))
                .map_err(ServerError::Poll)?;
            self.look_at(number)?;
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
