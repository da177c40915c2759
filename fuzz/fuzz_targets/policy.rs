//! Rules as guardians' tools, or the store, hold them: whatever validates can be asked at any time, and is read again as
//! written. The clock comes first (the time, the latest time, the charger), then the policy in JSON, and after a line
//! break what stands beside it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::{
    Action, App, Caller, E164, Kind, Moment, Policy, Rulebook, Standing, Usage, Verdict, decide, limits,
};

fuzz_target!(|input: (i64, i64, bool, (u32, u32, u32), &[u8])| {
    let (unix, latest, charging, (day_s, running_s, rested_s), json) = input;
    let (policy, standing) =
        json.iter().position(|byte| *byte == b'\n').map_or((json, &b"{}"[..]), |at| json.split_at(at));
    let Ok(policy) = serde_json::from_slice::<Policy>(policy) else { return };
    let Ok(standing) = serde_json::from_slice::<Standing>(standing) else { return };
    if policy.validate().is_err() || standing.validate().is_err() {
        return;
    }
    again(&policy);
    let usage = Usage { day_s, running_s, rested_s, categories: vec![] };
    let moment = Moment { unix, latest, charging, usage: Some(&usage) };
    check(&Rulebook { policy, standing }, &moment);
});

/// Whatever was asked is answered, and nobody gets what was not given.
fn check(rules: &Rulebook, moment: &Moment<'_>) {
    let policy = &rules.policy;
    for contact in &policy.contacts {
        assert!(policy.contact(&contact.id).is_some());
        for number in &contact.numbers {
            assert!(policy.contact_of(*number).is_some());
            let rings = decide(rules, moment, &Action::Ring(Caller::Number(*number))).is_allow();
            assert!(
                rings || moment.charging || contact.kind != Kind::Guardian,
                "a guardian does not get through"
            );
        }
    }
    for grant in &policy.apps {
        assert!(policy.grant_of(&grant.app) == Some(grant));
        let verdict =
            decide(rules, moment, &Action::Open(&App { id: &grant.app, category: "games", age: 6 }));
        if let Verdict::Allow { until: Some(until) } = verdict {
            assert!(until > moment.unix.clamp(0, limits::UNTIL), "it is over already");
        }
    }
    let stranger: Option<E164> = "+999000000000001".parse().ok();
    if let Some(number) = stranger
        && policy.contact_of(number).is_none()
    {
        assert!(!decide(rules, moment, &Action::Ring(Caller::Number(number))).is_allow());
    }
    assert!(!decide(rules, moment, &Action::Open(&App { id: "", category: "", age: 0 })).is_allow());
}

fn again(policy: &Policy) {
    let text = serde_json::to_vec(policy).expect("a valid policy can be written");
    let again: Policy = serde_json::from_slice(&text).expect("what was written can be read");
    assert!(again == *policy, "a policy changed on its way through JSON");
}
