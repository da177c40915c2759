//! What ModemManager says to telephonyd, as a modem taken over would have it say: only Mum rings, and only a touch answers.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|story: &str| nestling_telephonyd::fuzz::modem(story));
