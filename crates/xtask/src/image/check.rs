//! What must hold of an image before it is written: every library is there, every account a unit names exists, and
//! there is no way in.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use object::read::elf::{Dyn as _, ElfFile64, FileHeader as _, SectionHeader as _};
use object::{Endianness, elf};

use super::accounts;
use super::files::{Content, Files};

const LIBRARIES: [&str; 4] = [
    "usr/lib/x86_64-linux-gnu",
    "usr/lib/x86_64-linux-gnu/systemd",
    "usr/lib64",
    // The RUNPATH of the bench image's Weston; no other image has it.
    "usr/lib/x86_64-linux-gnu/weston",
];
/// Names under which a way in would stand.
const DOORS: [&str; 22] = [
    "sh",
    "bash",
    "dash",
    "ash",
    "rbash",
    "zsh",
    "busybox",
    "toybox",
    "login",
    "agetty",
    "getty",
    "sulogin",
    "su",
    "sudo",
    "sshd",
    "dropbear",
    "telnetd",
    "gdbserver",
    "adbd",
    "perl",
    "python3",
    "systemd-sulogin-shell",
];

/// Refuses an image that would not work, or has a door.
pub(super) fn check(files: &Files) -> Result<()> {
    libraries(files)?;
    accounts_of_units(files)?;
    doors(files)
}

/// Every library a program is linked with is in the image.
fn libraries(files: &Files) -> Result<()> {
    let mut missing = BTreeSet::new();
    for (path, entry) in files.iter() {
        let Content::File(bytes) = &entry.content else { continue };
        if !bytes.starts_with(&elf::ELFMAG) || path.contains(".ko") {
            continue;
        }
        for library in needed(bytes).with_context(|| path.to_owned())? {
            if !LIBRARIES.iter().any(|folder| files.get(&format!("{folder}/{library}")).is_some()) {
                missing.insert(format!("{library} (needed by {path})"));
            }
        }
    }
    ensure!(missing.is_empty(), "libraries are missing in rootfs/packages: {missing:?}");
    Ok(())
}

fn needed(bytes: &[u8]) -> Result<Vec<String>> {
    let file = ElfFile64::<Endianness>::parse(bytes)?;
    let endian = file.endian();
    let sections = file.elf_header().sections(endian, bytes)?;
    let mut names = Vec::new();
    for section in sections.iter() {
        let Some((entries, strings)) = section.dynamic(endian, bytes)? else { continue };
        let strings = sections.strings(endian, bytes, strings)?;
        for entry in entries.iter().filter(|entry| entry.tag32(endian) == Some(elf::DT_NEEDED)) {
            names.push(String::from_utf8_lossy(entry.string(endian, strings)?).into_owned());
        }
    }
    Ok(names)
}

/// Every `User=`, `Group=` and `SocketUser=` of a unit is an account of the image.
fn accounts_of_units(files: &Files) -> Result<()> {
    let users = accounts::ids(files, "etc/passwd");
    let groups = accounts::ids(files, "etc/group");
    for (path, entry) in files.iter().filter(|(path, _)| path.starts_with("usr/lib/systemd/system/")) {
        let Content::File(bytes) = &entry.content else { continue };
        for line in String::from_utf8_lossy(bytes).lines() {
            let Some((key, value)) = line.split_once('=') else { continue };
            let known = match key {
                "User" | "SocketUser" => users.contains_key(value),
                "Group" | "SocketGroup" => groups.contains_key(value),
                "SupplementaryGroups" => value.split_whitespace().all(|group| groups.contains_key(group)),
                _ => true,
            };
            ensure!(known || value.is_empty(), "{path}: `{line}` names an account the image does not have");
        }
    }
    Ok(())
}

/// No program to log in with, no script (there is nothing to run it), nobody's rights but the caller's.
fn doors(files: &Files) -> Result<()> {
    for (path, entry) in files.iter() {
        let name = path.rsplit('/').next().unwrap_or(path);
        if DOORS.contains(&name) {
            bail!("{path} is a way in");
        }
        if let Content::File(bytes) = &entry.content {
            ensure!(entry.mode & 0o6000 == 0, "{path} runs with somebody else's rights");
            ensure!(entry.mode & 0o111 == 0 || !bytes.starts_with(b"#!"), "{path} is a script");
            ensure!(entry.mode & 0o002 == 0, "{path} can be written by everyone");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t23_an_image_with_a_shell_or_a_set_uid_program_is_refused() {
        for (path, mode, text) in
            [("usr/bin/sh", 0o755, "x"), ("usr/bin/tool", 0o4755, "x"), ("usr/bin/tool", 0o755, "#!/bin/x")]
        {
            let mut files = Files::default();
            files.file(path, mode, text.as_bytes());
            assert!(doors(&files).is_err(), "{path} {mode:o}");
        }
    }

    #[test]
    fn a_program_whose_library_is_missing_is_refused() {
        let mut files = Files::default();
        files.file("usr/bin/tool", 0o755, std::fs::read(std::env::current_exe().unwrap()).unwrap());
        let error = libraries(&files).unwrap_err().to_string();
        assert!(error.contains("libc.so.6"), "{error}");
    }

    #[test]
    fn a_unit_with_an_unknown_user_is_refused() {
        let mut files = Files::default();
        files.file("etc/passwd", 0o644, *b"known:x:801:801::/:/usr/sbin/nologin\n");
        files.file("usr/lib/systemd/system/a.service", 0o644, *b"[Service]\nUser=known\n");
        assert!(accounts_of_units(&files).is_ok());
        files.file("usr/lib/systemd/system/b.service", 0o644, *b"[Service]\nUser=unknown\n");
        assert!(accounts_of_units(&files).is_err());
    }
}
