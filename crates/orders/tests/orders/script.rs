//! The envelopes of the vectors, and what the watch says to each.

use std::collections::BTreeMap;

use orders::{Body, Door, Enrolment, EnrolmentCode, Envelope, Ledger, PAYLOAD_TYPE, Refused, Role, Signer};
use serde::Serialize;

use crate::family::{NOW, code, hex, signer, watch_of};

/// Envelopes that come to one watch after another, from the day nobody was enrolled.
#[derive(Serialize)]
pub(crate) struct Sequence {
    name: &'static str,
    watch: String,
    device: String,
    pub(crate) steps: Vec<Step>,
    #[serde(skip)]
    ledger: Option<Ledger>,
    #[serde(skip)]
    counters: BTreeMap<u8, u64>,
}

#[derive(Serialize)]
pub(crate) struct Step {
    what: String,
    /// `null`: from the watch's log.
    door: Option<Outside>,
    envelope: String,
    /// `null` where the envelope cannot be read.
    payload: Option<String>,
    encoding: Option<String>,
    /// `null` if it is taken.
    pub(crate) refused: Option<&'static str>,
    guardian: Option<String>,
    pub(crate) kind: Option<&'static str>,
    /// Hash of the policy in force after it.
    policy: Option<String>,
}

#[derive(Serialize, Clone)]
struct Outside {
    code: Option<String>,
    now: i64,
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

pub(crate) fn base64_of(key: &Signer) -> String {
    text(&key.public()).replace('"', "")
}

/// DSSE's pre-authentication encoding, written here a second time.
fn encoding(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

pub(crate) const MUM: u8 = 1;
pub(crate) const DAD: u8 = 2;
pub(crate) const LAPTOP: u8 = 3;
pub(crate) const MUMS_PAPER: u8 = 11;
pub(crate) const DADS_PAPER: u8 = 12;
pub(crate) const DEVICE: u8 = 100;
pub(crate) const STRANGER: u8 = 66;

impl Sequence {
    fn new(name: &'static str, device: u8) -> Self {
        let key = signer(device);
        let ledger = Ledger::new(watch_of(&key)).with_device_key(key.public());
        Self {
            name,
            watch: ledger.watch().to_string(),
            device: base64_of(&key),
            steps: vec![],
            ledger: Some(ledger),
            counters: BTreeMap::new(),
        }
    }

    fn hand_in(&mut self, what: &str, envelope: &str, door: Door) {
        let ledger = self.ledger.as_mut().unwrap();
        let result = ledger.apply(envelope.as_bytes(), door);
        let parsed = Envelope::parse(envelope.as_bytes()).ok();
        self.steps.push(Step {
            what: what.to_owned(),
            door: match door {
                Door::Log => None,
                Door::Submit { code, now } => Some(Outside { code: code.map(EnrolmentCode::digits), now }),
            },
            envelope: envelope.to_owned(),
            payload: parsed.as_ref().map(|envelope| String::from_utf8(envelope.payload.clone()).unwrap()),
            encoding: parsed.as_ref().map(|envelope| hex(&encoding(&envelope.payload))),
            refused: result.as_ref().err().map(Refused::name),
            guardian: result.as_ref().ok().map(|applied| applied.guardian.clone()),
            kind: result.as_ref().ok().map(|applied| applied.kind),
            policy: ledger.policy_hash().map(ToString::to_string),
        });
    }

    fn envelope(&mut self, by: u8, with: &[u8], body: &str) -> Envelope {
        let counter = self.counters.entry(by).or_default();
        *counter += 1;
        let (watch, key) = (&self.watch, signer(by));
        let id = key.public().id();
        let payload = format!(
            r#"{{"watch":"{watch}","signer":"{id}","counter":{counter},"issued_at":{NOW},"body":{body}}}"#
        );
        let mut envelope = key.seal(payload.into_bytes());
        for n in with {
            signer(*n).cosign(&mut envelope);
        }
        envelope
    }

    /// Signs a body and hands it in while the screen shows the code.
    fn step(&mut self, what: &str, by: u8, with: &[u8], body: &str) {
        let envelope = self.envelope(by, with, body);
        self.hand_in(what, &written(&envelope), open());
    }

    /// The counter is used once more.
    fn again(&mut self, by: u8) {
        *self.counters.get_mut(&by).unwrap() -= 1;
    }

    fn base(&self) -> String {
        text(&self.ledger.as_ref().unwrap().policy_hash())
    }
}

fn open() -> Door {
    Door::Submit { code: Some(code()), now: NOW }
}

fn written(envelope: &Envelope) -> String {
    String::from_utf8(envelope.to_bytes()).unwrap()
}

fn enrol(guardian: &str, role: Role, keys: &[u8], paper: Option<u8>) -> String {
    text(&Body::Enrol(Enrolment {
        code: code(),
        guardian: guardian.into(),
        role,
        keys: keys.iter().map(|n| signer(*n).public()).collect(),
        recovery: paper.map(|n| signer(n).public()),
    }))
}

fn person(id: &str, number: u8, kind: &str) -> String {
    let may = r#"{"ring":true,"be_called":true}"#;
    format!(r#"{{"id":"{id}","name":"{id}","kind":"{kind}","numbers":["+35840555000{number}"],"may":{may}}}"#)
}

fn set_policy(base: &str, people: &[(&str, u8, &str)]) -> String {
    let people: Vec<String> = people.iter().map(|(id, number, kind)| person(id, *number, kind)).collect();
    let policy = format!(r#"{{"region":"eu","contacts":[{}],"zones":[]}}"#, people.join(","));
    format!(r#"{{"set-policy":{{"base":{base},"policy":{policy}}}}}"#)
}

fn retire(guardian: &str, key: Option<u8>, heir: Option<&str>) -> String {
    let key = key.map(|n| signer(n).public().id());
    text(&Body::Retire { guardian: guardian.into(), key, heir: heir.map(str::to_owned) })
}

const MUM_AND_DAD: [(&str, u8, &str); 3] =
    [("mum", 1, "guardian"), ("dad", 2, "guardian"), ("aunt", 3, "family")];

fn first_guardian(watch: &mut Sequence) {
    let first = enrol("mum", Role::Main, &[MUM, LAPTOP], Some(MUMS_PAPER));
    let cosigners = [LAPTOP, MUMS_PAPER];
    watch.hand_in("not an envelope", "{}", open());
    let envelope = watch.envelope(MUM, &cosigners, &first);
    let closed = Door::Submit { code: None, now: NOW };
    watch.hand_in("no code on the screen", &written(&envelope), closed);
    let other = Door::Submit { code: Some(EnrolmentCode::from_random([9; 8])), now: NOW };
    watch.hand_in("another code on the screen", &written(&envelope), other);
    watch.step("the watch's name", MUM, &cosigners, &first.replace("\"mum\"", "\"watch\""));
    watch.step("not main", MUM, &cosigners, &first.replace("\"main\"", "\"guardian\""));
    watch.step("a key that did not sign", MUM, &[MUMS_PAPER], &first);
    watch.step("the first guardian", MUM, &cosigners, &first);
    watch.hand_in("the same again", &watch.steps[6].envelope.clone(), open());
}

fn policies(watch: &mut Sequence) {
    watch.step("main is no guardian", MUM, &[], &set_policy("null", &[("dad", 2, "guardian")]));
    watch.step("nobody is a guardian", MUM, &[], &set_policy("null", &[("mum", 1, "family")]));
    watch.step("the first policy", MUM, &[], &set_policy("null", &MUM_AND_DAD));
    watch.step("made from no policy", LAPTOP, &[], &set_policy("null", &MUM_AND_DAD));
    let next = set_policy(&watch.base(), &MUM_AND_DAD[..2]);
    watch.step("the next policy, by another key", LAPTOP, &[], &next);
    watch.step("a stranger", STRANGER, &[], &set_policy(&watch.base(), &MUM_AND_DAD));
    watch.step("a field twice", MUM, &[], r#"{"lost":{"on":true,"on":false}}"#);
    watch.step("a field of tomorrow", MUM, &[], r#"{"lost":{"on":true,"likes":1}}"#);
    let mut envelope = watch.envelope(MUM, &[LAPTOP], r#"{"ring":{}}"#);
    envelope.signatures.remove(0);
    watch.hand_in("signed by another than it names", &written(&envelope), open());
    let mut other = Sequence::new("another watch", 101);
    other.counters.insert(MUM, 90);
    let envelope = other.envelope(MUM, &[], r#"{"ring":{}}"#);
    watch.hand_in("for another watch", &written(&envelope), open());
    watch.again(MUM);
    watch.again(MUM);
    watch.step("a counter that no order was taken with", MUM, &[], r#"{"ring":{}}"#);
    watch.again(MUM);
    watch.step("a counter that was used", MUM, &[], r#"{"ring":{}}"#);
}

fn second_guardian(watch: &mut Sequence) {
    let dad = enrol("dad", Role::Guardian, &[DAD], Some(DADS_PAPER));
    let envelope = watch.envelope(MUM, &[DAD, DADS_PAPER], &dad);
    watch.hand_in("nobody at the watch", &written(&envelope), Door::Submit { code: None, now: NOW });
    watch.step("by the new keys alone", DAD, &[DADS_PAPER], &dad);
    watch.step("another guardian", MUM, &[DAD, DADS_PAPER], &dad);
    watch.step("a key for dad by mum", MUM, &[4], &enrol("dad", Role::Guardian, &[4], None));
    watch.step("dad's key for gran", MUM, &[DAD], &enrol("gran", Role::Guardian, &[DAD], None));
    watch.step("dad's fifth key", DAD, &[4, 5, 6, 7], &enrol("dad", Role::Guardian, &[4, 5, 6, 7], None));
    watch.step("dad's second key", DAD, &[4], &enrol("dad", Role::Guardian, &[4], None));
    watch.step("dad wipes", DAD, &[], r#"{"wipe":{}}"#);
    let renamed = [("mum", 9, "guardian"), MUM_AND_DAD[1]];
    watch.step("dad changes mum's number", DAD, &[], &set_policy(&watch.base(), &renamed));
    let elsewhere = set_policy(&watch.base(), &MUM_AND_DAD).replace("\"eu\"", "\"cn\"");
    watch.step("dad moves to another law", DAD, &[], &elsewhere);
    let renumbered = [MUM_AND_DAD[0], ("dad", 9, "guardian"), MUM_AND_DAD[2]];
    watch.step("dad changes his own", DAD, &[], &set_policy(&watch.base(), &renumbered));
}

fn days(watch: &mut Sequence) {
    let soon = NOW + 1800;
    for (what, by, body) in [
        ("an app", DAD, r#"{"grant":{"what":{"app":"draw"}}}"#.to_owned()),
        ("the app again away", MUM, r#"{"revoke":{"app":"draw"}}"#.to_owned()),
        ("more time", MUM, format!(r#"{{"grant":{{"what":{{"time":{{"minutes":30}}}},"until":{soon}}}}}"#)),
        (
            "too much time",
            MUM,
            format!(r#"{{"grant":{{"what":{{"time":{{"minutes":241}}}},"until":{soon}}}}}"#),
        ),
        ("a grant that is over", MUM, r#"{"grant":{"what":{"app":"draw"},"until":1}}"#.to_owned()),
        ("the watch, by PIN", DEVICE, format!(r#"{{"grant":{{"what":{{"app":"draw"}},"until":{soon}}}}}"#)),
        ("the watch, for good", DEVICE, r#"{"grant":{"what":{"app":"draw"},"until":null}}"#.to_owned()),
        ("an answer", DEVICE, r#"{"answer":{"request":7,"yes":false,"until":null}}"#.to_owned()),
        ("a pause", DAD, r#"{"pause":{"until":null}}"#.to_owned()),
        ("its end", MUM, r#"{"resume":{}}"#.to_owned()),
        ("lost", MUM, r#"{"lost":{"on":true}}"#.to_owned()),
        ("ring", DAD, r#"{"ring":{}}"#.to_owned()),
        ("found", DAD, r#"{"lost":{"on":false}}"#.to_owned()),
        ("where is she", DAD, r#"{"locate":{}}"#.to_owned()),
        ("all data", DAD, r#"{"export":{}}"#.to_owned()),
    ] {
        watch.step(what, by, &[], &body);
    }
}

fn partings(watch: &mut Sequence) {
    watch.step("who is not there", MUM, &[], &retire("gran", None, None));
    watch.step("dad removes mum", DAD, &[], &retire("mum", None, Some("dad")));
    watch.step("mum leaves nobody", MUM, &[], &retire("mum", None, None));
    watch.step("an heir who is not there", MUM, &[], &retire("mum", None, Some("aunt")));
    watch.step("dad's lost phone", DAD, &[], &retire("dad", Some(DAD), None));
    watch.step("dad's last key", MUM, &[], &retire("dad", Some(4), None));
    watch.step("the lost phone", DAD, &[], r#"{"ring":{}}"#);
    let new = enrol("mum", Role::Main, &[MUM, 5], Some(13));
    watch.step("mum's paper", MUMS_PAPER, &[MUM, 5, 13], &new);
    watch.step("the laptop is worth nothing now", LAPTOP, &[], r#"{"ring":{}}"#);
    watch.step("the paper neither", MUMS_PAPER, &[5], &enrol("mum", Role::Main, &[5], None));
    watch.again(MUM);
    watch.step("a counter from before", MUM, &[], r#"{"ring":{}}"#);
    watch.step("mum leaves it to dad", MUM, &[], &retire("mum", None, Some("dad")));
    watch.step("mum is gone", MUM, &[], r#"{"ring":{}}"#);
    watch.step("dad is main and wipes", 4, &[], r#"{"wipe":{}}"#);
    watch.step("nothing comes after", 4, &[], r#"{"ring":{}}"#);
}

pub(crate) fn sequences() -> Vec<Sequence> {
    let mut family = Sequence::new("a family", DEVICE);
    first_guardian(&mut family);
    policies(&mut family);
    second_guardian(&mut family);
    days(&mut family);
    partings(&mut family);
    let mut old = Sequence::new("the log of a first watch", DEVICE);
    for line in include_str!("first-watches.jsonl").lines() {
        old.hand_in("as it was written", line, Door::Log);
    }
    old.counters.insert(MUM, 3);
    let unlock = format!(r#"{{"unlock":{{"boot_key":"{}"}}}}"#, "0f".repeat(32));
    old.step("and it goes on", MUM, &[], &unlock);
    let mut other = Sequence::new("another watch", 101);
    let taken = family.steps.iter().filter(|step| step.refused.is_none()).take(5);
    for envelope in taken.map(|step| step.envelope.clone()).collect::<Vec<_>>() {
        other.hand_in("an order the first watch took", &envelope, open());
    }
    vec![family, old, other]
}
