//! Notices when somebody else touches the store's directory (inotify).

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::unistd::read;
use tokio::io::unix::AsyncFd;

/// A watch on one directory.
#[derive(Debug)]
pub struct Guard {
    inotify: AsyncFd<OwnedFd>,
}

impl Guard {
    /// Begins to watch.
    ///
    /// # Errors
    /// The directory is not there, or the kernel has no watches left.
    pub fn new(directory: &Path) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        let changes = AddWatchFlags::IN_MODIFY
            | AddWatchFlags::IN_ATTRIB
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_MOVED_FROM
            | AddWatchFlags::IN_DELETE;
        inotify.add_watch(directory, changes)?;
        #[expect(deprecated, reason = "its replacement is unsafe; an OwnedFd keeps what that one asks for")]
        let inotify = AsyncFd::new(OwnedFd::from(inotify))?;
        Ok(Self { inotify })
    }

    /// Comes when something changed, whoever did it. What changed is for the caller to look at: events can
    /// be lost when many come.
    ///
    /// # Errors
    /// The kernel's queue cannot be read.
    pub async fn changed(&self) -> io::Result<()> {
        let mut events = [0; 4096];
        loop {
            let mut ready = self.inotify.readable().await?;
            match read(ready.get_inner(), &mut events) {
                Ok(_) => return Ok(()),
                Err(Errno::EAGAIN) => ready.clear_ready(),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
