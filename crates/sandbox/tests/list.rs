//! The reviewed lists of system calls are what the kernel is given.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it is surprised")]

use std::collections::BTreeMap;

use sandbox::seccomp::{AARCH64, Filter, Policy, PolicyError, Rule, X86_64};
use seccompiler::{BpfProgram, TargetArch};

const KILL: u32 = 0x8000_0000;
const ERRNO: u32 = 0x0005_0000;
const ALLOW: u32 = 0x7fff_0000;

/// Runs a filter as the kernel does (bpf(4)): the few instructions seccompiler uses.
fn run(program: &BpfProgram, data: &[u8; 64]) -> u32 {
    let (mut at, mut accumulator) = (0, 0u32);
    loop {
        let step = &program[at];
        at += 1;
        match step.code {
            0x20 => {
                let from = step.k as usize;
                accumulator = u32::from_ne_bytes(data[from..from + 4].try_into().unwrap());
            }
            0x54 => accumulator &= step.k,
            0x05 => at += step.k as usize,
            0x15 => at += usize::from(if accumulator == step.k { step.jt } else { step.jf }),
            0x25 => at += usize::from(if accumulator > step.k { step.jt } else { step.jf }),
            0x35 => at += usize::from(if accumulator >= step.k { step.jt } else { step.jf }),
            0x06 => return step.k,
            other => panic!("instruction {other:#x}"),
        }
    }
}

/// The kernel's answer: the strictest of all filters.
fn answer(filter: &Filter, architecture: u32, number: u32, arguments: [u64; 6]) -> u32 {
    let mut data = [0; 64];
    data[..4].copy_from_slice(&number.to_ne_bytes());
    data[4..8].copy_from_slice(&architecture.to_ne_bytes());
    for (index, argument) in arguments.iter().enumerate() {
        data[16 + index * 8..24 + index * 8].copy_from_slice(&argument.to_ne_bytes());
    }
    filter.programs().iter().map(|program| run(program, &data)).min_by_key(|action| *action as i32).unwrap()
}

fn lists() -> [(&'static str, TargetArch, u32, Filter); 2] {
    let compile = |text, architecture| Policy::parse(text).unwrap().compile(architecture).unwrap();
    [
        (X86_64, TargetArch::x86_64, 0xc000_003e, compile(X86_64, TargetArch::x86_64)),
        (AARCH64, TargetArch::aarch64, 0xc000_00b7, compile(AARCH64, TargetArch::aarch64)),
    ]
}

/// The numbers of the calls a list decides, found by compiling each alone.
fn numbers(text: &str, architecture: TargetArch, machine: u32) -> BTreeMap<u32, (String, Rule)> {
    let rules = Policy::parse(text).unwrap().rules;
    let numbers = rules.into_iter().map(|(name, rule)| {
        let alone = Policy::parse(&format!("allow {name}")).unwrap().compile(architecture).unwrap();
        let number = (0..600).find(|number| answer(&alone, machine, *number, [0; 6]) == ALLOW).unwrap();
        (number, (name, rule))
    });
    numbers.collect()
}

#[test]
fn every_call_is_answered_as_its_line_says() {
    for (text, architecture, machine, filter) in lists() {
        let numbers = numbers(text, architecture, machine);
        for number in 0..1024 {
            let expected = match numbers.get(&number) {
                None | Some((_, Rule::Deny)) => KILL,
                Some((_, Rule::Allow)) => ALLOW,
                Some((_, Rule::Errno(code))) => ERRNO | *code as u32,
                Some((_, Rule::AllowIf(_))) => continue,
            };
            let name = numbers.get(&number).map_or("(not listed)", |(name, _)| name);
            assert_eq!(answer(&filter, machine, number, [0; 6]), expected, "{name}");
            assert_eq!(answer(&filter, machine, number, [u64::MAX; 6]), expected, "{name}");
        }
        assert_eq!(answer(&filter, 0x4000_0003, 20, [0; 6]), KILL, "another architecture");
        assert_eq!(answer(&filter, machine, 0x4000_0027, [0; 6]), KILL, "x32");
    }
}

#[test]
fn a36_no_argument_makes_memory_executable() {
    for (text, architecture, machine, filter) in lists() {
        for (number, (name, _)) in numbers(text, architecture, machine) {
            if name != "mmap" && name != "mprotect" {
                continue;
            }
            for protection in 0..256_u64 {
                let expected = if protection & 4 == 0 { ALLOW } else { KILL };
                for upper in [0, 0xdead_0000_0000_u64] {
                    let arguments = [0, 4096, protection | upper, 0, 0, 0];
                    assert_eq!(
                        answer(&filter, machine, number, arguments),
                        expected,
                        "{name} {protection:#x}"
                    );
                }
            }
        }
    }
}

#[test]
fn a37_clone_makes_threads_only() {
    for (text, architecture, machine, filter) in lists() {
        let numbers = numbers(text, architecture, machine);
        let number = *numbers.iter().find(|(_, (name, _))| name == "clone").unwrap().0;
        // What glibc and musl pass for a thread.
        for flags in [0x3d_0f00_u64, 0x7d_0f00] {
            assert_eq!(answer(&filter, machine, number, [flags, 0, 0, 0, 0, 0]), ALLOW);
            for bit in [8, 13, 16, 17, 25, 26, 27, 28, 29, 30] {
                let changed = flags ^ (1 << bit);
                assert_eq!(answer(&filter, machine, number, [changed, 0, 0, 0, 0, 0]), KILL, "bit {bit}");
            }
        }
    }
}

#[test]
fn both_lists_are_one_list() {
    let [x86, arm] = [X86_64, AARCH64].map(|text| Policy::parse(text).unwrap().rules);
    for (name, rule) in &arm {
        assert_eq!(x86.get(name), Some(rule), "{name}");
    }
    let more = x86.keys().filter(|name| !arm.contains_key(*name)).map(String::as_str).collect::<Vec<_>>();
    let expected = [
        "access",
        "arch_prctl",
        "dup2",
        "epoll_wait",
        "fork",
        "ioperm",
        "iopl",
        "link",
        "lstat",
        "mkdir",
        "mknod",
        "modify_ldt",
        "open",
        "poll",
        "readlink",
        "rename",
        "rmdir",
        "stat",
        "symlink",
        "time",
        "uselib",
        "unlink",
        "vfork",
    ];
    let expected = std::collections::BTreeSet::from(expected);
    assert_eq!(more, expected.into_iter().collect::<Vec<_>>(), "only old names differ");
}

#[test]
fn a_list_that_is_not_understood_is_refused_whole() {
    for (text, line) in [
        ("allow", 1),
        ("allow read\npermit write", 2),
        ("allow read if", 1),
        ("allow read if arg6:32 == 0", 1),
        ("allow read if arg0 == 0", 1),
        ("allow read if arg0:32 = 0", 1),
        ("allow read if arg0:32 == zero", 1),
        ("allow read if arg0:32 == 0 and", 1),
        ("allow read write", 1),
        ("allow re\"ad", 1),
    ] {
        assert!(matches!(Policy::parse(text), Err(PolicyError::Line(number)) if number == line), "{text}");
    }
    for text in ["allow read\ndeny read", "allow read\nallow read", "allow read\nallow read if arg0:32 == 0"]
    {
        assert!(matches!(Policy::parse(text), Err(PolicyError::Twice { line: 2, .. })), "{text}");
    }
    assert!(matches!(Policy::parse("errno EWHAT read"), Err(PolicyError::Code(1))));
    for text in ["allow raed", "deny raed", "errno EPERM raed"] {
        let policy = Policy::parse(text).unwrap();
        assert!(matches!(policy.compile(TargetArch::x86_64), Err(PolicyError::Compile(_))), "{text}");
    }
}
