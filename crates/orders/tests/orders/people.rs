//! Who becomes a guardian, who stays one, and who tries.

use orders::{Applied, Body, Change, Door, EnrolmentCode, Envelope, KeyId, Ledger, Refused, Role, Signer};
use policy::Kind;

use crate::family::{
    Home, NOW, code, contact, enrolment, family, order, order_with, set_policy, signer, submit, through,
    watch_of,
};

fn retire(guardian: &str, key: Option<&Signer>, heir: Option<&str>) -> Body {
    Body::Retire {
        guardian: guardian.into(),
        key: key.map(|key| key.public().id()),
        heir: heir.map(str::to_owned),
    }
}

fn id(key: &Signer) -> KeyId {
    key.public().id()
}

/// The names of the keys of a guardian, his paper last.
fn keys(ledger: &Ledger, guardian: &str) -> Vec<KeyId> {
    ledger.keyring().guardian(guardian).unwrap().keys_and_roles().map(|(key, _)| key.id()).collect()
}

/// An order through a door with this code on the screen.
fn shown(ledger: &mut Ledger, envelope: &Envelope, code: Option<EnrolmentCode>) -> Result<Applied, Refused> {
    through(ledger, envelope, Door::Submit { code, now: NOW })
}

#[test]
fn a17_a_fresh_watch_binds_with_its_code_and_every_key() {
    let Home { mut ledger, mut mum, mums_paper, .. } = Home::unbound();
    let laptop = signer(3);
    let body = enrolment("mum", Role::Main, &[&mum, &laptop], Some(&mums_paper));
    let applied = order_with(&mut ledger, &mut mum, &[&laptop, &mums_paper], body).unwrap();
    assert_eq!((applied.guardian.as_str(), applied.kind, applied.keyring_changed), ("mum", "enrol", true));
    assert_eq!(keys(&ledger, "mum"), [id(&mum), id(&laptop), id(&mums_paper)]);
    assert_eq!(ledger.keyring().main().unwrap().id, "mum");
    assert_eq!(ledger.keyring().counter(&id(&mum)), 1);
    assert_eq!(ledger.keyring().counter(&id(&laptop)), 0);
}

#[test]
fn a17_the_wrong_code_or_no_code_on_the_screen_binds_nobody() {
    let Home { mut ledger, mut mum, .. } = Home::unbound();
    let watch = ledger.watch().clone();
    let envelope = mum.order(&watch, NOW, enrolment("mum", Role::Main, &[&mum], None));
    let other = EnrolmentCode::from_random([9; 8]);
    assert!(matches!(shown(&mut ledger, &envelope, Some(other)), Err(Refused::WrongCode)));
    assert!(matches!(shown(&mut ledger, &envelope, None), Err(Refused::NoWindow)));
    assert!(ledger.keyring().is_empty());
    shown(&mut ledger, &envelope, Some(code())).unwrap();
}

#[test]
fn a17_the_first_guardian_is_main_and_signs_himself() {
    let Home { mut ledger, mut mum, .. } = Home::unbound();
    let mut stranger = signer(66);
    let body = enrolment("mum", Role::Guardian, &[&mum], None);
    let result = order(&mut ledger, &mut mum, body);
    assert!(matches!(result, Err(Refused::EnrolRole { expected: Role::Main })));
    let body = enrolment("mum", Role::Main, &[&mum], None);
    assert!(matches!(order(&mut ledger, &mut stranger, body), Err(Refused::Signer)));
    for guardian in ["", "Mum", "mum/..", "watch"] {
        let body = enrolment(guardian, Role::Main, &[&mum], None);
        assert!(matches!(order(&mut ledger, &mut mum, body), Err(Refused::GuardianId)), "{guardian}");
    }
    assert!(matches!(order(&mut ledger, &mut mum, Body::Wipe {}), Err(Refused::Signature)));
    assert!(ledger.keyring().is_empty());
}

#[test]
fn a17_the_code_alone_enrols_nobody_on_a_bound_watch() {
    let Home { mut ledger, .. } = Home::bound();
    let mut stranger = signer(66);
    for (guardian, role) in [("stranger", Role::Main), ("stranger", Role::Guardian), ("mum", Role::Main)] {
        let body = enrolment(guardian, role, &[&stranger], None);
        assert!(matches!(order(&mut ledger, &mut stranger, body), Err(Refused::Signature)), "{guardian}");
    }
}

#[test]
fn a17_a_photograph_of_the_code_is_worth_nothing_later() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let gran = signer(3);
    let body = enrolment("gran", Role::Guardian, &[&gran], None);
    let mut envelope = mum.order(&ledger.watch().clone(), NOW, body);
    gran.cosign(&mut envelope);
    // Mum signed, but nobody is at the watch, or somebody is and it shows another code by now.
    assert!(matches!(shown(&mut ledger, &envelope, None), Err(Refused::NoWindow)));
    let later = EnrolmentCode::from_random([9; 8]);
    assert!(matches!(shown(&mut ledger, &envelope, Some(later)), Err(Refused::WrongCode)));
    shown(&mut ledger, &envelope, Some(code())).unwrap();
}

#[test]
fn a17_what_main_did_not_sign_is_refused_however_often_it_comes() {
    let Home { mut ledger, mut dad, .. } = Home::bound();
    let mut stranger = signer(66);
    let body = enrolment("stranger", Role::Guardian, &[&stranger], None);
    for _ in 0..3 {
        let result = order(&mut ledger, &mut stranger, body.clone());
        assert!(matches!(result, Err(Refused::Signature)));
        let result = order_with(&mut ledger, &mut dad, &[&stranger], body.clone());
        assert!(matches!(result, Err(Refused::NotHis { guardian }) if guardian == "stranger"));
    }
    let result = order_with(&mut ledger, &mut signer(12), &[&stranger], body);
    assert!(matches!(result, Err(Refused::NotHis { .. })), "dad's paper enrols dad alone");
}

#[test]
fn a17_a_retired_guardian_comes_back_by_mains_order_alone_and_his_old_orders_stay_used() {
    let Home { mut ledger, mut mum, mut dad, .. } = Home::bound();
    let ring = dad.order(&ledger.watch().clone(), NOW, Body::Ring {});
    submit(&mut ledger, &ring).unwrap();
    let comes = enrolment("dad", Role::Guardian, &[&dad], None);
    let mut enrol = mum.order(&ledger.watch().clone(), NOW, comes.clone());
    dad.cosign(&mut enrol);
    order(&mut ledger, &mut mum, retire("dad", None, None)).unwrap();
    // His key, his paper, the code, and the order by which he was enrolled before.
    assert!(matches!(order(&mut ledger, &mut dad, comes.clone()), Err(Refused::Signature)));
    assert!(matches!(
        order_with(&mut ledger, &mut signer(12), &[&dad], comes.clone()),
        Err(Refused::Signature)
    ));
    assert!(matches!(submit(&mut ledger, &enrol), Err(Refused::Replayed { .. })));
    assert!(matches!(submit(&mut ledger, &ring), Err(Refused::Signature)));
    order_with(&mut ledger, &mut mum, &[&dad], comes).unwrap();
    assert!(matches!(submit(&mut ledger, &ring), Err(Refused::Replayed { got: 1, last: 1 })));
    order(&mut ledger, &mut dad, Body::Ring {}).unwrap();
}

#[test]
fn a17_an_enrolment_that_was_taken_is_not_taken_again() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let gran = signer(3);
    let body = enrolment("gran", Role::Guardian, &[&gran], None);
    let mut envelope = mum.order(&ledger.watch().clone(), NOW, body);
    gran.cosign(&mut envelope);
    submit(&mut ledger, &envelope).unwrap();
    assert!(matches!(submit(&mut ledger, &envelope), Err(Refused::Replayed { .. })));
    order(&mut ledger, &mut mum, retire("gran", None, None)).unwrap();
    assert!(matches!(submit(&mut ledger, &envelope), Err(Refused::Replayed { .. })));
}

#[test]
fn a24_no_key_is_enrolled_that_did_not_sign() {
    let (laptop, paper) = (signer(3), signer(13));
    let cosigners: [&[&Signer]; 3] = [&[], &[&laptop], &[&paper]];
    for present in cosigners {
        let Home { mut ledger, mut mum, .. } = Home::unbound();
        let body = enrolment("mum", Role::Main, &[&mum, &laptop], Some(&paper));
        let result = order_with(&mut ledger, &mut mum, present, body);
        assert!(matches!(result, Err(Refused::Possession { .. })), "first: {result:?}");

        let Home { mut ledger, mut mum, .. } = Home::bound();
        let body = enrolment("gran", Role::Guardian, &[&laptop], Some(&paper));
        let result = order_with(&mut ledger, &mut mum, present, body);
        assert!(matches!(result, Err(Refused::Possession { .. })), "later: {result:?}");
    }
    // A signature under the key's name that another key made is none.
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let body = enrolment("gran", Role::Guardian, &[&laptop], None);
    let mut envelope = mum.order(&ledger.watch().clone(), NOW, body);
    signer(66).cosign(&mut envelope);
    envelope.signatures[1].key = id(&laptop);
    let result = submit(&mut ledger, &envelope);
    assert!(matches!(result, Err(Refused::Possession { key }) if key == id(&laptop)));
}

#[test]
fn a24_every_enrolled_key_verifies_something() {
    let Home { mut ledger, mut mum, mums_paper, .. } = Home::unbound();
    let (two, three, four) = (signer(3), signer(4), signer(5));
    let body = enrolment("mum", Role::Main, &[&mum, &two, &three, &four], Some(&mums_paper));
    order_with(&mut ledger, &mut mum, &[&two, &three, &four, &mums_paper], body).unwrap();
    for mut key in [mum, two, three, four] {
        assert!(ledger.keyring().key(&id(&key)).is_some());
        order(&mut ledger, &mut key, Body::Ring {}).unwrap();
        assert_eq!(ledger.keyring().counter(&id(&key)), key.counter());
    }
    let (mut paper, phone) = (mums_paper, signer(6));
    let body = enrolment("mum", Role::Main, &[&phone], None);
    order_with(&mut ledger, &mut paper, &[&phone], body).unwrap();
}

#[test]
fn a_guardian_enrols_further_keys_of_his_own_up_to_four() {
    let Home { mut ledger, mut dad, .. } = Home::bound();
    let new = [signer(3), signer(4), signer(5), signer(6)];
    let all: Vec<&Signer> = new.iter().collect();
    let body = enrolment("dad", Role::Guardian, &all, None);
    let result = order_with(&mut ledger, &mut dad, &all, body);
    assert!(matches!(result, Err(Refused::TooMany { what: "keys", limit: 4 })));
    let body = enrolment("dad", Role::Guardian, &all[..3], None);
    order_with(&mut ledger, &mut dad, &all[..3], body).unwrap();
    assert_eq!(keys(&ledger, "dad"), [id(&dad), id(all[0]), id(all[1]), id(all[2]), id(&signer(12))]);
    let body = enrolment("dad", Role::Guardian, &all[3..], None);
    assert!(matches!(order_with(&mut ledger, &mut dad, &all[3..], body), Err(Refused::TooMany { .. })));
}

#[test]
fn a_new_paper_takes_the_place_of_the_old() {
    let Home { mut ledger, mut dad, mut dads_paper, .. } = Home::bound();
    let (laptop, paper) = (signer(3), signer(13));
    let body = enrolment("dad", Role::Guardian, &[&laptop], Some(&paper));
    let applied = order_with(&mut ledger, &mut dad, &[&laptop, &paper], body).unwrap();
    assert_eq!(keys(&ledger, "dad"), [id(&dad), id(&laptop), id(&paper)]);
    let guardian = || "dad".to_owned();
    assert_eq!(
        applied.changes,
        [
            Change::KeyRemoved { guardian: guardian(), key: id(&dads_paper) },
            Change::KeyAdded { guardian: guardian(), key: id(&laptop) },
            Change::KeyAdded { guardian: guardian(), key: id(&paper) },
        ]
    );
    let body = enrolment("dad", Role::Guardian, &[&signer(4)], None);
    assert!(matches!(order_with(&mut ledger, &mut dads_paper, &[&signer(4)], body), Err(Refused::Signature)));
}

#[test]
fn a17_nobody_gives_another_guardian_a_key_or_another_role() {
    let Home { mut ledger, mut mum, mut dad, .. } = Home::bound();
    let key = signer(3);
    let result = order_with(&mut ledger, &mut mum, &[&key], enrolment("dad", Role::Guardian, &[&key], None));
    assert!(matches!(result, Err(Refused::NotHis { guardian }) if guardian == "dad"));
    let result = order_with(&mut ledger, &mut dad, &[&key], enrolment("mum", Role::Main, &[&key], None));
    assert!(matches!(result, Err(Refused::NotHis { guardian }) if guardian == "mum"));
    let result = order_with(&mut ledger, &mut dad, &[&key], enrolment("dad", Role::Main, &[&key], None));
    assert!(matches!(result, Err(Refused::EnrolRole { expected: Role::Guardian })));
    for role in [Role::Main, Role::Watch, Role::Recovery] {
        let result = order_with(&mut ledger, &mut mum, &[&key], enrolment("gran", role, &[&key], None));
        assert!(matches!(result, Err(Refused::EnrolRole { expected: Role::Guardian })));
    }
    order_with(&mut ledger, &mut mum, &[&key], enrolment("mum", Role::Main, &[&key], None)).unwrap();
}

#[test]
fn a24_a_key_is_one_guardians_and_stands_once() {
    let Home { mut ledger, mut mum, mut dad, dads_paper, device, .. } = Home::bound();
    let new = signer(3);
    let tries: [(&[&Signer], Option<&Signer>); 6] = [
        (&[&dad], None),
        (&[&dads_paper], None),
        (&[&new, &new], None),
        (&[&new], Some(&new)),
        (&[&new], Some(&dads_paper)),
        (&[&device], None),
    ];
    for (n, (keys, paper)) in tries.into_iter().enumerate() {
        let cosigners: Vec<&Signer> = keys.iter().copied().chain(paper).collect();
        let body = enrolment("gran", Role::Guardian, keys, paper);
        let result = order_with(&mut ledger, &mut mum, &cosigners, body);
        assert!(matches!(result, Err(Refused::KeyTaken { .. })), "{n}: {result:?}");
    }
    let body = enrolment("dad", Role::Guardian, &[&signer(2)], None);
    assert!(matches!(order(&mut ledger, &mut dad, body), Err(Refused::KeyTaken { .. })), "his own again");
    let Home { mut ledger, .. } = Home::unbound();
    let mut device = device;
    let body = enrolment("mum", Role::Main, &[&signer(100)], None);
    assert!(matches!(order(&mut ledger, &mut device, body), Err(Refused::KeyTaken { .. })), "the first");
}

#[test]
fn there_are_eight_guardians_at_most() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    for n in 20..26 {
        let body = enrolment(&format!("g{n}"), Role::Guardian, &[&signer(n)], None);
        order_with(&mut ledger, &mut mum, &[&signer(n)], body).unwrap();
    }
    assert_eq!(ledger.keyring().guardians().len(), 8);
    let body = enrolment("g9", Role::Guardian, &[&signer(30)], None);
    let result = order_with(&mut ledger, &mut mum, &[&signer(30)], body);
    assert!(matches!(result, Err(Refused::TooMany { what: "guardians", limit: 8 })));
    let body = enrolment("mum", Role::Main, &[&signer(30)], None);
    order_with(&mut ledger, &mut mum, &[&signer(30)], body).unwrap();
}

#[test]
fn a_paper_brings_its_guardian_back_and_what_was_lost_is_worth_nothing() {
    let Home { mut ledger, mut mum, mut mums_paper, .. } = Home::bound();
    let phone = signer(3);
    let body = enrolment("mum", Role::Main, &[&phone], None);
    let applied = order_with(&mut ledger, &mut mums_paper, &[&phone], body).unwrap();
    assert_eq!((applied.guardian.as_str(), applied.role), ("mum", Role::Recovery));
    assert_eq!(keys(&ledger, "mum"), [id(&phone), id(&mums_paper)]);
    assert!(matches!(order(&mut ledger, &mut mum, Body::Ring {}), Err(Refused::Signature)));
    // The old phone is found again: its key may come back, its old orders do not.
    let old = signer(1).order(&ledger.watch().clone(), NOW, Body::Wipe {});
    let body = enrolment("mum", Role::Main, &[&phone, &mum], Some(&signer(13)));
    let applied = order_with(&mut ledger, &mut mums_paper, &[&phone, &mum, &signer(13)], body).unwrap();
    assert_eq!(keys(&ledger, "mum"), [id(&phone), id(&mum), id(&signer(13))]);
    assert!(!applied.changes.contains(&Change::KeyAdded { guardian: "mum".into(), key: id(&phone) }));
    assert!(matches!(submit(&mut ledger, &old), Err(Refused::Replayed { got: 1, .. })));
    let body = enrolment("mum", Role::Main, &[&signer(4)], None);
    assert!(matches!(order_with(&mut ledger, &mut mums_paper, &[&signer(4)], body), Err(Refused::Signature)));
}

#[test]
fn a17_a_paper_alone_is_worth_nothing_without_the_watch() {
    let Home { mut ledger, mut mums_paper, .. } = Home::bound();
    let phone = signer(3);
    let body = enrolment("mum", Role::Main, &[&phone], None);
    let mut envelope = mums_paper.order(&ledger.watch().clone(), NOW, body);
    phone.cosign(&mut envelope);
    assert!(matches!(shown(&mut ledger, &envelope, None), Err(Refused::NoWindow)));
    assert!(matches!(order(&mut ledger, &mut mums_paper, Body::Ring {}), Err(Refused::Role { .. })));
}

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
    for body in [Body::Wipe {}, Body::Unlock { boot_key: orders::BootKey::of_bytes(b"dad's") }] {
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
            for door in [Door::Log, crate::family::door()] {
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
