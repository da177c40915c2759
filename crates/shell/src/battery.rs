//! How full the battery is, as the kernel tells it (`Documentation/ABI/testing/sysfs-class-power`).

use std::fs;
use std::path::Path;

/// Where the kernel lists what gives power.
pub(crate) const FOLDER: &str = "/sys/class/power_supply";

/// Percent of the first battery of the device itself; `None` where there is none or it does not say.
pub(crate) fn percent(folder: &Path) -> Option<u8> {
    let supplies = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    supplies.into_iter().find_map(|supply| {
        let read = |name: &str| fs::read_to_string(supply.join(name)).ok().map(|text| text.trim().to_owned());
        // A peripheral's battery (scope Device) is not the watch's.
        if read("type")? != "Battery" || read("scope").is_some_and(|scope| scope == "Device") {
            return None;
        }
        read("capacity")?.parse().ok().filter(|percent| *percent <= 100)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supply(folder: &Path, name: &str, files: &[(&str, &str)]) {
        fs::create_dir(folder.join(name)).unwrap();
        for (file, text) in files {
            fs::write(folder.join(name).join(file), text).unwrap();
        }
    }

    #[test]
    fn the_watchs_own_battery_is_found_among_chargers_and_peripherals() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(percent(folder.path()), None);
        supply(folder.path(), "usb", &[("type", "USB\n"), ("capacity", "3\n")]);
        supply(folder.path(), "pen", &[("type", "Battery\n"), ("scope", "Device\n"), ("capacity", "4\n")]);
        assert_eq!(percent(folder.path()), None);
        supply(folder.path(), "bat", &[("type", "Battery\n"), ("capacity", "72\n")]);
        assert_eq!(percent(folder.path()), Some(72));
    }

    #[test]
    fn a_battery_that_tells_nonsense_is_no_battery() {
        for nonsense in ["", "101", "-1", "full", "7 2"] {
            let folder = tempfile::tempdir().unwrap();
            supply(folder.path(), "bat", &[("type", "Battery"), ("capacity", nonsense)]);
            assert_eq!(percent(folder.path()), None, "{nonsense}");
        }
        assert_eq!(percent(Path::new("/nowhere")), None);
    }
}
