//! The track on a thread of its own: a disk that hangs keeps nobody waiting.
//!
//! **Invariants:** telling it never blocks; with nothing to expire it sleeps until it is told something.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;
use std::{fs, io};

use daemon::wall::Now;

use super::age::INTERVAL;
use super::{Track, TrackError};
use crate::core::Whereabouts;

/// What waits for the disk at most; the rest is lost.
const QUEUE: usize = 64;

/// Where locationd leaves what the track should keep.
#[derive(Debug)]
pub struct Keeper {
    words: SyncSender<Option<(Whereabouts, Option<Duration>)>>,
    /// Hours a row is kept; 0 while no rules are in force. Not in the queue, which may be full.
    hours: Arc<AtomicU16>,
}

impl Keeper {
    /// Starts with the track in `folder`. `runtime` is emptied by every boot.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start(folder: &Path, runtime: &Path) -> io::Result<Self> {
        let (sender, words) = sync_channel(QUEUE);
        let hours = Arc::new(AtomicU16::new(0));
        let shelf = Shelf {
            folder: folder.to_owned(),
            mark: runtime.join("track-opened"),
            track: None,
            tried: None,
            hours: Arc::clone(&hours),
            failed: false,
        };
        thread::Builder::new().name("track".into()).spawn(move || shelf.keep(&words))?;
        Ok(Self { words: sender, hours })
    }

    /// A position that is believed; see [`Track::seen`].
    pub fn seen(&self, here: Whereabouts, last: Option<Duration>) {
        // A row that is lost is better than a zone that is late.
        let _ = self.words.try_send(Some((here, last)));
    }

    /// Other rules; see [`Track::keep_for`].
    pub fn keep_for(&self, hours: Option<u16>) {
        self.hours.store(hours.unwrap_or_default(), Ordering::Relaxed);
        // When the queue is full there is a word after which it is looked at.
        let _ = self.words.try_send(None);
    }
}

struct Shelf {
    folder: PathBuf,
    /// There since the track was opened in this boot.
    mark: PathBuf,
    track: Option<Track>,
    tried: Option<Duration>,
    hours: Arc<AtomicU16>,
    /// Whether the last thing failed, for the journal.
    failed: bool,
}

impl Shelf {
    fn keep(mut self, words: &Receiver<Option<(Whereabouts, Option<Duration>)>>) {
        let mut word = None;
        loop {
            let done = self.take(word, Now::read());
            if let Err(error) = &done
                && !self.failed
            {
                let cause = error.source().map(ToString::to_string);
                tracing::warn!(%error, cause, "position and zones go on");
            }
            self.failed = done.is_err();
            // Without a track, until somebody has a position for it.
            let next = match self.track.as_ref().and_then(Track::due) {
                Some(due) => words.recv_timeout(due),
                None => words.recv().map_err(RecvTimeoutError::from),
            };
            word = match next {
                Ok(word) => word,
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
        }
    }

    fn take(&mut self, seen: Option<(Whereabouts, Option<Duration>)>, now: Now) -> Result<(), TrackError> {
        if self.track.is_none() && self.tried.is_none_or(|tried| now.boot >= tried + INTERVAL) {
            self.tried = Some(now.boot);
            self.track = Some(Track::open(&self.folder, self.mark.exists(), now)?);
            // Without it the next start counts a little more than has passed.
            let _ = fs::write(&self.mark, "");
        }
        let Some(track) = &mut self.track else { return Ok(()) };
        track.keep_for(Some(self.hours.load(Ordering::Relaxed)).filter(|hours| *hours > 0), now)?;
        seen.map_or(Ok(()), |(here, last)| track.seen(&here, last, now))
    }
}
