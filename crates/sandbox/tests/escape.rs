//! A37: an app gets out of its sandbox. Every way out is tried on the real kernel.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it is surprised")]

mod world;

use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use nix::libc;
use rustix::fs::{FileType, Mode, makedev};
use world::{Outcome, SIGSYS, World};

const KILLED: Outcome = Outcome::Killed(SIGSYS);

fn killed(number: i64, arguments: &[&str]) {
    assert_eq!(World::new().start().call(number, arguments), KILLED, "call {number} {arguments:?}");
}

#[test]
fn a37_there_is_no_file_but_its_own() {
    let world = World::new();
    let mut probe = world.start();
    for path in [
        "/etc/passwd",
        "/proc/self/status",
        "/sys/kernel",
        "/run",
        "/dev/null",
        "/tmp",
        "/var",
        "/proc/self/fd",
        "../../../../../etc/passwd",
        "/data/../../etc/passwd",
    ] {
        let outcome = probe.call(libc::SYS_openat, &["-100", &format!("text:{path}"), "0"]);
        assert_eq!(outcome, Outcome::Errno(libc::ENOENT), "{path}");
    }
    let root = probe.must(libc::SYS_openat, &["-100", "text:/", "65536"]).to_string();
    let names = probe.must(libc::SYS_getdents64, &[&root, "buf", "65536"]);
    let entries = probe.ask(&format!("dump {names}")).unwrap();
    let entries = String::from_utf8_lossy(&hex(&entries)).into_owned();
    assert!(entries.contains("app") && entries.contains("data"));
    assert_eq!(names, 4 * 24, "., .., app, data and nothing else");
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn a37_nothing_is_written_outside_data() {
    let world = World::new();
    let mut probe = world.start();
    let create = "65"; // O_WRONLY | O_CREAT
    for path in ["/new", "/app", "/data/../new"] {
        let outcome = probe.call(libc::SYS_openat, &["-100", &format!("text:{path}"), create, "438"]);
        // Landlock answers before or after the read-only mount; both stand.
        assert!(matches!(outcome, Outcome::Errno(libc::EACCES | libc::EROFS)), "{path}: {outcome:?}");
    }
    let outcome = probe.call(libc::SYS_unlinkat, &["-100", "text:/app", "0"]);
    assert!(matches!(outcome, Outcome::Errno(libc::EACCES | libc::EROFS)));
    let outcome = probe.call(libc::SYS_mkdirat, &["-100", "text:/x", "511"]);
    assert!(matches!(outcome, Outcome::Errno(libc::EACCES | libc::EROFS)));
}

#[test]
fn a37_a_planted_link_leads_nowhere() {
    let world = World::new();
    std::os::unix::fs::symlink("/etc/passwd", world.data().join("passwd")).unwrap();
    std::os::unix::fs::symlink("../../../..", world.data().join("up")).unwrap();
    let mut probe = world.start();
    for path in ["/data/passwd", "/data/up/etc/passwd"] {
        let outcome = probe.call(libc::SYS_openat, &["-100", &format!("text:{path}"), "0"]);
        assert_eq!(outcome, Outcome::Errno(libc::ENOENT), "{path}");
    }
}

#[test]
fn a37_no_link_device_or_socket_is_made() {
    killed(libc::SYS_symlinkat, &["text:/etc", "-100", "text:/data/x"]);
    killed(libc::SYS_linkat, &["-100", "text:/app", "-100", "text:/data/x", "0"]);
    killed(libc::SYS_mknodat, &["-100", "text:/data/x", "8630", "259"]);
}

#[test]
fn a37_landlock_alone_refuses_links_and_devices_in_data() {
    let world = World::new();
    let mut probe = world.start_with(&world::list_without_denials());
    let outcome = probe.call(libc::SYS_symlinkat, &["text:/etc", "-100", "text:/data/x"]);
    assert_eq!(outcome, Outcome::Errno(libc::EACCES));
    for kind in ["4534", "49590"] {
        // S_IFIFO, S_IFSOCK with mode 0666
        let outcome = probe.call(libc::SYS_mknodat, &["-100", "text:/data/x", kind, "0"]);
        assert_eq!(outcome, Outcome::Errno(libc::EACCES), "{kind}");
    }
    let outcome = probe.call(libc::SYS_mknodat, &["-100", "text:/data/x", "8630", "259"]);
    assert!(matches!(outcome, Outcome::Errno(libc::EPERM | libc::EACCES)), "a device: {outcome:?}");
    let outcome = probe.call(libc::SYS_linkat, &["-100", "text:/app", "-100", "text:/data/x", "0"]);
    assert!(matches!(outcome, Outcome::Errno(libc::EXDEV | libc::EACCES)), "across mounts: {outcome:?}");
}

#[test]
fn a37_only_four_descriptors_are_open() {
    let world = World::new();
    let mut probe = world.start();
    let f_getfd = "1";
    for descriptor in 0..4 {
        let outcome = probe.call(libc::SYS_fcntl, &[&descriptor.to_string(), f_getfd]);
        assert_eq!(outcome, Outcome::Value(0), "{descriptor}");
    }
    // The probe itself duplicated its display to 4, close-on-exec: the next one up is free.
    for descriptor in 5..64 {
        let outcome = probe.call(libc::SYS_fcntl, &[&descriptor.to_string(), f_getfd]);
        assert_eq!(outcome, Outcome::Errno(libc::EBADF), "{descriptor}");
    }
}

#[test]
fn a37_there_is_no_socket_of_any_kind() {
    for family in ["1", "2", "10", "16", "17", "40", "38", "29"] {
        for kind in ["1", "2", "3", "5"] {
            killed(libc::SYS_socket, &[family, kind, "0"]);
        }
    }
    killed(libc::SYS_socketpair, &["1", "1", "0", "buf"]);
    for call in [libc::SYS_connect, libc::SYS_bind] {
        killed(call, &["3", "buf", "16"]);
    }
    killed(libc::SYS_sendto, &["3", "buf", "1", "0", "buf", "16"]);
}

/// `struct sockaddr_un` for the probe's buffer.
fn unix_address(name: &[u8]) -> (String, String) {
    let mut bytes = 1u16.to_ne_bytes().to_vec();
    bytes.extend(name);
    let text = bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    (text, bytes.len().to_string())
}

#[test]
fn a37_an_abstract_socket_outside_is_not_reached_even_with_sockets() {
    let name = world::unique(&format!("nestling-{}", std::process::id()));
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    listener.set_nonblocking(true).unwrap();
    let world = World::new();
    let mut probe = world.start_with(&world::list_without_denials());
    let socket = probe.must(libc::SYS_socket, &["1", "1", "0"]).to_string();
    let (text, length) = unix_address(format!("\0{name}").as_bytes());
    probe.ask(&format!("put {text}")).unwrap();
    let outcome = probe.call(libc::SYS_connect, &[&socket, "buf", &length]);
    assert!(matches!(outcome, Outcome::Errno(libc::ECONNREFUSED | libc::EPERM)), "{outcome:?}");
    assert!(listener.accept().is_err());
}

#[test]
fn a37_tcp_is_refused_even_with_sockets_and_there_is_no_interface() {
    let world = World::new();
    let mut probe = world.start_with(&world::list_without_denials());
    let socket = probe.must(libc::SYS_socket, &["2", "1", "0"]).to_string();
    // 127.0.0.1:22
    probe.ask("put 020000167f0000010000000000000000").unwrap();
    let outcome = probe.call(libc::SYS_connect, &[&socket, "buf", "16"]);
    assert_eq!(outcome, Outcome::Errno(libc::EACCES), "Landlock");
    let outcome = probe.call(libc::SYS_bind, &[&socket, "buf", "16"]);
    assert_eq!(outcome, Outcome::Errno(libc::EACCES), "Landlock");
    let datagrams = probe.must(libc::SYS_socket, &["2", "2", "0"]).to_string();
    let outcome = probe.call(libc::SYS_connect, &[&datagrams, "buf", "16"]);
    assert_eq!(outcome, Outcome::Errno(libc::ENETUNREACH), "not even lo is up");
}

#[test]
fn a37_no_other_process_is_seen_or_signalled() {
    for (number, arguments) in [
        (libc::SYS_kill, &["1", "9"][..]),
        (libc::SYS_tkill, &["1", "9"]),
        (libc::SYS_ptrace, &["16", "1", "0", "0"]),
        (libc::SYS_process_vm_readv, &["1", "buf", "1", "buf", "1", "0"]),
        (libc::SYS_process_vm_writev, &["1", "buf", "1", "buf", "1", "0"]),
        (libc::SYS_kcmp, &["1", "1", "0", "0", "0"]),
        (libc::SYS_pidfd_open, &["1", "0"]),
        (libc::SYS_pidfd_getfd, &["3", "0", "0"]),
        (libc::SYS_pidfd_send_signal, &["3", "9", "0", "0"]),
        (libc::SYS_rt_sigqueueinfo, &["1", "9", "buf"]),
    ] {
        killed(number, arguments);
    }
    let world = World::new();
    let mut probe = world.start_with(&world::list_without_denials());
    assert_eq!(probe.call(libc::SYS_getpid, &[]), Outcome::Value(1), "a pid namespace of its own");
    assert_eq!(probe.call(libc::SYS_getppid, &[]), Outcome::Value(0));
    let test = std::process::id().to_string();
    for pid in [test.as_str(), "2", "-1"] {
        assert_eq!(probe.call(libc::SYS_kill, &[pid, "0"]), Outcome::Errno(libc::ESRCH), "{pid}");
    }
    let ptrace_attach = "16";
    assert!(matches!(probe.call(libc::SYS_ptrace, &[ptrace_attach, &test, "0", "0"]), Outcome::Errno(_)));
}

#[test]
fn a37_no_namespace_mount_or_root_is_made() {
    for (number, arguments) in [
        (libc::SYS_unshare, &["268435456"][..]),
        (libc::SYS_setns, &["3", "0"]),
        (libc::SYS_mount, &["0", "text:/data", "text:tmpfs", "0", "0"]),
        (libc::SYS_umount2, &["text:/data", "2"]),
        (libc::SYS_pivot_root, &["text:/data", "text:/data"]),
        (libc::SYS_chroot, &["text:/data"]),
        (libc::SYS_open_tree, &["-100", "text:/", "1"]),
        (libc::SYS_move_mount, &["3", "text:", "-100", "text:/data", "4"]),
        (libc::SYS_fsopen, &["text:tmpfs", "0"]),
        (libc::SYS_mount_setattr, &["-100", "text:/", "0", "buf", "32"]),
        (libc::SYS_open_by_handle_at, &["3", "buf", "0"]),
    ] {
        killed(number, arguments);
    }
    let world = World::new();
    let filter = world::list_without_denials();
    for (number, arguments) in [
        (libc::SYS_mount, &["text:none", "text:/data", "text:tmpfs", "0", "0"][..]),
        (libc::SYS_umount2, &["text:/data", "2"]),
        (libc::SYS_chroot, &["text:/data"]),
        (libc::SYS_open_tree, &["-100", "text:/", "1"]),
        (libc::SYS_sethostname, &["text:evil", "4"]),
        (libc::SYS_setuid, &["0"]),
        (libc::SYS_setgroups, &["0", "buf"]),
    ] {
        let outcome = world.start_with(&filter).call(number, arguments);
        assert_eq!(outcome, Outcome::Errno(libc::EPERM), "{number}: no capability stands behind it either");
    }
}

#[test]
fn a37_no_process_is_forked() {
    let sigchld = "17";
    killed(libc::SYS_clone, &[sigchld, "0", "0", "0", "0"]);
    let thread = 0x10100_u64;
    // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, CLONE_PTRACE
    for more in
        [0x2_0000_u64, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000, 0x2000]
    {
        killed(libc::SYS_clone, &[&(thread | more).to_string(), "0", "0", "0", "0"]);
    }
    let outcome = World::new().start().call(libc::SYS_clone3, &["buf", "88"]);
    assert_eq!(outcome, Outcome::Errno(libc::ENOSYS));
    #[cfg(target_arch = "x86_64")]
    for number in [libc::SYS_fork, libc::SYS_vfork] {
        killed(number, &[]);
    }
}

#[test]
fn a37_no_terminal_takes_a_key_from_it() {
    let tiocsti = 0x5412_u64;
    let tioclinux = 0x541c_u64;
    for request in [tiocsti, tioclinux, tiocsti | 0xdead_0000_0000, 0x5410, 0x540e] {
        killed(libc::SYS_ioctl, &["0", &request.to_string(), "buf"]);
    }
}

#[test]
fn a37_the_kernels_large_doors_are_shut() {
    for (number, arguments) in [
        (libc::SYS_io_uring_setup, &["8", "buf"][..]),
        (libc::SYS_io_uring_enter, &["3", "0", "0", "0", "0", "0"]),
        (libc::SYS_io_uring_register, &["3", "0", "0", "0"]),
        (libc::SYS_bpf, &["0", "buf", "48"]),
        (libc::SYS_perf_event_open, &["buf", "0", "-1", "-1", "0"]),
        (libc::SYS_userfaultfd, &["0"]),
        (libc::SYS_keyctl, &["0", "0", "0", "0", "0"]),
        (libc::SYS_add_key, &["text:user", "text:x", "buf", "1", "-1"]),
        (libc::SYS_request_key, &["text:user", "text:x", "0", "0"]),
        (libc::SYS_seccomp, &["1", "0", "buf"]),
        (libc::SYS_prctl, &["38", "0", "0", "0", "0"]),
        (libc::SYS_init_module, &["buf", "1", "text:"]),
        (libc::SYS_fanotify_init, &["0", "0"]),
        (libc::SYS_landlock_create_ruleset, &["0", "0", "1"]),
        (4095, &[]),
        (-1, &[]),
    ] {
        killed(number, arguments);
    }
}

#[test]
fn a37_no_user_or_capability_comes_back() {
    for (number, arguments) in [
        (libc::SYS_setuid, &["0"][..]),
        (libc::SYS_setresuid, &["0", "0", "0"]),
        (libc::SYS_setresgid, &["0", "0", "0"]),
        (libc::SYS_setgroups, &["0", "buf"]),
        (libc::SYS_capset, &["buf", "buf"]),
    ] {
        killed(number, arguments);
    }
    let world = World::new();
    let filter = world::list_with(&[
        ("allow prctl if arg0:32 == 15", "allow prctl"),
        ("allow prctl if arg0:32 == 16", ""),
        ("allow prctl if arg0:32 == 0x53564d41", ""),
        ("deny capset", "allow capget"),
        ("deny setuid", "allow getgroups"),
        ("deny setgid", "allow getresuid"),
        ("deny setreuid", "allow getsid"),
    ]);
    // A launcher that is in a group (nestling-store); it is this thread's alone.
    rustix::thread::set_thread_groups(&[rustix::fs::Gid::from_raw(820)]).unwrap();
    let mut probe = world.start_with(&filter);
    assert_eq!(probe.call(libc::SYS_getuid, &[]), Outcome::Value(i64::from(world::USER)));
    assert_eq!(probe.call(libc::SYS_getegid, &[]), Outcome::Value(i64::from(world::USER)));
    assert_eq!(probe.call(libc::SYS_getgroups, &["0", "0"]), Outcome::Value(0));
    assert_eq!(probe.call(libc::SYS_getsid, &["0"]), Outcome::Value(1), "a session of its own");
    // struct __user_cap_header_struct { _LINUX_CAPABILITY_VERSION_3, 0 }, the data right behind it.
    assert_eq!(probe.ask("put 2205082000000000").unwrap(), "0");
    let base = probe.ask("address").unwrap().parse::<u64>().unwrap();
    let data = (base + 8).to_string();
    assert_eq!(probe.call(libc::SYS_capget, &["buf", &data]), Outcome::Value(0));
    let sets = probe.ask("dump 32").unwrap();
    assert_eq!(sets[16..], "0".repeat(48), "effective, permitted and inheritable are empty");
    let (capbset_read, get_no_new_privs, get_seccomp) = ("23", "39", "21");
    for capability in 0..41 {
        let outcome = probe.call(libc::SYS_prctl, &[capbset_read, &capability.to_string()]);
        assert_eq!(outcome, Outcome::Value(0), "capability {capability} in the bounding set");
    }
    assert_eq!(probe.call(libc::SYS_prctl, &[get_no_new_privs, "0", "0", "0", "0"]), Outcome::Value(1));
    assert_eq!(probe.call(libc::SYS_prctl, &[get_seccomp]), Outcome::Value(2));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a37_another_calling_convention_is_no_way_round() {
    let x32 = 0x4000_0000_i64;
    killed(x32 + libc::SYS_getpid, &[]);
    // 20 is getpid in the 32-bit table. Without 32-bit support in the kernel there is no such gate.
    let exit = World::new().start().ask("int80 20").unwrap_err();
    assert!(matches!(exit, sandbox::Exit::Signal(SIGSYS | libc::SIGSEGV)), "{exit:?}");
}

#[test]
fn a37_the_data_folder_has_no_device_and_no_set_user_id() {
    let world = World::new();
    let path = world.data().join("null");
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &path, FileType::CharacterDevice, mode, makedev(1, 3)).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    let outcome = world.start().call(libc::SYS_openat, &["-100", "text:/data/null", "0"]);
    assert_eq!(outcome, Outcome::Errno(libc::EACCES), "nodev");
}

#[test]
fn a38_another_apps_data_is_nowhere() {
    let (mine, other) = (World::new(), World::new());
    fs::write(other.data().join("diary"), "secret").unwrap();
    let mut probe = mine.start();
    let outside = other.data().join("diary");
    for path in
        [outside.to_str().unwrap(), "/data/diary", "/run/nestling/policy/policy.db", "/var/lib/nestling"]
    {
        let outcome = probe.call(libc::SYS_openat, &["-100", &format!("text:{path}"), "0"]);
        assert_eq!(outcome, Outcome::Errno(libc::ENOENT), "{path}");
    }
}
