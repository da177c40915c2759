//! `rootfs/contents`: which files of the packages are in the image. First match decides; no match means out.

use anyhow::{Context, Result, bail};

use crate::paths;

/// The rules, in order.
#[derive(Debug)]
pub(super) struct Contents(Vec<(bool, String)>);

impl Contents {
    /// Reads the rules of this workspace.
    pub(super) fn load() -> Result<Self> {
        Self::read("rootfs/contents")
    }

    /// Reads the rules for what the bench image has more.
    pub(super) fn of_the_bench() -> Result<Self> {
        Self::read("rootfs/bench/contents")
    }

    fn read(file: &str) -> Result<Self> {
        let file = paths::root().join(file);
        let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        Self::parse(&text).with_context(|| file.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let mut rules = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.split_once(' ') {
                Some(("+", pattern)) => rules.push((true, pattern.trim().to_owned())),
                Some(("-", pattern)) => rules.push((false, pattern.trim().to_owned())),
                _ => bail!("`{line}` is neither `+ pattern` nor `- pattern`"),
            }
        }
        Ok(Self(rules))
    }

    /// Whether a file is in the image.
    pub(super) fn takes(&self, path: &str) -> bool {
        self.0
            .iter()
            .find(|(_, pattern)| matches(pattern.as_bytes(), path.as_bytes()))
            .is_some_and(|(takes, _)| *takes)
    }

    /// Patterns without `*` that must exist, so that a renamed file is noticed.
    pub(super) fn named(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(|(takes, pattern)| *takes && !pattern.contains('*'))
            .map(|(_, pattern)| pattern.as_str())
    }
}

/// `*` is any part of one name, `**` any path.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => path.is_empty(),
        [b'*', b'*', rest @ ..] => (0..=path.len()).any(|at| matches(rest, &path[at..])),
        [b'*', rest @ ..] => {
            let end = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
            (0..=end).any(|at| matches(rest, &path[at..]))
        }
        [first, rest @ ..] => path.first() == Some(first) && matches(rest, &path[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_matches_decides_and_the_rest_stays_out() {
        let contents = Contents::parse("- lib/x/**\n+ lib/*.so*\n# why\n+ lib/**/data\n").unwrap();
        assert!(contents.takes("lib/libc.so.6"));
        assert!(!contents.takes("lib/x/libc.so.6"));
        assert!(!contents.takes("lib/y/libc.so.6"));
        assert!(contents.takes("lib/y/z/data"));
        assert!(!contents.takes("bin/sh"));
        assert!(Contents::parse("lib/*").is_err());
    }

    #[test]
    fn t23_no_door_is_let_in() {
        let contents = Contents::load().unwrap();
        for door in [
            "usr/bin/bash",
            "usr/bin/dash",
            "usr/bin/sh",
            "usr/bin/busybox",
            "usr/bin/login",
            "usr/sbin/agetty",
            "usr/sbin/sshd",
            "usr/bin/perl",
            "usr/bin/apt",
            "usr/bin/dpkg",
            "usr/bin/busctl",
            "usr/bin/mmcli",
            "usr/sbin/sulogin",
            "usr/lib/systemd/systemd-sulogin-shell",
            "usr/bin/systemd-run",
            "usr/bin/run0",
            "usr/lib/systemd/system/debug-shell.service",
            "usr/lib/systemd/system/getty@.service",
            "usr/lib/systemd/system/emergency.service",
            "usr/lib/systemd/system/rescue.service",
        ] {
            assert!(!contents.takes(door), "{door} is let in");
        }
    }
}
