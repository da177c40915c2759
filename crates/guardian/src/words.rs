//! What keys, rules and orders say, for the guardian's own screen.

use std::fmt::Write as _;

use orders::{Body, Enrolment, Envelope, Order, PolicyHash, PublicKey, What};
use policy::{Policy, TimeZone};

use crate::commands::edit;
use crate::commands::enrol::waits_for;
use crate::error::Result;
use crate::family::{Bond, Family, State, order_of, read_envelope};
use crate::rules;
use crate::until::{say, say_until};

/// Everything that is known in the folder.
pub(crate) fn family(family: &Family) -> Result<String> {
    let public = family.public()?;
    let mut text = format!("You are {}", public.guardian);
    if family.has("watch.toml") {
        let Bond { watch, role } = family.bond()?;
        let _ = write!(text, ", {} of the watch {watch}", role.as_str());
    }
    let _ = writeln!(text, ".\nYour key: {}", public.key.id());
    if let Some(recovery) = &public.recovery {
        let _ = writeln!(text, "Your paper's: {}", recovery.id());
    }
    for other in family.others()? {
        let _ = writeln!(text, "Known: {} with the key {}", other.guardian, other.key.id());
    }
    let base = family.base()?;
    let policy = base.as_ref().and_then(order_of).and_then(|order| match order.body {
        Body::SetPolicy { policy, .. } => Some((order.issued_at, policy)),
        _ => None,
    });
    match (&base, &policy) {
        (Some(Envelope { payload, .. }), Some((at, policy))) => {
            let (hash, at) = (PolicyHash::of_payload(payload), say(*at, &policy.time_zone));
            let _ = writeln!(text, "\nRules in force, as far as is known here: of {at}, {hash}\n");
            text.push_str(&rules_of(policy));
        }
        _ => text.push_str("\nNo rules were set from here yet.\n"),
    }
    match edit::policy(family) {
        Ok(mine) if policy.is_some_and(|(_, policy)| policy == mine) => {}
        Ok(_) => text.push_str(
            "\npolicy.toml is not what is in force: `sign policy` and `send` bring it to the watch.\n",
        ),
        Err(error) => {
            let _ = writeln!(text, "\n{error}");
        }
    }
    text.push_str(&letters(family)?);
    Ok(text)
}

fn letters(family: &Family) -> Result<String> {
    let mut text = String::from("\nOrders:\n");
    for letter in family.letters()? {
        let envelope = read_envelope(&letter.path)?;
        let state = match (letter.state, waits_for(&envelope)) {
            (State::Taken, _) => "taken".to_owned(),
            (State::Refused, _) => "refused".to_owned(),
            (State::Waiting, None) => "waits".to_owned(),
            (State::Waiting, Some(guardian)) => format!("waits for {guardian}'s signature"),
        };
        let what = order_of(&envelope).map(|order| body(&order.body, &zone(family))).unwrap_or_default();
        let _ = writeln!(text, "  {} {state}: {what}", letter.name.split('-').next().unwrap_or_default());
    }
    Ok(text)
}

/// The zone of the rules people write; until they can be read, UTC.
fn zone(family: &Family) -> TimeZone {
    edit::policy(family).map(|policy| policy.time_zone).unwrap_or_default()
}

/// An order, all of it.
pub(crate) fn order(family: &Family, order: &Order) -> String {
    let zone = zone(family);
    let mut text = format!(
        "For the watch {}, written {}, number {}:\n{}\n",
        order.watch,
        say(order.issued_at, &zone),
        order.counter,
        body(&order.body, &zone)
    );
    match &order.body {
        Body::SetPolicy { policy, .. } => text.push_str(&rules_of(policy)),
        Body::Enrol(enrolment) => {
            for key in enrolment.all_keys() {
                let _ = writeln!(text, "  key {}", key.id());
            }
        }
        _ => {}
    }
    text
}

/// Who signed, and whether it is so.
pub(crate) fn signatures(family: &Family, envelope: &Envelope) -> Result<String> {
    let me = family.has("public.toml").then(|| family.public()).transpose()?;
    let mut known: Vec<(String, PublicKey)> = Vec::new();
    for public in me.into_iter().chain(family.others()?) {
        known.push((public.guardian.clone(), public.key));
        known.extend(public.recovery.map(|key| (format!("{} (paper)", public.guardian), key)));
    }
    if let Some(Body::Enrol(enrolment)) = order_of(envelope).map(|order| order.body) {
        let new = |key: &PublicKey| ("a new key of this enrolment".to_owned(), key.clone());
        known.extend(enrolment.all_keys().map(new).collect::<Vec<_>>());
    }
    let mut text = String::new();
    for signature in &envelope.signatures {
        let who = known.iter().find(|(_, key)| key.id() == signature.key);
        let _ = match who {
            Some((who, key)) if key.verifies(&envelope.payload, signature) => {
                writeln!(text, "Signed by {who}, {}", signature.key)
            }
            Some((who, _)) => writeln!(text, "FORGED: in the name of {who}, {}", signature.key),
            None => writeln!(text, "Signed by {}, a key that is not known here", signature.key),
        };
    }
    Ok(text)
}

/// What an order says, in a line.
fn body(body: &Body, zone: &TimeZone) -> String {
    let for_all = |list: &Option<String>| list.as_ref().map_or(String::new(), |name| format!(" for {name}"));
    match body {
        Body::SetPolicy { policy, .. } => {
            format!("rules with {} people and {} apps", policy.contacts.len(), policy.apps.len())
        }
        Body::Answer { request, yes, until } => {
            let answer = if *yes { "yes" } else { "no" };
            format!("{answer} to request {request}{}", say_until(*until, zone))
        }
        Body::Grant { what: What::App(app), until } => format!("the app {app}{}", say_until(*until, zone)),
        Body::Grant { what: What::Time { category, minutes }, until } => {
            format!("{minutes} minutes more{}{}", for_all(category), say_until(*until, zone))
        }
        Body::Revoke { app } => format!("no app {app}"),
        Body::Enrol(Enrolment { guardian, role, .. }) => format!("{guardian} becomes {}", role.as_str()),
        Body::Retire { guardian, key: Some(key), .. } => format!("{guardian} no longer has the key {key}"),
        Body::Retire { guardian, heir: Some(heir), .. } => format!("{guardian} leaves, {heir} is main"),
        Body::Retire { guardian, .. } => format!("{guardian} is no guardian any more"),
        Body::Locate {} => "where is the watch".to_owned(),
        Body::Ring {} => "ring".to_owned(),
        Body::Lost { on } => format!("the watch is {}", if *on { "lost" } else { "found" }),
        Body::Pause { until } => format!("pause{}", say_until(*until, zone)),
        Body::Resume {} => "the pause is over".to_owned(),
        Body::Export {} => "all data".to_owned(),
        Body::Wipe {} => "erase everything".to_owned(),
        Body::Unlock { boot_key } => format!("erase everything and start what {boot_key} signed"),
    }
}

/// Rules as people write them, so that none is left out here.
fn rules_of(policy: &Policy) -> String {
    let text = policy.validate().and_then(|()| rules::write(policy, None));
    text.unwrap_or_else(|error| format!("The rules are not valid: {error}\n"))
}
