//! The arrows of the design: who may depend on whom, read from `cargo metadata`.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// A workspace member's normal and build dependencies, and its dev-dependencies.
#[derive(Debug, Default)]
struct Member {
    uses: BTreeSet<String>,
    tests_use: BTreeSet<String>,
}

fn members() -> BTreeMap<String, Member> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(xtask::paths::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut members = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let mut member = Member::default();
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap().to_owned();
            let set = if dependency["kind"] == "dev" { &mut member.tests_use } else { &mut member.uses };
            set.insert(name);
        }
        members.insert(package["name"].as_str().unwrap().to_owned(), member);
    }
    members
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What each member may use of ours. A member that is not here fails the test: say where it belongs.
fn allowed() -> BTreeMap<&'static str, BTreeSet<String>> {
    let daemon = &["daemon", "ipc", "lifeline", "orders", "policy", "store"];
    BTreeMap::from([
        ("policy", set(&[])),
        ("lifeline", set(&[])),
        ("orders", set(&["policy"])),
        ("store", set(&["policy"])),
        ("ipc", set(&["policy"])),
        ("launch", set(&["policy"])),
        ("nestling-tidy", set(&[])),
        ("sandbox", set(&["policy"])),
        ("catalogue", set(&["launch", "policy"])),
        ("compositor", set(&[])),
        ("frame", set(&[])),
        ("app", set(&["frame"])),
        ("draw", set(&["app"])),
        ("flood", set(&[])),
        ("fifty", set(&[])),
        ("daemon", set(&["ipc", "policy", "store"])),
        ("nestling-policyd", set(daemon)),
        ("nestling-telephonyd", set(daemon)),
        ("nestling-locationd", set(daemon)),
        // The launcher is root: no bus, so nothing that brings one.
        ("nestling-launcher", set(&["catalogue", "launch", "policy", "sandbox", "store"])),
        ("nestling-appd", set(&["daemon", "ipc", "launch", "policy", "store"])),
        ("nestling-agent", set(&["daemon", "ipc"])),
        // On a guardian's laptop: no bus, and nothing of the watch but what an order means.
        ("nestling-guardian", set(&["orders", "policy"])),
        ("nestling-init", set(&[])),
        ("panel", set(&["frame"])),
        ("nestling-shell", set(&["compositor", "daemon", "ipc", "panel", "policy"])),
        ("sim", set(&[])),
        ("testkit", set(&["policy", "sim"])),
        ("nestling-probe", set(&[])),
        ("xtask", set(&["catalogue", "nestling-agent", "ipc", "orders", "policy", "sim", "store"])),
    ])
}

#[test]
fn crates_of_ours_use_only_what_the_design_lets_them() {
    let members = members();
    let ours: BTreeSet<String> = members.keys().cloned().collect();
    let allowed = allowed();
    for (name, member) in &members {
        let allowed = allowed.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not in the table"));
        let used: BTreeSet<_> = member.uses.intersection(&ours).cloned().collect();
        let wrong: Vec<_> = used.difference(allowed).collect();
        assert!(wrong.is_empty(), "{name} must not use {wrong:?}");
    }
}

/// Libraries that live in one place.
#[test]
fn a_library_with_a_home_is_used_nowhere_else() {
    let homes: [(&str, &[&str]); 11] = [
        ("slint", &["app", "draw", "frame", "panel", "nestling-shell"]),
        ("smithay", &["compositor"]),
        ("wayland-client", &["app", "flood", "fifty"]),
        ("landlock", &["sandbox"]),
        ("seccompiler", &["sandbox"]),
        ("tough", &["catalogue"]),
        ("winit", &[]),
        ("rusqlite", &["store", "nestling-policyd"]),
        ("ed25519-dalek", &["orders"]),
        ("gpsd_proto", &["nestling-locationd"]),
        ("testkit", &[]),
    ];
    for (name, member) in members() {
        for (library, homes) in homes {
            assert!(
                !member.uses.contains(library) || homes.contains(&name.as_str()),
                "{library} is used by {name}; its home is {homes:?}"
            );
        }
    }
}

/// The pure crates stay pure: no bus, no runtime, no database, no clock of the system's.
#[test]
fn rules_and_orders_do_no_io() {
    let members = members();
    for name in ["policy", "lifeline", "orders"] {
        for library in ["tokio", "zbus", "rusqlite", "nix", "getrandom"] {
            assert!(!members[name].uses.contains(library), "{name} uses {library}");
        }
    }
    assert!(members["lifeline"].uses.is_empty(), "lifeline depends on nothing at all");
}

/// Files in which `unsafe` is allowed, each with a reason in its head.
#[test]
fn unsafe_lives_in_named_modules_alone() {
    let allowed = [
        "crates/init/src/dm.rs",
        // The hostile app of the probes makes any system call it is told to.
        "crates/sandbox/tests/hostile/app.rs",
        "crates/sandbox/src/raw.rs",
        "crates/catalogue/src/verity/ioctl.rs",
    ];
    let mut found = Vec::new();
    let mut folders = vec![xtask::paths::root().join("crates"), xtask::paths::root().join("apps")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let unsafe_code = text.lines().any(|line| {
                    let code = line.split("//").next().unwrap_or_default();
                    code.contains(concat!("unsafe", " {"))
                        || code.contains(concat!("unsafe", " impl"))
                        || code.contains(concat!("unsafe", " fn"))
                });
                let name = path.strip_prefix(xtask::paths::root()).unwrap().display().to_string();
                if unsafe_code && !allowed.contains(&name.as_str()) {
                    found.push(name);
                }
            }
        }
    }
    assert!(found.is_empty(), "unsafe in {found:?}");
}
