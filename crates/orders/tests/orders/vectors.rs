//! `tests/vectors/orders.json`, for guardians' tools in other languages: what is signed, and what a watch says to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use orders::{BodyKind, PAYLOAD_TYPE, RecoveryKey, Role};
use serde::Serialize;
use serde_json::Value;

use crate::documents::refusals;
use crate::family::{code, hex, signer, watch_of};
use crate::script::{
    DAD, DADS_PAPER, DEVICE, LAPTOP, MUM, MUMS_PAPER, STRANGER, Sequence, base64_of, sequences,
};

#[derive(Serialize)]
struct Vectors {
    about: &'static str,
    payload_type: &'static str,
    code: Code,
    keys: Vec<Key>,
    watches: Vec<Watch>,
    papers: Vec<Paper>,
    /// Ed25519 has one signature for a key and a message.
    signatures: Vec<Signed>,
    /// Which role may sign which body.
    roles: BTreeMap<&'static str, Vec<&'static str>>,
    sequences: Vec<Sequence>,
}

#[derive(Serialize)]
struct Code {
    random: String,
    digits: String,
    groups: String,
}

#[derive(Serialize)]
struct Key {
    name: &'static str,
    secret: String,
    public: String,
    id: String,
}

#[derive(Serialize)]
struct Watch {
    device: String,
    id: String,
}

#[derive(Serialize)]
struct Paper {
    secret: String,
    text: String,
}

#[derive(Serialize)]
struct Signed {
    key: String,
    payload: String,
    signature: String,
}

fn vectors() -> Vectors {
    let names = [
        ("mum", MUM),
        ("mum's laptop", LAPTOP),
        ("mum's paper", MUMS_PAPER),
        ("mum's new phone", 5),
        ("mum's new paper", 13),
        ("dad", DAD),
        ("dad's laptop", 4),
        ("dad's paper", DADS_PAPER),
        ("a stranger", STRANGER),
        ("a watch", DEVICE),
        ("another watch", 101),
    ];
    let signatures = [(MUM, ""), (DAD, "{}"), (DEVICE, "{\"ä\":1}")].map(|(n, payload)| {
        let envelope = signer(n).seal(payload.as_bytes().to_vec());
        let signature = &envelope.signatures[0];
        Signed { key: signature.key.to_string(), payload: payload.into(), signature: hex(&signature.bytes) }
    });
    let roles = BodyKind::ALL.map(|kind| {
        let roles = Role::ALL.into_iter().filter(|role| role.may_sign(kind)).map(Role::as_str);
        (kind.as_str(), roles.collect())
    });
    let papers = [[11; 32], [0; 32], [255; 32], std::array::from_fn(|n| n as u8)];
    Vectors {
        about: "Made by crates/orders/tests/orders/vectors.rs; the secrets are for tests alone. See docs/orders.md.",
        payload_type: PAYLOAD_TYPE,
        code: Code {
            random: hex(&[1, 2, 3, 4, 5, 6, 7, 8]),
            digits: code().digits(),
            groups: code().groups(),
        },
        keys: names
            .into_iter()
            .map(|(name, n)| {
                let key = signer(n);
                Key {
                    name,
                    secret: hex(&[n; 32]),
                    public: base64_of(&key),
                    id: key.public().id().to_string(),
                }
            })
            .collect(),
        watches: [DEVICE, 101]
            .map(|n| Watch { device: base64_of(&signer(n)), id: watch_of(&signer(n)).to_string() })
            .into(),
        papers: papers
            .map(|secret| Paper { secret: hex(&secret), text: RecoveryKey::from_random(secret).to_text() })
            .into(),
        signatures: signatures.into(),
        roles: roles.into(),
        sequences: sequences(),
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors")
}

#[test]
fn the_vectors_are_what_this_code_signs_and_says() {
    let text = serde_json::to_string_pretty(&vectors()).unwrap() + "\n";
    testkit::golden::kept(folder().join("orders.json"), &text);
}

#[test]
fn every_refusal_of_the_document_is_in_the_vectors() {
    let sequences = sequences();
    let steps = || sequences.iter().flat_map(|sequence| &sequence.steps);
    let mut seen: BTreeSet<String> = steps().filter_map(|step| step.refused).map(str::to_owned).collect();
    // Fifty orders in a file are fifty too many: `standing` has it.
    seen.insert("full".into());
    assert_eq!(seen, refusals());
    let taken: BTreeSet<_> = steps().filter_map(|step| step.kind).collect();
    assert_eq!(taken, BodyKind::ALL.iter().map(|kind| kind.as_str()).collect());
}

/// Runs the checker; what it says, and whether it is content.
fn checked(file: &std::path::Path) -> (bool, String) {
    let output = Command::new("python3").arg(folder().join("check.py")).arg(file).output();
    let output = output.expect("python3 checks the vectors; it must be there");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// The watch speaks no Python: there the vectors were checked before.
fn in_the_watch() -> bool {
    let there = std::path::Path::new("/programs/list").exists();
    if there {
        println!("no Python in the watch: this proves nothing here");
    }
    there
}

#[test]
fn another_language_reads_the_vectors() {
    if in_the_watch() {
        return;
    }
    let (content, said) = checked(&folder().join("orders.json"));
    assert!(content && said.contains("as they should be"), "{said}");
}

#[test]
fn a24_the_checker_finds_one_changed_byte() {
    if in_the_watch() {
        return;
    }
    let vectors: Value =
        serde_json::from_slice(&std::fs::read(folder().join("orders.json")).unwrap()).unwrap();
    let copy = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("orders-{}.json", std::process::id()));
    let taken = "/sequences/1/steps/0";
    std::fs::write(&copy, vectors.to_string()).unwrap();
    assert!(checked(&copy).0, "nothing was changed");
    for (pointer, place) in [
        ("/keys/0/secret", 5),
        ("/keys/1/public", 5),
        ("/keys/2/id", 5),
        ("/watches/1/id", 5),
        ("/code/digits", 5),
        ("/papers/3/text", 5),
        ("/papers/3/text", 4),
        ("/signatures/1/signature", 5),
        ("/signatures/1/signature", 90),
        // The payload and the signature in the envelope, and what is signed.
        (&format!("{taken}/envelope"), 120),
        (&format!("{taken}/envelope"), 560),
        (&format!("{taken}/payload"), 12),
        (&format!("{taken}/encoding"), 200),
        (&format!("{taken}/guardian"), 0),
        ("/sequences/1/steps/2/policy", 9),
        ("/sequences/1/steps/3/kind", 0),
        ("/sequences/2/steps/0/refused", 0),
        ("/sequences/0/steps/7/refused", 0),
    ] {
        let mut changed = vectors.clone();
        let field = changed.pointer_mut(pointer).unwrap();
        let mut text = field.as_str().unwrap().to_owned().into_bytes();
        text[place] = if text[place] == b'1' { b'2' } else { b'1' };
        *field = String::from_utf8(text).unwrap().into();
        std::fs::write(&copy, changed.to_string()).unwrap();
        let (content, said) = checked(&copy);
        assert!(!content, "{pointer} {place}: {said}");
    }
    std::fs::remove_file(copy).unwrap();
}
