//! Guardians and their keys: who comes, and who goes.

use policy::is_id;

use crate::key::PublicKey;
use crate::keyring::{Guardian, MAX_GUARDIANS};
use crate::ledger::{Door, Ledger, Signed, WATCH};
use crate::names::KeyId;
use crate::order::{Enrolment, MAX_KEYS};
use crate::refused::Refused;
use crate::role::Role;

/// Enrols a guardian, or further keys of the signer's own. It needs the code on the watch's screen (somebody is
/// there), the signature of one who may (for everybody new that is main), and one of every new key (somebody has it).
pub(crate) fn enrol(
    ledger: &mut Ledger,
    signed: &Signed<'_>,
    enrolment: &Enrolment,
    door: Door,
) -> Result<(), Refused> {
    if let Door::Submit { code, .. } = door
        && !code.ok_or(Refused::NoWindow)?.matches(enrolment.code)
    {
        return Err(Refused::WrongCode);
    }
    let expected = role_given(ledger, signed, &enrolment.guardian)?;
    if enrolment.role != expected {
        return Err(Refused::EnrolRole { expected });
    }
    let id = &enrolment.guardian;
    let mut guardian = ledger.keyring.guardian(id).cloned().unwrap_or_else(|| Guardian::new(id, expected));
    if signed.role == Role::Recovery {
        // Whoever needs his paper lost his keys, and somebody may have found them.
        guardian.keys.clear();
    }
    if guardian.keys.len() + enrolment.keys.len() > MAX_KEYS {
        return Err(Refused::TooMany { what: "keys", limit: MAX_KEYS });
    }
    for key in &enrolment.keys {
        guardian.keys.push(new_key(ledger, signed, &guardian, key)?);
    }
    if let Some(key) = &enrolment.recovery {
        guardian.recovery = Some(new_key(ledger, signed, &guardian, key)?);
    }
    ledger.keyring.put(guardian);
    Ok(())
}

/// Which role this enrolment gives, if the signer may sign it: main whoever is new, everybody himself, and nobody a
/// second key for another, who would then sign in that one's name.
fn role_given(ledger: &Ledger, signed: &Signed<'_>, guardian: &str) -> Result<Role, Refused> {
    if !is_id(guardian) || guardian == WATCH {
        return Err(Refused::GuardianId);
    }
    let keyring = &ledger.keyring;
    match keyring.guardian(guardian) {
        Some(known) if known.id == signed.guardian => Ok(known.role),
        None if keyring.is_empty() => Ok(Role::Main),
        None if signed.role != Role::Main => Err(Refused::NotHis { guardian: guardian.to_owned() }),
        None if keyring.guardians().len() >= MAX_GUARDIANS => {
            Err(Refused::TooMany { what: "guardians", limit: MAX_GUARDIANS })
        }
        None => Ok(Role::Guardian),
        Some(_) => Err(Refused::NotHis { guardian: guardian.to_owned() }),
    }
}

/// A key can be enrolled for `guardian`, as he would be, if it is nobody's and signed this.
fn new_key(
    ledger: &Ledger,
    signed: &Signed<'_>,
    guardian: &Guardian,
    key: &PublicKey,
) -> Result<PublicKey, Refused> {
    let id = key.id();
    let mut others = ledger.keyring.guardians().iter().filter(|other| other.id != guardian.id);
    if guardian.has(&id) || others.any(|other| other.has(&id)) || ledger.is_device_key(key) {
        return Err(Refused::KeyTaken { key: id });
    }
    if key.signed(signed.envelope) { Ok(key.clone()) } else { Err(Refused::Possession { key: id }) }
}

/// Takes a guardian or a key of his away: main from everybody, everybody from himself.
pub(crate) fn retire(
    ledger: &mut Ledger,
    signed: &Signed<'_>,
    guardian: &str,
    key: Option<&KeyId>,
    heir: Option<&str>,
) -> Result<(), Refused> {
    let not_enrolled = |what: &str| Refused::NotEnrolled { what: what.to_owned() };
    let target = ledger.keyring.guardian(guardian).ok_or_else(|| not_enrolled(guardian))?;
    if target.id != signed.guardian {
        match (target.role, signed.role) {
            (Role::Main, _) => return Err(Refused::MainStays),
            (_, Role::Main) => {}
            _ => return Err(Refused::NotHis { guardian: guardian.to_owned() }),
        }
    }
    let main_leaves = target.role == Role::Main && key.is_none();
    match heir {
        None if main_leaves => return Err(Refused::MainStays),
        Some(heir) if !main_leaves || !is_heir(ledger, guardian, heir) => return Err(Refused::Heir),
        _ => {}
    }
    if let Some(id) = key {
        if !target.has(id) {
            return Err(not_enrolled(id.as_str()));
        }
        if target.keys.len() == 1 && target.keys.iter().any(|key| key.id() == *id) {
            return Err(Refused::LastKey);
        }
        ledger.keyring.remove_key(id);
    } else {
        ledger.keyring.remove(guardian, heir);
    }
    Ok(())
}

fn is_heir(ledger: &Ledger, leaving: &str, heir: &str) -> bool {
    heir != leaving && ledger.keyring.guardian(heir).is_some() && ledger.may_be_main(heir)
}
