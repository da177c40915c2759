//! After a call to an emergency number those who help may call back, from a number nobody knows.
//!
//! **Invariants:** the window runs on the boot-time clock, whatever the wall clock says, and ends with a reboot; only a call
//! that the modem made opens it; what rings because of it says so in the diary, and gets no other right.

use std::time::Duration;

use policy::{Action, Caller};
use serde::{Deserialize, Serialize};

use super::screen::Who;
use super::types::Effect;
use super::{Core, caller};

/// How long anybody's call rings after an emergency call has ended. No standard says: a network carries the call back whatever
/// the subscriber has barred, and leaves the time to regulation (3GPP TS 22.101, clause 10, as we read it; RFC 7090 tells why
/// screening must not stop it); Android's emergency callback mode holds 5 minutes. Those on their way to a child may take longer
/// than that to ask where the door is.
pub(super) const WINDOW: Duration = Duration::from_mins(30);
/// Longer than any emergency number.
const LONGEST: usize = 8;

/// The window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallBack {
    /// The emergency number that was called.
    number: String,
    /// Its end on the boot-time clock, milliseconds.
    until_ms: u64,
}

impl CallBack {
    fn is_open(&self, now: Duration) -> bool {
        now < Duration::from_millis(self.until_ms)
    }
}

impl Core {
    /// The call on the screen is at the modem now: if it is one for help, help may call back.
    pub(super) fn help_was_called(&mut self, now: Duration) {
        if let Some(screen) = self.screen.as_ref().filter(|screen| screen.is_emergency()) {
            let number = screen.call.name.clone();
            self.expect_call_back(&number, now);
        }
    }

    /// Opens the window, or moves its end.
    pub(super) fn expect_call_back(&mut self, number: &str, now: Duration) {
        if !self.call_back.as_ref().is_some_and(|window| window.is_open(now)) {
            let minutes = WINDOW.as_secs() / 60;
            self.record(
                "emergency-window",
                vec![("number", number.into()), ("minutes", minutes.to_string())],
            );
        }
        let until_ms = u64::try_from((now + WINDOW).as_millis()).unwrap_or(u64::MAX);
        let window = CallBack { number: number.to_owned(), until_ms };
        self.call_back = Some(window.clone());
        self.effects.push(Effect::KeepCallBack(window));
    }

    /// The daemon was away for a moment. A window that is longer than any, or not of a number, is none.
    pub(super) fn go_on_expecting(&mut self, window: CallBack, now: Duration) {
        let digits = window.number.len() <= LONGEST && window.number.bytes().all(|b| b.is_ascii_digit());
        if digits && window.is_open(now) && !window.is_open(now + WINDOW) {
            self.call_back = Some(window);
        }
    }

    /// Whom the screen shows for a caller the rules turn away, while help may be calling back.
    pub(super) fn who_calls_back(&self, caller: Caller) -> Option<Who> {
        let window = self.call_back.as_ref().filter(|window| window.is_open(self.clock.boot()))?;
        let known = caller::known(&self.rules.book.policy, Action::Ring(caller));
        let who = known.map_or_else(|| Who::emergency(&window.number), Who::contact);
        Some(who.calling_back(caller))
    }
}
