//! Ends: what a person writes in the family's time, and what an order carries in seconds since 1970, UTC.

use jiff::civil::{DateTime, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};
use toml_edit::Datetime;

/// What an end looks like, for messages.
pub(crate) const SHAPE: &str =
    "an end is a date and a time in the family's time zone, such as 2026-12-24T18:00";

/// The zone's rules, from the database that is compiled in, as the watch has them. Names were checked before.
fn zone(of: &policy::TimeZone) -> TimeZone {
    TimeZoneDatabase::bundled().get(of.name()).unwrap_or(TimeZone::UTC)
}

/// Reads a date and time of the family's zone, or with an offset of its own. A time the clock skips is taken an hour
/// later, one it has twice as the first.
pub(crate) fn at(text: &str, family: &policy::TimeZone) -> Option<i64> {
    if let Ok(with_offset) = text.parse::<Timestamp>() {
        return Some(with_offset.as_second());
    }
    let local = text.contains(['T', 't', ' ']).then(|| text.parse::<DateTime>().ok())??;
    Some(zone(family).to_zoned(local).ok()?.timestamp().as_second())
}

/// The same, or a time of the day alone: the next one after `now`.
pub(crate) fn next(text: &str, family: &policy::TimeZone, now: i64) -> Option<i64> {
    if let Some(end) = at(text, family) {
        return Some(end);
    }
    let time: Time = text.contains(':').then(|| text.parse().ok())??;
    let today = Timestamp::from_second(now).ok()?.to_zoned(zone(family)).date();
    let on = |date: jiff::civil::Date| zone(family).to_timestamp(date.to_datetime(time)).ok();
    let first = on(today).filter(|end| end.as_second() > now);
    first.or_else(|| on(today.checked_add(1.day()).ok()?)).map(Timestamp::as_second)
}

/// The end as TOML: in the family's time where that is clear, else with its offset. `None` after the year 9999.
pub(crate) fn to_toml(unix: i64, family: &policy::TimeZone) -> Option<Datetime> {
    let zoned = Timestamp::from_second(unix).ok()?.to_zoned(zone(family));
    let local = zoned.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let clear = at(&local, family) == Some(unix);
    if clear { local } else { zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string() }.parse().ok()
}

/// The time in words, in the family's zone.
pub(crate) fn say(unix: i64, family: &policy::TimeZone) -> String {
    let Ok(time) = Timestamp::from_second(unix) else { return format!("second {unix} since 1970") };
    time.to_zoned(zone(family)).strftime("%Y-%m-%d %H:%M").to_string()
}

/// `until` and the time, or nothing where there is no end.
pub(crate) fn say_until(until: Option<i64>, family: &policy::TimeZone) -> String {
    until.map(|until| format!(" until {}", say(until, family))).unwrap_or_default()
}

/// Now, by this computer's clock.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_second()
}

/// The same in milliseconds.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-10-24 12:00 in Helsinki, the day before the clock goes back.
    const NOW: i64 = 1_792_832_400;

    fn helsinki() -> policy::TimeZone {
        "Europe/Helsinki".parse().unwrap()
    }

    #[test]
    fn a_time_of_the_day_is_the_next_one() {
        let hours = |text: &str| (next(text, &helsinki(), NOW).unwrap() - NOW) / 3600;
        assert_eq!((hours("18:00"), hours("12:00"), hours("08:00")), (6, 25, 21));
        assert_eq!(next("2026-10-26T12:00", &helsinki(), NOW), Some(NOW + 49 * 3600));
        for wrong in ["", "25:00", "18", "tomorrow", "2026-10-24", "2026-13-01T10:00"] {
            assert_eq!(next(wrong, &helsinki(), NOW), None, "{wrong}");
        }
    }

    #[test]
    fn an_end_in_the_hour_the_clock_has_twice_keeps_its_second() {
        let second_three_o_clock = at("2026-10-25T03:30:00+02:00", &helsinki()).unwrap();
        for (unix, written) in [
            (second_three_o_clock, "2026-10-25T03:30:00+02:00"),
            (second_three_o_clock - 3600, "2026-10-25T03:30:00"),
            (NOW, "2026-10-24T12:00:00"),
        ] {
            let toml = to_toml(unix, &helsinki()).unwrap().to_string();
            assert_eq!((toml.as_str(), at(&toml, &helsinki())), (written, Some(unix)));
        }
        assert_eq!(to_toml(i64::MAX, &helsinki()), None);
    }
}
