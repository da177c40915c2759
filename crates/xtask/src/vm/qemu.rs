//! The machine: which devices the virtual watch has, and how fast it can run here.
//!
//! No network card: a watch in QEMU talks to nobody. Everything outside it comes over sockets in its folder.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::{Display, SCREEN};
use crate::image::Image;
use crate::paths;

/// The program.
pub(crate) const QEMU: &str = "qemu-system-x86_64";
/// Where the initramfs is in memory: above the kernel, below what the firmware uses.
const INITRAMFS: u64 = 256 << 20;
/// First port of VNC (RFC 6143).
const VNC: u16 = 5900;

/// How guest code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accelerator {
    /// By the processor.
    Kvm,
    /// Translated by QEMU.
    Tcg,
}

impl Accelerator {
    /// QEMU's arguments for it.
    pub(crate) fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "host"],
            // A plain processor translates fastest; the kernel wants a source of randomness early.
            Self::Tcg => ["-accel", "tcg", "-cpu", "Nehalem,+rdrand"],
        }
    }

    /// What the kernel is told for it.
    pub(crate) fn cmdline(self) -> &'static str {
        // A translated processor does not speculate: working around that would only cost time.
        if self == Self::Tcg { "mitigations=off" } else { "" }
    }
}

/// The sockets in the machine's folder, as QEMU makes them.
pub mod socket {
    /// For whoever started the machine.
    pub const QMP: &str = "qmp.sock";
    /// For `./nestling sim`.
    pub const QMP_SIM: &str = "qmp-sim.sock";
    /// The modem's serial line.
    pub const MODEM: &str = "modem.sock";
    /// The satellite receiver's.
    pub const GNSS: &str = "gnss.sock";
    /// The agent's.
    pub const AGENT: &str = "agent.sock";
    /// The TPM's, which swtpm makes.
    pub const TPM: &str = "tpm.sock";
}

/// The command that starts `image` in `folder`, which already holds `var.img` and the socket of a running TPM.
pub(super) fn command(image: &Image, folder: &Path, display: Display, debug: &str) -> Result<Command> {
    let accelerator = accelerator(&image.kernel);
    let mut qemu = Command::new(QEMU);
    qemu.current_dir(folder).stdin(Stdio::null());
    qemu.args(["-nodefaults", "-no-user-config", "-no-reboot", "-nic", "none", "-m", "512", "-smp", "2"]);
    qemu.args(["-machine", "q35,i8042=off,vmport=off,usb=off"]);
    qemu.args(accelerator.arguments());
    qemu.arg("-kernel").arg(&image.kernel);
    let initramfs = initramfs(&mut qemu, &image.initramfs)?;
    let speed = accelerator.cmdline();
    qemu.arg("-append").arg(format!("console=ttyS0 {} {initramfs} {speed} {debug}", image.cmdline));
    qemu.args(["-serial", "file:console.log"]);
    drive(&mut qemu, "root", &image.root.display().to_string(), true);
    drive(&mut qemu, "var", "var.img", false);
    qemu.args(["-device", &format!("virtio-gpu-pci,xres={SCREEN},yres={SCREEN}")]);
    qemu.args(["-device", "virtio-multitouch-pci"]);
    qemu.args(["-device", "qemu-xhci"]);
    chardev(&mut qemu, "modem", socket::MODEM);
    qemu.args(["-device", "usb-serial,chardev=modem,serial=watch-modem,always-plugged=on"]);
    qemu.args(["-device", "virtio-serial-pci"]);
    chardev(&mut qemu, "gnss", socket::GNSS);
    qemu.args(["-device", "virtserialport,chardev=gnss,name=gnss0"]);
    chardev(&mut qemu, "agent", socket::AGENT);
    qemu.args(["-device", "virtserialport,chardev=agent,name=nestling.agent0"]);
    qemu.args(["-chardev", &format!("socket,id=tpm,path={}", socket::TPM)]);
    qemu.args(["-tpmdev", "emulator,id=tpm,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm"]);
    for qmp in [socket::QMP, socket::QMP_SIM] {
        qemu.args(["-qmp", &format!("unix:{qmp},server=on,wait=off")]);
    }
    match display {
        Display::None => qemu.args(["-display", "none"]),
        // A mouse stands for the finger, so that a click lands where it is.
        Display::Window => qemu.args(["-display", "gtk", "-device", "virtio-tablet-pci"]),
        Display::Vnc(port) => {
            qemu.args(["-vnc", &format!("127.0.0.1:{}", port - VNC), "-device", "virtio-tablet-pci"])
        }
    };
    Ok(qemu)
}

/// Puts the initramfs into memory and returns what the kernel is told of it. `-initrd` puts it to the end of the memory,
/// where with a TPM it would lie on the ACPI tables: QEMU leaves no room there for the TPM's log.
fn initramfs(qemu: &mut Command, file: &Path) -> Result<String> {
    let size = fs::metadata(file).with_context(|| format!("looking at {}", file.display()))?.len();
    let name = escaped(&file.display().to_string());
    qemu.args(["-device", &format!("loader,file={name},addr={INITRAMFS:#x},force-raw=on")]);
    Ok(format!("initrdmem={INITRAMFS:#x},{size}"))
}

/// A comma in a path is doubled in QEMU's options.
fn escaped(path: &str) -> String {
    path.replace(',', ",,")
}

/// A disk.
pub(crate) fn drive(qemu: &mut Command, name: &str, file: &str, readonly: bool) {
    let file = escaped(file);
    let readonly = if readonly { ",readonly=on" } else { "" };
    qemu.args(["-drive", &format!("if=none,id={name},format=raw,file={file}{readonly}")]);
    qemu.args(["-device", &format!("virtio-blk-pci,drive={name},serial=nestling-{name}")]);
}

fn chardev(qemu: &mut Command, name: &str, socket: &str) {
    qemu.args(["-chardev", &format!("socket,id={name},path={socket},server=on,wait=off")]);
}

/// A window where there is a display to put it on, else VNC on a free port of the loopback.
pub fn display() -> Result<Display> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if set("DISPLAY") || set("WAYLAND_DISPLAY") {
        return Ok(Display::Window);
    }
    (VNC..VNC + 100)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .map(Display::Vnc)
        .context("no free port for VNC on the loopback")
}

/// Whether KVM really runs a guest here: `/dev/kvm` may open and still fail. Asked once per boot of this machine.
pub fn accelerator(kernel: &Path) -> Accelerator {
    if fs::OpenOptions::new().read(true).write(true).open("/dev/kvm").is_err() {
        return Accelerator::Tcg;
    }
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let note = paths::target().join("vm/accelerator");
    if let Ok(known) = fs::read_to_string(&note)
        && let Some((at, name)) = known.split_once('\n')
        && at == boot.trim()
    {
        return if name == "kvm" { Accelerator::Kvm } else { Accelerator::Tcg };
    }
    let found = if kvm_runs(kernel) { Accelerator::Kvm } else { Accelerator::Tcg };
    let name = if found == Accelerator::Kvm { "kvm" } else { "tcg" };
    // Not being able to remember costs the next start three seconds, no more.
    let _ = fs::create_dir_all(paths::target().join("vm"));
    let _ = fs::write(note, format!("{}\n{name}", boot.trim()));
    found
}

/// Boots the kernel without a root: where KVM works it panics within a second, and QEMU ends.
fn kvm_runs(kernel: &Path) -> bool {
    let child = Command::new(QEMU)
        .args(["-accel", "kvm", "-cpu", "host", "-nodefaults", "-no-reboot", "-display", "none", "-m", "256"])
        .arg("-kernel")
        .arg(kernel)
        .args(["-append", "panic=-1"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return false };
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(3) {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => sleep(Duration::from_millis(50)),
            Err(_) => break,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}
