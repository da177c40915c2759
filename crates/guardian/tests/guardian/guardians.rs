//! More than one guardian, and one who lost his key.

use std::fs;

use orders::Role;

use crate::world::{Laptop, Watch, code};

/// Dad brings his public keys, mum signs for them, dad signs under it and sends. Gives mum's order.
fn enrol_dad(watch: &Watch, mum: &Laptop, dad: &Laptop) -> String {
    let public = dad.path("public.toml").display().to_string();
    let order = mum.ok(&["enrol", "--guardian", &public, "--code", &code().digits()]).trim().to_owned();
    dad.typing(&["enrol", "--order", &order], &dad.paper);
    dad.send(watch);
    order
}

#[test]
fn a17_a_second_guardian_is_brought_in_by_main_and_shows_that_he_has_his_keys() {
    let watch = Watch::new();
    let (mum, dad) = (Laptop::of_main(&watch), Laptop::of("dad", "+358 40 555 0002"));
    let order = enrol_dad(&watch, &mum, &dad);
    let guardian = watch.ledger.lock().unwrap().keyring().guardian("dad").cloned().unwrap();
    assert!(guardian.role == Role::Guardian && guardian.recovery.is_some());
    // Mum's own copy lacks dad's signature: it never leaves by itself.
    assert!(mum.send(&watch).contains("not sent: it waits for dad's signature"));
    assert!(mum.ok(&["show"]).contains("waits for dad's signature: dad becomes guardian"));
    assert!(mum.ok(&["show", &order]).contains("Signed by mum,"));
    // Dad is no main.
    for words in [vec!["sign", "wipe"], vec!["enrol", "--guardian", &order, "--code", &code().digits()]] {
        let (code, said) = dad.fails(&words, &watch.id());
        assert!(code == 1, "{said}");
    }
    assert_eq!(dad.sent(), ["0001-enrol.taken.json"]);
    mum.ok(&["sign", "retire", "dad"]);
    mum.ok(&["send", "--agent", &watch.agent(), mum.path("sent/0004-retire.json").to_str().unwrap()]);
    assert_eq!(watch.ledger.lock().unwrap().keyring().guardians().len(), 1);
}

#[test]
fn a17_nobody_signs_under_an_enrolment_of_other_keys() {
    let watch = Watch::new();
    let (mum, dad) = (Laptop::of_main(&watch), Laptop::of("dad", "+358 40 555 0002"));
    let stranger = Laptop::empty();
    stranger.ok(&["new", "dad", "--no-paper"]);
    let public = stranger.path("public.toml").display().to_string();
    let order = mum.ok(&["enrol", "--guardian", &public, "--code", &code().digits()]);
    let (code, said) = dad.fails(&["enrol", "--order", order.trim()], &dad.paper);
    assert!(code == 1 && said.contains("not of the keys in your public.toml"), "{said}");
    let rules = mum.path("base.json").display().to_string();
    assert!(dad.fails(&["enrol", "--order", &rules], "").1.contains("this is no enrolment"));
    assert!(dad.sent().is_empty() && !dad.path("watch.toml").exists());
}

#[test]
fn a_second_laptop_of_main_is_main_and_leaves_the_paper_as_it_is() {
    let watch = Watch::new();
    let (mum, laptop) = (Laptop::of_main(&watch), Laptop::empty());
    assert!(!laptop.ok(&["new", "mum", "--no-paper"]).contains("recovery key"));
    let before = watch.ledger.lock().unwrap().keyring().main().unwrap().recovery.clone();
    enrol_dad(&watch, &mum, &laptop);
    let main = watch.ledger.lock().unwrap().keyring().main().unwrap().clone();
    assert_eq!((main.keys.len(), main.recovery), (2, before));
    let base = mum.path("base.json").display().to_string();
    laptop.ok(&["edit", "--from", &base]);
    laptop.ok(&["sign", "policy"]);
    laptop.send(&watch);
}

#[test]
fn of_two_who_change_the_rules_the_second_is_told_and_loses_no_comment() {
    let watch = Watch::new();
    let (mum, dad) = (Laptop::of_main(&watch), Laptop::of("dad", "+358 40 555 0002"));
    enrol_dad(&watch, &mum, &dad);
    assert!(dad.fails(&["sign", "policy"], "").1.contains("ask main for base.json"));
    let said = dad.ok(&["edit", "--from", mum.path("base.json").to_str().unwrap()]);
    assert!(said.contains("a key that is not known here"), "{said}");
    fs::create_dir(dad.path("guardians")).unwrap();
    fs::copy(mum.path("public.toml"), dad.path("guardians/mum.toml")).unwrap();
    let said = dad.ok(&["edit", "--from", mum.path("base.json").to_str().unwrap()]);
    assert!(said.contains("Signed by mum,") && !said.contains("What you had"), "{said}");

    let aunt = "\n[[contacts]]\nid = \"aunt\"\nname = \"Auntie\"\nkind = \"family\"\nnumbers = [\"+358405550004\"]\n\
                may = { ring = true, be_called = true }\n";
    dad.write("policy.toml", &(dad.text("policy.toml") + aunt));
    let noted = mum.text("policy.toml").replace("name = \"Mum\"", "name = \"Mummy\" # since June");
    mum.write("policy.toml", &noted);
    for guardian in [&dad, &mum] {
        guardian.ok(&["sign", "policy"]);
    }
    dad.send(&watch);
    let mums = mum.path("sent/0004-set-policy.json").display().to_string();
    let (code, said) = mum.fails(&["send", "--agent", &watch.agent(), &mums], "");
    assert!(code == 3 && said.contains("StaleBase") && said.contains("Another guardian changed"), "{said}");
    assert_eq!(mum.sent().last().unwrap(), "0004-set-policy.refused.json");

    mum.ok(&["edit", "--from", dad.path("base.json").to_str().unwrap()]);
    let merged = mum.text("policy.toml");
    assert!(merged.contains("name = \"Mum\" # since June\n") && merged.contains("id = \"aunt\""), "{merged}");
    for note in noted.lines().filter(|line| line.starts_with('#')) {
        assert!(merged.contains(note), "{note} is gone from\n{merged}");
    }
    assert_eq!(mum.text("policy.toml.before"), noted);
    mum.write("policy.toml", &merged.replace("name = \"Mum\"", "name = \"Mummy\""));
    mum.ok(&["sign", "policy"]);
    mum.ok(&["send", "--agent", &watch.agent(), mum.path("sent/0005-set-policy.json").to_str().unwrap()]);
    let ledger = watch.ledger.lock().unwrap();
    let names: Vec<_> =
        ledger.policy().unwrap().contacts.iter().map(|contact| contact.name.as_str()).collect();
    assert_eq!(names, ["Mummy", "Auntie"]);
}

#[test]
fn who_lost_his_key_comes_back_with_his_paper_again_and_again() {
    let watch = Watch::new();
    let mum = Laptop::of_main(&watch);
    let old = watch.ledger.lock().unwrap().keyring().main().unwrap().keys.clone();
    for _ in 0..2 {
        let laptop = Laptop::empty();
        let words = ["recover", "mum", "--watch", &watch.id(), "--code", &code().groups()];
        let (code, said) = laptop.fails(&words, &mum.paper.replace(' ', "").replacen('-', "", 1)[..60]);
        assert!(code == 1 && said.contains("look at your paper"), "{said}");
        let mut wrong = words;
        let other_code = "0".repeat(20);
        wrong[5] = &other_code;
        laptop.typing(&wrong, &mum.paper.to_lowercase());
        let (code, said) = laptop.fails(&["send", "--agent", &watch.agent()], "");
        assert!(code == 3 && said.contains("Where they are of the code"), "{said}");
        laptop.typing(&words, &mum.paper.to_lowercase());
        laptop.send(&watch);
        laptop.ok(&["sign", "ring"]);
        laptop.send(&watch);
        let (code, said) = laptop.fails(&words, &mum.paper);
        assert!(code == 1 && said.contains("another key"), "{said}");
    }
    let main = watch.ledger.lock().unwrap().keyring().main().unwrap().clone();
    assert!(main.keys.len() == 1 && main.keys != old && main.recovery.is_some());
    mum.ok(&["sign", "ring"]);
    let (code, said) = mum.fails(&["send", "--agent", &watch.agent()], "");
    assert!(code == 3 && said.contains("does not know this key"), "{said}");
}

#[test]
fn an_enrolment_needs_the_paper_that_was_printed_here() {
    let watch = Watch::new();
    let (mum, other) = (Laptop::of("mum", "+358 40 555 0001"), Laptop::of("mum", "+358 40 555 0001"));
    let enrol = ["enrol", "--watch", &watch.id(), "--code", &code().groups()];
    for (paper, part) in [(other.paper.as_str(), "another paper"), ("", "group"), ("AAAAA", "group 1")] {
        let (code, said) = mum.fails(&enrol, paper);
        assert!(code == 1 && said.contains(part), "{said}");
    }
    assert!(mum.sent().is_empty());
    for (words, part) in [
        (vec!["enrol"], "--watch"),
        (vec!["enrol", "--watch", &watch.id()], "--code"),
        (vec!["enrol", "--watch", "12", "--code", "1"], "32 hex digits"),
    ] {
        let (code, said) = mum.fails(&words, "");
        assert!(code == 2 && said.contains(part), "{said}");
    }
}
