//! What lies on the disk, and what happens when something is wrong there.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use orders::{Envelope, RecoveryKey, Signer, WatchId};

use crate::world::{Laptop, Watch};

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn nobody_else_reads_the_folder_and_the_paper_is_nowhere_in_it() {
    let watch = Watch::new();
    let mum = Laptop::of_main(&watch);
    let secret = RecoveryKey::parse(&mum.paper).unwrap();
    let groups: Vec<_> = mum.paper.split(' ').collect();
    assert_eq!(groups.len(), 13);
    for path in files(&mum.path("")) {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
        let bytes = fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes).to_uppercase();
        assert!(!groups.iter().any(|group| text.contains(group)), "{}", path.display());
        let key: Result<[u8; 32], _> = bytes.try_into();
        assert!(key.is_err() || key.is_ok_and(|key| RecoveryKey::from_random(key) != secret));
    }
    let (code, said) = mum.fails(&["new", "mum"], "");
    assert!(code == 1 && said.contains("has a guardian's key already"), "{said}");
}

#[test]
fn a_key_that_others_can_read_is_not_used() {
    let watch = Watch::new();
    let mum = Laptop::of_main(&watch);
    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(mum.path("key"), Permissions::from_mode(mode)).unwrap();
        let (code, said) = mum.fails(&["sign", "ring"], "");
        assert!(
            code == 1 && said.contains("others can read this key") && said.contains("chmod 600"),
            "{said}"
        );
    }
    fs::set_permissions(mum.path("key"), Permissions::from_mode(0o600)).unwrap();
    assert_eq!(mum.sent().len(), 2);
    mum.ok(&["sign", "ring"]);
    fs::write(mum.path("key"), [0; 33]).unwrap();
    assert!(mum.fails(&["sign", "ring"], "").1.contains("32 bytes"));
}

#[test]
fn a_counter_is_used_up_before_the_order_that_carries_it_exists() {
    let watch = Watch::new();
    let mum = Laptop::of_main(&watch);
    let counter = || mum.text("counter").trim().parse::<u64>().unwrap();
    let before = counter();
    // The disk gives out between the two.
    fs::create_dir(mum.path("sent/.new")).unwrap();
    assert_eq!(mum.fails(&["sign", "ring"], "").0, 1);
    let burnt = counter();
    assert!(burnt > before && mum.sent().iter().filter(|name| name.ends_with("ring.json")).count() == 0);
    fs::remove_dir(mum.path("sent/.new")).unwrap();
    mum.ok(&["sign", "ring"]);
    assert!(mum.order("0003-ring.json").counter > burnt && counter() == mum.order("0003-ring.json").counter);
    for broken in ["", "x", "-1"] {
        mum.write("counter", broken);
        assert!(mum.fails(&["sign", "ring"], "").1.contains("not a number"));
    }
    // An old copy of the folder has a low counter, and the watch has seen higher ones: the clock helps.
    mum.write("counter", "0\n");
    mum.ok(&["sign", "locate"]);
    let earlier = mum.order("0003-ring.json").issued_at.cast_unsigned();
    assert!(mum.order("0004-locate.json").counter >= earlier * 1000);
}

#[test]
fn runs_at_once_never_use_one_counter() {
    let watch = Watch::new();
    let mum = Laptop::of_main(&watch);
    let run = || mum.command(&["sign", "ring"]).stdout(Stdio::null()).spawn().unwrap();
    let runs: Vec<_> = (0..8).map(|_| run()).collect();
    assert!(runs.into_iter().all(|mut run| run.wait().unwrap().success()));
    let names = mum.sent();
    assert_eq!(names.len(), 2 + 8);
    let counters: BTreeSet<_> = names.iter().map(|name| mum.order(name).counter).collect();
    assert_eq!(counters.len(), names.len());
    assert_eq!(mum.send(&watch).lines().count(), 8);
}

#[test]
fn a26_what_somebody_else_wrote_is_shown_without_its_control_characters() {
    let mum = Laptop::of("mum", "+358 40 555 0001");
    let mut stranger = Signer::from_secret(&[9; 32]);
    let watch = WatchId::of_device_key(&[1; 32]);
    let app = "draw\u{1b}[2J\u{202e}".to_owned();
    let envelope = stranger.order(&watch, 0, orders::Body::Revoke { app });
    mum.write("envelope", &String::from_utf8(envelope.to_bytes()).unwrap());
    let said = mum.ok(&["show", mum.path("envelope").to_str().unwrap()]);
    assert!(said.contains("no app draw\u{fffd}[2J\u{fffd}"), "{said}");
    assert!(said.contains("a key that is not known here"), "{said}");
    mum.write("envelope", "{\"\u{1b}[2J\": 1}");
    assert!(!mum.fails(&["show", mum.path("envelope").to_str().unwrap()], "").1.contains('\u{1b}'));
}

#[test]
fn a_signature_that_is_not_of_the_key_it_names_is_called_forged() {
    let watch = Watch::new();
    let mum = Laptop::of_main(&watch);
    let path = mum.path("base.json");
    let mut envelope = Envelope::parse(&fs::read(&path).unwrap()).unwrap();
    assert!(mum.ok(&["show", path.to_str().unwrap()]).contains("Signed by mum,"));
    envelope.payload.push(b' ');
    fs::write(&path, envelope.to_bytes()).unwrap();
    assert!(mum.ok(&["show", path.to_str().unwrap()]).contains("FORGED: in the name of mum,"));
}

#[test]
fn before_there_is_anything_every_command_says_how_to_begin() {
    let nobody = Laptop::empty();
    for (words, part) in [
        (vec!["show"], "begin with `new`"),
        (vec!["edit"], "begin with `new`"),
        (vec!["sign", "ring"], "`enrol` first"),
        (vec!["sign", "policy"], "`enrol` first"),
        (vec!["enrol", "--order", "/nowhere"], "begin with `new`"),
    ] {
        let (code, said) = nobody.fails(&words, "");
        assert!(code == 1 && said.contains(part), "{words:?}: {said}");
    }
    for words in [vec!["--help"], vec!["sign", "--help"], vec!["enrol", "--help"], vec!["send", "--help"]] {
        assert!(nobody.ok(&words).contains("Usage:"));
    }
}
