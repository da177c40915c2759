//! Whether the modem and ModemManager are to be started again. No I/O.
//!
//! telephonyd may end neither: it asks by writing a file, and systemd restarts ModemManager
//! (`services/units/nestling-modem-again.path`).

use std::time::Duration;

/// A healthy modem is asked this often: a hung one is noticed, and ModemManager restarted, within half a minute.
const EVERY: Duration = Duration::from_secs(12);
/// ModemManager finds a modem within the first time, and one that was reset is back; where that did not help it gets
/// twice as long after each restart, up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_secs(30), Duration::from_mins(10));
/// One answer may be late for many reasons.
const MISSES: u32 = 2;

/// What is known of it.
#[derive(Debug)]
pub(super) struct Health {
    misses: u32,
    /// Since when ModemManager is there without a modem.
    alone_since: Option<Duration>,
    pause: Duration,
    /// It did not do something it was told.
    doubted: bool,
}

/// What is to be done, and when to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) restart: bool,
    pub(super) again_in: Duration,
}

impl Health {
    pub(super) fn new() -> Self {
        Self { misses: 0, alone_since: None, pause: PAUSES.0, doubted: false }
    }

    /// ModemManager came or went: it begins anew, but not the pauses, which only an answer ends.
    pub(super) fn other_manager(&mut self) {
        *self = Self { pause: self.pause, ..Self::new() };
    }

    /// A command failed.
    pub(super) fn doubt(&mut self) {
        self.doubted = true;
    }

    /// Whether one failed, and nothing was answered since.
    pub(super) fn is_doubted(&self) -> bool {
        self.doubted
    }

    /// The modem answered.
    pub(super) fn answered(&mut self) -> Verdict {
        *self = Self::new();
        Verdict { restart: false, again_in: EVERY }
    }

    /// It did not.
    pub(super) fn missed(&mut self) -> Verdict {
        self.alone_since = None;
        self.misses += 1;
        if self.misses < MISSES {
            return Verdict { restart: false, again_in: Duration::ZERO };
        }
        self.restart()
    }

    /// ModemManager has no modem.
    pub(super) fn alone(&mut self, now: Duration) -> Verdict {
        self.misses = 0;
        let waited = now.saturating_sub(*self.alone_since.get_or_insert(now));
        if waited < self.pause {
            return Verdict { restart: false, again_in: self.pause.saturating_sub(waited) };
        }
        self.restart()
    }

    fn restart(&mut self) -> Verdict {
        let again_in = self.pause;
        *self = Self { pause: PAUSES.1.min(again_in * 2), ..Self::new() };
        Verdict { restart: true, again_in }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(seconds: u64) -> Verdict {
        Verdict { restart: false, again_in: Duration::from_secs(seconds) }
    }

    fn restart(seconds: u64) -> Verdict {
        Verdict { restart: true, again_in: Duration::from_secs(seconds) }
    }

    #[test]
    fn a13_two_answers_that_do_not_come_restart_modem_manager_and_one_does_not() {
        let mut health = Health::new();
        assert_eq!(health.answered(), wait(12));
        health.doubt();
        assert_eq!(health.missed(), wait(0));
        assert!(health.is_doubted(), "it is asked again as it was");
        assert_eq!(health.answered(), wait(12));
        assert!(!health.is_doubted());
        health.doubt();
        assert_eq!(health.missed(), wait(0));
        assert_eq!(health.missed(), restart(30));
        assert!(!health.is_doubted());
        // The next one is not blamed for what this one did not answer.
        assert_eq!(health.missed(), wait(0));
    }

    #[test]
    fn a13_a_modem_manager_without_a_modem_is_restarted_but_not_before_the_modem_had_its_time() {
        let mut health = Health::new();
        assert_eq!(health.alone(Duration::from_secs(100)), wait(30));
        assert_eq!(health.alone(Duration::from_secs(112)), wait(18));
        assert_eq!(health.alone(Duration::from_secs(130)), restart(30));
        health.other_manager();
        assert_eq!(health.alone(Duration::from_secs(132)), wait(60), "it may only be slow");
        assert_eq!(health.alone(Duration::from_secs(192)), restart(60));
    }

    #[test]
    fn where_no_restart_helps_they_become_rare_until_one_does() {
        let mut health = Health::new();
        let mut pauses = Vec::new();
        for _ in 0..7 {
            health.other_manager();
            health.missed();
            pauses.push(health.missed().again_in.as_secs());
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 600, 600]);
        health.answered();
        health.missed();
        assert_eq!(health.missed(), restart(30));
    }
}
