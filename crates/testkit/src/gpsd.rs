//! The image's gpsd as the watch runs it: sockets handed in, no port, no bus, a device it only reads, and only for clients.

use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::stat::Mode;
use sim::World;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

use crate::process::{FixtureError, Process, bound, io_error};
use crate::tree::Tree;

const DEVICE: &str = "gnss0";
const FIFO: &str = "fifo";
/// The socket for root's commands.
const COMMANDS: &str = "commands.sock";
const CLIENTS: &str = "gpsd.sock";

/// gpsd takes the first socket of systemd's (descriptor 3) for commands of root and the others for clients;
/// with one alone it gives up. `$$` stays the process id through both `exec`.
const HAND_IN: &str = r#"exec 3<&0 4<&1 0</dev/null 1>&2; LISTEN_FDS=2 LISTEN_PID=$$ exec "$@""#;

/// A running gpsd; it ends when this is dropped.
#[derive(Debug)]
pub struct Gpsd {
    process: Process,
    socket: PathBuf,
    commands: UnixListener,
    clients: OwnedFd,
    wrapper: Vec<String>,
    folder: TempDir,
}

impl Gpsd {
    /// Starts gpsd under the sky of a world.
    pub fn start(world: &World) -> Result<Self, FixtureError> {
        Self::start_within(world, &[])
    }

    /// As [`Gpsd::start`], by way of a program that execs what follows its own words, such as `unshare --net`.
    pub fn start_within(world: &World, wrapper: &[&str]) -> Result<Self, FixtureError> {
        let (gpsd, antenna) = Self::fed_within(wrapper)?;
        let world = world.clone();
        tokio::spawn(async move { world.tell_sky(antenna).await });
        Ok(gpsd)
    }

    /// Starts gpsd with a receiver that says what a test writes. What is written before gpsd has opened its device is
    /// lost.
    pub fn fed() -> Result<(Self, pipe::Sender), FixtureError> {
        Self::fed_within(&[])
    }

    /// As [`Gpsd::fed`], for clients that know no unix sockets: they come to this port, and nobody to [`Gpsd::socket`].
    pub fn fed_on(port: std::net::TcpListener) -> Result<(Self, pipe::Sender), FixtureError> {
        Self::fed_to(port.into(), folder()?, &[])
    }

    fn fed_within(wrapper: &[&str]) -> Result<(Self, pipe::Sender), FixtureError> {
        let folder = folder()?;
        let clients = listen(&folder.path().join(CLIENTS))?;
        Self::fed_to(clients.into(), folder, wrapper)
    }

    fn fed_to(
        clients: OwnedFd,
        folder: TempDir,
        wrapper: &[&str],
    ) -> Result<(Self, pipe::Sender), FixtureError> {
        let device = folder.path().join(FIFO);
        nix::unistd::mkfifo(&device, Mode::S_IRUSR | Mode::S_IWUSR)
            .map_err(|error| io_error("make a device for gpsd")(error.into()))?;
        // gpsd refuses a device whose very path another process has open.
        symlink(&device, folder.path().join(DEVICE)).map_err(io_error("make a device for gpsd"))?;
        let antenna = pipe::OpenOptions::new().read_write(true).open_sender(&device);
        let antenna = antenna.map_err(io_error("open gpsd's device"))?;
        let socket = folder.path().join(CLIENTS);
        let commands = listen(&folder.path().join(COMMANDS))?;
        let wrapper: Vec<String> = wrapper.iter().map(|word| (*word).to_owned()).collect();
        let process = run(&wrapper, &commands, &clients, folder.path())?;
        Ok((Self { process, socket, commands, clients, wrapper, folder }, antenna))
    }

    /// Takes the receiver away, as udev's hook does (gpsd(8), CONTROL SOCKET).
    pub async fn unplug(&self) -> Result<(), FixtureError> {
        self.command('-').await.map(drop)
    }

    /// Gives the receiver back. gpsd opens it at its second try: at the first it finds it open here.
    pub async fn plug(&self) -> Result<(), FixtureError> {
        self.command('+').await.map(drop)
    }

    async fn command(&self, sign: char) -> Result<[u8; 2], FixtureError> {
        let line = format!("{sign}{}\r\n", self.folder.path().join(DEVICE).display());
        let answered = async {
            let mut stream = UnixStream::connect(self.folder.path().join(COMMANDS)).await?;
            stream.write_all(line.as_bytes()).await?;
            let mut answer = [0; 2];
            stream.read_exact(&mut answer).await?;
            Ok(answer)
        };
        answered.await.map_err(io_error("tell gpsd of its device"))
    }

    /// The unix socket on which it speaks JSON. It can be connected to at once, and through restarts.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The unix socket for commands: `+DEVICE` and `-DEVICE`.
    pub fn commands(&self) -> PathBuf {
        self.folder.path().join(COMMANDS)
    }

    /// The receiver's device, as it was given it.
    pub fn device(&self) -> PathBuf {
        self.folder.path().join(DEVICE)
    }

    /// Whether it has the device open.
    pub fn has_device_open(&self) -> bool {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.pid())).into_iter().flatten().flatten();
        let fifo = self.folder.path().join(FIFO);
        open.filter_map(|entry| std::fs::read_link(entry.path()).ok()).any(|path| path == fifo)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Kills it, as a crash does. Its sockets stay, as systemd's do.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Kills it and starts it again.
    pub fn restart(&mut self) -> Result<(), FixtureError> {
        self.process.kill();
        self.process = run(&self.wrapper, &self.commands, &self.clients, self.folder.path())?;
        Ok(())
    }
}

impl Drop for Gpsd {
    fn drop(&mut self) {
        // Only a clean end removes its shared memory.
        self.process.terminate();
    }
}

fn folder() -> Result<TempDir, FixtureError> {
    tempfile::Builder::new().prefix("gpsd").tempdir().map_err(io_error("make a folder for gpsd"))
}

fn listen(path: &Path) -> Result<UnixListener, FixtureError> {
    UnixListener::bind(path).map_err(io_error("listen for gpsd"))
}

fn run(
    wrapper: &[String],
    commands: &UnixListener,
    clients: &OwnedFd,
    folder: &Path,
) -> Result<Process, FixtureError> {
    let mut command = bound("sh");
    command.args(["-c", HAND_IN, "sh"]).args(wrapper).args(Tree::find()?.words("usr/sbin/gpsd")?);
    // In the foreground, and never writing to the device.
    command.args(["-N", "-b"]).arg(folder.join(DEVICE));
    // Not the key of a gpsd of the host's.
    let key = format!("{:#x}", 0x4e53_0000_u32 | (std::process::id() & 0xffff));
    command.env("GPSD_SHM_KEY", key);
    let hand = "hand a socket to gpsd";
    command.stdin(Stdio::from(OwnedFd::from(commands.try_clone().map_err(io_error(hand))?)));
    command.stdout(Stdio::from(clients.try_clone().map_err(io_error(hand))?));
    Process::start("gpsd", &mut command, &folder.join("log"))
}
