//! The kernel's part of the image: which modules go where, the initramfs around our `/init`, and the kernel itself
//! taken out of its compressed shell.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::cpio::Cpio;
use super::files::Files;
use crate::debian::tree;
use crate::{paths, process};

/// The modules of `rootfs/modules` with all they depend on.
pub struct Modules {
    release: String,
    /// Paths below `/usr/lib/modules/<release>`, dependencies first.
    initramfs: Vec<String>,
    root: Vec<String>,
}

impl Modules {
    /// Resolves `rootfs/modules` against the kernel in the tree.
    pub fn load(release: &str) -> Result<Self> {
        let list = paths::root().join("rootfs/modules");
        let list = fs::read_to_string(&list).with_context(|| format!("reading {}", list.display()))?;
        let dependencies =
            fs::read_to_string(folder(release).join("modules.dep")).context("reading modules.dep")?;
        let dependencies = Dependencies::parse(&dependencies);
        let mut modules = Self { release: release.to_owned(), initramfs: Vec::new(), root: Vec::new() };
        let mut section = None;
        for line in list.lines() {
            match line.split('#').next().unwrap_or_default().trim() {
                "" => {}
                "[initramfs]" => section = Some(&mut modules.initramfs),
                "[root]" => section = Some(&mut modules.root),
                name => dependencies.resolve(
                    name,
                    section.as_deref_mut().context("rootfs/modules begins without a section")?,
                )?,
            }
        }
        Ok(modules)
    }

    /// Adds what the running system loads, and depmod's tables for exactly that.
    pub fn add_to(&self, files: &mut Files) -> Result<()> {
        let staging = tempfile::tempdir()?;
        let base = format!("usr/lib/modules/{}", self.release);
        let target = staging.path().join("lib/modules").join(&self.release);
        for module in self.initramfs.iter().chain(&self.root) {
            let plain = module.trim_end_matches(".xz");
            let bytes = unpacked(&folder(&self.release).join(module))?;
            let copy = target.join(plain);
            fs::create_dir_all(copy.parent().context("a module without a folder")?)?;
            fs::write(&copy, &bytes)?;
            files.file(&format!("{base}/{plain}"), 0o644, bytes);
        }
        for list in ["modules.order", "modules.builtin", "modules.builtin.modinfo"] {
            fs::copy(folder(&self.release).join(list), target.join(list))?;
        }
        depmod(staging.path(), &self.release)?;
        for table in ["alias.bin", "builtin.alias.bin", "builtin.bin", "dep.bin", "softdep", "symbols.bin"] {
            let table = format!("modules.{table}");
            files.file(&format!("{base}/{table}"), 0o644, fs::read(target.join(&table))?);
        }
        Ok(())
    }

    /// The initramfs: `/init`, its modules and the folders it mounts on.
    pub fn initramfs(&self, init: &[u8]) -> Result<Vec<u8>> {
        let mut cpio = Cpio::default();
        for path in ["dev", "proc", "sys", "root", "modules"] {
            cpio.folder(path);
        }
        cpio.device("dev/console", 5, 1);
        cpio.file("init", 0o700, init);
        let mut order = String::new();
        for module in &self.initramfs {
            let name = file_name(module).trim_end_matches(".xz");
            cpio.file(&format!("modules/{name}"), 0o600, &unpacked(&folder(&self.release).join(module))?);
            order.push_str(name);
            order.push('\n');
        }
        cpio.file("modules/order", 0o600, order.as_bytes());
        Ok(cpio.finish())
    }
}

/// `modules.dep`: each module and all it needs.
struct Dependencies(BTreeMap<String, (String, Vec<String>)>);

impl Dependencies {
    fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let (module, needs) = line.split_once(':')?;
            let needs = needs.split_whitespace().map(str::to_owned).collect();
            Some((module_name(module), (module.to_owned(), needs)))
        };
        Self(text.lines().filter_map(line).collect())
    }

    /// Adds `name` to `order` after everything it needs.
    fn resolve(&self, name: &str, order: &mut Vec<String>) -> Result<()> {
        let (module, needs) = self.0.get(&module_name(name)).with_context(|| format!("no module {name}"))?;
        // depmod lists the nearest first: the last one needs nothing of the others.
        for path in needs.iter().rev().chain([module]) {
            if !order.contains(path) {
                order.push(path.clone());
            }
        }
        Ok(())
    }
}

/// The kernel's own name: without folder and endings, `-` and `_` being the same.
fn module_name(path: &str) -> String {
    file_name(path).split(".ko").next().unwrap_or_default().replace('-', "_")
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn folder(release: &str) -> PathBuf {
    paths::tree().join("usr/lib/modules").join(release)
}

/// Runs Debian 13's depmod over `root`.
pub fn depmod(root: &Path, release: &str) -> Result<()> {
    process::run(tree::tool_as("depmod", "usr/bin/kmod").arg("-b").arg(root).arg(release))
}

fn unpacked(module: &Path) -> Result<Vec<u8>> {
    if module.extension().is_some_and(|ending| ending == "xz") {
        process::output(Command::new("xz").arg("-dc").arg(module))
    } else {
        Ok(fs::read(module)?)
    }
}

/// The uncompressed kernel of a `bzImage` (Documentation/arch/x86/boot.rst, `payload_offset`). QEMU starts it by
/// its PVH entry, which saves an emulated processor the unpacking.
pub fn vmlinux(release: &str) -> Result<Vec<u8>> {
    let file = paths::tree().join("boot").join(format!("vmlinuz-{release}"));
    let image = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
    let payload = payload(&image).with_context(|| format!("{} is no bzImage", file.display()))?;
    ensure!(payload.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]), "the kernel is not packed with zstd");
    let packed = tempfile::NamedTempFile::new()?;
    // The last four bytes are the unpacked size, which zstd would take for garbage.
    let end = payload.len().checked_sub(4).context("the kernel's payload is empty")?;
    fs::write(packed.path(), &payload[..end])?;
    let kernel = process::output(Command::new("zstd").arg("-dcq").arg(packed.path()))?;
    if !kernel.starts_with(b"\x7fELF") {
        bail!("the kernel's payload is no ELF file");
    }
    Ok(kernel)
}

fn payload(image: &[u8]) -> Option<&[u8]> {
    let word = |at: usize| Some(u32::from_le_bytes(image.get(at..at + 4)?.try_into().ok()?) as usize);
    let setup_sectors = usize::from(*image.get(0x1f1)?);
    let start = (setup_sectors + 1) * 512 + word(0x248)?;
    image.get(start..start + word(0x24c)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_come_before_what_needs_them_and_once() {
        let dependencies =
            Dependencies::parse("a/x-y.ko.xz: a/b.ko.xz a/c.ko.xz\na/b.ko.xz: a/c.ko.xz\na/c.ko.xz:\n");
        let mut order = Vec::new();
        dependencies.resolve("b", &mut order).unwrap();
        dependencies.resolve("x_y", &mut order).unwrap();
        assert_eq!(order, ["a/c.ko.xz", "a/b.ko.xz", "a/x-y.ko.xz"]);
        assert!(dependencies.resolve("z", &mut order).is_err());
    }

    #[test]
    fn a_payload_outside_the_image_is_none() {
        assert!(payload(&[0xff; 0x300]).is_none());
        assert!(payload(&[]).is_none());
    }
}
