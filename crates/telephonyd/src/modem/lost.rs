//! When ModemManager is to ask for the network again. No I/O.
//!
//! A modem looks for its network by itself and says when it has it. ModemManager may still not know: it reads the short and the
//! long form of `+CREG` one after the other, so `+CREG: 0` and `+CREG: 1,…` that come in one piece leave it with the first. Then
//! it dials nobody but emergency numbers, for as long as the modem stays where it is. `Modem3gpp.Register` has it look.

use std::time::Duration;

/// After the first of these without a network it is asked for, and after twice as long each time, up to the second: where there
/// is none, looking for it costs the battery.
const PAUSES: (Duration, Duration) = (Duration::from_secs(8), Duration::from_mins(10));

/// Since when there is no network, and how often that was doubted.
#[derive(Debug)]
pub(super) struct Lost {
    since: Option<Duration>,
    pause: Duration,
}

impl Lost {
    pub(super) fn new() -> Self {
        Self { since: None, pause: PAUSES.0 }
    }

    /// ModemManager says it has a network, or could have none.
    pub(super) fn found(&mut self) {
        *self = Self::new();
    }

    /// It says there is none; `now` is the boot-time clock. Returns when that is to be doubted.
    pub(super) fn gone(&mut self, now: Duration) -> Duration {
        *self.since.get_or_insert(now) + self.pause
    }

    /// There is still none. Returns whether ModemManager is to look again.
    pub(super) fn is_doubtful(&mut self, now: Duration) -> bool {
        let since = *self.since.get_or_insert(now);
        if now.saturating_sub(since) < self.pause {
            return false;
        }
        *self = Self { since: Some(now), pause: PAUSES.1.min(self.pause * 2) };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a13_a_network_that_is_not_there_is_asked_for_after_seconds_and_then_less_and_less_often() {
        let mut lost = Lost::new();
        let asked: Vec<u64> =
            (100..3000).filter(|second| lost.is_doubtful(Duration::from_secs(*second))).collect();
        assert_eq!(asked, [108, 124, 156, 220, 348, 604, 1116, 1716, 2316, 2916]);
        lost.found();
        assert_eq!(lost.gone(Duration::from_mins(50)), Duration::from_secs(3008));
        assert!(!lost.is_doubtful(Duration::from_secs(3007)));
        assert!(lost.is_doubtful(Duration::from_secs(3008)));
    }
}
