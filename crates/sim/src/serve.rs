//! The world's sockets: modem and sky to the watch, control to the developer.

use std::io;
use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::{UnixListener, UnixStream};

use crate::control::{Command, LINE_LIMIT, Reply};
use crate::link::{self, Stream};
use crate::world::World;

impl World {
    /// Is the modem at the other end of `stream` until it closes, another terminal takes over, or the modem vanishes.
    pub async fn serve_modem(&self, stream: impl Stream) {
        let Some((id, mut queue)) = self.shared.attach() else { return };
        let (mut read, mut write) = tokio::io::split(stream);
        let answers = async {
            while let Some(bytes) = queue.recv().await {
                if write.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        };
        let questions = async {
            let mut bytes = [0; 1024];
            while let Ok(count @ 1..) = read.read(&mut bytes).await {
                self.shared.feed(bytes.get(..count).unwrap_or_default());
            }
        };
        tokio::select! {
            () = answers => {}
            () = questions => {}
        }
        self.shared.detach(id);
    }

    /// Connects the modem to a socket (QEMU's `-chardev socket,server=on`), again whenever it is lost.
    pub fn connect_modem(&self, path: impl Into<PathBuf>) {
        let (world, path) = (self.for_a_task(), path.into());
        self.runtime.spawn(async move {
            loop {
                if !world.shared.lock().line.faults().vanished() {
                    world.serve_modem(link::connect(&path).await).await;
                }
                tokio::time::sleep(link::RETRY).await;
            }
        });
    }

    /// Is the modem for whoever connects to the abstract socket `name`.
    pub fn listen_modem(&self, name: &str) -> io::Result<()> {
        let listener = {
            let _runtime = self.runtime.enter();
            link::listen_abstract(name)?
        };
        let world = self.for_a_task();
        self.runtime.spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let world = world.clone();
                        tokio::spawn(async move { world.serve_modem(stream).await });
                    }
                    // Out of descriptors, most likely: others may close theirs.
                    Err(_) => tokio::time::sleep(link::RETRY).await,
                }
            }
        });
        Ok(())
    }

    /// Is the sky for a receiver at the other end of `stream`; what the receiver is told to do is ignored.
    pub async fn serve_sky(&self, stream: impl Stream) {
        let (read, write) = tokio::io::split(stream);
        tokio::select! {
            () = self.tell_sky(write) => {}
            () = ignore(read) => {}
        }
    }

    /// Writes the sky's sentences, the newest whenever there is room, until nobody reads them.
    pub async fn tell_sky(&self, mut write: impl AsyncWrite + Unpin) {
        let mut sentences = self.shared.sentences.subscribe();
        loop {
            let newest = sentences.borrow_and_update().clone();
            if write.write_all(newest.as_bytes()).await.is_err() || sentences.changed().await.is_err() {
                return;
            }
        }
    }

    /// Connects the sky to a socket, again whenever it is lost.
    pub fn connect_sky(&self, path: impl Into<PathBuf>) {
        let (world, path) = (self.for_a_task(), path.into());
        self.runtime.spawn(async move {
            loop {
                let stream = link::connect(&path).await;
                link::small_buffer(&stream);
                world.serve_sky(stream).await;
                tokio::time::sleep(link::RETRY).await;
            }
        });
    }

    /// Listens for control commands on a unix socket; a socket file nobody listens on is replaced.
    pub fn serve_control(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        if path.exists() && StdStream::connect(path).is_err() {
            std::fs::remove_file(path)?;
        }
        let listener = {
            let _runtime = self.runtime.enter();
            UnixListener::bind(path)?
        };
        let world = self.for_a_task();
        self.runtime.spawn(async move {
            loop {
                match listener.accept().await {
                    // A client that went away has nobody to tell.
                    Ok((stream, _)) => drop(tokio::spawn(world.clone().obey(stream))),
                    Err(_) => tokio::time::sleep(link::RETRY).await,
                }
            }
        });
        Ok(())
    }

    async fn obey(self, stream: UnixStream) -> io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read);
        let mut line = Vec::new();
        loop {
            line.clear();
            let limit = LINE_LIMIT as u64;
            if (&mut read).take(limit).read_until(b'\n', &mut line).await? == 0 {
                return Ok(());
            }
            let whole = line.ends_with(b"\n");
            let reply = match serde_json::from_slice::<Command>(&line) {
                _ if !whole => Reply::Error { reason: format!("a line has at most {LINE_LIMIT} bytes") },
                Ok(command) => self.run(command),
                Err(error) => Reply::Error { reason: error.to_string() },
            };
            let mut answer = serde_json::to_vec(&reply)?;
            answer.push(b'\n');
            write.write_all(&answer).await?;
            if !whole {
                return Ok(());
            }
        }
    }
}

async fn ignore(mut read: impl AsyncRead + Unpin) {
    let mut bytes = [0; 256];
    while let Ok(1..) = read.read(&mut bytes).await {}
}
