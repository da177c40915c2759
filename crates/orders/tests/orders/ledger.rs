//! What holds for every order: signature, watch, counter, and the log.

use orders::{Body, Door, Effect, Refused, Role};
use policy::Policy;
use proptest::prelude::*;

use crate::family::{Home, NOW, enrolment, family, order, set_policy, signer, submit, through};

#[test]
fn a_guardians_order_changes_the_policy() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let body = set_policy(&ledger, family(&[]));
    let applied = order(&mut ledger, &mut mum, body).unwrap();
    assert_eq!((applied.guardian.as_str(), applied.kind, applied.role), ("mum", "set-policy", Role::Main));
    assert_eq!((&applied.key, applied.effect), (&mum.public().id(), Effect::None));
    assert!(applied.policy_changed && !applied.keyring_changed && !applied.standing_changed);
    assert!(ledger.policy().unwrap().contact("aunt").is_none());
}

#[test]
fn a19_the_same_order_again_is_refused() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let envelope = mum.order(&ledger.watch().clone(), NOW, Body::Ring {});
    submit(&mut ledger, &envelope).unwrap();
    assert!(matches!(submit(&mut ledger, &envelope), Err(Refused::Replayed { got: 4, last: 4 })));
}

#[test]
fn a19_an_older_order_that_was_held_back_is_refused() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let watch = ledger.watch().clone();
    let held = mum.order(&watch, NOW, set_policy(&ledger, family(&["aunt", "uncle"])));
    let newer = mum.order(&watch, NOW, set_policy(&ledger, family(&[])));
    submit(&mut ledger, &newer).unwrap();
    assert!(matches!(submit(&mut ledger, &held), Err(Refused::Replayed { .. })));
}

#[test]
fn a17_a_stranger_signs_nothing() {
    let Home { mut ledger, .. } = Home::bound();
    let body = set_policy(&ledger, family(&["stranger"]));
    assert!(matches!(order(&mut ledger, &mut signer(66).after(100), body), Err(Refused::Signature)));
}

#[test]
fn a17_a_strangers_signature_under_mums_name_is_refused() {
    let Home { mut ledger, mum, .. } = Home::bound();
    let body = set_policy(&ledger, family(&["stranger"]));
    let mut envelope = signer(66).after(100).order(&ledger.watch().clone(), NOW, body);
    envelope.signatures[0].key = mum.public().id();
    assert!(matches!(submit(&mut ledger, &envelope), Err(Refused::Signature)));
}

#[test]
fn a17_an_order_names_the_key_that_signed_it() {
    let Home { mut ledger, mut mum, dad, .. } = Home::bound();
    let mut envelope = mum.order(&ledger.watch().clone(), NOW, Body::Wipe {});
    envelope.signatures.clear();
    dad.cosign(&mut envelope);
    assert!(matches!(submit(&mut ledger, &envelope), Err(Refused::Signer)));
    mum.cosign(&mut envelope);
    assert_eq!(submit(&mut ledger, &envelope).unwrap().guardian, "mum");
}

#[test]
fn two_parents_at_once_the_second_is_told() {
    let Home { mut ledger, mut mum, mut dad, .. } = Home::bound();
    let (one, two) = (set_policy(&ledger, family(&[])), set_policy(&ledger, family(&["aunt", "uncle"])));
    order(&mut ledger, &mut mum, one).unwrap();
    assert!(matches!(order(&mut ledger, &mut dad, two), Err(Refused::StaleBase)));
}

#[test]
fn an_invalid_policy_is_refused_whole() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let body = set_policy(&ledger, Policy { contacts: vec![], ..family(&[]) });
    assert!(matches!(order(&mut ledger, &mut mum, body), Err(Refused::Policy(_))));
}

#[test]
fn an_order_with_a_field_of_tomorrow_is_refused() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let payload = mum.order(&ledger.watch().clone(), NOW, Body::Lost { on: true }).payload;
    let payload = String::from_utf8(payload).unwrap();
    for (place, field) in [("\"counter\"", "\"also\":1,\"counter\""), ("\"on\"", "\"also\":1,\"on\"")] {
        let more = payload.replacen(place, field, 1);
        assert_ne!(more, payload);
        let envelope = mum.seal(more.into_bytes());
        assert!(matches!(submit(&mut ledger, &envelope), Err(Refused::Payload(_))));
    }
    submit(&mut ledger, &mum.seal(payload.into_bytes())).unwrap();
}

#[test]
fn the_log_read_again_gives_the_same_ledger() {
    let Home { mut ledger, mut mum, mums_paper, .. } = Home::unbound();
    let watch = ledger.watch().clone();
    let mut log = vec![mum.order(&watch, 0, enrolment("mum", Role::Main, &[&mum], Some(&mums_paper)))];
    mums_paper.cosign(&mut log[0]);
    submit(&mut ledger, &log[0]).unwrap();
    for others in [&["aunt"][..], &[], &["uncle", "gran"]] {
        log.push(mum.order(&watch, 0, set_policy(&ledger, family(others))));
        submit(&mut ledger, log.last().unwrap()).unwrap();
    }
    let mut again = Home::unbound().ledger;
    for envelope in &log {
        through(&mut again, envelope, Door::Log).unwrap();
    }
    assert_eq!(again, ledger);
}

proptest! {
    #[test]
    fn a19_one_flipped_bit_anywhere_is_refused(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let Home { mut ledger, mut mum, .. } = Home::bound();
        let mut envelope = mum.order(&ledger.watch().clone(), NOW, set_policy(&ledger, family(&[])));
        let index = at.index(envelope.payload.len() + 64);
        if index < 64 { envelope.signatures[0].bytes[index] ^= 1 << bit; }
        else { envelope.payload[index - 64] ^= 1 << bit; }
        prop_assert!(submit(&mut ledger, &envelope).is_err());
    }
}
