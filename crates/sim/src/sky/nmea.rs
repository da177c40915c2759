//! NMEA 0183 sentences of a receiver with a good view (NMEA 0183 4.10: RMC, GGA, GSA, GSV).

use std::fmt::Write as _;

use super::LatLon;
use crate::clock::Now;

/// Number, elevation, azimuth, signal of the satellites in view.
const SATELLITES: [(u8, u8, u16, u8); 8] = [
    (2, 62, 110, 44),
    (5, 21, 251, 38),
    (7, 34, 64, 41),
    (9, 48, 190, 43),
    (13, 27, 305, 39),
    (16, 71, 284, 46),
    (20, 15, 22, 33),
    (30, 55, 147, 45),
];
/// Above the mean sea level, and of that above the ellipsoid, in metres.
const ALTITUDE: &str = "12.0,M,17.5,M";

/// All sentences of one second; no position means a receiver that has none.
pub(super) fn epoch(at: Option<LatLon>, knots: f64, course: f64, now: Now) -> String {
    let utc = now.civil(0);
    let hundredths = utc.millisecond() / 10;
    let time = format!("{:02}{:02}{:02}.{hundredths:02}", utc.hour(), utc.minute(), utc.second());
    let date = format!("{:02}{:02}{:02}", utc.day(), utc.month(), utc.year().rem_euclid(100));
    let mut bodies = match at {
        Some(at) => {
            let place = place(at);
            let used: Vec<_> = SATELLITES.iter().map(|(number, ..)| format!("{number:02}")).collect();
            vec![
                format!("GPRMC,{time},A,{place},{knots:.2},{course:.1},{date},,,A"),
                format!("GPGGA,{time},{place},1,{:02},0.9,{ALTITUDE},,", SATELLITES.len()),
                format!("GPGSA,A,3,{},,,,,1.6,0.9,1.3", used.join(",")),
            ]
        }
        None => vec![
            format!("GPRMC,{time},V,,,,,,,{date},,,N"),
            format!("GPGGA,{time},,,,,0,00,99.9,,M,,M,,"),
            "GPGSA,A,1,,,,,,,,,,,,,99.9,99.9,99.9".to_owned(),
        ],
    };
    let pages = SATELLITES.chunks(4);
    let total = pages.len();
    for (page, satellites) in pages.enumerate() {
        let mut body = format!("GPGSV,{total},{},{:02}", page + 1, SATELLITES.len());
        for (number, elevation, azimuth, signal) in satellites {
            let signal = if at.is_some() { format!("{signal:02}") } else { String::new() };
            let _ = write!(body, ",{number:02},{elevation:02},{azimuth:03},{signal}");
        }
        bodies.push(body);
    }
    bodies.iter().map(|body| framed(body)).collect()
}

/// `ddmm.mmmmm,N,dddmm.mmmmm,E`
fn place(at: LatLon) -> String {
    let (lat_degrees, lat_minutes) = degrees_minutes(at.lat());
    let (lon_degrees, lon_minutes) = degrees_minutes(at.lon());
    let north = if at.lat() < 0.0 { 'S' } else { 'N' };
    let east = if at.lon() < 0.0 { 'W' } else { 'E' };
    format!("{lat_degrees:02}{lat_minutes},{north},{lon_degrees:03}{lon_minutes},{east}")
}

/// Rounded before it is split, so that no minute reads 60.
fn degrees_minutes(degrees: f64) -> (u64, String) {
    const PER_MINUTE: u64 = 100_000;
    let total = (degrees.abs() * 60.0 * PER_MINUTE as f64).round() as u64;
    let (whole, rest) = (total / (60 * PER_MINUTE), total % (60 * PER_MINUTE));
    (whole, format!("{:02}.{:05}", rest / PER_MINUTE, rest % PER_MINUTE))
}

/// `$body*checksum`, the exclusive or of all between `$` and `*`.
fn framed(body: &str) -> String {
    let sum = body.bytes().fold(0, |sum, byte| sum ^ byte);
    format!("${body}*{sum:02X}\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const NOW: Now = Now { mono: Duration::ZERO, unix_ms: 1_795_434_000_120 };

    #[test]
    fn the_checksum_is_that_of_the_standards_example() {
        let body = "GPGLL,5057.970,N,00146.110,E,142451,A";
        assert_eq!(framed(body), "$GPGLL,5057.970,N,00146.110,E,142451,A*27\r\n");
    }

    #[test]
    fn a_second_reads_as_a_receiver_writes_it() {
        let at = LatLon::new(-60.999_999_99, 24.5).unwrap();
        let text = epoch(Some(at), 2.5, 90.0, NOW);
        let first = text.lines().next().unwrap();
        assert!(
            first.starts_with("$GPRMC,114000.12,A,6100.00000,S,02430.00000,E,2.50,90.0,231126,,,A*"),
            "{first}"
        );
        assert_eq!(text.lines().count(), 5);
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    }
}
