//! What the kernel tells of the watch itself: how full its battery is (Documentation/ABI/testing/sysfs-class-power) and how many steps
//! its wearer has made (`in_steps_input` of sysfs-bus-iio).
//!
//! **Invariants:** nothing here waits, wakes or counts time: whoever is awake reads; of a file no more than [`READ`] bytes are read and of a
//! folder no more than [`ENTRIES`] names; what cannot be is as good as absent, and is warned of once.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::core::Battery;

/// The longest value is a word or a number.
const READ: u64 = 64;
/// A watch has one battery, a charger and a few sensors.
const ENTRIES: usize = 32;

/// The two folders of the kernel's.
#[derive(Debug)]
pub struct Sensors {
    power_supply: PathBuf,
    iio: PathBuf,
    warned: bool,
}

impl Sensors {
    /// `/sys/class/power_supply` and `/sys/bus/iio/devices`, or what stands for them.
    pub fn new(power_supply: PathBuf, iio: PathBuf) -> Self {
        Self { power_supply, iio, warned: false }
    }

    /// What the battery that was `before` is now; `None` where there is none, or nobody knows. Of several the fullest counts.
    pub fn battery(&mut self, before: Battery) -> Option<Battery> {
        let supplies = entries(&self.power_supply);
        // What is in a keyboard, or in earphones, is not the watch's.
        let ours = |supply: &&PathBuf| is(supply, "type", &["Battery"]) && !is(supply, "scope", &["Device"]);
        let mut fullest = None;
        for battery in supplies.iter().filter(ours) {
            let percent = value(&battery.join("capacity")).and_then(|text| text.parse().ok());
            match percent.filter(|percent| *percent <= 100) {
                Some(percent) => fullest = fullest.max(Some((percent, battery))),
                None => self.warn("a battery does not say how full it is"),
            }
        }
        let (percent, battery): (u8, _) = fullest?;
        Some(before.at(percent, is(battery, "status", &["Charging", "Full"])))
    }

    /// What the pedometer has counted; `None` where there is none, or nobody knows.
    pub fn steps(&mut self) -> Option<u64> {
        let text = entries(&self.iio).iter().find_map(|device| value(&device.join("in_steps_input")))?;
        let steps = text.parse().ok();
        if steps.is_none() {
            self.warn("the pedometer counts nonsense");
        }
        steps
    }

    fn warn(&mut self, what: &str) {
        if !self.warned {
            tracing::warn!("{what}; no more is said of that");
        }
        self.warned = true;
    }
}

/// In the order of their names.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.take(ENTRIES).map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// What a file of one value holds.
fn value(file: &Path) -> Option<String> {
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

    struct Kernel {
        sensors: Sensors,
        folder: TempDir,
    }

    impl Kernel {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            Self { sensors: Sensors::new(at("power"), at("iio")), folder }
        }

        fn says(&self, file: &str, bytes: impl AsRef<[u8]>) {
            let file = self.folder.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }

        fn battery(&mut self) -> Option<Battery> {
            self.sensors.battery(Battery::Good)
        }
    }

    #[test]
    fn a_battery_is_the_watchs_own_and_the_fullest_of_several() {
        let mut kernel = Kernel::new();
        assert_eq!(kernel.battery(), None);
        kernel.says("power/charger/type", "USB\n");
        kernel.says("power/charger/capacity", "100\n");
        kernel.says("power/earphones/type", "Battery\n");
        kernel.says("power/earphones/scope", "Device\n");
        kernel.says("power/earphones/capacity", "90\n");
        assert_eq!(kernel.battery(), None);
        kernel.says("power/cell/type", "Battery\n");
        kernel.says("power/cell/capacity", "2\n");
        assert_eq!(kernel.battery(), Some(Battery::Dying), "without a word it is not charged");
        for (status, expected) in [
            ("Discharging", Battery::Dying),
            ("Not charging", Battery::Dying),
            ("Unknown", Battery::Dying),
            ("Charging", Battery::Good),
            ("Full", Battery::Good),
        ] {
            kernel.says("power/cell/status", format!("{status}\n"));
            assert_eq!(kernel.battery(), Some(expected), "{status}");
        }
        kernel.says("power/cell/status", "Discharging\n");
        kernel.says("power/strap/type", "Battery\n");
        kernel.says("power/strap/capacity", "10\n");
        assert_eq!(kernel.battery(), Some(Battery::Low));
    }

    #[test]
    fn nonsense_is_no_battery_and_no_step() {
        let mut kernel = Kernel::new();
        let long = "1".repeat(1_000_000);
        kernel.says("power/cell/type", "Battery\n");
        for nonsense in ["", "101", "-1", "1e1", "full", &long, "\u{0}", "256"] {
            kernel.says("power/cell/capacity", nonsense);
            assert_eq!(kernel.battery(), None, "{}", nonsense.len());
        }
        // Nobody reads so far.
        kernel.says("power/cell/capacity", format!("5{}full", " ".repeat(100)));
        assert_eq!(kernel.battery(), Some(Battery::Low));
        kernel.says("power/cell/capacity", b"\xff\xfe");
        assert_eq!(kernel.battery(), None);
        for nonsense in ["", "-1", "many", "18446744073709551616", &long] {
            kernel.says("iio/iio:device0/in_steps_input", nonsense);
            assert_eq!(kernel.sensors.steps(), None, "{}", nonsense.len());
        }
        assert!(kernel.sensors.warned);
    }

    #[test]
    fn the_pedometer_is_found_among_other_sensors() {
        let mut kernel = Kernel::new();
        assert_eq!(kernel.sensors.steps(), None);
        kernel.says("iio/iio:device0/in_accel_x_raw", "17\n");
        assert_eq!(kernel.sensors.steps(), None);
        kernel.says("iio/iio:device1/in_steps_input", "4711\n");
        assert_eq!(kernel.sensors.steps(), Some(4711));
        assert!(!kernel.sensors.warned);
    }
}
