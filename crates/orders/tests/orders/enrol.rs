//! Who becomes a guardian, and who tries.

use orders::{Applied, Body, Change, Door, EnrolmentCode, Envelope, Ledger, Refused, Role, Signer};

use crate::family::{
    Home, NOW, code, enrolment, id, keys, order, order_with, retire, signer, submit, through,
};

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
fn every_key_of_an_enrolment_has_to_be_shown() {
    let (mum, laptop, paper) = (signer(1), signer(3), signer(9));
    let Body::Enrol(enrolment) = enrolment("mum", Role::Main, &[&mum, &laptop], Some(&paper)) else {
        panic!()
    };
    let keys = [&mum, &laptop, &paper].map(Signer::public);
    assert!(enrolment.all_keys().eq(&keys));
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
