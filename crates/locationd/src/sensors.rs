//! What the kernel tells of the watch itself: how full its battery is (Documentation/ABI/testing/sysfs-class-power) and how many steps
//! its wearer has made (`in_steps_input` of sysfs-bus-iio).
//!
//! **Invariants:** nothing here waits, wakes or counts time: whoever is awake reads; what cannot be is as good as absent, and is warned
//! of once.

use std::path::PathBuf;

use daemon::sysfs;

use crate::core::Battery;

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
    pub fn battery(&self, before: Battery) -> Option<Battery> {
        sysfs::battery(&self.power_supply).map(|charge| before.at(charge.percent, charge.charging))
    }

    /// What the pedometer has counted; `None` where there is none, or nobody knows.
    pub fn steps(&mut self) -> Option<u64> {
        let devices = sysfs::entries(&self.iio);
        let text = devices.iter().find_map(|device| sysfs::value(&device.join("in_steps_input")))?;
        let steps = text.parse().ok();
        if steps.is_none() && !self.warned {
            tracing::warn!("the pedometer counts nonsense; no more is said of that");
            self.warned = true;
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
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

        fn battery(&self) -> Option<Battery> {
            self.sensors.battery(Battery::Good)
        }
    }

    #[test]
    fn a_battery_is_low_or_dying_unless_it_is_charged() {
        let kernel = Kernel::new();
        assert_eq!(kernel.battery(), None);
        kernel.says("power/cell/type", "Battery\n");
        for (capacity, status, expected) in [
            ("2\n", "Discharging\n", Battery::Dying),
            ("2\n", "Charging\n", Battery::Good),
            ("10\n", "Unknown\n", Battery::Low),
        ] {
            kernel.says("power/cell/capacity", capacity);
            kernel.says("power/cell/status", status);
            assert_eq!(kernel.battery(), Some(expected));
        }
    }

    #[test]
    fn nonsense_is_no_step() {
        let mut kernel = Kernel::new();
        let long = "1".repeat(1_000_000);
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
