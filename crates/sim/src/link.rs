//! Byte streams to the watch: a socket that is connected to again and again, or one that listens.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener as StdListener};
use std::path::Path;
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{UnixListener, UnixStream};

/// How long after a lost or refused connection the next is tried.
pub(crate) const RETRY: Duration = Duration::from_millis(100);

/// A stream in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// Connects to a socket that may not be there yet, for as long as it takes.
pub(crate) async fn connect(path: &Path) -> UnixStream {
    loop {
        if let Ok(stream) = UnixStream::connect(path).await {
            return stream;
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Keeps a socket that nobody reads from hoarding: what waits in it is a few seconds old at most.
pub(crate) fn small_buffer(stream: &UnixStream) {
    // A refusal only means that a receiver which wakes up late reads older positions first.
    let _ = setsockopt(stream, sockopt::SndBuf, &4096);
}

/// Listens on an abstract socket.
pub(crate) fn listen_abstract(name: &str) -> io::Result<UnixListener> {
    let address = SocketAddr::from_abstract_name(name)?;
    let listener = StdListener::bind_addr(&address)?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}
