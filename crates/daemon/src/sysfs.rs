//! The kernel's files of one value: how full the watch's battery is (Documentation/ABI/testing/sysfs-class-power), and whatever else a
//! daemon reads there.
//!
//! **Invariants:** of a file no more than [`READ`] bytes are read and of a folder no more than [`ENTRIES`] names; what cannot be is
//! as good as absent.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Once;

/// Where the kernel lists what gives power.
pub const POWER_SUPPLY: &str = "/sys/class/power_supply";
/// The longest value is a word or a number.
const READ: u64 = 64;
/// A watch has one battery, a charger and a few sensors.
const ENTRIES: usize = 32;

/// How full a battery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Charge {
    /// Percent, 0 to 100.
    pub percent: u8,
    /// It is being charged, or full.
    pub charging: bool,
}

/// The charge of the watch's own battery among what `folder` lists, of several the fullest; `None` where there is none, or nobody
/// knows.
pub fn battery(folder: &Path) -> Option<Charge> {
    let supplies = entries(folder);
    // What is in a keyboard, or in earphones, is not the watch's.
    let ours = |supply: &&PathBuf| is(supply, "type", &["Battery"]) && !is(supply, "scope", &["Device"]);
    supplies.iter().filter(ours).filter_map(|supply| charge(supply)).max()
}

fn charge(supply: &Path) -> Option<Charge> {
    let percent = value(&supply.join("capacity")).and_then(|text| text.parse().ok());
    let Some(percent) = percent.filter(|percent| *percent <= 100) else {
        static WARNED: Once = Once::new();
        WARNED.call_once(|| tracing::warn!("a battery does not say how full it is; no more is said of that"));
        return None;
    };
    Some(Charge { percent, charging: is(supply, "status", &["Charging", "Full"]) })
}

/// What a folder of the kernel's lists, in the order of their names.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.take(ENTRIES).map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// What a file of one value holds, without the white space around it.
pub fn value(file: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(file).ok()?.take(READ).read_to_string(&mut text).ok()?;
    Some(text.trim().to_owned())
}

fn is(supply: &Path, name: &str, any: &[&str]) -> bool {
    value(&supply.join(name)).is_some_and(|text| any.contains(&text.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    struct Kernel(TempDir);

    impl Kernel {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn says(&self, file: &str, bytes: impl AsRef<[u8]>) {
            let file = self.0.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }

        fn percent(&self) -> Option<u8> {
            battery(self.0.path()).map(|charge| charge.percent)
        }
    }

    #[test]
    fn a_battery_is_the_watchs_own_and_the_fullest_of_several() {
        let kernel = Kernel::new();
        assert_eq!(kernel.percent(), None);
        kernel.says("charger/type", "USB\n");
        kernel.says("charger/capacity", "100\n");
        kernel.says("earphones/type", "Battery\n");
        kernel.says("earphones/scope", "Device\n");
        kernel.says("earphones/capacity", "90\n");
        assert_eq!(kernel.percent(), None);
        kernel.says("cell/type", "Battery\n");
        kernel.says("cell/capacity", "2\n");
        let charge = |charging| Some(Charge { percent: 2, charging });
        assert_eq!(battery(kernel.0.path()), charge(false), "without a word it is not charged");
        for (status, charging) in [
            ("Discharging", false),
            ("Not charging", false),
            ("Unknown", false),
            ("Charging", true),
            ("Full", true),
        ] {
            kernel.says("cell/status", format!("{status}\n"));
            assert_eq!(battery(kernel.0.path()), charge(charging), "{status}");
        }
        kernel.says("strap/type", "Battery\n");
        kernel.says("strap/capacity", "10\n");
        assert_eq!(kernel.percent(), Some(10));
        assert_eq!(battery(Path::new("/nowhere")), None);
    }

    #[test]
    fn nonsense_is_no_battery() {
        let kernel = Kernel::new();
        let long = "1".repeat(1_000_000);
        kernel.says("cell/type", "Battery\n");
        for nonsense in ["", "101", "-1", "1e1", "full", "7 2", &long, "\u{0}", "256"] {
            kernel.says("cell/capacity", nonsense);
            assert_eq!(kernel.percent(), None, "{}", nonsense.len());
        }
        // Nobody reads so far.
        kernel.says("cell/capacity", format!("5{}full", " ".repeat(100)));
        assert_eq!(kernel.percent(), Some(5));
        kernel.says("cell/capacity", b"\xff\xfe");
        assert_eq!(kernel.percent(), None);
    }
}
