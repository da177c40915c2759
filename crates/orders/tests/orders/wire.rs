//! One order has one spelling, and old logs are read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use orders::{Body, Door, Envelope, EnvelopeError, MAX_ENVELOPE, PolicyHash, Refused, Role, Signer};

use crate::family::{Home, NOW, door, enrolment, hex, order_with, signer, submit, through};

/// Three orders as the first watches kept them, written by their code: an enrolment with one `key`, two policies.
const FIRST_WATCHES: &str = include_str!("first-watches.jsonl");

#[test]
fn a19_the_log_of_the_first_watches_reads_as_it_did() {
    let mut ledger = Home::unbound().ledger;
    for line in FIRST_WATCHES.lines() {
        ledger.apply(line.as_bytes(), Door::Log).unwrap();
    }
    // As their code had them: the anchor of such a watch holds this fingerprint.
    let fingerprint = "5342b01558e1c081c23a01e512ca2d782c053001b209366251a12c49165e0999";
    assert_eq!(hex(&ledger.keyring().fingerprint()), fingerprint);
    let hash = "ddf18e8f9670e6d95137dfc686825f6b7500e3f7fa26f4f164864fa3001151ed";
    assert_eq!(ledger.policy_hash(), PolicyHash::parse(hash).as_ref());
    // And it goes on from there.
    let mut mum = signer(1).after(3);
    let laptop = signer(3);
    let body = enrolment("mum", Role::Main, &[&laptop], None);
    order_with(&mut ledger, &mut mum, &[&laptop], body).unwrap();
}

/// What the watch says to an order of mum's whose text was changed before she signed it.
fn signed(change: impl FnOnce(&str) -> String) -> Result<(), Refused> {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let payload = mum.order(&ledger.watch().clone(), NOW, Body::Lost { on: true }).payload;
    let payload = String::from_utf8(payload).unwrap();
    let changed = change(&payload);
    assert_ne!(changed, payload, "nothing changed");
    submit(&mut ledger, &mum.seal(changed.into_bytes())).map(|_| ())
}

#[test]
fn a19_a_payload_says_one_thing_to_every_reader() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for (from, to) in [
        ("\"counter\":4", "\"counter\":4,\"counter\":9"),
        ("\"counter\":4", "\"counter\":4,\"c\\u006funter\":9"),
        ("\"counter\":4", "\"counter\":-4"),
        ("\"counter\":4", "\"counter\":4.0"),
        ("\"counter\":4", "\"counter\":18446744073709551616"),
        ("\"counter\":4", "\"counter\":\"4\""),
        ("\"body\":{", "\"body\":{\"ring\":{},"),
        ("\"on\":true", "\"on\":true,\"on\":false"),
        ("\"lost\"", "\"Lost\""),
        ("true", &deep),
    ] {
        let result = signed(|payload| payload.replacen(from, to, 1));
        assert!(matches!(result, Err(Refused::Payload(_))), "{to}: {result:?}");
    }
    for (before, after) in [("", "{}"), ("", "\0"), ("\u{feff}", ""), ("[", "]")] {
        let result = signed(|payload| format!("{before}{payload}{after}"));
        assert!(matches!(result, Err(Refused::Payload(_))), "{before:?} {after:?}: {result:?}");
    }
    assert!(matches!(signed(|_| String::new()), Err(Refused::Payload(_))));
    signed(|payload| format!("\n {payload}\n").replace(',', " ,\t")).unwrap();
}

#[test]
fn a26_what_no_enrolled_key_signed_is_never_parsed() {
    let Home { mut ledger, .. } = Home::bound();
    for payload in ["", "{", "{\"a\":1,\"a\":2}", &"[".repeat(100_000)] {
        let envelope = signer(66).seal(payload.as_bytes().to_vec());
        assert!(matches!(submit(&mut ledger, &envelope), Err(Refused::Signature)));
    }
}

#[test]
fn a26_while_no_code_is_on_the_screen_a_fresh_watch_parses_nothing() {
    let Home { mut ledger, .. } = Home::unbound();
    let envelope = signer(66).seal(b"{".to_vec());
    let closed = Door::Submit { code: None, now: NOW };
    assert!(matches!(through(&mut ledger, &envelope, closed), Err(Refused::NoWindow)));
    assert!(matches!(through(&mut ledger, &envelope, door()), Err(Refused::Payload(_))));
}

fn refused_envelope(text: &str) -> EnvelopeError {
    match Home::bound().ledger.apply(text.as_bytes(), door()) {
        Err(Refused::Envelope(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a19_an_envelope_has_one_spelling_of_its_base64() {
    let mut home = Home::bound();
    let envelope = home.mum.order(&home.ledger.watch().clone(), NOW, Body::Ring {});
    let text = String::from_utf8(envelope.to_bytes()).unwrap();
    let signature = STANDARD.encode(envelope.signatures[0].bytes);
    let payload = STANDARD.encode(&envelope.payload);
    // 64 bytes end in "x==", where four bits of x say nothing and must be 0.
    let stem = signature.strip_suffix("==").unwrap();
    let (stem, last) = stem.split_at(stem.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let next = alphabet.chars().nth(alphabet.find(last).unwrap() + 1).unwrap();
    for (from, to) in [
        (&signature, format!("{stem}{next}==")),
        (&signature, format!("{stem}{last}")),
        (&signature, format!("{stem}{last}=")),
        (&signature, format!("{signature}\\n")),
        (&signature, format!(" {signature}")),
        (&payload, format!("{}\\n{}", &payload[..8], &payload[8..])),
        (&payload, payload.replace('=', "") + "===="),
        (&payload, format!("-{}", &payload[1..])),
    ] {
        let changed = text.replacen(from.as_str(), &to, 1);
        assert_ne!(changed, text);
        assert!(matches!(refused_envelope(&changed), EnvelopeError::Base64(_)), "{to}");
    }
    assert!(home.ledger.apply(text.as_bytes(), door()).is_ok());
}

#[test]
fn a19_an_envelope_has_each_field_and_each_key_once() {
    let mut home = Home::bound();
    let mut envelope = home.mum.order(&home.ledger.watch().clone(), NOW, Body::Ring {});
    let text = String::from_utf8(envelope.to_bytes()).unwrap();
    for (from, to) in [
        ("{\"payloadType\"", "{\"payload\":\"e30=\",\"payloadType\""),
        ("\"keyid\"", "\"keyid\":\"34750f98bd59fcfc946da45aaabe933b\",\"keyid\""),
        ("\"signatures\"", "\"signatures\":[],\"signatures\""),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert!(matches!(refused_envelope(&changed), EnvelopeError::Json(_)), "{to}");
    }
    assert!(matches!(refused_envelope(&format!("{text}x")), EnvelopeError::Json(_)));
    envelope.signatures.push(envelope.signatures[0].clone());
    let text = String::from_utf8(envelope.to_bytes()).unwrap();
    assert!(matches!(refused_envelope(&text), EnvelopeError::KeyTwice));
}

#[test]
fn an_envelope_carries_what_the_largest_enrolment_needs_and_not_one_signature_more() {
    let Home { mut ledger, mut dads_paper, .. } = Home::bound();
    let keys = [signer(3), signer(4), signer(5), signer(6)];
    let keys: Vec<&Signer> = keys.iter().collect();
    let paper = signer(13);
    let body = enrolment("dad", Role::Guardian, &keys, Some(&paper));
    let mut envelope = dads_paper.order(&ledger.watch().clone(), NOW, body);
    for key in keys.iter().chain([&&paper]) {
        key.cosign(&mut envelope);
    }
    let mut seven = envelope.clone();
    signer(66).cosign(&mut seven);
    let result = submit(&mut ledger, &seven);
    assert!(matches!(result, Err(Refused::Envelope(EnvelopeError::Signatures))));
    submit(&mut ledger, &envelope).unwrap();
}

#[test]
fn a43_the_largest_payload_is_below_192_kib() {
    let Home { mut ledger, mum, .. } = Home::bound();
    let largest = mum.seal(vec![b' '; MAX_ENVELOPE / 4 * 3]);
    let result = submit(&mut ledger, &largest);
    assert!(matches!(result, Err(Refused::Envelope(EnvelopeError::TooLong(_)))));
    let fits = mum.seal(vec![b' '; MAX_ENVELOPE / 4 * 3 - 1024]);
    assert!(matches!(submit(&mut ledger, &fits), Err(Refused::Payload(_))));
}

#[test]
fn a43_an_envelope_has_256_kib_and_not_a_byte_more() {
    let Home { ledger, mut mum, .. } = Home::bound();
    let order = mum.order(ledger.watch(), NOW, Body::Resume {}).to_bytes();
    let padded = |length: usize| [&order[..], &vec![b' '; length - order.len()][..]].concat();
    assert!(Envelope::parse(&padded(MAX_ENVELOPE)).is_ok());
    let result = Envelope::parse(&padded(MAX_ENVELOPE + 1));
    assert!(matches!(result, Err(EnvelopeError::TooLong(length)) if length == MAX_ENVELOPE + 1));
}

/// An enrolment of mum's on a fresh watch, as text.
fn enrolling(keys: &str) -> Result<(), Refused> {
    let home = Home::unbound();
    let (watch, mum) = (home.ledger.watch(), signer(1));
    let payload = format!(
        r#"{{"watch":"{watch}","signer":"{}","counter":1,"issued_at":0,"body":{{"enrol":{{"code":"00578437695752307201","guardian":"mum","role":"main",{keys}}}}}}}"#,
        mum.public().id()
    );
    let envelope = mum.seal(payload.into_bytes());
    submit(&mut { home }.ledger, &envelope).map(|_| ())
}

#[test]
fn an_enrolment_names_one_to_four_keys_in_one_way() {
    let key = serde_json::to_string(&signer(1).public()).unwrap();
    enrolling(&format!(r#""keys":[{key}]"#)).unwrap();
    enrolling(&format!(r#""keys":[{key}],"recovery":null"#)).unwrap();
    enrolling(&format!(r#""key":{key}"#)).unwrap();
    let five = [key.as_str(); 5].join(",");
    for wrong in [
        r#""keys":[]"#.to_owned(),
        format!(r#""keys":[{five}]"#),
        format!(r#""keys":{key}"#),
        format!(r#""key":[{key}]"#),
        format!(r#""key":{key},"keys":[{key}]"#),
        format!(r#""keys":[{key}],"also":1"#),
        r#""recovery":null"#.to_owned(),
        // No point of the curve, a point of low order, and not 32 bytes.
        r#""keys":["AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]"#.to_owned(),
        r#""keys":["AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]"#.to_owned(),
        r#""keys":["AQAA"]"#.to_owned(),
    ] {
        assert!(matches!(enrolling(&wrong), Err(Refused::Payload(_))), "{wrong}");
    }
}

#[test]
fn nothing_of_a_family_stands_in_a_debug_text() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let code = crate::family::code().digits();
    let body = enrolment("gran", Role::Guardian, &[&signer(3)], None);
    let text = format!("{:?} {:?}", mum.order(&ledger.watch().clone(), NOW, body.clone()), body);
    assert!(!text.contains(&code));
    ledger.apply(&mum.order(&ledger.watch().clone(), NOW, Body::Ring {}).to_bytes(), door()).unwrap();
    let text = format!("{ledger:?}");
    assert!(text.contains("mum") && !text.contains("+358") && !text.contains("35840555"));
}
