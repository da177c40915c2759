//! The ring itself: a sound by a program the configuration names, and a vibrator that the kernel shows as a LED.
//!
//! **Invariants:** nothing here reads from a device; silent at the start and when the ring is over; a failure is told once a ring,
//! and stops no call.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use tokio::process::Child;
use tokio::sync::watch;

use crate::helper;

/// On, then off, as long as it rings.
const PULSE: Duration = Duration::from_secs(1);

/// What rings. Both are absent where there is no such hardware (QEMU).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RingConfig {
    /// A program that plays the ring once, an absolute path and its arguments, for example
    /// `["/usr/bin/aplay", "-q", "-D", "ring", "/usr/share/nestling/ring.wav"]`; started again while it rings.
    pub player: Vec<String>,
    /// Folder of the vibrator's LED, for example `/sys/class/leds/vibrator`; its `brightness` is written.
    pub vibrator: Option<PathBuf>,
}

/// Rings in a task of its own.
#[derive(Debug)]
pub(crate) struct Ring(watch::Sender<bool>);

impl Ring {
    /// Silent.
    pub(crate) fn start(config: RingConfig) -> Self {
        let (rings, changes) = watch::channel(false);
        tokio::spawn(Ringer { config, player: None, failed: false }.run(changes));
        Self(rings)
    }

    /// Begins or ends.
    pub(crate) fn set(&self, rings: bool) {
        self.0.send_if_modified(|was| std::mem::replace(was, rings) != rings);
    }
}

struct Ringer {
    config: RingConfig,
    player: Option<Child>,
    /// Told already.
    failed: bool,
}

impl Ringer {
    async fn run(mut self, mut rings: watch::Receiver<bool>) {
        loop {
            self.vibrate(false);
            // Dropped, it ends.
            self.player = None;
            if rings.wait_for(|rings| *rings).await.is_err() {
                return;
            }
            self.failed = false;
            let mut on = false;
            while *rings.borrow_and_update() {
                on = !on;
                self.vibrate(on);
                self.play();
                // An end within a pulse is heard at once.
                if let Ok(Err(_)) = tokio::time::timeout(PULSE, rings.changed()).await {
                    return;
                }
            }
        }
    }

    fn vibrate(&mut self, on: bool) {
        let Some(folder) = &self.config.vibrator else { return };
        if let Err(error) = fs::write(folder.join("brightness"), if on { "255" } else { "0" }) {
            self.fails(&error, "the vibrator does not move");
        }
    }

    fn play(&mut self) {
        let goes_on = self.player.as_mut().is_some_and(|player| matches!(player.try_wait(), Ok(None)));
        if goes_on || self.config.player.is_empty() {
            return;
        }
        match helper::start(&self.config.player) {
            Ok(player) => self.player = Some(player),
            Err(error) => self.fails(&error, "there is no sound"),
        }
    }

    fn fails(&mut self, error: &dyn std::error::Error, what: &'static str) {
        if !std::mem::replace(&mut self.failed, true) {
            let cause = error.source().map(ToString::to_string);
            tracing::error!(%error, cause, "{what}");
        }
    }
}
