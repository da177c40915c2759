//! The file of the track, of its one length and of any: a row that is read is a place on Earth.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nestling_locationd::track::{SIZE, parse};

fuzz_target!(|start: &[u8]| {
    let _ = parse(start);
    let mut file = vec![0; SIZE];
    for (place, byte) in file.iter_mut().zip(start) {
        *place = *byte;
    }
    if let Ok(contents) = parse(&file) {
        assert!(contents.rows().all(|row| row.place().is_some()));
    }
});
