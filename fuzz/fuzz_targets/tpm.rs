//! A TPM's answer: nothing it says is longer than what was taken from it, and a refusal is never a success.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nestling_policyd::anchor::tpm::response::{LONGEST, Public, buffer, length, parameters};

fuzz_target!(|answer: &[u8]| {
    if let Ok(length) = length(answer) {
        assert!(length <= LONGEST);
    }
    let _ = Public::read(answer);
    for authorized in [false, true] {
        match parameters(answer, authorized) {
            Ok(Ok(parameters)) => {
                assert!(parameters.len() < answer.len());
                let _ = Public::read(parameters);
                let _ = buffer::<8>(parameters);
            }
            Ok(Err(code)) => assert_ne!(code.0, 0),
            Err(_) => {}
        }
    }
});
