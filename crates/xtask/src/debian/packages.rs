//! `rootfs/packages`: which Debian packages are in the image, and which only help to build it.

use anyhow::{Context, Result, bail};

use crate::paths;

/// The two lists of `rootfs/packages`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Packages {
    /// In the image.
    pub ship: Vec<String>,
    /// Unpacked beside them for building and for fast tests; of the bench, what runs on this machine and in no image.
    pub build: Vec<String>,
}

impl Packages {
    /// Reads the lists of this workspace.
    pub fn load() -> Result<Self> {
        Self::read("rootfs/packages")
    }

    /// What the bench image has beside them, and what is measured without an image: the peers.
    pub fn of_the_bench() -> Result<Self> {
        Self::read("rootfs/bench/packages")
    }

    fn read(file: &str) -> Result<Self> {
        let file = paths::root().join(file);
        let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        Self::parse(&text).with_context(|| file.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let mut packages = Self::default();
        let mut list = None;
        for line in text.lines() {
            let words = line.split('#').next().unwrap_or_default().trim();
            match words {
                "" => {}
                "[ship]" => list = Some(&mut packages.ship),
                "[build]" => list = Some(&mut packages.build),
                _ => match list.as_mut() {
                    Some(list) => list.extend(words.split_whitespace().map(str::to_owned)),
                    None => bail!("`{words}` stands before the first section"),
                },
            }
        }
        Ok(packages)
    }

    /// Every package, those of the image first.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.ship.iter().chain(&self.build).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_reasons_are_told_apart() {
        let packages = Packages::parse("# why\n[ship]\na b # c\n\n[build]\nd\n").unwrap();
        assert_eq!(packages.ship, ["a", "b"]);
        assert_eq!(packages.build, ["d"]);
        assert!(Packages::parse("a\n[ship]").is_err());
    }

    #[test]
    fn t23_no_package_of_the_image_is_a_shell_or_a_door() {
        let shipped = Packages::load().unwrap().ship;
        for door in
            ["bash", "dash", "busybox", "login", "openssh-server", "perl-base", "apt", "dpkg", "gdbserver"]
        {
            assert!(!shipped.iter().any(|package| package == door), "{door} is in rootfs/packages");
        }
    }

    #[test]
    fn no_package_of_the_bench_is_in_another_image() {
        let packages = Packages::load().unwrap();
        let bench = Packages::of_the_bench().unwrap();
        assert!(bench.ship.iter().any(|package| package == "weston"));
        assert!(bench.all().all(|package| !packages.all().any(|other| other == package)));
    }
}
