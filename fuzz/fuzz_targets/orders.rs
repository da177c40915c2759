//! Orders at the door of a bound watch. The first byte chooses the attacker: a stranger, whose bytes are the whole
//! envelope, or a guardian, whose bytes are signed with an enrolled key.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use orders::{Body, Door, Enrolment, EnrolmentCode, Ledger, Role, Signer, WatchId};

/// A watch with one guardian and the demonstration family.
static BOUND: LazyLock<Ledger> = LazyLock::new(|| {
    let watch = WatchId::of_device_key(&[1; 32]);
    let code = EnrolmentCode::from_random([1, 2, 3, 4, 5, 6, 7, 8]);
    let mut mum = Signer::from_secret(&[3; 32]);
    let enrolment =
        Enrolment { code: code.digits(), key: mum.public(), guardian: "mum".into(), role: Role::Main };
    let mut ledger = Ledger::new(watch.clone());
    let enrol = mum.order(&watch, 0, Body::Enrol(enrolment)).to_bytes();
    ledger.apply(&enrol, Door::Submit(Some(code))).expect("the first enrolment is taken");
    let policy =
        serde_json::from_str(include_str!("../../tests/family.json")).expect("the family's rules are read");
    let order = mum.order(&watch, 0, Body::SetPolicy { base: None, policy }).to_bytes();
    ledger.apply(&order, Door::Submit(None)).expect("the first policy is taken");
    ledger
});

fuzz_target!(|bytes: &[u8]| {
    let Some((who, bytes)) = bytes.split_first() else { return };
    let mut ledger = BOUND.clone();
    let stranger = who % 2 == 0;
    let result = if stranger {
        ledger.apply(bytes, Door::Submit(None))
    } else {
        let envelope = Signer::from_secret(&[3; 32]).seal(bytes.to_vec()).to_bytes();
        ledger.apply(&envelope, Door::Submit(None))
    };
    assert!(!(stranger && result.is_ok()), "an order without a guardian's key was taken");
    match result {
        Ok(_) => assert!(ledger.policy().is_some_and(|policy| policy.validate().is_ok())),
        Err(_) => assert!(ledger == *BOUND, "a refused order changed something"),
    }
});
