//! The client of the launcher, over the SEQPACKET socket that is ours alone.
//!
//! **Invariants:** an answer belongs to the oldest question that has none; a launcher that answers nothing for
//! [`ANSWERS`], says what it should not, or cannot be asked any more is left, which ends everything that ran; what was
//! asked before a connection broke is never asked on the next one.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use launch::{Answer, AppId, Message, PacketError, Refusal, Request};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use tokio::io::unix::AsyncFd;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, timeout_at};

use crate::core::{Event, Launched};
use crate::service::Input;

/// Questions waiting at most; more of them mean that the launcher hangs.
const QUEUE: usize = 64;
/// Every question has its answer by then.
const ANSWERS: Duration = Duration::from_secs(10);
/// Pauses between tries to connect, doubled from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// Why a connection to the launcher ended.
#[derive(Debug, thiserror::Error)]
enum SessionError {
    /// Nobody listens.
    #[error("the launcher cannot be reached")]
    Connect(#[source] io::Error),
    /// Sending or receiving failed, or the launcher sent no message of ours.
    #[error("the connection to the launcher broke")]
    Packet(#[from] PacketError),
    /// The runtime cannot wait for the socket.
    #[error("the socket cannot be waited for")]
    Wait(#[source] io::Error),
    /// It answered what was not asked.
    #[error("the launcher answers what was not asked")]
    Answer,
    /// It did not answer.
    #[error("the launcher does not answer")]
    Silent,
    /// The core has had enough of it.
    #[error("the launcher does not do what it should")]
    Dropped,
}

/// What the core wants of the launcher.
#[derive(Debug)]
struct Question {
    request: Request,
    display: Option<OwnedFd>,
}

/// Where the core's wishes are left. Nothing here waits.
#[derive(Debug)]
pub struct Launcher {
    queue: mpsc::Sender<Question>,
    drop: Arc<Notify>,
}

impl Launcher {
    /// Starts the task that keeps a connection and tells what comes of it.
    pub fn start(socket: PathBuf, inputs: mpsc::Sender<Input>) -> Self {
        let (queue, questions) = mpsc::channel(QUEUE);
        let drop = Arc::new(Notify::new());
        let client = Client { questions, inputs, drop: Arc::clone(&drop) };
        tokio::spawn(client.run(socket));
        Self { queue, drop }
    }

    /// Asks for the catalogue; it is also asked for on every new connection.
    pub fn list(&self) {
        self.ask(Request::List, None);
    }

    /// Asks to start an app with its end of the display.
    pub fn start_app(&self, session: u64, app: AppId, display: OwnedFd) {
        self.ask(Request::Start { app, session }, Some(display));
    }

    /// Asks to let it stand still.
    pub fn freeze(&self, session: u64) {
        self.ask(Request::Freeze { session }, None);
    }

    /// Asks to let it go on.
    pub fn thaw(&self, session: u64) {
        self.ask(Request::Thaw { session }, None);
    }

    /// Asks to end it.
    pub fn end(&self, session: u64) {
        self.ask(Request::End { session }, None);
    }

    /// Leaves the connection and makes another one.
    pub fn drop_connection(&self) {
        self.drop.notify_one();
    }

    fn ask(&self, request: Request, display: Option<OwnedFd>) {
        if self.queue.try_send(Question { request, display }).is_err() {
            // A wish that is lost could be to freeze: then better nothing runs at all.
            tracing::error!("the launcher takes no more requests");
            self.drop_connection();
        }
    }
}

struct Client {
    questions: mpsc::Receiver<Question>,
    inputs: mpsc::Sender<Input>,
    drop: Arc<Notify>,
}

/// A request that has no answer yet.
#[derive(Debug)]
struct Asked {
    request: Request,
    by: Instant,
}

impl Client {
    async fn run(mut self, socket: PathBuf) {
        let (shortest, longest) = PAUSES;
        let mut pause = shortest;
        while !self.inputs.is_closed() {
            let began = Instant::now();
            let Err(error) = self.session(&socket).await else { return };
            if began.elapsed() > longest {
                pause = shortest;
            }
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            if pause == shortest {
                tracing::warn!(%error, cause, "trying again");
            } else {
                tracing::debug!(%error, cause, "trying again");
            }
            if !self.tell(Launched::Gone).await {
                return;
            }
            sleep(pause).await;
            pause = longest.min(pause * 2);
        }
    }

    /// One connection. `Ok` when nobody wants it any more.
    async fn session(&mut self, path: &Path) -> Result<(), SessionError> {
        let socket = open(path).map_err(SessionError::Connect)?;
        #[expect(deprecated, reason = "its replacement is unsafe; an OwnedFd keeps what that one asks for")]
        let socket = AsyncFd::new(socket).map_err(SessionError::Wait)?;
        // Left over from the connection before, as is a wish to drop that one.
        while self.questions.try_recv().is_ok() {}
        let drop_request = Arc::clone(&self.drop);
        let _ = drop_request.notified().now_or_never();
        let mut asked = VecDeque::new();
        send(&socket, Question { request: Request::List, display: None }, &mut asked).await?;
        loop {
            let oldest = asked.front().map(|asked: &Asked| asked.by);
            tokio::select! {
                // What the launcher says goes before what is asked of it.
                biased;
                () = drop_request.notified() => return Err(SessionError::Dropped),
                message = receive(&socket) => {
                    if let Some(told) = understand(message?, &mut asked)?
                        && !self.tell(told).await
                    {
                        return Ok(());
                    }
                }
                () = until(oldest) => return Err(SessionError::Silent),
                question = self.questions.recv(), if asked.len() < QUEUE => match question {
                    Some(question) => send(&socket, question, &mut asked).await?,
                    None => return Ok(()),
                },
            }
        }
    }

    async fn tell(&self, told: Launched) -> bool {
        self.inputs.send(Input::Event(Event::Launcher(told))).await.is_ok()
    }
}

fn open(path: &Path) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

async fn send(
    socket: &AsyncFd<OwnedFd>,
    Question { request, display }: Question,
    asked: &mut VecDeque<Asked>,
) -> Result<(), SessionError> {
    let by = Instant::now() + ANSWERS;
    loop {
        let ready = timeout_at(by, socket.writable()).await.map_err(|_| SessionError::Silent)?;
        let mut ready = ready.map_err(SessionError::Wait)?;
        match launch::send(socket.get_ref(), &request, display.as_ref().map(AsFd::as_fd)) {
            Err(PacketError::WouldBlock) => ready.clear_ready(),
            sent => {
                sent?;
                asked.push_back(Asked { request, by });
                return Ok(());
            }
        }
    }
}

/// Cancel-safe: a packet is taken whole, and there is nothing to wait for once it is.
async fn receive(socket: &AsyncFd<OwnedFd>) -> Result<Message, SessionError> {
    loop {
        let mut ready = socket.readable().await.map_err(SessionError::Wait)?;
        match launch::receive::<Message>(socket.get_ref()) {
            Err(PacketError::WouldBlock) => ready.clear_ready(),
            // The launcher sends no descriptors: one that came is closed here.
            message => return Ok(message?.0),
        }
    }
}

/// What a message says to the core, if anything.
fn understand(message: Message, asked: &mut VecDeque<Asked>) -> Result<Option<Launched>, SessionError> {
    let answer = match message {
        Message::Ended { session, end } => return Ok(Some(Launched::Ended(session, end))),
        Message::Reply(answer) => answer,
    };
    let Asked { request, .. } = asked.pop_front().ok_or(SessionError::Answer)?;
    Ok(match (request, answer) {
        (Request::List, Answer::Apps(apps)) => Some(Launched::Catalogue(apps)),
        // It does not believe its own catalogue: no app is signed.
        (Request::List, Answer::Refused(refusal)) => {
            tracing::warn!(%refusal, "there is no catalogue");
            Some(Launched::Catalogue(vec![]))
        }
        (Request::Start { session, .. }, Answer::Started) => Some(Launched::Started(session)),
        (Request::Start { session, .. }, Answer::Refused(refusal)) => {
            tracing::warn!(session, %refusal, "an app is not started");
            Some(Launched::NotStarted(session, refusal))
        }
        (Request::Freeze { .. } | Request::Thaw { .. } | Request::End { .. }, Answer::Done) => None,
        (Request::Freeze { session } | Request::Thaw { session }, Answer::Refused(refusal)) => {
            tracing::warn!(session, %refusal, "an app is not frozen or thawed");
            Some(Launched::NotDone(session, refusal))
        }
        (Request::End { session }, Answer::Refused(Refusal::NoSession)) => {
            Some(Launched::NothingToEnd(session))
        }
        // An app that cannot be ended in any other way ends with the connection.
        (Request::End { .. }, Answer::Refused(_)) => return Err(SessionError::Dropped),
        _ => return Err(SessionError::Answer),
    })
}
