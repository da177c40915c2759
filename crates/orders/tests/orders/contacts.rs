//! What each guardian may change in the policy.

use orders::{Refused, Role};
use policy::{Kind, Policy};

use crate::family::{Home, contact, enrolment, family, order, order_with, set_policy, signer};

/// Dad's try at a policy that `change` made from the one in force.
fn dad_sets(change: impl FnOnce(&mut Policy)) -> Result<(), Refused> {
    let Home { mut ledger, mut dad, .. } = Home::bound();
    let mut policy = ledger.policy().unwrap().clone();
    change(&mut policy);
    let body = set_policy(&ledger, policy);
    order(&mut ledger, &mut dad, body).map(|_| ())
}

#[test]
fn another_guardian_changes_everything_but_guardians() {
    dad_sets(|policy| policy.contacts.retain(|contact| contact.id != "aunt")).unwrap();
    dad_sets(|policy| policy.contacts.insert(0, contact(7, "bo", Kind::Friend))).unwrap();
    dad_sets(|policy| policy.apps = serde_json::from_str(r#"[{"app":"draw"}]"#).unwrap()).unwrap();
}

#[test]
fn another_guardian_changes_his_own_name_numbers_and_picture_and_nothing_else_of_his() {
    dad_sets(|policy| {
        let own = &mut policy.contacts[1];
        own.name = "Papa".into();
        own.numbers = vec!["+358405559999".parse().unwrap()];
        own.picture = "face:dad".into();
    })
    .unwrap();
    let may = dad_sets(|policy| policy.contacts[1].may.ring = false);
    assert!(matches!(may, Err(Refused::GuardiansChanged)));
}

#[test]
fn a18_only_main_changes_whose_law_applies() {
    let result = dad_sets(|policy| policy.region = policy::Region::Cn);
    assert!(matches!(result, Err(Refused::RegionChanged)), "{result:?}");
}

#[test]
fn a18_only_main_says_who_is_a_guardian() {
    let tries: [fn(&mut Policy); 8] = [
        // Mum's number, name and picture.
        |policy| policy.contacts[0].numbers = vec!["+358405559999".parse().unwrap()],
        |policy| policy.contacts[0].name = "Nobody".into(),
        |policy| policy.contacts[0].picture = "face:dad".into(),
        // Mum goes, becomes family, or is called after dad.
        |policy| drop(policy.contacts.remove(0)),
        |policy| policy.contacts[0].kind = Kind::Family,
        |policy| policy.contacts.swap(0, 1),
        // Somebody new is a guardian: a new contact, or the aunt.
        |policy| policy.contacts.push(contact(8, "stranger", Kind::Guardian)),
        |policy| policy.contacts[2].kind = Kind::Guardian,
    ];
    for (n, change) in tries.into_iter().enumerate() {
        let result = dad_sets(change);
        assert!(matches!(result, Err(Refused::GuardiansChanged)), "{n}: {result:?}");
    }
    // Himself he cannot take out either: that is main's, or `retire`.
    let result = dad_sets(|policy| drop(policy.contacts.remove(1)));
    assert!(matches!(result, Err(Refused::GuardiansChanged)));
}

#[test]
fn a18_nobody_swaps_his_id_with_another_guardians() {
    let result = dad_sets(|policy| {
        policy.contacts[0].id = "dad".into();
        policy.contacts[1].id = "mum".into();
    });
    assert!(matches!(result, Err(Refused::GuardiansChanged)));
}

#[test]
fn main_changes_guardians_but_stays_one_himself() {
    let Home { mut ledger, mut mum, .. } = Home::bound();
    let mut policy = family(&["aunt"]);
    policy.contacts.remove(1);
    policy.contacts[1].kind = Kind::Guardian;
    let body = set_policy(&ledger, policy.clone());
    order(&mut ledger, &mut mum, body).unwrap();
    let tries: [fn(&mut Policy); 2] =
        [|policy| drop(policy.contacts.remove(0)), |policy| policy.contacts[0].kind = Kind::Family];
    for change in tries {
        let mut policy = policy.clone();
        change(&mut policy);
        let body = set_policy(&ledger, policy);
        let result = order(&mut ledger, &mut mum, body);
        assert!(matches!(result, Err(Refused::MainMissing { main }) if main == "mum"));
    }
}

#[test]
fn a18_the_first_policy_is_mains() {
    let Home { mut ledger, mut mum, .. } = Home::without_policy();
    let mut gran = signer(3);
    let body = enrolment("gran", Role::Guardian, &[&gran], None);
    order_with(&mut ledger, &mut mum, &[&gran], body).unwrap();
    let body = set_policy(&ledger, family(&[]));
    assert!(matches!(order(&mut ledger, &mut gran, body.clone()), Err(Refused::GuardiansChanged)));
    order(&mut ledger, &mut mum, body).unwrap();
}
