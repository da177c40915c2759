//! What a new policy may change, and who may.

use policy::{Contact, Kind, Policy};

use crate::ledger::{Ledger, Signed};
use crate::names::PolicyHash;
use crate::refused::Refused;
use crate::role::Role;

pub(crate) fn check(
    ledger: &Ledger,
    signed: &Signed<'_>,
    base: Option<&PolicyHash>,
    policy: &Policy,
) -> Result<(), Refused> {
    if base != ledger.policy_hash() {
        return Err(Refused::StaleBase);
    }
    policy.validate().map_err(Refused::Policy)?;
    if signed.role != Role::Main && !guardians_stay(ledger.policy(), policy, &signed.guardian) {
        return Err(Refused::GuardiansChanged);
    }
    if signed.role != Role::Main && ledger.policy().is_some_and(|old| old.region != policy.region) {
        return Err(Refused::RegionChanged);
    }
    let main = ledger.keyring.main().map(|main| main.id.as_str()).unwrap_or_default();
    if policy.contact(main).is_none_or(|contact| contact.kind != Kind::Guardian) {
        return Err(Refused::MainMissing { main: main.to_owned() });
    }
    Ok(())
}

/// True if the guardians among the contacts are who they were, in the same order (SOS calls them in it), and only
/// `own` has another name, number or picture.
fn guardians_stay(old: Option<&Policy>, new: &Policy, own: &str) -> bool {
    let old = old.map(guardians).unwrap_or_default();
    let new = guardians(new);
    let stays = |(old, new): (&&Contact, &&Contact)| {
        let own_entry = Contact {
            name: new.name.clone(),
            numbers: new.numbers.clone(),
            picture: new.picture.clone(),
            ..(*old).clone()
        };
        old == new || (old.id == own && own_entry == **new)
    };
    old.len() == new.len() && old.iter().zip(&new).all(stays)
}

fn guardians(policy: &Policy) -> Vec<&Contact> {
    policy.contacts.iter().filter(|contact| contact.kind == Kind::Guardian).collect()
}
