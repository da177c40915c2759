//! A launcher that runs nothing: it listens as the real one does, answers, and remembers.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use launch::{Answer, AppId, AppInfo, End, Message, Refusal, Request, receive, send};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen, socket_with,
};
use tokio::sync::watch;

use super::PATIENCE;

#[derive(Debug, Default)]
pub(crate) struct Book {
    /// All that was asked, since the beginning.
    pub(crate) requests: Vec<Request>,
    pub(crate) displays: HashMap<u64, Arc<OwnedFd>>,
    pub(crate) connections: usize,
    refuses: Option<Refusal>,
    is_mute: bool,
    socket: Option<Arc<OwnedFd>>,
}

pub(crate) struct Launcher(watch::Sender<Book>);

impl Launcher {
    pub(crate) fn start(path: &Path) -> Self {
        let listener =
            socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        bind(&listener, &SocketAddrUnix::new(path).unwrap()).unwrap();
        listen(&listener, 4).unwrap();
        let book = watch::Sender::new(Book::default());
        let launcher = Self(book.clone());
        // Ends with the test's process.
        std::thread::spawn(move || {
            while let Ok(socket) = accept_with(&listener, SocketFlags::CLOEXEC) {
                let socket = Arc::new(socket);
                book.send_modify(|book| {
                    book.connections += 1;
                    book.socket = Some(Arc::clone(&socket));
                });
                serve(&socket, &book);
                book.send_modify(|book| book.socket = None);
            }
        });
        launcher
    }

    pub(crate) fn book(&self) -> watch::Ref<'_, Book> {
        self.0.borrow()
    }

    pub(crate) fn refuse(&self, refusal: Option<Refusal>) {
        self.0.send_modify(|book| book.refuses = refusal);
    }

    /// Answers nothing any more.
    pub(crate) fn is_mute(&self, mute: bool) {
        self.0.send_modify(|book| book.is_mute = mute);
    }

    /// Ends the connection, as a crash does.
    pub(crate) fn crash(&self) {
        let socket = self.0.borrow().socket.clone().unwrap();
        rustix::net::shutdown(&*socket, rustix::net::Shutdown::Both).unwrap();
    }

    /// An app is over by itself.
    pub(crate) fn ends(&self, session: u64, end: End) {
        let socket = self.0.borrow().socket.clone().unwrap();
        send(&*socket, &Message::Ended { session, end }, None).unwrap();
    }

    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&Book) -> bool) {
        let mut book = self.0.subscribe();
        let there = tokio::time::timeout(PATIENCE, book.wait_for(|book| wanted(book))).await.is_ok();
        assert!(there, "never: {what}; the launcher was asked {:?}", self.book().requests);
    }

    pub(crate) async fn is_asked(&self, request: &Request) {
        self.until(&format!("{request:?}"), |book| book.requests.contains(request)).await;
    }

    /// Never within a moment.
    pub(crate) async fn is_not_asked(&self, what: &str, wanted: impl Fn(&Request) -> bool) {
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!self.book().requests.iter().any(wanted), "{what}: {:?}", self.book().requests);
    }
}

fn info(app: &str, name: &str) -> AppInfo {
    AppInfo { id: AppId::parse(app).unwrap(), name: name.into(), category: "creative".into(), age: 3 }
}

fn serve(socket: &OwnedFd, book: &watch::Sender<Book>) {
    while let Ok((request, display)) = receive::<Request>(socket) {
        let (refuses, is_mute) = (book.borrow().refuses, book.borrow().is_mute);
        let (answer, ended) = match &request {
            Request::List => (Answer::Apps(vec![info("draw", "Draw"), info("maze", "Maze")]), None),
            Request::Start { .. } => (refuses.map_or(Answer::Started, Answer::Refused), None),
            Request::Freeze { .. } | Request::Thaw { .. } => (Answer::Done, None),
            Request::End { session } => (Answer::Done, Some(*session)),
        };
        book.send_modify(|book| {
            if let (Request::Start { session, .. }, Some(display)) = (&request, display) {
                book.displays.insert(*session, Arc::new(display));
            }
            book.requests.push(request);
        });
        if is_mute {
            continue;
        }
        // Who asked may be gone.
        let _ = send(socket, &Message::Reply(answer), None);
        if let Some(session) = ended {
            let _ = send(socket, &Message::Ended { session, end: End::Signalled(9) }, None);
        }
    }
}
