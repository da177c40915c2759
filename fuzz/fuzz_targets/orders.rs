//! Orders at the door of a bound watch. The first byte chooses the attacker: a stranger, whose bytes are the whole
//! envelope; a guardian, whose bytes are the payload; or the whole family, whose bytes are a line for each order: the
//! signer, and a body.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use orders::{Body, Door, Enrolment, EnrolmentCode, Ledger, Role, Signer, WatchId};

/// Phones and papers of mum and dad, the watch itself, and a stranger.
const FAMILY: [u8; 6] = [3, 13, 4, 14, 1, 66];
/// Keys nobody has yet: `$1` to `$5` in a body.
const NEW: [u8; 5] = [21, 22, 23, 24, 25];
const NOW: i64 = 1_790_000_000;

fn signer(n: u8) -> Signer {
    Signer::from_secret(&[n; 32])
}

fn code() -> EnrolmentCode {
    EnrolmentCode::from_random([1, 2, 3, 4, 5, 6, 7, 8])
}

fn outside() -> Door {
    Door::Submit { code: Some(code()), now: NOW }
}

/// A watch with two guardians and the demonstration family.
static BOUND: LazyLock<Ledger> = LazyLock::new(|| {
    let device = signer(1).public();
    let watch = WatchId::of_device_key(&device.to_bytes());
    let mut ledger = Ledger::new(watch.clone()).with_device_key(device);
    let mut mum = signer(3);
    let enrolment = |guardian: &str, role, key: &Signer, paper: &Signer| {
        let (keys, recovery) = (vec![key.public()], Some(paper.public()));
        Body::Enrol(Enrolment { code: code(), guardian: guardian.into(), role, keys, recovery })
    };
    let policy =
        serde_json::from_str(include_str!("../../tests/family.json")).expect("the family's rules are read");
    for (body, cosigners) in [
        (enrolment("mum", Role::Main, &mum, &signer(13)), &[13][..]),
        (Body::SetPolicy { base: None, policy }, &[]),
        (enrolment("dad", Role::Guardian, &signer(4), &signer(14)), &[4, 14]),
    ] {
        let mut envelope = mum.order(&watch, 0, body);
        for n in cosigners {
            signer(*n).cosign(&mut envelope);
        }
        ledger.apply(&envelope.to_bytes(), outside()).expect("the family is taken");
    }
    ledger
});

/// The envelope of one line: `by` signs, and every new key with him.
fn order(ledger: &Ledger, by: u8, body: &str) -> Vec<u8> {
    let key = signer(FAMILY[usize::from(by) % FAMILY.len()]);
    let id = key.public().id();
    let counter = ledger.keyring().counter(&id) + 1;
    let mut body = body.replace("$c", &code().digits());
    for (n, new) in NEW.iter().enumerate() {
        let public = serde_json::to_string(&signer(*new).public()).expect("a key is a text");
        body = body.replace(&format!("${}", n + 1), public.trim_matches('"'));
    }
    let base = ledger.policy_hash().map(|hash| hash.as_str()).unwrap_or_default();
    let body = body.replace("$h", base);
    let watch = ledger.watch();
    let payload = format!(
        r#"{{"watch":"{watch}","signer":"{id}","counter":{counter},"issued_at":{NOW},"body":{body}}}"#
    );
    let mut envelope = key.seal(payload.into_bytes());
    for new in NEW {
        signer(new).cosign(&mut envelope);
    }
    envelope.to_bytes()
}

/// Hands one envelope in; the log must take what was taken, and come to the same.
fn hand_in(ledger: &mut Ledger, envelope: &[u8]) -> bool {
    let before = ledger.clone();
    let result = ledger.apply(envelope, outside());
    match &result {
        Ok(applied) => {
            let mut again = before.clone();
            let replayed = again.apply(envelope, Door::Log).expect("the log takes what was taken");
            assert!(replayed == *applied && again == *ledger, "the log gives another state");
        }
        Err(_) => assert!(*ledger == before, "a refused order changed something"),
    }
    let mains = ledger.keyring().guardians().iter().filter(|guardian| guardian.role == Role::Main);
    assert_eq!(mains.count(), 1, "one main, whatever comes");
    assert!(ledger.policy().is_some_and(|policy| policy.validate().is_ok()));
    result.is_ok()
}

fuzz_target!(|bytes: &[u8]| {
    let Some((who, bytes)) = bytes.split_first() else { return };
    let mut ledger = BOUND.clone();
    match who % 3 {
        0 => assert!(!hand_in(&mut ledger, bytes), "an order without a guardian's key was taken"),
        1 => {
            hand_in(&mut ledger, &signer(3).seal(bytes.to_vec()).to_bytes());
        }
        _ => {
            for line in bytes.split(|byte| *byte == b'\n').take(8) {
                let Some((by, body)) = line.split_first() else { continue };
                let Ok(body) = std::str::from_utf8(body) else { continue };
                let envelope = order(&ledger, *by, body);
                hand_in(&mut ledger, &envelope);
            }
        }
    }
});
