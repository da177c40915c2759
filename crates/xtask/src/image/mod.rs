//! The images: Debian's files as `rootfs/` lists them, `services/` verbatim, our programs; as erofs with a dm-verity
//! hash tree, beside a kernel and an initramfs that trusts only that hash.
//!
//! The development image is the product image plus one package, the agent (`services/agent`); nothing else may
//! differ. The bench image is the development image plus what measures: `services/bench`, `rootfs/bench`, one app.

mod accounts;
mod catalogue;
mod check;
mod contents;
mod cpio;
pub mod files;
pub mod kernel;
mod programs;
mod services;
mod verity;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use self::contents::Contents;
use self::files::Files;
use self::kernel::Modules;
use crate::debian::packages::Packages;
use crate::debian::tree::{self, Tree};
use crate::paths;
use crate::process::{self, step};

/// Which image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What ships.
    Product,
    /// The product and the agent.
    Development,
    /// The development image, the peers it is measured beside, and a meter.
    Bench,
}

/// The app of the bench image. Its program is beside ours as well, for the peer's unit and the meter's.
pub const BENCH_APP: &str = "fifty";

impl Kind {
    /// The name of its folder below `target/image`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Development => "development",
            Self::Bench => "bench",
        }
    }
}

/// A built image: what QEMU, or a boot loader, needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The kernel, uncompressed.
    pub kernel: PathBuf,
    /// `/init` and its modules.
    pub initramfs: PathBuf,
    /// The root: erofs and its hash tree.
    pub root: PathBuf,
    /// What the kernel must be told: the root's hash, and to stay quiet.
    pub cmdline: String,
    /// The list of files, as [`Files::listing`].
    pub listing: PathBuf,
    /// Hash of everything it was made of.
    made_of: String,
}

/// Builds the image where anything it is made of changed.
pub fn build(kind: Kind) -> Result<Image> {
    let _lock = process::lock(&paths::images())?;
    let tree = tree::ensure(false)?;
    let services = paths::root().join("services");
    let mut names = programs::named_by(&services.join("units"))?;
    if kind != Kind::Product {
        names.extend(services::agent_programs()?);
    }
    let programs = programs::build(&names)?;
    let init = programs::build_init()?;
    let mut files = assemble(kind, &tree, &programs)?;
    catalogue::add(&mut files, kind)?;
    if kind == Kind::Bench {
        add_peers(&mut files)?;
    }
    let made_of = fingerprint(&files, &init, &tree)?;
    let folder = paths::images().join(kind.name());
    if let Some(image) = existing(&folder, &made_of) {
        return Ok(image);
    }
    check::check(&files)?;
    step(&format!("Writing the {} image", kind.name()), || write(&folder, &tree, &files, &init, made_of))
}

/// The bundle of an app of the development image, once that was built.
///
/// # Errors
/// It was not built.
pub fn bundle(app: &str) -> Result<Vec<u8>> {
    catalogue::bundle(Kind::Development, app)
}

/// Whether a path of the image belongs to its catalogue.
pub fn is_of_the_catalogue(path: &str) -> bool {
    path.starts_with(catalogue::PLACE)
}

/// The product's base without our programs, in a folder of its own: for tests of how the root is started.
pub fn build_bare(folder: &Path) -> Result<Image> {
    let tree = tree::ensure(false)?;
    let init = programs::build_init()?;
    let mut files = assemble(Kind::Product, &tree, &[])?;
    // What would start them is left out as well.
    files.remove(&|path| path.starts_with("etc/systemd/system/multi-user.target.wants/nestling-"));
    write(folder, &tree, &files, &init, String::new())
}

/// The files of the image, without writing it: Debian's, ours, and the accounts.
pub fn assemble(kind: Kind, tree: &Tree, programs: &[(String, PathBuf)]) -> Result<Files> {
    let mut files = base(tree)?;
    services::add(&mut files, kind)?;
    for (name, file) in programs {
        let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        files.file(&format!("{}/{name}", programs::FOLDER), 0o755, bytes);
    }
    Ok(files)
}

/// What all images have of Debian: read once, because unpacking takes most of the time.
fn base(tree: &Tree) -> Result<Files> {
    let contents = Contents::load()?;
    let mut files = Files::default();
    for folder in ["dev", "proc", "sys", "run", "tmp", "var", "usr", "etc"] {
        files.folder(folder, 0o755);
    }
    for merged in ["bin", "sbin", "lib", "lib64"] {
        files.link(merged, &format!("usr/{merged}"));
    }
    for package in Packages::load()?.ship {
        add_package(&mut files, tree.deb(&package)?, &contents)?;
    }
    for path in contents.named() {
        ensure!(files.get(path).is_some(), "rootfs/contents names {path}, and no package has it");
    }
    Modules::load(tree.kernel_release()?)?.add_to(&mut files)?;
    Ok(files)
}

/// What the bench image has of Debian besides, and its app's program where units find it: the very file that the
/// catalogue has.
fn add_peers(files: &mut Files) -> Result<()> {
    let contents = Contents::of_the_bench()?;
    for deb in tree::of_the_bench()? {
        add_package(files, &deb, &contents)?;
    }
    for path in contents.named() {
        ensure!(files.get(path).is_some(), "rootfs/bench/contents names {path}, and no package has it");
    }
    files.file(&format!("{}/{BENCH_APP}", programs::FOLDER), 0o755, catalogue::build(BENCH_APP)?);
    Ok(())
}

fn add_package(files: &mut Files, deb: &Path, contents: &Contents) -> Result<()> {
    let mut child = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(deb)
        .stdout(Stdio::piped())
        .spawn()
        .context("starting dpkg-deb")?;
    let tar = child.stdout.take().context("dpkg-deb has no output")?;
    files
        .package(std::io::BufReader::with_capacity(1 << 20, tar), &|path| contents.takes(path))
        .with_context(|| format!("reading {}", deb.display()))?;
    ensure!(child.wait()?.success(), "dpkg-deb could not read {}", deb.display());
    Ok(())
}

fn fingerprint(files: &Files, init: &[u8], tree: &Tree) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(files.listing());
    hash.update(init);
    hash.update(tree.kernel_release()?);
    // What is made of these depends on this program as well.
    hash.update(fs::read("/proc/self/exe")?);
    Ok(verity::hex(&hash.finalize()))
}

fn existing(folder: &Path, made_of: &str) -> Option<Image> {
    let text = fs::read_to_string(folder.join("image.json")).ok()?;
    let image: Image = serde_json::from_str(&text).ok()?;
    (image.made_of == made_of && image.root.exists()).then_some(image)
}

fn write(folder: &Path, tree: &Tree, files: &Files, init: &[u8], made_of: String) -> Result<Image> {
    fs::create_dir_all(folder)?;
    let note = folder.join("image.json");
    // Gone until the new image is whole.
    let _ = fs::remove_file(&note);
    let (tar, root) = (folder.join("root.tar"), folder.join("root.erofs"));
    files.write_tar(fs::File::create(&tar)?)?;
    let _ = fs::remove_file(&root);
    process::run(
        tree::tool("usr/bin/mkfs.erofs")
            .args(["--quiet", "-zlz4hc,9", "-T0", "-U", "00000000-0000-0000-0000-000000000000", "--tar=f"])
            .arg(&root)
            .arg(&tar),
    )?;
    fs::remove_file(&tar)?;
    let mut bytes = fs::read(&root)?;
    let verity = verity::append(&mut bytes);
    fs::write(&root, &bytes)?;
    let release = tree.kernel_release()?;
    let image = Image {
        kernel: folder.join("vmlinux"),
        initramfs: folder.join("initramfs.cpio"),
        cmdline: cmdline(&verity),
        listing: folder.join("files.txt"),
        root,
        made_of,
    };
    fs::write(&image.kernel, kernel::vmlinux(release)?)?;
    fs::write(&image.initramfs, Modules::load(release)?.initramfs(init)?)?;
    fs::write(&image.listing, files.listing())?;
    fs::write(&note, serde_json::to_string_pretty(&image)?)?;
    Ok(image)
}

fn cmdline(verity: &verity::Verity) -> String {
    let verity::Verity { blocks, salt, root_hash } = verity;
    format!("nestling.verity=vda:{blocks}:{salt}:{root_hash} quiet audit=0 panic=1 systemd.show_status=false")
}

/// The paths that are only in one of two listings, and those whose line differs.
pub fn difference(left: &str, right: &str) -> Vec<String> {
    let lines = |text: &str| -> BTreeMap<String, String> {
        text.lines()
            .filter_map(|line| {
                Some((line.split(' ').nth(2)?.trim_start_matches('/').to_owned(), line.to_owned()))
            })
            .collect()
    };
    let (left, right) = (lines(left), lines(right));
    let mut paths: Vec<String> = left.keys().chain(right.keys()).cloned().collect();
    paths.sort();
    paths.dedup();
    paths.retain(|path| left.get(path) != right.get(path));
    paths
}
