//! `/etc/passwd` and its kin, written by Debian 13's own systemd-sysusers from our lists alone. Every account has
//! a fixed number, because `/var` outlives the image.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::files::Files;
use crate::debian::tree;
use crate::process;

/// Names of accounts and groups and their numbers.
pub(super) type Ids = BTreeMap<String, u32>;

/// Adds the account files to `files`, made from the sysusers files `lists`.
pub(super) fn add(files: &mut Files, lists: &[PathBuf]) -> Result<()> {
    for list in lists {
        let text = fs::read_to_string(list).with_context(|| format!("reading {}", list.display()))?;
        all_numbered(&text).with_context(|| list.display().to_string())?;
    }
    let staging = tempfile::tempdir()?;
    let root = staging.path();
    fs::create_dir(root.join("etc"))?;
    process::run(
        tree::tool("usr/bin/systemd-sysusers")
            .arg(format!("--root={}", root.display()))
            .args(lists)
            // The day passwords were "last changed" is otherwise the day of the build.
            .env("SOURCE_DATE_EPOCH", "0"),
    )?;
    for (name, mode) in [("passwd", 0o644), ("group", 0o644), ("shadow", 0o600), ("gshadow", 0o600)] {
        files.file(&format!("etc/{name}"), mode, read(root, name)?);
    }
    Ok(())
}

fn read(root: &Path, name: &str) -> Result<Vec<u8>> {
    let file = root.join("etc").join(name);
    // It writes the shadow files so that only root reads them; here they are the user's who builds.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))
        .with_context(|| format!("systemd-sysusers wrote no {name}"))?;
    Ok(fs::read(file)?)
}

fn all_numbered(text: &str) -> Result<()> {
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let (kind, name, id) = (words.next(), words.next(), words.next());
        let numbered = id.is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
        match (kind, name) {
            // Membership lines carry no number of their own.
            (Some("m"), _) => {}
            (Some("u" | "u!" | "g"), Some(_)) if numbered => {}
            _ => bail!("`{line}` has no fixed number"),
        }
    }
    Ok(())
}

/// The numbers in the image's `/etc/passwd` (`users`) or `/etc/group`.
pub(super) fn ids(files: &Files, file: &str) -> Ids {
    let bytes = files.bytes(file).unwrap_or_default();
    String::from_utf8_lossy(bytes)
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            Some((fields.next()?.to_owned(), fields.nth(1)?.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_without_a_number_is_refused() {
        assert!(all_numbered("# why\nu a 801 \"A\" / -\ng b 5\nm a b\n").is_ok());
        assert!(all_numbered("u a - \"A\"").is_err());
        assert!(all_numbered("g a /usr/bin/x").is_err());
        assert!(all_numbered("r - 500-900").is_err());
    }
}
