//! Rules in TOML, as another guardian or a web page may have written them: what is read is valid and stays what it is
//! when it is written, anew or into the text it came from.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nestling_guardian::rules::{read, write};

fuzz_target!(|text: &str| {
    let policy = match read(text) {
        Ok(policy) => policy,
        Err(problem) => {
            assert!(problem.line <= text.matches('\n').count() + 1, "there is no such line");
            return;
        }
    };
    assert!(policy.validate().is_ok());
    assert!(write(&policy, Some(text)).as_deref() == Ok(text), "a text without changes was changed");
    // Grants with an end in the last hours of 9999 cannot be written.
    let Ok(written) = write(&policy, None) else { return };
    assert!(read(&written).as_ref() == Ok(&policy), "rules changed on their way through TOML");
    let mut changed = policy;
    changed.features.messages ^= true;
    changed.contacts.reverse();
    let merged = write(&changed, Some(text)).expect("it could be written before");
    assert!(read(&merged).as_ref() == Ok(&changed), "a change got lost in the text it was made in");
});
