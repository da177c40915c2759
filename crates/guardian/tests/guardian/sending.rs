//! Every order, from the command line to the watch's ledger.

use orders::{Effect, Role};
use policy::Extra;

use crate::world::{Laptop, Watch};

#[test]
fn a_family_begins_with_a_key_an_enrolment_and_rules() {
    let watch = Watch::new();
    let mum = Laptop::of_main(&watch);
    assert_eq!(mum.sent(), ["0001-enrol.taken.json", "0002-set-policy.taken.json"]);
    let ledger = watch.ledger.lock().unwrap();
    let main = ledger.keyring().main().unwrap();
    assert_eq!((main.id.as_str(), main.role, main.recovery.is_some()), ("mum", Role::Main, true));
    assert_eq!(ledger.policy().unwrap().contacts[0].numbers[0].to_string(), "+358405550001");
    let hash = ledger.policy_hash().unwrap().to_string();
    let said = mum.ok(&["show"]);
    for part in
        ["You are mum, main of the watch", &hash, "numbers = [\"+358405550001\"]", "0002 taken: rules"]
    {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    assert!(!said.contains("policy.toml"), "{said}");
    let other = ["enrol", "--watch", &"0".repeat(32), "--code", &"0".repeat(20)];
    assert!(mum.fails(&other, &mum.paper).1.contains("this family has another watch"));
}

#[test]
fn every_order_is_taken_and_means_what_was_typed() {
    let watch = Watch::new();
    let mum = Laptop::of_main(&watch);
    let order = |words: &[&str]| {
        mum.ok(&[&["sign"], words].concat());
        mum.send(&watch);
        let applied = watch.applied.lock().unwrap().last().unwrap().clone();
        assert_eq!(applied.guardian, "mum");
        (applied.effect, watch.ledger.lock().unwrap().standing().clone())
    };
    let end = Some(1_924_354_800);
    let (_, standing) = order(&["pause", "--until", "2030-12-24T17:00:00+02:00"]);
    assert_eq!(standing.paused.unwrap().until, end);
    assert_eq!(order(&["resume"]).1.paused, None);
    let (_, standing) = order(&["grant", "draw", "--until", "2030-12-24T15:00Z"]);
    assert_eq!(standing.grants, [Extra { app: "draw".into(), until: end }]);
    let (_, standing) = order(&["revoke", "draw"]);
    assert_eq!((standing.grants.len(), standing.revoked.as_slice()), (0, ["draw".to_owned()].as_slice()));
    let (_, standing) = order(&["grant-time", "30", "--category", "game", "--until", "23:59"]);
    let more = &standing.more_time[0];
    assert_eq!((more.category.as_deref(), more.minutes), (Some("game"), 30));
    assert!(order(&["lost", "on"]).1.lost && !order(&["lost", "off"]).1.lost);
    assert_eq!(order(&["locate"]).0, Effect::Locate);
    assert_eq!(order(&["ring"]).0, Effect::Ring);
    assert_eq!(order(&["export"]).0, Effect::Export);
    assert_eq!(order(&["answer", "7", "no"]).0, Effect::Answer { request: 7, yes: false, until: None });
    let until = Effect::Answer { request: 8, yes: true, until: end };
    assert_eq!(order(&["answer", "8", "yes", "--until", "2030-12-24T15:00Z"]).0, until);
    assert!(mum.ok(&["show"]).contains("taken: the app draw until 2030-12-24"));
}

#[test]
fn erasing_a_watch_needs_its_id_typed() {
    for (words, effect) in
        [(vec!["sign", "wipe"], "Wipe"), (vec!["sign", "unlock", &"ab".repeat(32)], "Unlock")]
    {
        let watch = Watch::new();
        let mum = Laptop::of_main(&watch);
        let before = mum.sent();
        let (code, said) = mum.fails(&words, "yes");
        assert!(code == 1 && said.contains("nothing was signed"), "{said}");
        assert_eq!(mum.sent(), before);
        mum.typing(&words, &watch.id());
        mum.send(&watch);
        assert!(watch.ledger.lock().unwrap().wiped() && !mum.path("base.json").exists());
        let applied = watch.applied.lock().unwrap();
        assert!(format!("{:?}", applied.last().unwrap().effect).starts_with(effect));
    }
}

#[test]
fn words_that_cannot_be_meant_are_refused_before_they_are_signed() {
    let watch = Watch::new();
    let mum = Laptop::of_main(&watch);
    for (words, part) in [
        (vec!["pause", "--until", "2020-01-01T10:00"], "is over"),
        (vec!["pause", "--until", "soon"], "such as 2026-12-24T18:00, or 18:00 alone"),
        (vec!["grant", "Draw"], "1 to 32 of a-z"),
        (vec!["grant-time", "241", "--until", "18:00"], "241"),
        (vec!["grant-time", "30"], "--until"),
        (vec!["retire", "watch"], "the watch itself"),
        (vec!["unlock", "12"], "64 hex digits"),
    ] {
        let (_, said) = mum.fails(&[&["sign"], words.as_slice()].concat(), "");
        assert!(said.contains(part), "{words:?}: {said}");
    }
    assert_eq!(mum.sent().len(), 2);
}

#[test]
fn without_an_answer_the_order_waits() {
    let watch = Watch::new();
    let mum = Laptop::of_main(&watch);
    mum.ok(&["sign", "ring"]);
    let (code, said) = mum.fails(&["send", "--agent", "/nowhere"], "");
    assert!(code == 4 && said.contains("still waits"), "{said}");
    assert_eq!(mum.sent().last().unwrap(), "0003-ring.json");
    assert!(mum.send(&watch).contains("0003-ring.json: taken"));
    assert_eq!(mum.send(&watch), "Nothing waits.\n");
}

#[test]
fn another_carrier_gets_the_envelopes_and_the_rules_it_brought_are_the_next_base() {
    let watch = Watch::new();
    let mum = Laptop::of_main(&watch);
    mum.write("policy.toml", &mum.text("policy.toml").replace("\"Mum\"", "\"Mummy\""));
    mum.ok(&["sign", "policy"]);
    let (code, said) = mum.fails(&["sign", "policy"], "");
    assert!(code == 1 && said.contains("0003-set-policy.json waits"), "{said}");
    let printed = mum.ok(&["send", "--print"]);
    let now = orders::Door::Submit { code: None, now: 0 };
    watch.ledger.lock().unwrap().apply(printed.trim().as_bytes(), now).unwrap();
    mum.ok(&["send", "--taken", mum.path("sent/0003-set-policy.json").to_str().unwrap()]);
    assert_eq!(mum.text("base.json"), printed.trim());
    mum.write("policy.toml", &mum.text("policy.toml").replace("\"Mummy\"", "\"Mum\""));
    mum.ok(&["sign", "policy"]);
    mum.send(&watch);
}

#[test]
fn a19_the_same_order_again_is_refused_in_words() {
    let watch = Watch::new();
    let mum = Laptop::of_main(&watch);
    let taken = mum.path("sent/0002-set-policy.taken.json");
    let (code, said) = mum.fails(&["send", "--agent", &watch.agent(), taken.to_str().unwrap()], "");
    assert!(code == 3 && said.contains("Replayed") && said.contains("send --taken"), "{said}");
    assert_eq!(mum.sent().last().unwrap(), "0002-set-policy.refused.json");
}
