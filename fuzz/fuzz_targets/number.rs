//! A caller's number as a network writes it: what is taken reads the same when it is read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::{normalise, numbering_of_imsi};

fuzz_target!(|input: (&str, &str)| {
    let (imsi, text) = input;
    let plan = numbering_of_imsi(imsi);
    if let Ok(number) = normalise(text, plan) {
        let written = number.to_string();
        assert_eq!(normalise(&written, plan).ok(), Some(number), "{written}");
        assert!(written.len() > number.tail().len());
    }
});
