//! One line of gpsd's JSON (gpsd_json(5)), read as if an enemy had written it.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use crate::core::{Fix, FixError};

/// Longest time looked at: `2026-11-23T12:00:00.000Z` with a few digits more.
const TIME_BYTES: usize = 40;

/// Why a line is not what gpsd writes, or its fix of no use.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// No JSON object with a `class`.
    #[error("not a gpsd report")]
    Json(#[source] serde_json::Error),
    /// A class that gpsd does not have.
    #[error("an unknown class of report")]
    Class,
    /// A TPV report whose members have other types than they should.
    #[error("a TPV report that is none")]
    Tpv(#[source] serde_json::Error),
    /// A fix without latitude or longitude.
    #[error("a fix without a place")]
    NoPlace,
    /// A fix without a time.
    #[error("a fix without a time")]
    NoTime,
    /// A time that is none of RFC 3339.
    #[error("a fix with a time that is none")]
    Time,
    /// Values that cannot be true.
    #[error("a fix that cannot be")]
    Fix(#[from] FixError),
}

#[derive(Deserialize)]
struct Class<'a> {
    #[serde(borrow)]
    class: Cow<'a, str>,
}

/// Reads one line without its newline. `None` is a report that is known and holds no fix.
///
/// # Errors
/// See [`LineError`].
pub fn parse_line(line: &[u8]) -> Result<Option<Fix>, LineError> {
    let report: Class<'_> = serde_json::from_slice(line).map_err(LineError::Json)?;
    match report.class.as_ref() {
        "TPV" => {}
        "VERSION" | "DEVICES" | "DEVICE" | "WATCH" | "SKY" | "GST" | "ATT" | "IMU" | "TOFF" | "PPS"
        | "OSC" | "RAW" | "POLL" | "ERROR" | "ACK" | "OK" | "LOG" | "SUBFRAME" | "AIS" | "RTCM2"
        | "RTCM3" => {
            return Ok(None);
        }
        _ => return Err(LineError::Class),
    }
    let report: gpsd_proto::Tpv = serde_json::from_slice(line).map_err(LineError::Tpv)?;
    if matches!(report.mode, gpsd_proto::Mode::NoFix) {
        return Ok(None);
    }
    let (Some(latitude), Some(longitude)) = (report.lat, report.lon) else { return Err(LineError::NoPlace) };
    let time = report.time.as_deref().ok_or(LineError::NoTime)?;
    let time = Some(time).filter(|time| time.len() <= TIME_BYTES).and_then(|time| time.parse().ok());
    let time: Timestamp = time.ok_or(LineError::Time)?;
    Ok(Some(Fix::new(latitude, longitude, accuracy(&report).ok_or(FixError::Accuracy)?, time)?))
}

/// Metres: the receiver's own estimate, or what its two axes make.
fn accuracy(report: &gpsd_proto::Tpv) -> Option<f64> {
    let axes = || Some(f64::from(report.epx?).hypot(f64::from(report.epy?)));
    report.eph.map(f64::from).or_else(axes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = r#"{"class":"TPV","device":"/dev/gnss0","mode":3,"time":"2026-11-23T12:00:00.000Z","lat":60.17,"lon":24.94,"epx":3.0,"epy":4.0,"eph":7.5,"speed":1.2}"#;

    fn with(from: &str, to: &str) -> Result<Option<Fix>, LineError> {
        assert!(GOOD.contains(from), "{from}");
        parse_line(GOOD.replace(from, to).as_bytes())
    }

    #[test]
    fn a_report_of_gpsd_is_a_fix() {
        let fix = parse_line(GOOD.as_bytes()).unwrap().unwrap();
        assert_eq!((fix.place.latitude(), fix.place.longitude()), (60.17, 24.94));
        assert_eq!((fix.accuracy_m(), fix.time.as_second()), (7.5, 1_795_435_200));
        let axes = with(r#","eph":7.5"#, "").unwrap().unwrap();
        assert!((axes.accuracy_m() - 5.0).abs() < 1e-6);
        let optimist = with(r#""eph":7.5"#, r#""eph":0"#).unwrap().unwrap();
        assert!((optimist.accuracy_m() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn other_reports_and_no_fix_are_nothing() {
        for line in [
            r#"{"class":"VERSION","release":"3.25","rev":"3.25","proto_major":3,"proto_minor":15}"#,
            r#"{"class":"DEVICE","path":"/dev/gnss0","bps":115200}"#,
            r#"{"class":"SKY","satellites":"none"}"#,
            r#"{"class":"DEVICES","devices":[{"class":"DEVICE","path":"/dev/gnss0","activated":0}]}"#,
            r#"{"class":"AIS","device":"x","type":1,"lat":60.17,"lon":24.94,"shipname":"\u0000","scaled":true}"#,
            r#"{"class":"RTCM2","type":1,"satellites":[{"ident":1,"udre":0,"prc":-1.5}]}"#,
            r#"{"class":"RTCM3","type":1005,"station_id":2003,"system":["GPS"],"x":1e6}"#,
            r#"{"class":"SUBFRAME","device":"x","tSV":1,"TOW17":0,"frame":4,"scaled":true}"#,
            r#"{"class":"LOG","text":"lat=60.17"}"#,
            r#"{"class":"TPV","mode":0}"#,
            r#"{"class":"TPV","mode":1,"time":"2026-11-23T12:00:00.000Z"}"#,
            r#"{"class":"TPV","mode":200,"lat":1,"lon":1}"#,
        ] {
            assert!(matches!(parse_line(line.as_bytes()), Ok(None)), "{line}");
        }
    }

    #[test]
    fn a51_a_hostile_line_is_refused_by_name() {
        use LineError as E;
        type Case<'a> = (&'a str, &'a str, fn(&E) -> bool);
        let cases: &[Case<'_>] = &[
            (r#""class":"TPV""#, r#""klass":"TPV""#, |e| matches!(e, E::Json(_))),
            (r#""class":"TPV""#, r#""class":"FIX""#, |e| matches!(e, E::Class)),
            (r#""class":"TPV""#, r#""class":"TPV","class":"SKY""#, |e| matches!(e, E::Json(_))),
            (r#""class":"TPV""#, r#""class":["TPV"]"#, |e| matches!(e, E::Json(_))),
            (r#""mode":3"#, r#""mode":"3""#, |e| matches!(e, E::Tpv(_))),
            (r#""mode":3"#, r#""mode":-3"#, |e| matches!(e, E::Tpv(_))),
            (r#""mode":3,"#, "", |e| matches!(e, E::Tpv(_))),
            (r#""lat":60.17"#, r#""lat":"60.17""#, |e| matches!(e, E::Tpv(_))),
            (r#""lat":60.17"#, r#""lat":NaN"#, |e| matches!(e, E::Json(_))),
            (r#""lat":60.17"#, r#""lat":1e999"#, |e| matches!(e, E::Json(_) | E::Tpv(_))),
            (r#""lat":60.17"#, r#""lat":60.17,"lat":0"#, |e| matches!(e, E::Tpv(_))),
            (r#""lat":60.17,"#, "", |e| matches!(e, E::NoPlace)),
            (r#""lon":24.94"#, r#""lon":null"#, |e| matches!(e, E::NoPlace)),
            (r#""lat":60.17"#, r#""lat":95"#, |e| matches!(e, E::Fix(FixError::Place))),
            (r#""lon":24.94"#, r#""lon":-1e300"#, |e| matches!(e, E::Fix(FixError::Place))),
            (r#""eph":7.5"#, r#""eph":5000"#, |e| matches!(e, E::Fix(FixError::Accuracy))),
            (r#""eph":7.5"#, r#""eph":-1"#, |e| matches!(e, E::Fix(FixError::Accuracy))),
            (r#""eph":7.5"#, r#""eph":1e300"#, |e| matches!(e, E::Fix(FixError::Accuracy))),
            (r#""epx":3.0,"epy":4.0,"eph":7.5"#, r#""ept":1"#, |e| matches!(e, E::Fix(FixError::Accuracy))),
            (r#""time":"2026-11-23T12:00:00.000Z","#, "", |e| matches!(e, E::NoTime)),
            ("2026-11-23T12:00:00.000Z", "noon", |e| matches!(e, E::Time)),
            ("2026-11-23T12:00:00.000Z", "2026-13-45T99:00:00Z", |e| matches!(e, E::Time)),
            ("2026-11-23T12", "1996-11-23T12", |e| matches!(e, E::Fix(FixError::Time))),
            (r#""2026-11-23T12:00:00.000Z""#, "1795435200", |e| matches!(e, E::Tpv(_))),
        ];
        for (from, to, expected) in cases {
            let error = with(from, to).unwrap_err();
            assert!(expected(&error), "{from} -> {to}: {error:?}");
        }
    }

    #[test]
    fn a51_depth_and_length_are_only_refused() {
        let deep = format!(r#"{{"class":"TPV","mode":3,"x":{}"#, "[".repeat(100_000));
        let long_time = GOOD.replace("2026-11-23T12:00:00.000Z", &"9".repeat(1_000_000));
        let long_class = format!(r#"{{"class":"{}"}}"#, "T".repeat(1_000_000));
        let huge = "{".repeat(1_000_000);
        for line in
            [deep.as_bytes(), long_time.as_bytes(), long_class.as_bytes(), huge.as_bytes(), b"", b"\0\xff"]
        {
            assert!(parse_line(line).is_err());
        }
    }

    proptest! {
        #[test]
        fn a51_no_bytes_panic(line in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_line(&line);
        }

        #[test]
        fn a51_no_values_panic_or_leave_the_earth(
            mode in any::<u8>(), lat in any::<f64>(), lon in any::<f64>(), eph in any::<f64>(), time in "\\PC{0,30}|[-0-9TZ:.+]{0,45}",
        ) {
            let line = serde_json::json!({"class": "TPV", "mode": mode, "lat": lat, "lon": lon, "eph": eph, "time": time});
            if let Ok(Some(fix)) = parse_line(line.to_string().as_bytes()) {
                prop_assert!(fix.place.latitude().abs() <= 90.0 && fix.place.longitude().abs() <= 180.0);
                prop_assert!(fix.accuracy_m() <= Fix::WORST_M);
            }
        }

        #[test]
        fn a51_a_flipped_byte_panics_nothing(at in 0..GOOD.len(), byte in any::<u8>()) {
            let mut line = GOOD.as_bytes().to_vec();
            line[at] = byte;
            let _ = parse_line(&line);
        }
    }
}
