//! `enrol`: the orders that make somebody a guardian.
//!
//! The first guardian signs alone. Every other brings `public.toml` to main; main signs an order that names the keys in
//! it; who has them signs under it, and brings it to the watch. So main says who, and everybody shows that he has his
//! keys and his paper.

use std::path::Path;

use orders::{Body, Enrolment, EnrolmentCode, Envelope, PublicKey, Role, WatchId};

use super::{ask_paper, signed};
use crate::arguments::Enrol;
use crate::error::{Error, Result};
use crate::family::{Bond, Family, Public, State, order_of, read_envelope, read_toml};

pub(crate) fn run(family: &Family, enrol: &Enrol) -> Result<()> {
    match (&enrol.watch, &enrol.guardian, &enrol.order, enrol.code) {
        (Some(watch), _, _, Some(code)) => first(family, watch, code),
        (_, Some(file), _, Some(code)) => another(family, file, code),
        (_, _, Some(file), _) => consent(family, file),
        _ => Err(Error::Cannot("say --code, the digits on the watch's screen".to_owned())),
    }
}

/// The first guardian of a watch.
fn first(family: &Family, watch: &WatchId, code: EnrolmentCode) -> Result<()> {
    let public = family.public()?;
    let key = family.key()?;
    let paper = public.recovery.as_ref().map(|known| ask_paper(Some(known))).transpose()?;
    let paper_signer = paper.as_ref().map(orders::RecoveryKey::signer);
    let locked = family.lock()?;
    bind(family, watch)?;
    locked.write_toml("watch.toml", &Bond { watch: watch.clone(), role: Role::Main })?;
    let body = enrolment(&public, code, Role::Main);
    let others: Vec<_> = [&key].into_iter().chain(&paper_signer).collect();
    signed(&locked.sign(body, None, &others)?);
    Ok(())
}

/// A folder is for one watch: no order may go astray because somebody typed another id.
fn bind(family: &Family, watch: &WatchId) -> Result<()> {
    let taken = family.letters()?.iter().any(|letter| letter.state == State::Taken);
    if family.has("watch.toml") && taken && family.bond()?.watch != *watch {
        return Err(Error::Cannot("this family has another watch: say --family DIR for this one".to_owned()));
    }
    Ok(())
}

fn enrolment(public: &Public, code: EnrolmentCode, role: Role) -> Body {
    let Public { guardian, key, recovery } = public.clone();
    Body::Enrol(Enrolment { code, guardian, role, keys: vec![key], recovery })
}

/// Main's part: the order for the keys in a file.
fn another(family: &Family, file: &Path, code: EnrolmentCode) -> Result<()> {
    let me = family.public()?;
    let other: Public = read_toml(file)?;
    if !policy::is_id(&other.guardian) {
        return Err(Error::not(file, &"a guardian's id is 1 to 32 of a-z, 0-9 and -"));
    }
    let bond = family.bond()?;
    let own = other.guardian == me.guardian;
    if !own && bond.role != Role::Main {
        return Err(Error::Cannot("only main brings in another guardian".to_owned()));
    }
    let locked = family.lock()?;
    let role = if own { bond.role } else { Role::Guardian };
    let letter = locked.sign(enrolment(&other, code, role), None, &[])?;
    locked.write_toml(&format!("guardians/{}.toml", other.key.id()), &other)?;
    signed(&letter);
    let (who, key) = (&other.guardian, other.key.id());
    eprintln!("Have {who} read out the key that `show` says there. It must be {key}.");
    eprintln!("Then give {who} this file: `enrol --order FILE` and `send` there, within ten minutes.");
    Ok(())
}

/// The new one's part: his signatures under the order that main made for him, and for nobody else.
fn consent(family: &Family, file: &Path) -> Result<()> {
    let me = family.public()?;
    let mut envelope = read_envelope(file)?;
    let order = order_of(&envelope);
    let Some((watch, Body::Enrol(enrolment))) = order.map(|order| (order.watch, order.body)) else {
        return Err(Error::not(file, &"this is no enrolment"));
    };
    let recovery = enrolment.recovery.as_ref();
    let mine = enrolment.guardian == me.guardian && enrolment.keys == [me.key.clone()];
    if !mine || recovery.is_some_and(|key| Some(key) != me.recovery.as_ref()) {
        return Err(Error::not(file, &"this enrolment is not of the keys in your public.toml"));
    }
    let key = family.key()?;
    let paper = recovery.map(|known| ask_paper(Some(known))).transpose()?;
    key.cosign(&mut envelope);
    if let Some(paper) = paper {
        paper.signer().cosign(&mut envelope);
    }
    let locked = family.lock()?;
    bind(family, &watch)?;
    locked.write_toml("watch.toml", &Bond { watch: watch.clone(), role: enrolment.role })?;
    signed(&locked.keep(&envelope, "enrol")?);
    eprintln!("This makes you a guardian of the watch {watch}: compare with its screen, then `send`.");
    Ok(())
}

/// Whose signature under an enrolment is missing, if one is: nobody shows yet that he has the key.
pub(crate) fn waits_for(envelope: &Envelope) -> Option<String> {
    let Body::Enrol(enrolment) = order_of(envelope)?.body else { return None };
    let missing = |key: &PublicKey| !key.signed(envelope);
    enrolment.all_keys().any(missing).then(|| enrolment.guardian.clone())
}
