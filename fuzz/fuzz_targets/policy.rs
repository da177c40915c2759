//! A policy as a guardian's tool, or the store, holds it: whatever validates can be asked, and is read again as written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::{Action, Moment, Policy, Verdict, decide};

fuzz_target!(|bytes: &[u8]| {
    let Ok(policy) = serde_json::from_slice::<Policy>(bytes) else { return };
    if policy.validate().is_err() {
        return;
    }
    for contact in &policy.contacts {
        assert!(policy.contact(&contact.id).is_some());
        for number in &contact.numbers {
            assert!(policy.contact_of(*number).is_some());
        }
    }
    for zone in &policy.zones {
        assert!(zone.centre().is_ok());
    }
    for grant in &policy.apps {
        assert!(policy.grant_of(&grant.app) == Some(grant));
        let at = |unix| decide(&policy, &Moment { unix }, &Action::Open(&grant.app));
        assert!(at(-1) == Verdict::Allow { until: grant.until });
        assert!(at(i64::MAX).is_allow() == grant.until.is_none());
    }
    let text = serde_json::to_vec(&policy).expect("a valid policy can be written");
    let again: Policy = serde_json::from_slice(&text).expect("what was written can be read");
    assert!(again == policy, "a policy changed on its way through JSON");
});
