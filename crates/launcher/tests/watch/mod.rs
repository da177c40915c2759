//! A launcher on a real socket; what was granted and signed is made up.
#![allow(dead_code, unreachable_pub, reason = "each test program uses its own part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it is surprised")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use launch::{Answer, AppId, AppInfo, Message, Refusal, Request};
use nestling_launcher::bundles::Bundles;
use nestling_launcher::grants::Grants;
use nestling_launcher::server::{Server, Setup};
use nestling_launcher::users::Users;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use sandbox::cgroup::{Delegated, Limits};
use sandbox::seccomp::Filter;
use sandbox::{Attached, Tree};

use crate::world::{self, World};

#[derive(Clone, Default)]
pub struct Family(pub Rc<RefCell<BTreeMap<String, Refusal>>>);

impl Grants for Family {
    fn may_open(&mut self, app: &AppInfo) -> Result<(), Refusal> {
        self.0.borrow().get(app.id.as_str()).map_or(Ok(()), |refusal| Err(*refusal))
    }
}

pub struct Reviewers(pub Source);

pub enum Source {
    Folder(PathBuf),
    Image(Attached),
}

impl Bundles for Reviewers {
    fn apps(&mut self) -> Result<Vec<AppInfo>, Refusal> {
        Ok(vec![info("draw")])
    }

    fn info(&mut self, app: &AppId) -> Result<AppInfo, Refusal> {
        if app.as_str() == "unsigned" { Err(Refusal::NotSigned) } else { Ok(info(app.as_str())) }
    }

    fn tree(&mut self, app: &AppId) -> Result<(AppInfo, Tree), Refusal> {
        let tree = match app.as_str() {
            "unsigned" => Err(Refusal::NotSigned),
            "altered" => Err(Refusal::Altered),
            name => match &self.0 {
                Source::Folder(folder) if name == "empty" => folder_tree(&folder.join("data")),
                Source::Folder(folder) => folder_tree(folder),
                Source::Image(image) => image.tree().map_err(|_| Refusal::Sandbox),
            },
        };
        Ok((info(app.as_str()), tree?))
    }
}

/// What was signed about an app.
pub fn info(app: &str) -> AppInfo {
    AppInfo { id: id(app), name: app.to_uppercase(), category: "creative".into(), age: 3 }
}

pub fn folder_tree(path: &Path) -> Result<Tree, Refusal> {
    Tree::bundle(File::open(path).unwrap()).map_err(|_| Refusal::Sandbox)
}

pub fn id(text: &str) -> AppId {
    AppId::parse(text).unwrap()
}

pub struct Watch {
    pub server: Server<Family, Reviewers>,
    pub family: Family,
    pub address: PathBuf,
    pub cgroup: PathBuf,
    pub data: PathBuf,
    _world: World,
}

impl Watch {
    pub fn new() -> Self {
        Self::with_peer(0)
    }

    pub fn with_peer(peer: u32) -> Self {
        let world = World::new();
        let source = Source::Folder(world.bundle());
        Self::build(world, peer, source, None)
    }

    pub fn build(world: World, peer: u32, source: Source, limits: Option<Limits>) -> Self {
        let data = world.folder.path().join("all-data");
        fs::create_dir(&data).unwrap();
        fs::set_permissions(&data, Permissions::from_mode(0o700)).unwrap();
        let cgroup = world::delegated().1.join(world::unique("launcher"));
        fs::create_dir(&cgroup).unwrap();
        let address = world.folder.path().join("socket");
        let listener = rustix::net::socket_with(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            None,
        )
        .unwrap();
        rustix::net::bind(&listener, &SocketAddrUnix::new(&address).unwrap()).unwrap();
        rustix::net::listen(&listener, 4).unwrap();
        let family = Family::default();
        let setup = Setup {
            peer,
            screen: 0,
            grants: family.clone(),
            bundles: Reviewers(source),
            users: Users::new(&data, (20_000, 20_009)),
            cgroup: Delegated::open(&cgroup).unwrap(),
            limits,
            filter: Filter::native().unwrap(),
            sessions: 2,
        };
        let server = Server::new(setup, listener).unwrap();
        Self { server, family, address, cgroup, data, _world: world }
    }

    /// One more appd.
    pub fn connect(&mut self) -> OwnedFd {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        rustix::net::connect(&socket, &SocketAddrUnix::new(&self.address).unwrap()).unwrap();
        self.turn();
        socket
    }

    pub fn turn(&mut self) {
        self.server.turn(Some(Duration::from_millis(5))).unwrap();
    }

    /// The next message.
    pub fn hear(&mut self, appd: &OwnedFd) -> Message {
        let start = Instant::now();
        loop {
            match launch::receive(appd) {
                Ok((message, None)) => return message,
                Ok((_, Some(_))) => panic!("a descriptor"),
                Err(launch::PacketError::WouldBlock) => self.turn(),
                Err(error) => panic!("{error:?}"),
            }
            assert!(start.elapsed() < Duration::from_secs(20), "no answer");
        }
    }

    pub fn ask(&mut self, appd: &OwnedFd, request: &Request, descriptor: Option<BorrowedFd<'_>>) -> Answer {
        launch::send(appd, request, descriptor).unwrap();
        match self.hear(appd) {
            Message::Reply(answer) => answer,
            other @ Message::Ended { .. } => panic!("{other:?}"),
        }
    }

    /// The next message after a request, the reply or not.
    pub fn told(&mut self, appd: &OwnedFd, request: &Request) -> Message {
        launch::send(appd, request, None).unwrap();
        self.hear(appd)
    }

    pub fn start(&mut self, appd: &OwnedFd, app: &str, session: u64) -> (Answer, Screen) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let request = Request::Start { app: id(app), session };
        let answer = self.ask(appd, &request, Some(theirs.as_fd()));
        (answer, Screen(BufReader::new(ours)))
    }

    pub fn started(&mut self, appd: &OwnedFd, app: &str, session: u64) -> Screen {
        let (answer, mut screen) = self.start(appd, app, session);
        assert_eq!(answer, Answer::Started);
        assert_eq!(screen.line(), "main");
        screen
    }

    pub fn leaves(&self) -> usize {
        fs::read_dir(&self.cgroup).unwrap().flatten().filter(|entry| entry.path().is_dir()).count()
    }

    /// Goes on until so many apps are left, and no turn may take long. A descriptor that was closed here can be open for
    /// another moment in a fork of another test.
    pub fn turn_until(&mut self, leaves: usize) {
        let start = Instant::now();
        while self.leaves() > leaves {
            let turn = Instant::now();
            self.turn();
            assert!(turn.elapsed() < Duration::from_secs(2), "the loop stands still");
            assert!(start.elapsed() < Duration::from_secs(10), "an app stays");
        }
    }

    pub fn is_hung_up(&mut self, appd: &OwnedFd) -> bool {
        self.turn();
        matches!(launch::receive::<Message>(appd), Err(launch::PacketError::Gone))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        Delegated::open(&self.cgroup).unwrap().sweep("app-").unwrap();
        fs::remove_dir(&self.cgroup).unwrap();
    }
}

/// The shell's end of an app's display.
pub struct Screen(pub BufReader<UnixStream>);

impl Screen {
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub fn tell(&mut self, line: &str) {
        writeln!(self.0.get_mut(), "{line}").unwrap();
    }
}
