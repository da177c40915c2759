//! A scenario, as somebody may have sent it with a report: what is read keeps its bounds, could be sent to a world as it
//! is, and an error names a line there is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sim::control::LINE_LIMIT;
use sim::scenario::{LONGEST, MAX_STEPS};
use sim::{Command, Scenario};

fuzz_target!(|text: &str| {
    let scenario = match Scenario::parse(text) {
        Ok(scenario) => scenario,
        Err(error) => {
            assert!((1..=text.matches('\n').count() + 1).contains(&error.line), "there is no such line");
            return;
        }
    };
    assert!((1..=MAX_STEPS).contains(&scenario.steps.len()), "too many steps");
    assert!(scenario.steps.is_sorted_by_key(|step| step.at), "steps are out of order");
    assert!(scenario.steps.iter().all(|step| step.at <= LONGEST), "it never ends");
    for step in &scenario.steps {
        let sent = serde_json::to_vec(&step.command).expect("a command is JSON");
        assert!(sent.len() < LINE_LIMIT, "it cannot be sent");
        let read: Command = serde_json::from_slice(&sent).expect("the world understands it");
        assert!(read == step.command, "the world understands something else");
    }
});
