//! `sign`: every other order.

use orders::{Body, Envelope, PolicyHash, Role, What};
use policy::TimeZone;

use super::{ask, edit, signed};
use crate::arguments::{Sign, Until};
use crate::error::{Error, Result};
use crate::family::{Family, State};
use crate::until;

pub(crate) fn run(family: &Family, sign: Sign) -> Result<()> {
    let body = body(family, sign)?;
    if matches!(body, Body::Wipe {} | Body::Unlock { .. }) {
        let watch = family.bond()?.watch;
        let typed = ask(&format!("This erases the watch {watch} for ever. Type its id:"))?;
        if typed.trim() != watch.as_str() {
            return Err(Error::Cannot("that is not its id: nothing was signed".to_owned()));
        }
    }
    let locked = family.lock()?;
    if matches!(body, Body::SetPolicy { .. }) {
        nothing_waits(family)?;
    }
    signed(&locked.sign(body, None, &[])?);
    Ok(())
}

fn body(family: &Family, sign: Sign) -> Result<Body> {
    let time_zone = || edit::policy(family).map(|policy| policy.time_zone);
    let end = |Until { until }: Until| until.map(|text| end(&text, &time_zone()?)).transpose();
    Ok(match sign {
        Sign::Policy => {
            let base = base(family)?;
            Body::SetPolicy { base, policy: edit::policy(family)? }
        }
        Sign::Pause { until } => Body::Pause { until: end(until)? },
        Sign::Resume => Body::Resume {},
        Sign::Grant { app, until } => Body::Grant { what: What::App(app), until: end(until)? },
        Sign::GrantTime { minutes, category, until } => {
            let until = end(Until { until: Some(until) })?;
            Body::Grant { what: What::Time { category, minutes }, until }
        }
        Sign::Revoke { app } => Body::Revoke { app },
        Sign::Answer { request, answer, until } => {
            Body::Answer { request, yes: answer == "yes", until: end(until)? }
        }
        Sign::Lost { state } => Body::Lost { on: state == "on" },
        Sign::Locate => Body::Locate {},
        Sign::Ring => Body::Ring {},
        Sign::Retire { guardian, key, heir } => Body::Retire { guardian, key, heir },
        Sign::Export => Body::Export {},
        Sign::Wipe => Body::Wipe {},
        Sign::Unlock { boot_key } => Body::Unlock { boot_key },
    })
}

fn end(text: &str, time_zone: &TimeZone) -> Result<i64> {
    let now = until::now();
    match until::next(text, time_zone, now) {
        Some(end) if end > now => Ok(end),
        Some(_) => Err(Error::Cannot(format!("--until {text} is over"))),
        None => Err(Error::Cannot(format!("--until {text}: {}, or 18:00 alone", until::SHAPE))),
    }
}

/// The rules these are made from. Only main sets the first ones.
fn base(family: &Family) -> Result<Option<PolicyHash>> {
    let base = family.base()?.map(|Envelope { payload, .. }| PolicyHash::of_payload(&payload));
    if base.is_none() && family.bond()?.role != Role::Main {
        let text = "you do not have the rules in force: ask main for base.json, then `edit --from` it";
        return Err(Error::Cannot(text.to_owned()));
    }
    Ok(base)
}

/// Of two sets of rules made from the same ones the watch takes one.
fn nothing_waits(family: &Family) -> Result<()> {
    let waits = |name: &str, state| state == State::Waiting && name.ends_with("set-policy");
    match family.letters()?.into_iter().find(|letter| waits(&letter.name, letter.state)) {
        None => Ok(()),
        Some(letter) => Err(Error::Cannot(format!(
            "{} waits: `send` it, or delete it and sign again",
            letter.path.display()
        ))),
    }
}
