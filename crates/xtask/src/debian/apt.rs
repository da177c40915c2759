//! A private apt: its own folders below `target/trixie/apt`, an empty list of installed packages, and the
//! sources of Debian 13 at the mirror this machine's own apt uses. Signatures are checked with the archive's
//! keyring, so the mirror need not be trusted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{paths, process};

const SUITE: &str = "trixie";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// A metapackage whose one `linux-image-…` dependency is the kernel itself.
const KERNEL: &str = "linux-image-amd64";

/// The private apt, configured and with fresh lists.
pub struct Apt {
    config: PathBuf,
    debs: PathBuf,
}

impl Apt {
    /// Writes the configuration and fetches the package lists. Packages will be in the folder `debs`, and no others.
    pub fn prepare(debs: PathBuf) -> Result<Self> {
        ensure!(Path::new(KEYRING).exists(), "{KEYRING} is missing: install debian-archive-keyring");
        let base = paths::trixie().join("apt");
        for folder in ["state/lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d"]
        {
            fs::create_dir_all(base.join(folder))?;
        }
        fs::write(base.join("status"), "")?;
        fs::write(base.join("etc/sources.list"), sources(&mirrors()?))?;
        let config = base.join("apt.conf");
        fs::write(&config, configuration(&base)?)?;
        fs::create_dir_all(&debs)?;
        let apt = Self { config, debs };
        process::run(apt.command("apt-get").arg("update"))?;
        Ok(apt)
    }

    /// Fetches `packages` (exactly these, no dependencies) and returns the file of each.
    pub fn download<'a>(&self, packages: impl Iterator<Item = &'a str>) -> Result<BTreeMap<String, PathBuf>> {
        let mut wanted = Vec::new();
        for package in packages {
            wanted.push(if package == KERNEL { self.kernel()? } else { package.to_owned() });
        }
        process::run(self.command("apt-get").current_dir(&self.debs).arg("download").args(&wanted))?;
        let listing = process::text(
            self.command("apt-get").current_dir("/").args(["download", "--print-uris"]).args(&wanted),
        )?;
        let mut files = BTreeMap::new();
        for name in listing.lines().filter_map(|line| line.split_whitespace().nth(1)) {
            let package = name.split('_').next().unwrap_or(name);
            // In the archive an epoch's colon is written %3a, on disk as well.
            files.insert(package.to_owned(), self.debs.join(name));
        }
        for package in wanted {
            let file = files.get(&package).with_context(|| format!("apt named no file for {package}"))?;
            ensure!(file.exists(), "{} was not fetched", file.display());
        }
        self.forget_old(&files)?;
        Ok(files)
    }

    /// Removes the files of versions we no longer use.
    fn forget_old(&self, files: &BTreeMap<String, PathBuf>) -> Result<()> {
        for entry in fs::read_dir(&self.debs)? {
            let path = entry?.path();
            if !files.values().any(|file| *file == path) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn kernel(&self) -> Result<String> {
        let depends = process::text(self.command("apt-cache").args(["depends", KERNEL]))?;
        depends
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "))
            .find(|name| name.starts_with("linux-image-"))
            .map(str::to_owned)
            .with_context(|| format!("{KERNEL} names no kernel:\n{depends}"))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("APT_CONFIG", &self.config).env("LC_ALL", "C");
        command
    }
}

/// Where this machine gets Debian from.
#[derive(Debug, Default, PartialEq, Eq)]
struct Mirrors {
    archive: String,
    security: Option<String>,
}

fn mirrors() -> Result<Mirrors> {
    let release = fs::read_to_string("/etc/os-release").context("reading /etc/os-release")?;
    let codename = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .context("/etc/os-release names no VERSION_CODENAME")?
        .trim_matches('"');
    // apt reads its own two formats of sources better than we would.
    let targets = process::text(Command::new("apt-get").args([
        "indextargets",
        "--format",
        "$(REPO_URI) $(RELEASE) $(COMPONENT)",
        "Created-By: Packages",
    ]))?;
    choose_mirrors(&targets, codename)
}

fn choose_mirrors(targets: &str, codename: &str) -> Result<Mirrors> {
    let find = |release: &str| {
        targets.lines().find_map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
            [uri, suite, "main"] if suite == release => Some(uri.to_owned()),
            _ => None,
        })
    };
    let Some(archive) = find(codename) else {
        bail!("no source of Debian {codename} main is configured for this machine's apt")
    };
    Ok(Mirrors { archive, security: find(&format!("{codename}-security")) })
}

fn sources(mirrors: &Mirrors) -> String {
    let mut text = String::new();
    let mut line = |uri: &str, suite: &str| {
        let _ = writeln!(text, "deb [signed-by={KEYRING}] {uri} {suite} main");
    };
    line(&mirrors.archive, SUITE);
    line(&mirrors.archive, &format!("{SUITE}-updates"));
    if let Some(security) = &mirrors.security {
        line(security, &format!("{SUITE}-security"));
    }
    text
}

/// The machine's way out (proxies, date checks) and nothing else of its configuration: hooks stay away.
fn configuration(base: &Path) -> Result<String> {
    let machine = process::text(Command::new("apt-config").arg("dump"))?;
    let mut text = String::new();
    for line in machine.lines().filter(|line| line.starts_with("Acquire::") && !line.contains("IndexTargets"))
    {
        let _ = writeln!(text, "{line}");
    }
    let base = base.display();
    let _ = write!(
        text,
        r#"Dir "{base}/";
Dir::State "{base}/state";
Dir::State::status "{base}/status";
Dir::Cache "{base}/cache";
Dir::Etc "{base}/etc";
Dir::Etc::sourceparts "-";
Dir::Etc::main "-";
APT::Architecture "amd64";
APT::Architectures "amd64";
APT::Sandbox::User "";
Acquire::Languages "none";
"#
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_the_machines_own_and_never_a_third_partys() {
        let targets = "https://vendor.example/apt bookworm stable\n\
                       http://mirror.example/debian bookworm main\n\
                       http://mirror.example/debian bookworm-backports main\n\
                       http://mirror.example/security bookworm-security main\n";
        let mirrors = choose_mirrors(targets, "bookworm").unwrap();
        assert_eq!(mirrors.archive, "http://mirror.example/debian");
        assert_eq!(mirrors.security.as_deref(), Some("http://mirror.example/security"));
        let text = sources(&mirrors);
        assert_eq!(text.lines().count(), 3);
        assert!(text.lines().all(|line| line.contains("signed-by=") && line.contains(" trixie")));
    }

    #[test]
    fn a_machine_without_debian_sources_is_told_so() {
        assert!(choose_mirrors("https://vendor.example/apt bookworm stable", "bookworm").is_err());
    }
}
