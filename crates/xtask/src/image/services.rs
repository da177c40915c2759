//! `services/` and `rootfs/files` into the image, as services/README.md says: a folder of ours is a folder of the
//! system, its files verbatim. Then the accounts, and what systemd's presets switch on.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::files::Files;
use super::{Kind, accounts, programs};
use crate::debian::tree;
use crate::{paths, process};

/// Where each folder of `services/` goes.
const PLACES: [(&str, &str); 10] = [
    ("dbus", "usr/share/dbus-1/system.d"),
    ("journald.conf.d", "usr/lib/systemd/journald.conf.d"),
    ("polkit", "usr/share/polkit-1"),
    ("presets", "usr/lib/systemd/system-preset"),
    ("sysctl.d", "usr/lib/sysctl.d"),
    ("system.conf.d", "usr/lib/systemd/system.conf.d"),
    ("sysusers.d", "usr/lib/sysusers.d"),
    ("tmpfiles.d", "usr/lib/tmpfiles.d"),
    ("udev", "usr/lib/udev/rules.d"),
    ("units", "usr/lib/systemd/system"),
];

/// The one package of the development image, laid out like `services/` itself.
fn agent() -> PathBuf {
    paths::root().join("services/agent")
}

/// What the bench image has more, laid out like `services/` as well.
fn bench() -> PathBuf {
    paths::root().join("services/bench")
}

/// The programs the agent's units start.
pub(super) fn agent_programs() -> Result<BTreeSet<String>> {
    let units = agent().join("units");
    if units.exists() { programs::named_by(&units) } else { Ok(BTreeSet::new()) }
}

/// Adds all of it for `kind`.
pub(super) fn add(files: &mut Files, kind: Kind) -> Result<()> {
    let services = paths::root().join("services");
    files.copy_folder(&paths::root().join("rootfs/files"), "")?;
    place(files, &services)?;
    let mut lists = vec![paths::root().join("rootfs/sysusers.conf")];
    lists.extend(inside(&services.join("sysusers.d"))?);
    if kind != Kind::Product && agent().exists() {
        place(files, &agent())?;
        lists.extend(inside(&agent().join("sysusers.d"))?);
    }
    if kind == Kind::Bench {
        place(files, &bench())?;
    }
    accounts::add(files, &lists)?;
    presets(files)
}

fn place(files: &mut Files, services: &Path) -> Result<()> {
    for (folder, target) in PLACES {
        let folder = services.join(folder);
        if folder.exists() {
            files.copy_folder(&folder, target)?;
        }
    }
    Ok(())
}

fn inside(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Lets Debian 13's own systemctl apply the presets, and takes the links it makes below `/etc/systemd/system`.
fn presets(files: &mut Files) -> Result<()> {
    let staging = tempfile::tempdir()?;
    let root = staging.path();
    files.unpack(root, &|path| path.starts_with("usr/lib/systemd/system"))?;
    fs::create_dir_all(root.join("etc/systemd/system"))?;
    process::run(
        tree::tool("usr/bin/systemctl")
            .arg(format!("--root={}", root.display()))
            .args(["preset-all", "--preset-mode=enable-only"]),
    )
    .context("applying the presets")?;
    files.copy_folder(&root.join("etc"), "etc")
}
