//! `./nestling test probes`: the tests of the sandbox, the catalogue and the launcher on the watch's own kernel, where
//! fs-verity, file-backed erofs and cgroup controllers are; and those of the rules, the orders, the store and policyd, on
//! the file system that keeps them.
//!
//! The test programs are built static and put on an erofs disk under the paths they have here; the programs they start
//! are found there under the same path as here, which is compiled into them. `nestling-probe` runs one after the other with `--include-ignored`; what it
//! says comes over a serial line of its own, and its `test result:` lines are counted.
//!
//! **Invariants:** a test program that ends without a result is a failure, and so is a machine that ends before it
//! said that it finished; no network; the machine ends with this command.

mod machine;
mod report;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::debian::tree::{self, Tree};
use crate::image::files::Files;
use crate::image::kernel::{self, Modules};
use crate::paths;
use crate::process::{self, step};

/// Whose tests run there.
const PACKAGES: [&str; 7] =
    ["sandbox", "catalogue", "nestling-launcher", "policy", "orders", "store", "nestling-policyd"];
/// Test programs that need what no watch has; the demo does the same with the real thing.
const ELSEWHERE: [(&str, &str); 4] = [
    ("bus", "a bus without users"),
    ("tpm", "a TPM of the test's own"),
    ("power_cut", "strace"),
    ("readers", "setpriv"),
];
/// What tests read of the sources.
const TEXTS: [&str; 4] = [
    "docs/orders.md",
    "tests/vectors/orders.json",
    "crates/orders/golden/roles.txt",
    "crates/policy/golden/decisions.txt",
];
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// The hostile app of the sandbox's tests, which look for it beside themselves.
const HOSTILE: &str = "crates/sandbox/tests/hostile/app.rs";
/// What a program needs to run where nothing else is.
const STATIC: &str = "-C target-feature=+crt-static";
/// Size of `/var`: enough for bundles and what apps keep.
const VAR: u64 = 256 << 20;

/// What was counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed, test programs without a result, and a machine that did not finish.
    pub failed: u64,
}

/// Builds the test programs and runs them in a virtual machine.
///
/// # Errors
/// They could not be built, or the machine did not start.
pub fn run() -> Result<Tally> {
    let tree = tree::ensure(false)?;
    let built = step("Building the probes", build)?;
    let folder = paths::vm("probes");
    fs::create_dir_all(&folder)?;
    let disks = step("Writing the probes' disks", || write(&folder, &tree, &built))?;
    machine::run(&folder, &disks)
}

/// What cargo built.
#[derive(Debug)]
struct Built {
    /// The first program.
    init: PathBuf,
    /// Programs with tests.
    tests: BTreeSet<PathBuf>,
    /// Programs the tests start.
    programs: BTreeSet<PathBuf>,
}

/// What the machine starts from.
#[derive(Debug)]
struct Disks {
    kernel: PathBuf,
    initramfs: PathBuf,
    programs: PathBuf,
    var: PathBuf,
}

/// The part of cargo's messages (`--message-format json`) that says where a program is.
#[derive(Debug, Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    profile: Option<Profile>,
    target: Option<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Profile {
    test: bool,
}

fn build() -> Result<Built> {
    let packages = PACKAGES.iter().flat_map(|name| ["--package", name]);
    let mut cargo = cargo();
    cargo.args(["test", "--no-run", "--release", "--target", TARGET]).args(packages);
    let (tests, programs) = executables(&mut cargo)?;
    let mut cargo = self::cargo();
    cargo.args(["build", "--release", "--target", TARGET, "--package", "nestling-probe"]);
    let (_, init) = executables(&mut cargo)?;
    ensure!(!tests.is_empty(), "cargo built no test program");
    Ok(Built { init: init.into_iter().next().context("cargo built no nestling-probe")?, tests, programs })
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(paths::root())
        .env_remove("RUSTFLAGS")
        .env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", STATIC)
        .stderr(Stdio::inherit());
    command
}

/// Runs cargo and returns the test programs and the other programs it built.
fn executables(cargo: &mut Command) -> Result<(BTreeSet<PathBuf>, BTreeSet<PathBuf>)> {
    let output = cargo.args(["--message-format", "json-render-diagnostics"]).output()?;
    if !output.status.success() {
        bail!("cargo: {}", output.status);
    }
    sort(&String::from_utf8_lossy(&output.stdout))
}

fn sort(messages: &str) -> Result<(BTreeSet<PathBuf>, BTreeSet<PathBuf>)> {
    let (mut tests, mut programs) = (BTreeSet::new(), BTreeSet::new());
    for line in messages.lines().filter(|line| line.starts_with('{')) {
        let message: Message = serde_json::from_str(line).context("reading cargo's messages")?;
        let (Some(executable), Some(profile)) = (message.executable, message.profile) else { continue };
        let name = message.target.map(|target| target.name).unwrap_or_default();
        if let Some((name, needs)) = ELSEWHERE.iter().find(|(test, _)| profile.test && name == *test) {
            println!("   not in the watch: {name}, which needs {needs}");
            continue;
        }
        if profile.test {
            tests.insert(executable)
        } else {
            programs.insert(executable)
        };
    }
    Ok((tests, programs))
}

fn write(folder: &Path, tree: &Tree, built: &Built) -> Result<Disks> {
    let release = tree.kernel_release()?;
    let disks = Disks {
        kernel: folder.join("vmlinux"),
        initramfs: folder.join("initramfs.cpio"),
        programs: folder.join("programs.erofs"),
        var: folder.join("var.img"),
    };
    fs::write(&disks.kernel, kernel::vmlinux(release)?)?;
    fs::write(&disks.initramfs, Modules::load(release)?.initramfs(&fs::read(&built.init)?)?)?;
    write_programs(&disks.programs, folder, built)?;
    let _ = fs::remove_file(&disks.var);
    fs::File::create(&disks.var)?.set_len(VAR)?;
    process::run(
        tree::tool_as("mkfs.ext4", "usr/sbin/mke2fs")
            // fs-verity's blocks are at most as large as the file system's, which are small on a small disk.
            .args(["-q", "-F", "-t", "ext4", "-b", "4096", "-O", "verity", "-E", "root_owner=0:0"])
            .arg(&disks.var),
    )?;
    Ok(disks)
}

fn write_programs(disk: &Path, folder: &Path, built: &Built) -> Result<()> {
    let mut files = Files::default();
    let mut list = String::new();
    let hostile = compile_hostile(folder)?;
    for test in &built.tests {
        let path = inside(test)?;
        files.file(&path, 0o755, fs::read(test)?);
        list.extend(["test /", &path, "\n"]);
        files.file(&inside(&test.with_file_name("probe"))?, 0o755, hostile.clone());
    }
    for program in &built.programs {
        let path = inside(program)?;
        files.file(&path, 0o755, fs::read(program)?);
        list.extend(["program /", &path, "\n"]);
    }
    for text in TEXTS {
        let text = paths::root().join(text);
        let path = inside(&text)?;
        files.file(&path, 0o644, fs::read(&text)?);
        list.extend(["program /", &path, "\n"]);
    }
    files.file("list", 0o644, list.into_bytes());
    let tar = folder.join("programs.tar");
    files.write_tar(fs::File::create(&tar)?)?;
    let _ = fs::remove_file(disk);
    process::run(tree::tool("usr/bin/mkfs.erofs").args(["--quiet", "-T0", "--tar=f"]).arg(disk).arg(&tar))?;
    Ok(fs::remove_file(&tar)?)
}

/// An absolute path as one of the disk's.
fn inside(path: &Path) -> Result<String> {
    let path = path.to_str().context("a program's path is no text")?;
    Ok(path.strip_prefix('/').with_context(|| format!("{path} is not absolute"))?.to_owned())
}

/// As the tests themselves compile it where they are run by cargo.
fn compile_hostile(folder: &Path) -> Result<Vec<u8>> {
    let program = folder.join("hostile");
    process::run(
        Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
            .args(["--edition=2024", "-O", "-Ctarget-feature=+crt-static", "-Crelocation-model=pie"])
            .args(["-Awarnings", "-o"])
            .arg(&program)
            .arg(paths::root().join(HOSTILE)),
    )?;
    Ok(fs::read(&program)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_programs_and_others_are_told_apart() {
        let messages = r#"{"reason":"compiler-artifact","executable":"/t/deps/a-1","profile":{"test":true},"target":{"name":"a"}}
{"reason":"compiler-artifact","executable":"/t/deps/bus-1","profile":{"test":true},"target":{"name":"bus"}}
{"reason":"compiler-artifact","executable":null,"profile":{"test":false}}
{"reason":"compiler-artifact","executable":"/t/b","profile":{"test":false}}
{"reason":"build-finished","success":true}
"#;
        let (tests, programs) = sort(messages).unwrap();
        assert_eq!(tests, BTreeSet::from([PathBuf::from("/t/deps/a-1")]));
        assert_eq!(programs, BTreeSet::from([PathBuf::from("/t/b")]));
        assert!(sort("{\"executable\":1}").is_err());
    }

    #[test]
    fn a_program_keeps_its_path() {
        assert_eq!(inside(Path::new("/a/b")).unwrap(), "a/b");
        assert!(inside(Path::new("a/b")).is_err());
    }
}
