//! The unpacked tree `target/trixie/tree`: every package of `rootfs/packages` in one merged root, as plain files
//! of the user who builds. Its programs run through its own dynamic loader, so they are Debian 13's on any host.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::apt::Apt;
use super::packages::Packages;
use crate::image::kernel::depmod;
use crate::paths;
use crate::process::{self, step};

/// What is in the tree: written last, so that a broken build is never taken for a whole one.
#[derive(Debug, Serialize, Deserialize)]
pub struct Tree {
    /// The lists the tree was made from.
    lists: String,
    /// The `.deb` of every package.
    pub debs: BTreeMap<String, PathBuf>,
}

impl Tree {
    /// The release of the kernel in the tree, such as `6.12.107+deb13-amd64`.
    pub fn kernel_release(&self) -> Result<&str> {
        self.debs
            .keys()
            .find_map(|name| name.strip_prefix("linux-image-"))
            .context("the tree holds no kernel")
    }

    /// The file of `package`, and what is in the image of it.
    pub fn deb(&self, package: &str) -> Result<&Path> {
        self.debs.get(package).map(PathBuf::as_path).with_context(|| format!("{package} is not in the tree"))
    }
}

/// Makes the tree where it is missing or `rootfs/packages` changed; with `refresh` looks for newer packages.
pub fn ensure(refresh: bool) -> Result<Tree> {
    let _lock = process::lock(&paths::trixie())?;
    let packages = Packages::load()?;
    let lists = format!("{packages:?}");
    let stamp = paths::trixie().join("tree.json");
    if !refresh
        && let Ok(text) = fs::read_to_string(&stamp)
        && let Ok(tree) = serde_json::from_str::<Tree>(&text)
        && tree.lists == lists
        && tree.debs.values().all(|deb| deb.exists())
    {
        return Ok(tree);
    }
    let apt = step("Reading Debian's package lists", || Apt::prepare(paths::trixie().join("debs")))?;
    let debs = step("Fetching Debian packages", || apt.download(packages.all()))?;
    step("Unpacking them", || unpack(debs.values(), &paths::tree()))?;
    let tree = Tree { lists, debs };
    step("Listing the kernel's modules", || depmod(&paths::tree(), tree.kernel_release()?))?;
    fs::write(&stamp, serde_json::to_string_pretty(&tree)?)?;
    Ok(tree)
}

/// The `.deb` files of what the bench image has more, fetched where they are missing. They are in no tree: nothing
/// of them is run here.
pub fn of_the_bench() -> Result<Vec<PathBuf>> {
    let _lock = process::lock(&paths::trixie())?;
    Ok(fetched("bench", &Packages::of_the_bench()?.ship)?.0)
}

/// Unpacks the peers that run on this machine into [`paths::peers`], where that was not done. They run with the tree's
/// loader and libraries.
pub fn peers() -> Result<()> {
    let _lock = process::lock(&paths::trixie())?;
    let (debs, fresh) = fetched("peer", &Packages::of_the_bench()?.build)?;
    if fresh || !paths::peers().exists() {
        step("Unpacking them", || unpack(debs.iter(), &paths::peers()))?;
    }
    Ok(())
}

/// The `.deb` files of these packages, and whether they were fetched now; `which` names their folder.
fn fetched(which: &str, packages: &[String]) -> Result<(Vec<PathBuf>, bool)> {
    let stamp = paths::trixie().join(which).with_extension("json");
    if let Ok(text) = fs::read_to_string(&stamp)
        && let Ok(debs) = serde_json::from_str::<BTreeMap<String, PathBuf>>(&text)
        && debs.len() == packages.len()
        && packages.iter().all(|package| debs.get(package).is_some_and(|deb| deb.exists()))
    {
        return Ok((debs.into_values().collect(), false));
    }
    let folder = paths::trixie().join(format!("{which}-debs"));
    let apt = step("Reading Debian's package lists", || Apt::prepare(folder))?;
    let debs = step("Fetching the peers to measure", || apt.download(packages.iter().map(String::as_str)))?;
    fs::write(&stamp, serde_json::to_string_pretty(&debs)?)?;
    Ok((debs.into_values().collect(), true))
}

fn unpack<'a>(debs: impl Iterator<Item = &'a PathBuf>, to: &Path) -> Result<()> {
    let fresh = to.with_extension("new");
    for old in [fresh.as_path(), to] {
        if old.exists() {
            fs::remove_dir_all(old)?;
        }
    }
    fs::create_dir_all(fresh.join("usr"))?;
    for merged in ["bin", "sbin", "lib", "lib64"] {
        fs::create_dir_all(fresh.join("usr").join(merged))?;
        symlink(Path::new("usr").join(merged), fresh.join(merged))?;
    }
    for deb in debs {
        process::run(Command::new("dpkg-deb").arg("-x").arg(deb).arg(&fresh))?;
    }
    fs::rename(&fresh, to)?;
    Ok(())
}

/// A command that runs `program` (a path inside the tree, such as `usr/bin/mkfs.erofs`) with the tree's own
/// loader and libraries.
pub fn tool(program: &str) -> Command {
    let name = program.rsplit('/').next().unwrap_or(program);
    tool_as(name, program)
}

/// As [`tool`], for programs that behave by the name they are called.
pub fn tool_as(name: &str, program: &str) -> Command {
    let tree = paths::tree();
    let libraries = tree.join("usr/lib/x86_64-linux-gnu");
    let mut path = OsString::from(&libraries);
    path.push(":");
    path.push(libraries.join("systemd"));
    let mut command = Command::new(tree.join("usr/lib64/ld-linux-x86-64.so.2"));
    command.arg("--argv0").arg(name).arg("--library-path").arg(path).arg(tree.join(program));
    command
}
