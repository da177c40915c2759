//! Our own programs in the image. A unit says which: `ExecStart=/usr/libexec/nestling/NAME` is the binary NAME of
//! the package NAME, so no unit ships without its program and no program without its unit.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::paths;
use crate::process::{self, step};

/// Where our programs are in the image.
pub(super) const FOLDER: &str = "usr/libexec/nestling";
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The programs the units in `folder` start.
pub(super) fn named_by(folder: &Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for unit in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let unit = unit?.path();
        if unit.extension().is_some_and(|ending| ending == "service") {
            names.extend(programs_of(&fs::read_to_string(&unit)?));
        }
    }
    Ok(names)
}

fn programs_of(unit: &str) -> impl Iterator<Item = String> {
    unit.lines().filter_map(|line| {
        let (key, command) = line.split_once('=')?;
        let program =
            command.trim_start_matches(['-', '@', ':', '+', '!']).strip_prefix("/usr/libexec/nestling/")?;
        let name = program.split_whitespace().next()?;
        key.starts_with("Exec").then(|| name.to_owned())
    })
}

/// Builds the packages `names` and returns their binaries.
pub(super) fn build(names: &BTreeSet<String>) -> Result<Vec<(String, PathBuf)>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    step("Building our programs", || {
        process::show(
            cargo().args(["build", "--release"]).args(names.iter().flat_map(|name| ["--package", name])),
        )
    })?;
    let folder = paths::cargo_target().join("release");
    Ok(names.iter().map(|name| (name.clone(), folder.join(name))).collect())
}

/// Builds `/init`: static, because nothing else is in the initramfs.
pub(super) fn build_init() -> Result<Vec<u8>> {
    step("Building the initramfs's program", || {
        process::show(
            cargo()
                .args(["build", "--release", "--package", "nestling-init", "--target", TARGET])
                .env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "-C target-feature=+crt-static"),
        )
    })?;
    let file = paths::cargo_target().join(TARGET).join("release/nestling-init");
    fs::read(&file).with_context(|| format!("reading {}", file.display()))
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(paths::root()).env_remove("RUSTFLAGS");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_name_the_programs_they_start() {
        let unit = "[Service]\nExecStart=-/usr/libexec/nestling/nestling-a --flag\nExecStart=/usr/bin/x\n\
                    Environment=X=/usr/libexec/nestling/no\n";
        assert_eq!(programs_of(unit).collect::<Vec<_>>(), ["nestling-a"]);
    }
}
