//! What a battery's percent mean to the receiver.

/// Percent up to which a battery is dying, and low.
const DYING: u8 = 3;
const LOW: u8 = 15;
const RISEN: u8 = 3;

/// How full the battery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Battery {
    /// Full enough.
    Good,
    /// Not for the rest of the day.
    Low,
    /// Not for the next minutes.
    Dying,
}

impl Battery {
    /// What a battery of so many percent that was `self` is now. One that is charged is good; one that is not comes back from low and dying
    /// only when it has risen by more than gauges err.
    #[must_use]
    pub fn at(self, percent: u8, charging: bool) -> Self {
        let (dying, low) = match self {
            Self::Good => (DYING, LOW),
            Self::Low => (DYING, LOW + RISEN),
            Self::Dying => (DYING + RISEN, LOW + RISEN),
        };
        match percent {
            _ if charging => Self::Good,
            _ if percent <= dying => Self::Dying,
            _ if percent <= low => Self::Low,
            _ => Self::Good,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_battery_is_what_it_was_until_it_has_really_risen() {
        let mut battery = Battery::Good;
        let mut at = |percent, charging| {
            battery = battery.at(percent, charging);
            battery
        };
        let levels = [(16, Battery::Good), (15, Battery::Low), (18, Battery::Low), (19, Battery::Good)];
        let dying = [
            (3, Battery::Dying),
            (6, Battery::Dying),
            (7, Battery::Low),
            (4, Battery::Low),
            (3, Battery::Dying),
        ];
        for (percent, expected) in levels.into_iter().chain(dying) {
            assert_eq!(at(percent, false), expected, "{percent} %");
        }
        assert_eq!(at(1, true), Battery::Good, "it is on its charger");
        assert_eq!(at(1, false), Battery::Dying);
    }
}
