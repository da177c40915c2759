//! The program as the watch runs it: static, in a root with nothing in it.

#![allow(clippy::unwrap_used)]

#[path = "../../../crates/app/tests/fake/mod.rs"]
mod fake;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fake::Fake;
use tempfile::TempDir;

/// The binary of `NESTLING_DRAW_BINARY`, or one that is built here as the image builds it.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("NESTLING_DRAW_BINARY") {
        return path.into();
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned();
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let flags = format!("CARGO_TARGET_{}_RUSTFLAGS", target.replace('-', "_").to_uppercase());
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--package", "draw", "--bin", "draw", "--target", &target])
        .arg("--target-dir")
        .arg(&folder)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env(flags, "-C target-feature=+crt-static -C relocation-model=pie")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .unwrap();
    assert!(built.success());
    folder.join(target).join("release/draw")
}

/// A root with the program, an empty home and nothing else; `unshare` makes it without being root.
fn in_an_empty_root(root: &Path, program: &Path) -> Fake {
    fs::create_dir(root.join("data")).unwrap();
    fs::copy(program, root.join("draw")).unwrap();
    fs::set_permissions(root.join("draw"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--root"]).arg(root).arg("/draw");
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/data");
    Fake::start_with(command, (466, 466))
}

#[test]
fn a36_the_static_app_maps_nothing_executable_but_itself() {
    let root = TempDir::new().unwrap();
    let mut fake = in_an_empty_root(root.path(), &binary());
    let first = fake.first();
    fake.down(0, 150.0, 233.0);
    fake.motion(0, 300.0, 240.0);
    fake.up(0);
    fake.run(Duration::from_millis(900));
    println!("first picture after {first:?}, with unshare");

    let maps = fs::read_to_string(format!("/proc/{}/maps", fake.child.id())).unwrap();
    let mut own = 0;
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (rights, path) = (words.nth(1).unwrap(), words.nth(3).unwrap_or_default());
        assert!(!(rights.contains('w') && rights.contains('x')), "{line}");
        let own_file = path.ends_with("/draw");
        assert!(own_file || path.is_empty() || path.starts_with('['), "a foreign file is mapped: {line}");
        if rights.contains('x') {
            assert!(own_file || path == "[vdso]" || path == "[vsyscall]", "{line}");
            own += usize::from(own_file);
        }
    }
    assert_eq!(own, 1, "{maps}");

    fake.close();
    assert!(fake.end().success(), "{}", fake.said());
    assert_eq!(fs::read_dir(root.path().join("data")).unwrap().count(), 1, "the drawing");
    let mut rest = fs::read_dir(root.path()).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>();
    rest.sort();
    assert_eq!(rest, ["data", "draw"]);
}

#[test]
fn the_binary_is_a_position_independent_program_without_an_interpreter() {
    // ELF64 header: e_type at 16, e_phoff at 32, e_phentsize at 54, e_phnum at 56.
    let bytes = fs::read(binary()).unwrap();
    let half = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!((&bytes[..4], half(16)), (&b"\x7fELF"[..], 3), "ET_DYN");
    let start = u64::from_le_bytes(bytes[32..40].try_into().unwrap()) as usize;
    for n in 0..half(56) {
        let header = start + n * half(54);
        let (kind, flags) = (word(header), word(header + 4));
        assert_ne!(kind, 3, "PT_INTERP");
        assert_ne!(flags & 3, 3, "writable and executable");
        // PT_GNU_STACK
        assert!(kind != 0x6474_e551 || flags & 1 == 0, "an executable stack");
    }
}
