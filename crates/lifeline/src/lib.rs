//! The lifeline: emergency numbers, which nothing may deny.
//!
//! **Invariants:** depends on nothing at all, not even on the policy; every answer is given without
//! storage, bus or clock, so that it holds while everything else is broken.

/// Numbers that reach help in any GSM network without a SIM (3GPP TS 22.101, clause 10.1.1).
pub const EVERYWHERE: [&str; 2] = ["112", "911"];

/// Numbers the same clause adds where there is no SIM, and those of the regions we ship to: United
/// Kingdom 999; China 110 (police), 119 (fire), 120 (ambulance), 122 (road); Hong Kong and Macau 999.
pub const REGIONAL: [&str; 8] = ["000", "08", "110", "118", "119", "120", "122", "999"];

/// Longest number a SIM may add (EF_ECC, 3GPP TS 31.102, clause 4.2.21: three bytes of BCD). A SIM cannot
/// make a subscriber's number an emergency number.
pub const SIM_NUMBER_DIGITS: usize = 6;

/// What the SIM says besides: the texts of EF_ECC as ModemManager hands them on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimNumbers(Vec<String>);

impl SimNumbers {
    /// Takes what a SIM offers and keeps what may count: 2 to 6 digits, at most 16 of them.
    pub fn from_sim<I: IntoIterator<Item = String>>(texts: I) -> Self {
        let fits = |text: &String| {
            (2..=SIM_NUMBER_DIGITS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
        };
        Self(texts.into_iter().filter(fits).take(16).collect())
    }
}

/// Whether dialling exactly this text is an emergency call.
pub fn is_emergency(dialled: &str, sim: &SimNumbers) -> bool {
    EVERYWHERE.contains(&dialled)
        || REGIONAL.contains(&dialled)
        || sim.0.iter().any(|number| number == dialled)
}

/// The number behind the emergency button, by the SIM's home country (IMSI, first three digits). 112 is
/// answered by every GSM network, so it is what an unknown country gets.
pub fn button_number(imsi: &str) -> &'static str {
    match imsi.get(..3) {
        Some("302" | "310" | "311" | "312" | "313" | "314" | "315" | "316") => "911",
        Some("460") => "110",
        Some("234" | "235" | "454" | "455") => "999",
        _ => "112",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t8_112_and_911_are_always_emergency_numbers() {
        for number in EVERYWHERE {
            assert!(is_emergency(number, &SimNumbers::default()));
        }
    }

    #[test]
    fn a09_what_merely_begins_with_one_is_not() {
        for text in ["1120", "+112", "112#", "11", "", "112 ", "0405550001", "112;112"] {
            assert!(!is_emergency(text, &SimNumbers::default()), "{text}");
        }
    }

    #[test]
    fn a09_a_sim_cannot_make_a_subscriber_an_emergency_number() {
        let sim = SimNumbers::from_sim(["116117", "0900123456", "+358405550666", "1", ""].map(String::from));
        assert!(is_emergency("116117", &sim));
        assert!(!is_emergency("0900123456", &sim));
        assert!(!is_emergency("+358405550666", &sim));
        assert!(!is_emergency("1", &sim) && !is_emergency("", &sim));
    }

    #[test]
    fn the_button_dials_a_number_that_is_one() {
        for imsi in ["244990000000042", "310260000000000", "460000000000000", "234150000000000", "", "x"] {
            assert!(is_emergency(button_number(imsi), &SimNumbers::default()), "{imsi}");
        }
    }

    #[test]
    fn the_button_dials_what_is_answered_where_the_sim_comes_from() {
        for (number, countries) in [
            ("911", &["302", "310", "311", "312", "313", "314", "315", "316"][..]),
            ("110", &["460"]),
            ("999", &["234", "235", "454", "455"]),
            ("112", &["244", "262", "001", ""]),
        ] {
            for country in countries {
                assert_eq!(button_number(&format!("{country}0000")), number, "{country}");
            }
        }
    }
}
