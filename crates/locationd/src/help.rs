//! Until when telephonyd may read the position, because help was called for.
//!
//! **Invariants:** no call for help is refused, and each has at least [`OPEN`] less [`SAME`] before it; each opening is one line in the
//! diary, so that nobody reads for longer than [`OPEN`] that the family cannot see; however often help is called, there is one line in [`OPEN`] at
//! most, and one more.

use std::time::Duration;

/// For how long an opening is, and for how long after a call the receiver is on.
pub const OPEN: Duration = Duration::from_mins(3);
/// A call for help so soon after another is the same: telephonyd tells three times, within twenty seconds, where it hears no answer.
const SAME: Duration = Duration::from_secs(30);
/// The line of an opening. That help was called is telephonyd's to tell, with the number: `emergency-call`.
pub const LINE: &str = "position-for-help";

/// Help is called for; `until` is when it ends that telephonyd may read, on the boot-time clock. Where it changes, it was opened, anew or
/// for longer.
pub fn called(until: &mut Option<Duration>, now: Duration) {
    let open = until.filter(|until| now < *until);
    // A second emergency call has as long as the first.
    if open.is_none_or(|until| until + SAME < now + OPEN) {
        *until = Some(open.unwrap_or(now) + OPEN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Power, PowerEvent};

    /// When help was called, and until when it is open then.
    fn open(calls: impl IntoIterator<Item = u64>) -> Vec<(u64, u64)> {
        let mut until = None;
        let calls = calls.into_iter().map(|now| {
            called(&mut until, Duration::from_secs(now));
            (now, until.unwrap_or_default().as_secs())
        });
        calls.collect()
    }

    #[test]
    fn t14_help_opens_the_position_once_for_a_call_and_once_more_for_the_next() {
        assert_eq!(
            open([100, 109, 130, 131, 200]),
            [(100, 280), (109, 280), (130, 280), (131, 460), (200, 460)]
        );
        assert_eq!(open([100, 280]), [(100, 280), (280, 460)], "it ends by itself");
    }

    #[test]
    fn t14_a_thousand_calls_for_help_are_a_line_in_three_minutes_and_none_is_left_without_time() {
        let mut open = open(0..1000);
        assert!(open.iter().all(|(now, until)| (150..=330).contains(&(until - now))));
        open.dedup_by_key(|(_, until)| *until);
        assert_eq!(open, [(0, 180), (31, 360), (211, 540), (391, 720), (571, 900), (751, 1080), (931, 1260)]);
    }

    #[test]
    fn t14_the_position_is_open_for_as_long_as_help_keeps_the_receiver_on() {
        let now = Duration::from_secs(1000);
        let mut power = Power::new(Duration::ZERO);
        power.handle(PowerEvent::Sos, now);
        assert_eq!(power.due(), now + OPEN);
    }
}
