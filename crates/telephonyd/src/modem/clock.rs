//! The time a modem tells.

use daemon::clock::boot_time;
use ipc::NetworkTime;
use jiff::Timestamp;

use super::ask::Alive;

/// What was told just now, if it is a time at all. Whether it is true is not judged here.
pub(super) fn read(alive: &Alive) -> Option<NetworkTime> {
    let Alive::Tells(text) = alive else { return None };
    let unix_time = instant(text)?;
    Some(NetworkTime { known: true, unix_time, boot_ms: boot_time().as_millis().try_into().ok()? })
}

/// ISO 8601 with an offset, as ModemManager makes it of `+CCLK`.
fn instant(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_time_with_an_offset_is_read_and_anything_else_is_none() {
        for text in ["2026-11-26T08:33:45+02", "2026-11-26T08:33:45+02:00", "2026-11-26T06:33:45Z"] {
            assert_eq!(instant(text), Some(1_795_674_825), "{text}");
        }
        for text in ["", "2026-11-26T08:33:45", "2026-13-26T08:33:45+02", "26/11/26,08:33:45+08", "now"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a26_no_words_of_a_modem_are_more_than_a_time_or_none(text in "\\PC{0,200}|[0-9T:+-]{0,40}") {
            let told = instant(&text);
            prop_assert!(told.is_none_or(|at| Timestamp::from_second(at).is_ok()));
        }
    }
}
