//! What a ledger takes and what it refuses, as a guardian and as an attacker.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use orders::{Body, Door, Enrolment, EnrolmentCode, Envelope, Ledger, Refused, Role, Signer, WatchId};
use policy::{Contact, Kind, May, Policy, Region};
use proptest::prelude::*;

const CODE: EnrolmentCodeBytes = [1, 2, 3, 4, 5, 6, 7, 8];
type EnrolmentCodeBytes = [u8; 8];

fn code() -> EnrolmentCode {
    EnrolmentCode::from_random(CODE)
}

fn watch(n: u8) -> WatchId {
    WatchId::of_device_key(&[n; 32])
}

fn signer(n: u8) -> Signer {
    Signer::from_secret(&[n; 32])
}

fn family(names: &[&str]) -> Policy {
    let contacts = names
        .iter()
        .enumerate()
        .map(|(n, name)| Contact {
            id: (*name).to_owned(),
            name: (*name).to_owned(),
            kind: if n == 0 { Kind::Guardian } else { Kind::Family },
            numbers: vec![format!("+35840555000{n}").parse().unwrap()],
            picture: String::new(),
            may: May { ring: true, be_called: true },
        })
        .collect();
    Policy { region: Region::Eu, contacts, zones: vec![], apps: vec![] }
}

fn enrol(signer: &mut Signer, watch: &WatchId, digits: &str, role: Role) -> Vec<u8> {
    let enrolment = Enrolment { code: digits.to_owned(), key: signer.public(), guardian: "mum".into(), role };
    signer.order(watch, 0, Body::Enrol(enrolment)).to_bytes()
}

/// A bound watch with a first policy, and its guardian.
fn bound() -> (Ledger, Signer) {
    let mut ledger = Ledger::new(watch(1));
    let mut mum = signer(1);
    let envelope = enrol(&mut mum, &watch(1), &code().digits(), Role::Main);
    ledger.apply(&envelope, Door::Submit(Some(code()))).unwrap();
    let first = set_policy(&ledger, &mut mum, family(&["mum", "aunt"]));
    ledger.apply(&first, Door::Submit(None)).unwrap();
    (ledger, mum)
}

fn set_policy(ledger: &Ledger, signer: &mut Signer, policy: Policy) -> Vec<u8> {
    let base = ledger.policy_hash().cloned();
    signer.order(ledger.watch(), 0, Body::SetPolicy { base, policy }).to_bytes()
}

fn refused(ledger: &mut Ledger, envelope: &[u8]) -> Refused {
    let before = ledger.clone();
    let refused = ledger.apply(envelope, Door::Submit(None)).unwrap_err();
    assert_eq!(*ledger, before, "a refused order changed something");
    refused
}

#[test]
fn a_guardians_order_changes_the_policy() {
    let (mut ledger, mut mum) = bound();
    let order = set_policy(&ledger, &mut mum, family(&["mum"]));
    let applied = ledger.apply(&order, Door::Submit(None)).unwrap();
    assert_eq!((applied.guardian.as_str(), applied.kind), ("mum", "set-policy"));
    assert!(ledger.policy().unwrap().contact("aunt").is_none());
}

#[test]
fn a19_the_same_order_again_is_refused() {
    let (mut ledger, mut mum) = bound();
    let order = set_policy(&ledger, &mut mum, family(&["mum"]));
    ledger.apply(&order, Door::Submit(None)).unwrap();
    assert!(matches!(refused(&mut ledger, &order), Refused::Replayed { got: 3, last: 3 }));
}

#[test]
fn a19_an_older_order_that_was_held_back_is_refused() {
    let (mut ledger, mut mum) = bound();
    let held = set_policy(&ledger, &mut mum, family(&["mum", "aunt", "uncle"]));
    let newer = set_policy(&ledger, &mut mum, family(&["mum"]));
    ledger.apply(&newer, Door::Submit(None)).unwrap();
    assert!(matches!(refused(&mut ledger, &held), Refused::Replayed { .. }));
}

#[test]
fn a17_a_stranger_signs_nothing() {
    let (mut ledger, _) = bound();
    let order = set_policy(&ledger, &mut signer(9).after(100), family(&["stranger"]));
    assert!(matches!(refused(&mut ledger, &order), Refused::Signature));
}

#[test]
fn a17_a_strangers_signature_under_mums_name_is_refused() {
    let (mut ledger, mum) = bound();
    let order = set_policy(&ledger, &mut signer(9).after(100), family(&["stranger"]));
    let mut envelope = Envelope::parse(&order).unwrap();
    envelope.signatures[0].key = mum.public().id();
    assert!(matches!(refused(&mut ledger, &envelope.to_bytes()), Refused::Signature));
}

#[test]
fn a17_a_bound_watch_enrols_nobody_by_code() {
    let (mut ledger, _) = bound();
    let before = ledger.clone();
    let envelope = enrol(&mut signer(9), &watch(1), &code().digits(), Role::Main);
    assert!(ledger.apply(&envelope, Door::Submit(Some(code()))).is_err());
    assert_eq!(ledger, before);
}

#[test]
fn a17_the_wrong_code_or_no_open_window_enrols_nobody() {
    let mut ledger = Ledger::new(watch(1));
    let wrong = enrol(&mut signer(1), &watch(1), "00000000000000000000", Role::Main);
    assert!(matches!(ledger.apply(&wrong, Door::Submit(Some(code()))), Err(Refused::Enrolment)));
    let right = enrol(&mut signer(1), &watch(1), &code().digits(), Role::Main);
    assert!(matches!(ledger.apply(&right, Door::Submit(None)), Err(Refused::EnrolmentClosed)));
    let lesser = enrol(&mut signer(1), &watch(1), &code().digits(), Role::Guardian);
    assert!(matches!(ledger.apply(&lesser, Door::Submit(Some(code()))), Err(Refused::Enrolment)));
    assert!(ledger.keyring().is_empty());
}

#[test]
fn a16_an_order_for_another_watch_is_refused() {
    let (mut ledger, mut mum) = bound();
    let base = ledger.policy_hash().cloned();
    let order = mum.order(&watch(2), 0, Body::SetPolicy { base, policy: family(&["mum"]) }).to_bytes();
    assert!(matches!(refused(&mut ledger, &order), Refused::Watch));
}

#[test]
fn two_parents_at_once_the_second_is_told() {
    let (mut ledger, mut mum) = bound();
    let one = set_policy(&ledger, &mut mum, family(&["mum"]));
    let two = set_policy(&ledger, &mut mum, family(&["mum", "uncle"]));
    ledger.apply(&one, Door::Submit(None)).unwrap();
    assert!(matches!(refused(&mut ledger, &two), Refused::StaleBase));
}

#[test]
fn an_invalid_policy_is_refused_whole() {
    let (mut ledger, mut mum) = bound();
    let order = set_policy(&ledger, &mut mum, Policy { contacts: vec![], ..family(&["mum"]) });
    assert!(matches!(refused(&mut ledger, &order), Refused::Policy(_)));
}

#[test]
fn an_order_with_a_field_of_tomorrow_is_refused() {
    let (mut ledger, mut mum) = bound();
    let order = set_policy(&ledger, &mut mum, family(&["mum"]));
    let payload = String::from_utf8(Envelope::parse(&order).unwrap().payload).unwrap();
    let payload = payload.replacen(r#""counter""#, r#""also":1,"counter""#, 1);
    let envelope = mum.seal(payload.into_bytes()).to_bytes();
    assert!(matches!(refused(&mut ledger, &envelope), Refused::Payload(_)));
}

#[test]
fn the_log_read_again_gives_the_same_ledger() {
    let mut mum = signer(1);
    let mut ledger = Ledger::new(watch(1));
    let mut log = vec![enrol(&mut mum, &watch(1), &code().digits(), Role::Main)];
    ledger.apply(&log[0], Door::Submit(Some(code()))).unwrap();
    for names in [&["mum", "aunt"][..], &["mum"], &["mum", "uncle", "gran"]] {
        log.push(set_policy(&ledger, &mut mum, family(names)));
        ledger.apply(log.last().unwrap(), Door::Submit(None)).unwrap();
    }
    let mut again = Ledger::new(watch(1));
    for envelope in &log {
        again.apply(envelope, Door::Log).unwrap();
    }
    assert_eq!(again, ledger);
}

#[test]
fn the_code_is_twenty_digits_in_five_groups() {
    let code = EnrolmentCode::from_random([0xff; 8]);
    assert_eq!(code.digits(), "18446744073709551615");
    assert_eq!(code.groups(), "1844 6744 0737 0955 1615");
    assert!(code.matches(&code.digits()) && !code.matches("18446744073709551616"));
    assert_eq!(EnrolmentCode::from_random([0; 8]).digits().len(), 20);
}

proptest! {
    #[test]
    fn a19_one_flipped_bit_anywhere_is_refused(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let (mut ledger, mut mum) = bound();
        let mut order = Envelope::parse(&set_policy(&ledger, &mut mum, family(&["mum"]))).unwrap();
        let index = at.index(order.payload.len() + 64);
        if index < 64 { order.signatures[0].bytes[index] ^= 1 << bit; }
        else { let n = index - 64; order.payload[n] ^= 1 << bit; }
        prop_assert!(ledger.apply(&order.to_bytes(), Door::Submit(None)).is_err());
    }
}
