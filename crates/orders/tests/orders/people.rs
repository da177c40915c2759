//! Who stays a guardian, who goes, and what of it is told.

use orders::{Body, BootKey, Change, Door, Ledger, Refused, Role};
use policy::Kind;

use crate::family::{
    Home, NOW, contact, door, enrolment, family, id, keys, order, order_with, retire, set_policy, signer,
    submit, through, watch_of,
};

#[test]
fn a18_nobody_else_removes_main_or_takes_her_place() {
    let Home { mut ledger, mut dad, mum, mums_paper, .. } = Home::bound();
    for body in [
        retire("mum", None, None),
        retire("mum", None, Some("dad")),
        retire("mum", Some(&mum), None),
        retire("mum", Some(&mums_paper), None),
    ] {
        assert!(matches!(order(&mut ledger, &mut dad, body), Err(Refused::MainStays)));
    }
    for body in [Body::Wipe {}, Body::Unlock { boot_key: BootKey::of_bytes(b"dad's") }] {
        assert!(matches!(
            order(&mut ledger, &mut dad, body),
            Err(Refused::Role { role: Role::Guardian, .. })
        ));
    }
    let body = retire("dad", None, Some("dad"));
    assert!(matches!(order(&mut ledger, &mut dad, body), Err(Refused::Heir)));
    assert_eq!(ledger.keyring().main().unwrap().id, "mum");
}

#[test]
fn a18_a_guardian_retires_himself_and_nobody_else() {
    let Home { mut ledger, mut mum, mut dad, .. } = Home::bound();
    let gran = signer(3);
    order_with(&mut ledger, &mut mum, &[&gran], enrolment("gran", Role::Guardian, &[&gran], None)).unwrap();
    for key in [None, Some(&gran)] {
        let result = order(&mut ledger, &mut dad, retire("gran", key, None));
        assert!(matches!(result, Err(Refused::NotHis { guardian }) if guardian == "gran"));
    }
    order(&mut ledger, &mut dad, retire("dad", None, None)).unwrap();
    assert!(ledger.keyring().guardian("dad").is_none());
    assert!(ledger.keyring().key(&id(&dad)).is_none());
}

#[test]
fn t30_main_leaves_when_there_is_an_heir_and_the_last_one_never() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    assert!(matches!(order(&mut ledger, &mut mum, retire("mum", None, None)), Err(Refused::MainStays)));
    let gran = signer(3);
    order_with(&mut ledger, &mut mum, &[&gran], enrolment("gran", Role::Guardian, &[&gran], None)).unwrap();
    // Not herself, nobody unknown, nobody the policy has not as a guardian, and no heir to a key or to dad.
    for body in [
        retire("mum", None, Some("mum")),
        retire("mum", None, Some("aunt")),
        retire("mum", None, Some("gran")),
        retire("mum", Some(&mum), Some("dad")),
        retire("dad", None, Some("gran")),
        retire("dad", None, Some("dad")),
    ] {
        assert!(matches!(order(&mut ledger, &mut mum, body), Err(Refused::Heir)));
    }
    let mut policy = family(&["aunt"]);
    policy.contacts.push(contact(8, "gran", Kind::Guardian));
    let body = set_policy(&ledger, policy);
    order(&mut ledger, &mut mum, body).unwrap();
    let applied = order(&mut ledger, &mut mum, retire("mum", None, Some("gran"))).unwrap();
    assert_eq!(
        applied.changes,
        [
            Change::Removed { guardian: "mum".into() },
            Change::KeyRemoved { guardian: "mum".into(), key: id(&mum) },
            Change::KeyRemoved { guardian: "mum".into(), key: id(&signer(11)) },
            Change::Main { guardian: "gran".into() },
        ]
    );
    let mains: Vec<_> =
        ledger.keyring().guardians().iter().filter(|guardian| guardian.role == Role::Main).collect();
    assert_eq!((mains.len(), mains[0].id.as_str()), (1, "gran"));
    assert!(matches!(order(&mut ledger, &mut mum, Body::Ring {}), Err(Refused::Signature)));
    let mut gran = gran;
    assert!(matches!(order(&mut ledger, &mut gran, retire("gran", None, None)), Err(Refused::MainStays)));
    order(&mut ledger, &mut gran, retire("dad", None, None)).unwrap();
    // Now there is nobody to leave it to.
    assert!(matches!(order(&mut ledger, &mut gran, retire("gran", None, Some("dad"))), Err(Refused::Heir)));
}

#[test]
fn a_key_is_retired_and_the_last_one_is_not() {
    let Home { mut ledger, mut mum, mut dad, dads_paper, .. } = Home::bound();
    let laptop = signer(3);
    for (by, whose) in [(&mut mum, "dad"), (&mut dad, "dad")] {
        let result = order(&mut ledger, by, retire(whose, Some(&signer(2)), None));
        assert!(matches!(result, Err(Refused::LastKey)));
    }
    assert!(matches!(
        order(&mut ledger, &mut mum, retire("mum", Some(&signer(1)), None)),
        Err(Refused::LastKey)
    ));
    let body = enrolment("dad", Role::Guardian, &[&laptop], None);
    order_with(&mut ledger, &mut dad, &[&laptop], body).unwrap();
    // A key may retire itself; the paper is not counted among the keys.
    let applied = order(&mut ledger, &mut dad, retire("dad", Some(&signer(2)), None)).unwrap();
    assert_eq!(applied.changes, [Change::KeyRemoved { guardian: "dad".into(), key: id(&dad) }]);
    assert!(matches!(
        order(&mut ledger, &mut mum, retire("dad", Some(&laptop), None)),
        Err(Refused::LastKey)
    ));
    order(&mut ledger, &mut mum, retire("dad", Some(&dads_paper), None)).unwrap();
    assert_eq!(keys(&ledger, "dad"), [id(&laptop)]);
}

#[test]
fn who_is_not_enrolled_is_not_retired() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let strangers = signer(66);
    for body in [
        retire("gran", None, None),
        retire("dad", Some(&strangers), None),
        // Mum's key is not dad's.
        retire("dad", Some(&signer(1)), None),
    ] {
        assert!(matches!(order(&mut ledger, &mut mum, body), Err(Refused::NotEnrolled { .. })));
    }
}

#[test]
fn t30_an_order_that_was_taken_says_who_added_and_removed_whom() {
    let Home { mut ledger, mut mum, mums_paper, .. } = Home::unbound();
    let body = enrolment("mum", Role::Main, &[&mum], Some(&mums_paper));
    let applied = order_with(&mut ledger, &mut mum, &[&mums_paper], body).unwrap();
    let name = |name: &str| name.to_owned();
    assert_eq!(
        applied.changes,
        [
            Change::Added { guardian: name("mum") },
            Change::KeyAdded { guardian: name("mum"), key: id(&mum) },
            Change::KeyAdded { guardian: name("mum"), key: id(&mums_paper) },
            Change::Main { guardian: name("mum") },
        ]
    );
    let dad = signer(2);
    let body = enrolment("dad", Role::Guardian, &[&dad], None);
    let applied = order_with(&mut ledger, &mut mum, &[&dad], body).unwrap();
    assert_eq!((applied.guardian.as_str(), &applied.key), ("mum", &id(&mum)));
    assert_eq!(
        applied.changes,
        [Change::Added { guardian: name("dad") }, Change::KeyAdded { guardian: name("dad"), key: id(&dad) },]
    );
    let applied = order(&mut ledger, &mut mum, retire("dad", None, None)).unwrap();
    assert_eq!((applied.guardian.as_str(), applied.kind), ("mum", "retire"));
    assert_eq!(
        applied.changes,
        [
            Change::Removed { guardian: name("dad") },
            Change::KeyRemoved { guardian: name("dad"), key: id(&dad) },
        ]
    );
    let applied = order(&mut ledger, &mut mum, Body::Ring {}).unwrap();
    assert_eq!((applied.changes, applied.keyring_changed), (vec![], false));
}

#[test]
fn a57_what_one_watch_was_told_is_worth_nothing_on_another() {
    // Every order of one watch, its first enrolment and its policy among them.
    let Home { mut ledger, mut mum, mums_paper, mut dad, .. } = Home::unbound();
    let watch = ledger.watch().clone();
    let mut log = vec![mum.order(&watch, NOW, enrolment("mum", Role::Main, &[&mum], Some(&mums_paper)))];
    mums_paper.cosign(&mut log[0]);
    log.push(mum.order(&watch, NOW, Body::SetPolicy { base: None, policy: family(&["aunt"]) }));
    log.push(mum.order(&watch, NOW, enrolment("dad", Role::Guardian, &[&dad], None)));
    dad.cosign(&mut log[2]);
    log.push(dad.order(&watch, NOW, Body::Lost { on: true }));
    log.push(mum.order(&watch, NOW, Body::Wipe {}));
    for envelope in &log {
        submit(&mut ledger, envelope).unwrap();
    }
    // Another watch, fresh or with the same guardians and keys, takes none of it through either door.
    let other = signer(101);
    let fresh = Ledger::new(watch_of(&other));
    for mut ledger in [fresh.clone(), Home::bound_from(fresh).ledger] {
        for envelope in &log {
            for door in [Door::Log, door()] {
                let result = through(&mut ledger, envelope, door);
                let refused = matches!(result, Err(Refused::Watch | Refused::Signature | Refused::Signer));
                assert!(refused, "{result:?}");
            }
        }
        assert!(!ledger.standing().lost);
    }
}

#[test]
fn the_fingerprint_tells_every_change_of_keys_owners_and_roles_apart() {
    let mut seen = std::collections::HashSet::new();
    let Home { mut ledger, mut mum, mut dad, .. } = Home::bound();
    let mut differs = |ledger: &Ledger| assert!(seen.insert(ledger.keyring().fingerprint()));
    differs(&Ledger::new(ledger.watch().clone()));
    differs(&Home::without_policy().ledger);
    differs(&ledger);
    let laptop = signer(3);
    order_with(&mut ledger, &mut dad, &[&laptop], enrolment("dad", Role::Guardian, &[&laptop], None))
        .unwrap();
    differs(&ledger);
    let heir = &mut ledger.clone();
    order(heir, &mut signer(1).after(mum.counter()), retire("mum", None, Some("dad"))).unwrap();
    differs(heir);
    order(&mut ledger, &mut dad, retire("dad", Some(&signer(12)), None)).unwrap();
    differs(&ledger);
    order(&mut ledger, &mut mum, retire("dad", None, None)).unwrap();
    // The paper of one is the key of another.
    let key = signer(13);
    for (n, paper) in [(1, None), (2, Some(&key))] {
        let mut ledger = ledger.clone();
        let mut mum = signer(1).after(mum.counter());
        let phone = signer(20 + n);
        let keys = if paper.is_some() { vec![&phone] } else { vec![&phone, &key] };
        let body = enrolment("dad", Role::Guardian, &keys, paper);
        order_with(&mut ledger, &mut mum, &[&phone, &key], body).unwrap();
        differs(&ledger);
    }
    // Counters are not in it.
    let before = ledger.keyring().fingerprint();
    order(&mut ledger, &mut mum, Body::Ring {}).unwrap();
    assert_eq!(ledger.keyring().fingerprint(), before);
}
