//! `new`: a key, a paper, and the first lines of the rules.

use orders::{RecoveryKey, Signer};
use zeroize::Zeroizing;

use super::random;
use crate::arguments::New;
use crate::error::{Error, Result};
use crate::family::{Family, Locked, Public};

const STARTER: &str = include_str!("../starter.toml");

pub(crate) fn run(family: &Family, new: &New) -> Result<()> {
    let locked = family.lock()?;
    if family.has("key") || family.has("public.toml") {
        let folder = family.path("").display().to_string();
        return Err(Error::Cannot(format!("{folder} has a guardian's key already: say --family DIR")));
    }
    let paper = if new.no_paper { None } else { Some(RecoveryKey::from_random(*random()?)) };
    make_key(&locked, &new.guardian, paper.as_ref())?;
    if !family.has("policy.toml") {
        locked.write("policy.toml", starter(&new.guardian, new.number.as_deref()).as_bytes())?;
    }
    if let Some(paper) = paper {
        let text = Zeroizing::new(paper.to_text());
        let groups: Vec<_> = text.split('-').collect();
        println!("Your recovery key. Write it on paper now; it is kept nowhere and not shown again.\n");
        groups.chunks(5).for_each(|row| println!("    {}", row.join(" ")));
        println!();
    }
    println!("Your rules: {}", family.path("policy.toml").display());
    println!("For other guardians: {}", family.path("public.toml").display());
    Ok(())
}

/// Makes a key that never signed anything. The counter comes first: a key without one is no use.
pub(super) fn make_key(locked: &Locked<'_>, guardian: &str, paper: Option<&RecoveryKey>) -> Result<()> {
    let secret = random()?;
    locked.write("counter", b"0\n")?;
    locked.write("key", &*secret)?;
    let public = Public {
        guardian: guardian.to_owned(),
        key: Signer::from_secret(&secret).public(),
        recovery: paper.map(|paper| paper.signer().public()),
    };
    locked.write_toml("public.toml", &public)
}

/// Rules with one guardian in them. Without a number they are wrong at its line, until there is one.
fn starter(guardian: &str, number: Option<&str>) -> String {
    let mut name = guardian.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let zone = jiff::tz::TimeZone::system();
    let zone = zone.iana_name().filter(|name| name.parse::<policy::TimeZone>().is_ok()).unwrap_or("UTC");
    let number = number.map(|number| toml_edit::Value::from(number).to_string()).unwrap_or_default();
    STARTER
        .replace("{guardian}", guardian)
        .replace("{name}", &name)
        .replace("{zone}", zone)
        .replace("{number}", &number)
}
