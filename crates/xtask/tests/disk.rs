//! `/var` as the watch makes and mounts it. Needs root and a loop device.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

/// The options the unit mounts `/var` with.
fn options() -> String {
    let unit = fs::read_to_string(xtask::paths::root().join("services/units/nestling-var.service")).unwrap();
    let mount = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/mount ")).unwrap();
    let mut words = mount.split(' ').skip_while(|word| *word != "-o");
    words.nth(1).unwrap().to_owned()
}

/// Writes `blocks` of a MiB into a file as somebody; whether all of it went in.
fn writes(file: &Path, blocks: u32, uid: u32, gid: u32) -> bool {
    Command::new("setpriv")
        .args([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".into()])
        .args(["dd", "if=/dev/zero", "bs=1M", "status=none", "conv=fsync"])
        .args([format!("of={}", file.display()), format!("count={blocks}")])
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap()
        .success()
}

struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn a43_an_app_that_fills_the_disk_leaves_room_for_orders() {
    xtask::debian::tree::ensure(false).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (image, at) = (folder.path().join("var.img"), folder.path().join("var"));
    fs::create_dir(&at).unwrap();
    xtask::vm::make_var(&image, true, None).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "ext4", "-o", &format!("loop,{}", options())])
        .args([&image, &at])
        .status()
        .unwrap();
    assert!(mounted.success(), "mounting needs root and a loop device");
    let _mounted = Mounted(&at);
    for (name, uid, gid) in [("app", 20_000, 20_000), ("policy", 801, 820)] {
        fs::create_dir(at.join(name)).unwrap();
        chown(at.join(name), Some(uid), Some(gid)).unwrap();
    }
    assert!(!writes(&at.join("app/all"), 1_000, 20_000, 20_000), "the disk is full for the app");
    assert!(!writes(&at.join("app/more"), 1, 20_000, 20_000));
    assert!(writes(&at.join("policy/order"), 4, 801, 820), "an order is still written");
}
