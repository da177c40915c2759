//! Properties of every decision, over random families and moments.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use policy::{
    Action, AppGrant, Caller, Contact, E164, Kind, May, Moment, Policy, Reason, Region, Verdict, decide,
    limits,
};
use proptest::prelude::*;

const YES: Verdict = Verdict::Allow { until: None };

fn no(reason: Reason) -> Verdict {
    Verdict::Deny { reason, until: None }
}

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

fn app(id: usize) -> String {
    format!("app{id}")
}

fn moments() -> impl Strategy<Value = Moment> {
    prop_oneof![any::<i64>(), 0..100_i64].prop_map(|unix| Moment { unix })
}

fn families() -> impl Strategy<Value = Policy> {
    let kinds = prop_oneof![Just(Kind::Guardian), Just(Kind::Family), Just(Kind::Friend)];
    let people = proptest::collection::vec((kinds, any::<bool>(), any::<bool>()), 1..20);
    let ends = proptest::option::of(prop_oneof![0..=limits::UNTIL, 0..100_i64]);
    let grants = proptest::collection::vec(ends, 0..20);
    (people, grants).prop_map(|(people, grants)| Policy {
        region: Region::Eu,
        contacts: people
            .into_iter()
            .enumerate()
            .map(|(id, (kind, ring, called))| contact(id, kind, ring, called))
            .collect(),
        zones: vec![],
        apps: grants.into_iter().enumerate().map(|(id, until)| AppGrant { app: app(id), until }).collect(),
    })
}

fn calls(id: usize) -> [Action<'static>; 2] {
    [Action::Ring(Caller::Number(number(id))), Action::Dial(number(id))]
}

proptest! {
    #[test]
    fn a04_nothing_unknown_is_allowed(policy in families(), moment in moments(), id in 20_usize..9999) {
        for action in calls(id) {
            prop_assert_eq!(decide(&policy, &moment, &action), no(Reason::UnknownNumber));
        }
        let ring = |caller| decide(&policy, &moment, &Action::Ring(caller));
        prop_assert_eq!(ring(Caller::Withheld), no(Reason::Withheld));
        prop_assert_eq!(ring(Caller::Unreadable), no(Reason::UnreadableNumber));
    }

    #[test]
    fn t11_no_app_is_allowed_that_nobody_granted(
        policy in families(), moment in moments(), id in 20_usize..9999, text in "\\PC*",
    ) {
        prop_assert_eq!(decide(&policy, &moment, &Action::Open(&app(id))), no(Reason::NotGranted));
        if policy.apps.iter().all(|grant| grant.app != text) {
            prop_assert_eq!(decide(&policy, &moment, &Action::Open(&text)), no(Reason::NotGranted));
        }
    }

    #[test]
    fn a_guardian_is_never_turned_away(policy in families(), moment in moments()) {
        for (id, contact) in policy.contacts.iter().enumerate() {
            if contact.kind == Kind::Guardian {
                for action in calls(id) {
                    prop_assert_eq!(decide(&policy, &moment, &action), YES);
                }
            }
        }
    }

    #[test]
    fn removing_a_contact_or_a_grant_never_allows_more(policy in families(), moment in moments(), gone in 0_usize..20) {
        let mut fewer = policy.clone();
        if gone < fewer.contacts.len() {
            fewer.contacts.remove(gone);
        }
        if gone < fewer.apps.len() {
            fewer.apps.remove(gone);
        }
        for id in 0..25 {
            let app = app(id);
            for action in calls(id).into_iter().chain([Action::Open(&app)]) {
                let was = decide(&policy, &moment, &action).is_allow();
                prop_assert!(was || !decide(&fewer, &moment, &action).is_allow());
            }
        }
    }

    #[test]
    fn a_later_moment_never_allows_an_app_that_an_earlier_one_denied(
        policy in families(), one in moments(), other in moments(),
    ) {
        let (earlier, later) = (one.min(other), one.max(other));
        for id in 0..25 {
            let app = app(id);
            let action = Action::Open(&app);
            if !decide(&policy, &earlier, &action).is_allow() {
                prop_assert!(!decide(&policy, &later, &action).is_allow());
            }
        }
    }

    #[test]
    fn what_is_allowed_until_a_second_is_denied_from_it_on(policy in families(), moment in moments(), id in 0_usize..20) {
        let app = app(id);
        let at = |unix| decide(&policy, &Moment { unix }, &Action::Open(&app));
        match at(moment.unix) {
            Verdict::Allow { until: Some(until) } => {
                prop_assert!(until > moment.unix);
                prop_assert!(at(until - 1).is_allow());
                prop_assert_eq!(at(until), no(Reason::TimeUp));
            }
            Verdict::Allow { until: None } => prop_assert!(at(i64::MAX).is_allow()),
            Verdict::Deny { .. } => {}
        }
    }
}

#[test]
fn a_right_is_taken_one_by_one() {
    let contacts = vec![contact(1, Kind::Friend, true, false)];
    let policy = Policy { region: Region::Eu, contacts, zones: vec![], apps: vec![] };
    let [ring, dial] = calls(1);
    assert_eq!(decide(&policy, &Moment { unix: 0 }, &ring), YES);
    assert_eq!(decide(&policy, &Moment { unix: 0 }, &dial), no(Reason::NotThisContact));
}
