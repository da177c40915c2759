//! A36: an app loads code that no reviewer saw. Every way in is tried on the real kernel, and each wall also alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it is surprised")]

mod world;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;

use nix::libc;
use sandbox::{AppUser, Exit, PrepareError, ProgramError, Sandbox, Tree};
use world::{Outcome, SIGSYS, USER, World};

const READ_EXEC: &str = "5";
const READ_WRITE: &str = "3";
const PRIVATE: &str = "2";
const PRIVATE_ANONYMOUS: &str = "34";
const SHARED: &str = "1";

fn killed(number: i64, arguments: &[&str]) {
    let outcome = World::new().start().call(number, arguments);
    assert_eq!(outcome, Outcome::Killed(SIGSYS), "call {number} {arguments:?}");
}

#[test]
fn a36_a_memfd_is_not_mapped_executable() {
    let world = World::new();
    let mut probe = world.start();
    let memfd = probe.must(libc::SYS_memfd_create, &["text:code", "0"]).to_string();
    probe.must(libc::SYS_write, &[&memfd, "buf", "4096"]);
    for protection in [READ_EXEC, "4", "7"] {
        let mut probe = world.start();
        let memfd = probe.must(libc::SYS_memfd_create, &["text:code", "0"]).to_string();
        probe.must(libc::SYS_write, &[&memfd, "buf", "4096"]);
        let outcome = probe.call(libc::SYS_mmap, &["0", "4096", protection, SHARED, &memfd, "0"]);
        assert_eq!(outcome, Outcome::Killed(SIGSYS), "PROT {protection}");
    }
    assert_eq!(probe.ask("hello").unwrap(), "hello", "the one that only wrote goes on");
}

#[test]
fn a36_no_anonymous_memory_is_executable() {
    for protection in [READ_EXEC, "7", "4"] {
        killed(libc::SYS_mmap, &["0", "4096", protection, PRIVATE_ANONYMOUS, "-1", "0"]);
    }
}

#[test]
fn a36_written_memory_does_not_become_executable() {
    let world = World::new();
    for (call, key) in [(libc::SYS_mprotect, None), (libc::SYS_pkey_mprotect, Some("-1"))] {
        let mut probe = world.start();
        let page = probe.must(libc::SYS_mmap, &["0", "4096", READ_WRITE, PRIVATE_ANONYMOUS, "-1", "0"]);
        let page = page.to_string();
        let arguments = [page.as_str(), "4096", READ_EXEC].into_iter().chain(key).collect::<Vec<_>>();
        assert_eq!(probe.call(call, &arguments), Outcome::Killed(SIGSYS));
    }
}

#[test]
fn a36_the_upper_half_of_a_register_hides_no_protection() {
    let disguised = (0xdead_beef_0000_0005_u64).to_string();
    killed(libc::SYS_mmap, &["0", "4096", &disguised, PRIVATE_ANONYMOUS, "-1", "0"]);
}

#[test]
fn a36_no_file_is_mapped_executable_as_dlopen_does() {
    let world = World::new();
    let mut probe = world.start();
    let file = probe.must(libc::SYS_openat, &["-100", "text:/app", "0"]).to_string();
    let outcome = probe.call(libc::SYS_mmap, &["0", "4096", READ_EXEC, PRIVATE, &file, "0"]);
    assert_eq!(outcome, Outcome::Killed(SIGSYS));
}

#[test]
fn a36_dlopen_loads_nothing() {
    let world = World::new();
    let mut probe = world.start();
    assert_eq!(probe.ask("copy /app /data/evil.so").unwrap(), "0");
    match probe.ask("dlopen /data/evil.so") {
        Ok(answer) => assert_eq!(answer, "null"),
        Err(exit) => assert_eq!(exit, Exit::Signal(SIGSYS)),
    }
}

/// Puts the pointers of an `argv` or `envp` of one text into the probe's buffer, and returns where it begins.
fn list_of_one(probe: &mut world::Probe, text: &str) -> String {
    let base = probe.ask("address").unwrap().parse::<u64>().unwrap();
    let mut bytes = Vec::new();
    bytes.extend((base + 16).to_ne_bytes());
    bytes.extend(0u64.to_ne_bytes());
    bytes.extend(text.as_bytes());
    bytes.push(0);
    let hex = bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    assert_eq!(probe.ask(&format!("put {hex}")).unwrap(), "0");
    base.to_string()
}

#[test]
fn a36_ld_preload_loads_nothing() {
    let world = World::new();
    let mut probe = world.start();
    assert_eq!(probe.ask("copy /app /data/evil.so").unwrap(), "0");
    let environment = list_of_one(&mut probe, "LD_PRELOAD=/data/evil.so");
    let line = format!("call {} text:/app 0 {environment}", libc::SYS_execve);
    assert_eq!(probe.ask(&line).unwrap(), "main", "its own program may start again");
    assert_eq!(probe.ask("environment").unwrap(), "LD_PRELOAD=/data/evil.so");
    let mapped_executable = probe.call(libc::SYS_mprotect, &["0", "0", READ_EXEC]);
    assert_eq!(mapped_executable, Outcome::Killed(SIGSYS), "the list holds after execve");
}

#[test]
fn a36_a_file_it_wrote_is_not_executed() {
    let world = World::new();
    let mut probe = world.start();
    assert_eq!(probe.ask("copy /app /data/evil").unwrap(), "0");
    assert_eq!(probe.call(libc::SYS_execve, &["text:/data/evil", "0", "0"]), Outcome::Errno(libc::EACCES));
}

#[test]
fn a36_another_program_of_its_bundle_is_not_executed() {
    let world = World::new();
    fs::hard_link(world::another_program(), world.bundle().join("other")).unwrap();
    let outcome = world.start().call(libc::SYS_execve, &["text:/other", "0", "0"]);
    assert_eq!(outcome, Outcome::Errno(libc::EACCES));
}

#[test]
fn a36_a_script_and_its_interpreter_are_not_executed() {
    let world = World::new();
    for (name, text) in [("script", "#!/app\n"), ("shell", "#!/bin/sh\n")] {
        let path = world.data().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        let outcome = world.start().call(libc::SYS_execve, &[&format!("text:/data/{name}"), "0", "0"]);
        assert_eq!(outcome, Outcome::Errno(libc::EACCES));
    }
}

#[test]
fn a36_a_memfd_is_not_executed() {
    let world = World::new();
    let mut probe = world.start();
    let memfd = probe.must(libc::SYS_memfd_create, &["text:code", "0"]).to_string();
    let at_empty_path = "4096";
    let outcome = probe.call(libc::SYS_execveat, &[&memfd, "text:", "0", "0", at_empty_path]);
    assert_eq!(outcome, Outcome::Killed(SIGSYS));
    let mut probe = world.start();
    let memfd = probe.must(libc::SYS_memfd_create, &["text:code", "0"]);
    let path = format!("text:/proc/self/fd/{memfd}");
    assert_eq!(probe.call(libc::SYS_execve, &[&path, "0", "0"]), Outcome::Errno(libc::ENOENT));
}

#[test]
fn a36_landlock_alone_executes_nothing_else() {
    let world = World::new();
    fs::hard_link(world::another_program(), world.bundle().join("other")).unwrap();
    let filter = world::list_with(&[("deny execveat", "allow execveat")]);
    let mut probe = world.start_with(&filter);
    let file = probe.must(libc::SYS_openat, &["-100", "text:/other", "0"]).to_string();
    let outcome = probe.call(libc::SYS_execveat, &[&file, "text:", "0", "0", "4096"]);
    assert_eq!(outcome, Outcome::Errno(libc::EACCES));
    // Landlock has no word on memfds: that they are never executed rests on `deny execveat`. Named here so that nobody
    // takes the line away and trusts the other wall.
}

#[test]
fn a36_personality_does_not_make_memory_executable() {
    killed(libc::SYS_personality, &["4194304"]);
    killed(libc::SYS_shmget, &["0", "4096", "896"]);
    killed(libc::SYS_remap_file_pages, &["0", "0", "0", "0", "0"]);
}

fn prepare(program: &[u8]) -> Result<(), PrepareError> {
    let world = World::new();
    fs::remove_file(world.bundle().join("app")).unwrap();
    fs::write(world.bundle().join("app"), program).unwrap();
    let leaf = world::delegated().0.unlimited_leaf(&world::unique("prepare")).unwrap();
    let filter = sandbox::seccomp::Filter::native().unwrap();
    let result = world.sandbox(&leaf, &filter).prepare().map(drop);
    leaf.remove().unwrap();
    result
}

/// The probe with another kind (`p_type`) or other rights (`p_flags`) of its first segment of a kind.
fn probe_with(kind: u32, at: usize, value: u32) -> Vec<u8> {
    let mut program = fs::read(world::probe()).unwrap();
    let count = usize::from(u16::from_le_bytes([program[56], program[57]]));
    let segment =
        (0..count).map(|index| 64 + index * 56).find(|from| program[*from..from + 4] == kind.to_le_bytes());
    let from = segment.unwrap() + at;
    program[from..from + 4].copy_from_slice(&value.to_le_bytes());
    program
}

#[test]
fn a36_only_a_static_program_without_writable_code_is_an_app() {
    let (pt_load, pt_interp, pt_note, pt_gnu_stack) = (1, 3, 4, 0x6474_e551);
    assert!(prepare(&fs::read(world::probe()).unwrap()).is_ok());
    let dynamic = prepare(&probe_with(pt_note, 0, pt_interp));
    assert!(matches!(dynamic, Err(PrepareError::Refused(ProgramError::NotStatic))), "{dynamic:?}");
    for program in [probe_with(pt_load, 4, 7), probe_with(pt_gnu_stack, 4, 7)] {
        let result = prepare(&program);
        assert!(matches!(result, Err(PrepareError::Refused(ProgramError::WriteExecute))), "{result:?}");
    }
    let script = prepare(b"#!/bin/sh\n");
    assert!(matches!(script, Err(PrepareError::Refused(ProgramError::NotPie))), "{script:?}");
}

#[test]
fn a36_a_program_that_is_a_link_is_no_app() {
    let world = World::new();
    let program = world.bundle().join("app");
    fs::remove_file(&program).unwrap();
    std::os::unix::fs::symlink("/data/evil", &program).unwrap();
    let leaf = world::delegated().0.unlimited_leaf(&world::unique("link")).unwrap();
    let filter = sandbox::seccomp::Filter::native().unwrap();
    let bundle = Tree::bundle(File::open(world.bundle()).unwrap()).unwrap();
    let result = Sandbox::new(AppUser::new(USER).unwrap(), bundle, &leaf, &filter).prepare().map(drop);
    assert!(matches!(result, Err(PrepareError::Program(_))));
    leaf.remove().unwrap();
}
