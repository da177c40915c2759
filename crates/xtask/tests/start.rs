//! How the root is started, in QEMU: what was signed starts, what was changed restarts the watch before any of it
//! runs, and nothing on the kernel command line ends in a shell.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use xtask::image::{self, Image};
use xtask::paths;
use xtask::vm::{Options, Vm};

const PATIENCE: Duration = Duration::from_mins(2);
/// The first thing systemd says.
const SYSTEMD: &str = "Welcome to";

fn image() -> anyhow::Result<(TempDir, Image)> {
    let folder = tempfile::tempdir()?;
    let image = image::build_bare(folder.path())?;
    Ok((folder, image))
}

fn boot(image: &Image, name: &str) -> anyhow::Result<Vm> {
    let cmdline = "systemd.show_status=true loglevel=4".to_owned();
    Vm::boot(image, &Options { cmdline, ..Options::headless(name) })
}

/// Boots until the machine ends, which a restart does as well, and returns the console.
fn ends(image: &Image, name: &str) -> anyhow::Result<String> {
    let mut vm = boot(image, name)?;
    vm.wait_for_end(PATIENCE)?;
    Ok(vm.console())
}

/// It ended for this reason, and systemd was never there.
fn assert_not_started(console: &str, reason: &str) {
    assert!(console.contains(reason), "{console}");
    assert!(!console.contains(SYSTEMD), "{console}");
}

fn flip(file: &Path, at: usize) -> anyhow::Result<()> {
    let mut bytes = fs::read(file)?;
    bytes[at] ^= 1;
    Ok(fs::write(file, bytes)?)
}

#[test]
fn a31_one_changed_bit_of_the_root_restarts_the_watch_before_systemd() {
    let (_folder, image) = image().unwrap();
    {
        let mut vm = boot(&image, "start-whole").unwrap();
        vm.wait_for_console(SYSTEMD, PATIENCE).unwrap();
    }
    // The first bytes belong to no file and no checksum of erofs: only dm-verity sees them.
    flip(&image.root, 0).unwrap();
    assert_not_started(
        &ends(&image, "start-changed").unwrap(),
        "device-mapper: verity: 254:0: data block 0 is corrupted",
    );
}

#[test]
fn a30_a_command_line_without_the_root_hash_or_with_another_ends_in_no_shell() {
    let (_folder, mut image) = image().unwrap();
    let whole = image.cmdline.clone();
    image.cmdline = "panic=1 rdinit=/bin/sh root=/dev/vda".to_owned();
    assert_not_started(&ends(&image, "start-shell").unwrap(), "Kernel panic");
    image.cmdline = "panic=1 init=/bin/sh root=/dev/vda systemd.debug_shell single".to_owned();
    assert_not_started(&ends(&image, "start-unproven").unwrap(), "nestling.verity is missing");
    // Another root hash: the last digit counts.
    let (value, rest) = whole.split_once(' ').unwrap();
    let (kept, last) = value.split_at(value.len() - 1);
    image.cmdline = format!("{kept}{} {rest}", if last == "0" { '1' } else { '0' });
    assert_not_started(&ends(&image, "start-other").unwrap(), "is corrupted");
}

#[test]
fn t8_a_watch_whose_disk_is_unreadable_still_starts_with_an_empty_var() {
    let (_folder, image) = image().unwrap();
    let name = "start-no-var";
    fs::create_dir_all(paths::vm(name)).unwrap();
    fs::write(paths::vm(name).join("var.img"), vec![0xa5; 1 << 20]).unwrap();
    // A disk without its TPM would be replaced.
    fs::create_dir_all(paths::vm(name).join("tpm")).unwrap();
    let cmdline = "systemd.show_status=true loglevel=4".to_owned();
    let mut vm = Vm::boot(&image, &Options { cmdline, fresh: false, ..Options::headless(name) }).unwrap();
    vm.wait_for_console("Reached target multi-user.target", PATIENCE).unwrap();
    let console = vm.console();
    assert!(console.contains("Failed to start nestling-var.service"), "{console}");
    assert!(console.contains("Finished nestling-var-fallback.service"), "{console}");
}
