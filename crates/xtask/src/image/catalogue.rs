//! The catalogue in the image: our apps as bundles, signed by keys of this checkout; or an OEM's own, signed by its
//! reviewers, from the folder `NESTLING_CATALOGUE` names.
//!
//! A bundle is an erofs image with the program `/app`, its manifest `/app.toml` and an empty `/data`, on which the
//! launcher mounts what the app keeps.
//!
//! **Invariants:** an app's program is a static-PIE executable; no image is built with a catalogue that a watch would
//! not believe, or with a bundle it would not install; an unchanged app is not signed again, so that an unchanged
//! image stays the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use catalogue::author::{Keys, Manifest, Rehash, Release, Root, sign};
use catalogue::{Places, Shelf};
use object::read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _};
use object::{Endianness, elf};
use sha2::{Digest as _, Sha256};

use super::Kind;
use super::files::Files;
use super::verity::hex;
use crate::debian::tree;
use crate::paths;
use crate::process::{self, step};

/// The packages below `apps/` that ship.
const APPS: [&str; 1] = ["draw"];
/// What the agent's package has besides: an app that misbehaves, for the demo.
const OF_THE_AGENT: [&str; 1] = ["flood"];
/// What the bench image has instead: the app it measures.
const OF_THE_BENCH: [&str; 1] = [super::BENCH_APP];
/// Where the launcher looks for it (`catalogue::Places`).
pub(super) const PLACE: &str = "usr/share/nestling/catalogue";
/// Names the folder of an OEM's own catalogue.
const OEM: &str = "NESTLING_CATALOGUE";
const TARGET: &str = "x86_64-unknown-linux-gnu";

const YEAR: Duration = Duration::from_hours(365 * 24);
/// After this long an unchanged catalogue is signed again.
const SIGNED_AGAIN: Duration = Duration::from_hours(90 * 24);

/// Adds the catalogue of `kind` to `files`.
pub(super) fn add(files: &mut Files, kind: Kind) -> Result<()> {
    let oem = std::env::var_os(OEM).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let folder = match oem {
        Some(folder) => folder,
        None => ours(kind)?,
    };
    check(&folder).with_context(|| format!("the catalogue in {}", folder.display()))?;
    files.copy_folder(&folder, PLACE)
}

/// Reads a catalogue as a watch would, and installs every bundle of it in a temporary folder.
fn check(folder: &Path) -> Result<()> {
    let staging = tempfile::tempdir()?;
    let places = Places {
        root: folder.join("root.json"),
        catalogue: folder.to_owned(),
        seen: staging.path().join("seen"),
        bundles: staging.path().join("bundles"),
    };
    let now = SystemTime::now();
    let mut shelf = Shelf::with(places, Rehash)?;
    for app in shelf.apps(now)? {
        shelf.find(&app.id, now).with_context(|| format!("the app {}", app.id.as_str()))?;
    }
    Ok(())
}

/// Where the bundles of an image, and their catalogue, are made.
fn place(kind: Kind) -> PathBuf {
    paths::target().join("catalogue").join(kind.name())
}

/// The bundle of an app that a catalogue of this checkout has.
///
/// # Errors
/// It was not built.
pub(super) fn bundle(kind: Kind, app: &str) -> Result<Vec<u8>> {
    let manifest = Manifest::read(&paths::root().join("apps").join(app).join("app.toml"))?;
    let image = place(kind).join(manifest.file_name());
    fs::read(&image).with_context(|| format!("reading {}", image.display()))
}

/// Builds and signs our own catalogue where an app changed, and returns its folder.
fn ours(kind: Kind) -> Result<PathBuf> {
    let place = place(kind);
    fs::create_dir_all(&place)?;
    let mut bundles = Vec::new();
    let more: &[&str] = match kind {
        Kind::Product => &[],
        Kind::Development => &OF_THE_AGENT,
        Kind::Bench => &OF_THE_BENCH,
    };
    for app in APPS.iter().chain(more).copied() {
        let source = paths::root().join("apps").join(app).join("app.toml");
        let manifest = Manifest::read(&source)?;
        ensure!(manifest.id() == app, "{} is the manifest of {}", source.display(), manifest.id());
        let image = place.join(manifest.file_name());
        write_bundle(&image, &build(app)?, &fs::read(&source)?)?;
        bundles.push((manifest, image));
    }
    let keys = Keys::open_or_make(&paths::target().join("catalogue-keys"))?;
    let now = now()?;
    let made_of = fingerprint(&bundles)?;
    let (folder, note) = (place.join("signed"), place.join("signed.txt"));
    if is_signed(&fs::read_to_string(&note).unwrap_or_default(), &made_of, now) && folder.exists() {
        return Ok(folder);
    }
    step("Signing the catalogue", || {
        let fresh = place.join("signed.new");
        for old in [&fresh, &folder] {
            if old.exists() {
                fs::remove_dir_all(old)?;
            }
        }
        let release = Release {
            // A later one has a higher number, whoever signs it.
            revision: now.duration_since(UNIX_EPOCH)?.as_secs(),
            targets_expire: now + 2 * YEAR,
            timestamp_expires: now + YEAR,
            bundles,
        };
        sign(&keys, Root { expires: now + 10 * YEAR }, &release, &fresh)?;
        fs::rename(&fresh, &folder)?;
        fs::write(&note, format!("{made_of} {}", release.revision))?;
        Ok(folder)
    })
}

/// The time of the build, which a reproducible one is told (reproducible-builds.org, SOURCE_DATE_EPOCH).
fn now() -> Result<SystemTime> {
    let Some(told) = std::env::var_os("SOURCE_DATE_EPOCH") else { return Ok(SystemTime::now()) };
    let seconds = told.to_string_lossy().parse().context("SOURCE_DATE_EPOCH is no number")?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).context("SOURCE_DATE_EPOCH is out of range")
}

/// Whether `note` says that just this was signed not long before `now`.
fn is_signed(note: &str, made_of: &str, now: SystemTime) -> bool {
    let Some((hash, seconds)) = note.split_once(' ') else { return false };
    let at = seconds.parse().ok().and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    hash == made_of && at.is_some_and(|at| now.duration_since(at).is_ok_and(|age| age < SIGNED_AGAIN))
}

fn fingerprint(bundles: &[(Manifest, PathBuf)]) -> Result<String> {
    let mut hash = Sha256::new();
    for (manifest, image) in bundles {
        hash.update(format!("{manifest:?}\0"));
        hash.update(Sha256::digest(fs::read(image)?));
    }
    Ok(hex(&hash.finalize()))
}

/// Builds an app as it ships, and returns its program.
pub(super) fn build(app: &str) -> Result<Vec<u8>> {
    step(&format!("Building the app {app}"), || {
        process::show(
            Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
                .current_dir(paths::root())
                .env_remove("RUSTFLAGS")
                .args(["build", "--release", "--package", app, "--target", TARGET])
                .env(
                    "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
                    "-C target-feature=+crt-static -C relocation-model=pie",
                ),
        )
    })?;
    let file = paths::cargo_target().join(TARGET).join("release").join(app);
    let program = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
    ensure!(is_static_pie(&program)?, "{} is no static-PIE executable", file.display());
    Ok(program)
}

/// Position independent, and nothing else is needed to start it.
fn is_static_pie(program: &[u8]) -> Result<bool> {
    let file = ElfFile64::<Endianness>::parse(program)?;
    let (header, endian) = (file.elf_header(), file.endian());
    let loader = file.elf_program_headers().iter().any(|part| part.p_type(endian) == elf::PT_INTERP);
    Ok(header.e_type(endian) == elf::ET_DYN && !loader)
}

/// Writes the erofs image. Not compressed: a start reads its pages as they are, and the root around it is.
fn write_bundle(image: &Path, program: &[u8], manifest: &[u8]) -> Result<()> {
    let mut files = Files::default();
    files.file("app", 0o755, program);
    files.file("app.toml", 0o644, manifest);
    files.folder("data", 0o755);
    let tar = tempfile::NamedTempFile::new()?;
    files.write_tar(tar.as_file())?;
    let _ = fs::remove_file(image);
    process::run(
        tree::tool("usr/bin/mkfs.erofs")
            .args(["--quiet", "-T0", "-U", "00000000-0000-0000-0000-000000000000", "--all-root", "--tar=f"])
            .arg(image)
            .arg(tar.path()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_catalogue_is_signed_again_only_after_months() {
        let at = |days: u64| UNIX_EPOCH + Duration::from_secs(1000) + Duration::from_hours(24 * days);
        assert!(is_signed("abc 1000", "abc", at(0)));
        assert!(is_signed("abc 1000", "abc", at(89)));
        assert!(!is_signed("abc 1000", "abc", at(90)));
        assert!(!is_signed("abc 1000", "abd", at(1)));
        // A clock that stood in the future signed something no watch would take yet.
        assert!(!is_signed("abc 1000", "abc", UNIX_EPOCH));
        assert!(!is_signed("", "abc", at(0)));
    }

    #[test]
    fn a35_a_dynamic_program_is_no_app() {
        let ours = fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(!is_static_pie(&ours).unwrap());
        assert!(is_static_pie(b"#!/bin/sh\n").is_err());
    }

    #[test]
    fn a35_a_catalogue_a_watch_would_not_believe_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check(folder.path()).is_err());
        let keys = Keys::open_or_make(&folder.path().join("keys")).unwrap();
        let image = folder.path().join("image");
        fs::write(&image, b"a bundle").unwrap();
        let manifest = Manifest::parse(
            "id = \"a\"\nversion = 1\nname = \"A\"\npublisher = \"P\"\ncategory = \"c\"\nage = 3\npermissions = []\n",
        )
        .unwrap();
        let later = SystemTime::now() + YEAR;
        let release = Release {
            revision: 1,
            targets_expire: later,
            timestamp_expires: later,
            bundles: vec![(manifest, image)],
        };
        let made = folder.path().join("made");
        sign(&keys, Root { expires: later }, &release, &made).unwrap();
        check(&made).unwrap();
        let target = fs::read_dir(made.join("targets")).unwrap().next().unwrap().unwrap().path();
        fs::write(target, b"A bundle").unwrap();
        assert!(check(&made).is_err());
    }
}
