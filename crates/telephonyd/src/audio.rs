//! The path between the modem and microphone and speaker: an ALSA UCM verb, set by a program the configuration names.
//!
//! **Invariants:** closed at the start, whatever an earlier process left; open only while a call is active; closing is tried until it
//! worked; nothing here makes a call wait or end.

use std::time::Duration;

use serde::Deserialize;
use tokio::sync::watch;

use crate::helper;

/// A verb takes milliseconds.
const LIMIT: Duration = Duration::from_secs(5);
/// Pauses between tries, doubled from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// Programs that switch the path, each a list: an absolute path and its arguments, which no shell sees. Empty where there is no
/// path (QEMU).
///
/// Each run is a new process. alsa-lib keeps the verb in force in the process that set it, so the one that sets `HiFi` does not know
/// of `Voice Call`, and runs no `DisableSequence` of it: the `EnableSequence` of `HiFi` itself has to undo all of `Voice Call`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AudioConfig {
    /// Opens it, for example `["/usr/bin/alsaucm", "-c", "watch", "set", "_verb", "Voice Call"]`.
    pub call: Vec<String>,
    /// Closes it, whatever was open, for example `["/usr/bin/alsaucm", "-c", "watch", "set", "_verb", "HiFi"]`.
    pub idle: Vec<String>,
}

/// The path, switched in a task of its own.
#[derive(Debug)]
pub(crate) struct Audio {
    wanted: watch::Sender<bool>,
    open: watch::Receiver<Option<bool>>,
}

impl Audio {
    /// Closes it.
    pub(crate) fn start(config: AudioConfig) -> Self {
        let (wanted, wants) = watch::channel(false);
        let (is, open) = watch::channel(None);
        tokio::spawn(switch(config, wants, is));
        Self { wanted, open }
    }

    /// From now on it is to be open, or closed.
    pub(crate) fn set(&self, open: bool) {
        self.wanted.send_replace(open);
    }

    /// Closes it before the daemon ends; takes no longer than `limit`.
    pub(crate) async fn close(&mut self, limit: Duration) {
        self.set(false);
        let closed = self.open.wait_for(|open| *open == Some(false));
        if tokio::time::timeout(limit, closed).await.is_err() {
            tracing::error!("the audio path may be open until the next start");
        }
    }
}

/// Ends when the daemon does.
async fn switch(config: AudioConfig, mut wants: watch::Receiver<bool>, is: watch::Sender<Option<bool>>) {
    let mut pause = PAUSES.0;
    loop {
        // The first is always to close.
        let want = is.borrow().is_some() && *wants.borrow_and_update();
        if *is.borrow() == Some(want) {
            if wants.changed().await.is_err() {
                return;
            }
            continue;
        }
        match set(&config, want).await {
            Ok(()) => {
                is.send_replace(Some(want));
                pause = PAUSES.0;
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, open = want, "the audio path is not switched");
                // Nobody knows how far it came: it is closed first.
                is.send_replace(None);
                let _ = tokio::time::timeout(pause, wants.changed()).await;
                pause = PAUSES.1.min(pause * 2);
            }
        }
    }
}

async fn set(config: &AudioConfig, open: bool) -> Result<(), helper::HelperError> {
    let program = if open { &config.call } else { &config.idle };
    if program.is_empty() { Ok(()) } else { helper::run(program, LIMIT).await }
}
