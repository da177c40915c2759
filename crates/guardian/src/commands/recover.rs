//! `recover`: a new key, vouched for by the one on paper.

use orders::{Body, Enrolment, Role};

use super::{ask_paper, new, signed};
use crate::arguments::Recover;
use crate::error::{Error, Result};
use crate::family::{Bond, Family, State};

pub(crate) fn run(family: &Family, recover: &Recover) -> Result<()> {
    let guardian = &recover.guardian;
    let known = family.has("public.toml").then(|| family.public()).transpose()?;
    // A code was wrong or old: the same new key tries again. A key that was in use stays what it is.
    let used = family.letters()?.iter().any(|letter| letter.state == State::Taken);
    if used || known.as_ref().is_some_and(|known| known.guardian != *guardian) {
        let folder = family.path("").display().to_string();
        return Err(Error::Cannot(format!("{folder} has another key: say --family DIR with a new folder")));
    }
    // Asked before the lock: nobody waits for a typist.
    let paper = ask_paper(known.as_ref().and_then(|known| known.recovery.as_ref()))?;
    let locked = family.lock()?;
    let role = if recover.role == "main" { Role::Main } else { Role::Guardian };
    if !family.has("key") {
        new::make_key(&locked, guardian, Some(&paper))?;
    }
    let bond = Bond { watch: recover.watch.clone(), role };
    locked.write_toml("watch.toml", &bond)?;
    let key = family.key()?;
    let body = Body::Enrol(Enrolment {
        code: recover.code,
        guardian: guardian.clone(),
        role,
        keys: vec![key.public()],
        recovery: None,
    });
    signed(&locked.sign(body, Some(&paper), &[&key])?);
    eprintln!("`send` it. All keys you had before are no longer yours then; your paper stays as it is.");
    Ok(())
}
