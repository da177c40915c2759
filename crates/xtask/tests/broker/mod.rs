//! The bus of the watch: Debian 13's own dbus-broker in a root that has the files of an image, so that accounts and
//! policy are read as on the watch. Needs root, for the accounts.

#![allow(dead_code, reason = "each test uses what it needs")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::StreamExt as _;
use nix::unistd::{Gid, Uid, setegid, seteuid, setgroups};
use tempfile::TempDir;
use xtask::debian::tree;
use xtask::image::files::Files;
use xtask::image::{self, Kind};
use zbus::message::Type;
use zbus::{Connection, MessageStream};

const SOCKET: &str = "run/dbus/system_bus_socket";
const PATIENCE: Duration = Duration::from_secs(20);
/// What every peer answers to every call: whoever gets it was let through.
const REACHED: &str = "org.nestling.Test.Reached";
/// What the bus says where its policy lets nobody through.
pub(crate) const DENIED: &str = "org.freedesktop.DBus.Error.AccessDenied";

/// An account of the image.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    uid: u32,
    gid: u32,
}

/// A running bus.
pub(crate) struct Broker {
    child: Child,
    root: TempDir,
    pub(crate) users: Vec<User>,
}

impl Broker {
    /// Starts the bus of an image.
    pub(crate) fn start(kind: Kind) -> Result<Self> {
        let files = image::assemble(kind, &tree::ensure(false)?, &[])?;
        Self::of(&files)
    }

    /// As [`Broker::start`], and lets an account more, which is not among the users, talk to `name` as it likes.
    pub(crate) fn start_with_a_hand(kind: Kind, name: &str) -> Result<(Self, User)> {
        let mut files = image::assemble(kind, &tree::ensure(false)?, &[])?;
        let hand = User { name: "test-hand".into(), uid: 65_000, gid: 65_000 };
        let policy = format!(
            "<busconfig><policy user=\"{}\"><allow send_destination=\"{name}\"/>\
             <allow receive_sender=\"{name}\"/></policy></busconfig>",
            hand.name
        );
        files.file("usr/share/dbus-1/system.d/test-hand.conf", 0o644, policy.into_bytes());
        let mut passwd = files.bytes("etc/passwd").unwrap_or_default().to_owned();
        passwd.extend_from_slice(format!("{}:x:{}:{}::/:/\n", hand.name, hand.uid, hand.gid).as_bytes());
        files.file("etc/passwd", 0o644, passwd);
        let mut broker = Self::of(&files)?;
        broker.users.retain(|user| user.name != hand.name);
        Ok((broker, hand))
    }

    fn of(files: &Files) -> Result<Self> {
        let root = tempfile::tempdir()?;
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755))?;
        let passwd = String::from_utf8_lossy(files.bytes("etc/passwd").unwrap_or_default()).into_owned();
        let users = passwd.lines().filter_map(user).collect();
        let needed = |path: &str| !path.starts_with("usr/lib/modules") && path != "etc/machine-id";
        files.unpack(root.path(), &needed)?;
        let at = |path: &str| root.path().join(path);
        for folder in ["run/dbus", "run/systemd/journal"] {
            fs::create_dir_all(at(folder))?;
        }
        // systemd makes one up when it starts.
        fs::write(at("etc/machine-id"), "0123456789abcdef0123456789abcdef\n")?;
        let journal = UnixDatagram::bind(at("run/systemd/journal/socket"))?;
        fs::set_permissions(at("run/systemd/journal/socket"), fs::Permissions::from_mode(0o666))?;
        // The broker writes a line for all it denies, and waits where nobody takes it.
        std::thread::spawn(move || while journal.recv(&mut [0; 4096]).is_ok() {});
        let child = tree::tool("usr/bin/systemd-socket-activate")
            .arg("-l")
            .arg(at(SOCKET))
            .arg("chroot")
            .arg(root.path())
            .args(["/usr/bin/dbus-broker-launch", "--scope", "system"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(at("log"))?)
            .spawn()?;
        let broker = Self { child, root, users };
        let begun = Instant::now();
        // The file is there a moment before anybody listens on it.
        while UnixStream::connect(broker.socket()).is_err() {
            ensure!(begun.elapsed() < PATIENCE, "no socket: {}", broker.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        fs::set_permissions(broker.socket(), fs::Permissions::from_mode(0o666))?;
        Ok(broker)
    }

    /// A program of the image, run in its root as one of its users with this bus for every bus.
    pub(crate) fn program(&self, user: &User, program: &str) -> Command {
        let mut command = Command::new("chroot");
        command.arg(format!("--userspec={}:{}", user.uid, user.gid)).arg("--groups=");
        command.arg(self.root.path()).arg(program).stdin(Stdio::null());
        for bus in ["DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS"] {
            command.env(bus, format!("unix:path=/{SOCKET}"));
        }
        command
    }

    /// A folder below which the image's files lie.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    fn socket(&self) -> PathBuf {
        self.root.path().join(SOCKET)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.root.path().join("log")).unwrap_or_default()
    }

    /// A connection of `user`, who answers every call with an error of its own and remembers signals.
    pub(crate) async fn connect(&self, user: &User) -> Result<Peer> {
        let address = format!("unix:path={}", self.socket().display());
        let builder = zbus::connection::Builder::address(address.as_str()).method_timeout(PATIENCE);
        // The bus knows a peer by who it was when it connected.
        setgroups(&[])?;
        setegid(Gid::from_raw(user.gid))?;
        seteuid(Uid::from_raw(user.uid))?;
        let connection = builder.build().await;
        seteuid(Uid::from_raw(0))?;
        setegid(Gid::from_raw(0))?;
        let connection = connection.map_err(|error| anyhow::anyhow!("{error}: {}", self.log()))?;
        let heard = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(answer(connection.clone(), Arc::clone(&heard)));
        let peer = Peer { user: user.name.clone(), connection, heard };
        peer.bus("AddMatch", &"type='signal'").await?;
        Ok(peer)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // The broker itself ends with its launcher.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn user(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let name = fields.next()?.to_owned();
    let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(User { name, uid, gid })
}

async fn answer(connection: Connection, heard: Arc<Mutex<Vec<String>>>) {
    let mut messages = MessageStream::from(&connection);
    while let Some(Ok(message)) = messages.next().await {
        let header = message.header();
        match message.message_type() {
            Type::MethodCall => {
                let _ = connection.reply_error(&header, REACHED, &()).await;
            }
            Type::Signal => {
                if let (Some(member), Ok(mut heard)) = (header.member(), heard.lock()) {
                    heard.push(member.to_string());
                }
            }
            _ => {}
        }
    }
}

/// Somebody on the bus.
pub(crate) struct Peer {
    pub(crate) user: String,
    connection: Connection,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    async fn bus(
        &self,
        member: &str,
        body: &(impl serde::Serialize + zbus::zvariant::DynamicType),
    ) -> Result<zbus::Message> {
        let bus = "org.freedesktop.DBus";
        Ok(self.connection.call_method(Some(bus), "/org/freedesktop/DBus", Some(bus), member, body).await?)
    }

    /// `:1.7`
    pub(crate) fn unique_name(&self) -> String {
        self.connection.unique_name().map(ToString::to_string).unwrap_or_default()
    }

    /// Whether it may have a name. It has it from then on.
    pub(crate) async fn owns(&self, name: &str) -> bool {
        self.bus("RequestName", &(name, 4_u32)).await.is_ok()
    }

    /// Whether a call reaches its destination, or, for the bus itself, is not denied.
    pub(crate) async fn reaches(&self, to: &str, path: &str, interface: Option<&str>, member: &str) -> bool {
        let Err(error) = self.connection.call_method(Some(to), path, interface, member, &()).await else {
            return true;
        };
        // Reads as its name and what it says, whichever of zbus's kinds it is.
        let error = error.to_string();
        let reached = error.starts_with(REACHED);
        let by_the_bus = to == "org.freedesktop.DBus" && error.starts_with("org.freedesktop.DBus.Error");
        if error.starts_with(DENIED) {
            return false;
        }
        assert!(reached || by_the_bus, "{} asked {to} for {member}: {error}", self.user);
        true
    }

    /// Calls a method of somebody real. An error reads as its name and what it says.
    pub(crate) async fn call(
        &self,
        to: &str,
        path: &str,
        interface: Option<&str>,
        member: &str,
        body: &(impl serde::Serialize + zbus::zvariant::DynamicType),
    ) -> Result<zbus::Message, String> {
        let answer = self.connection.call_method(Some(to), path, interface, member, body).await;
        answer.map_err(|error| error.to_string())
    }

    /// The unique name of who has a name.
    pub(crate) async fn owner(&self, name: &str) -> Result<String> {
        Ok(self.bus("GetNameOwner", &name).await?.body().deserialize()?)
    }

    /// Sends a signal, to one or to all.
    pub(crate) async fn signal(&self, to: Option<&str>, member: &str) -> Result<()> {
        Ok(self.connection.emit_signal(to, "/", "org.nestling.Test", member, &()).await?)
    }

    /// Returns when the bus has passed on all that was sent, and this peer has all that was for it.
    pub(crate) async fn settle(&self) -> Result<()> {
        self.bus("GetId", &()).await.map(drop)
    }

    /// The members of all signals it got.
    pub(crate) fn all_heard(&self) -> Vec<String> {
        self.heard.lock().map(|heard| heard.clone()).unwrap_or_default()
    }

    /// Whether it got a signal.
    pub(crate) fn heard(&self, member: &str) -> bool {
        self.heard.lock().is_ok_and(|heard| heard.iter().any(|one| one == member))
    }
}
