//! A line of gpsd: a fix that is taken is a place on Earth.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nestling_locationd::gpsd::parse_line;

fuzz_target!(|line: &[u8]| {
    if let Ok(Some(fix)) = parse_line(line) {
        assert!(fix.place.latitude().abs() <= 90.0 && fix.place.longitude().abs() <= 180.0);
    }
});
