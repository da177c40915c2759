//! `edit`: the rules in an editor, or taken from another guardian.

use std::path::Path;
use std::process::Command;

use orders::Body;
use policy::Policy;

use crate::error::{Error, Result, shown};
use crate::family::{Family, order_of, read_envelope, read_text};
use crate::{rules, words};

pub(crate) fn run(family: &Family, from: Option<&Path>) -> Result<()> {
    if let Some(from) = from {
        return take(family, from);
    }
    let path = family.path("policy.toml");
    if !path.exists() {
        return Err(Error::Cannot(format!("{}: no rules yet: begin with `new`", path.display())));
    }
    let editor = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok());
    let editor = editor.filter(|editor| !editor.is_empty()).unwrap_or_else(|| "vi".to_owned());
    // The variable may have arguments in it, as `code --wait` has.
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(&path);
    let status = command.status().map_err(Error::file(Path::new("sh")))?;
    if !status.success() {
        return Err(Error::Cannot(format!("{editor} did not end well; nothing was looked at")));
    }
    let policy = policy(family)?;
    println!("{} people, {} apps: the rules are fine.", policy.contacts.len(), policy.apps.len());
    println!("`sign policy` and `send` bring them to the watch.");
    Ok(())
}

/// The rules as they stand in the file.
pub(crate) fn policy(family: &Family) -> Result<Policy> {
    let path = family.path("policy.toml");
    let text = read_text(&path, rules::MAX)?;
    rules::read(&text).map_err(|problem| Error::Rules { path, problem })
}

/// Takes over the rules another guardian set. What is signed from now on is made from them, and if they are not the
/// ones in force the watch says so: nothing is believed here.
fn take(family: &Family, from: &Path) -> Result<()> {
    let envelope = read_envelope(from)?;
    let Some(Body::SetPolicy { policy, .. }) = order_of(&envelope).map(|order| order.body) else {
        return Err(Error::not(from, &"this order has no rules in it"));
    };
    policy.validate().map_err(|error| Error::not(from, &error))?;
    let locked = family.lock()?;
    let path = family.path("policy.toml");
    let old = path.exists().then(|| read_text(&path, rules::MAX)).transpose()?;
    let text = rules::write(&policy, old.as_deref()).map_err(|error| Error::not(from, &error))?;
    if let Some(old) = old.filter(|old| *old != text) {
        locked.write("policy.toml.before", old.as_bytes())?;
        println!("What you had is in {}", family.path("policy.toml.before").display());
    }
    locked.write("policy.toml", text.as_bytes())?;
    locked.write("base.json", &envelope.to_bytes())?;
    print!("{}", shown(&words::signatures(family, &envelope)?));
    println!("{} has these rules now.", path.display());
    Ok(())
}
