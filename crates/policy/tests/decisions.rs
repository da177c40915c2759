//! Properties of every decision, over random families.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use policy::{Action, Caller, Contact, E164, Kind, May, Policy, Reason, Region, Verdict, decide};
use proptest::prelude::*;

fn contact(id: usize, kind: Kind, ring: bool, be_called: bool) -> Contact {
    Contact {
        id: format!("c{id}"),
        name: format!("Person {id}"),
        kind,
        numbers: vec![number(id)],
        picture: String::new(),
        may: May { ring, be_called },
    }
}

fn number(id: usize) -> E164 {
    format!("+35840555{id:04}").parse().unwrap()
}

fn families() -> impl Strategy<Value = Policy> {
    let kinds = prop_oneof![Just(Kind::Guardian), Just(Kind::Family), Just(Kind::Friend)];
    proptest::collection::vec((kinds, any::<bool>(), any::<bool>()), 1..20).prop_map(|people| Policy {
        region: Region::Eu,
        contacts: people
            .into_iter()
            .enumerate()
            .map(|(id, (kind, ring, called))| contact(id, kind, ring, called))
            .collect(),
        zones: vec![],
    })
}

fn actions(id: usize) -> [Action; 2] {
    [Action::Ring(Caller::Number(number(id))), Action::Dial(number(id))]
}

proptest! {
    #[test]
    fn a04_nothing_unknown_is_allowed(policy in families(), id in 20_usize..9999) {
        for action in actions(id) {
            prop_assert_eq!(decide(&policy, &action), Verdict::Deny(Reason::UnknownNumber));
        }
        prop_assert_eq!(decide(&policy, &Action::Ring(Caller::Withheld)), Verdict::Deny(Reason::Withheld));
        prop_assert_eq!(decide(&policy, &Action::Ring(Caller::Unreadable)), Verdict::Deny(Reason::UnreadableNumber));
    }

    #[test]
    fn a_guardian_is_never_turned_away(policy in families()) {
        for (id, contact) in policy.contacts.iter().enumerate() {
            if contact.kind == Kind::Guardian {
                for action in actions(id) {
                    prop_assert_eq!(decide(&policy, &action), Verdict::Allow);
                }
            }
        }
    }

    #[test]
    fn removing_a_contact_never_allows_more(policy in families(), gone in 0_usize..20) {
        let mut fewer = policy.clone();
        if gone < fewer.contacts.len() {
            fewer.contacts.remove(gone);
        }
        for id in 0..25 {
            for action in actions(id) {
                prop_assert!(decide(&policy, &action).is_allow() || !decide(&fewer, &action).is_allow());
            }
        }
    }
}

#[test]
fn a_right_is_taken_one_by_one() {
    let policy =
        Policy { region: Region::Eu, contacts: vec![contact(1, Kind::Friend, true, false)], zones: vec![] };
    let [ring, dial] = actions(1);
    assert_eq!(decide(&policy, &ring), Verdict::Allow);
    assert_eq!(decide(&policy, &dial), Verdict::Deny(Reason::NotThisContact));
}
