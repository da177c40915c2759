//! What a log must not hold: numbers, names and places of a family, whatever level a developer switches on.

use policy::Policy;

/// Looks through what a daemon wrote.
///
/// # Panics
/// It holds a contact's name or number, any other number of a telephone, or a coordinate of a zone.
pub fn assert_says_nothing_of(log: &str, family: &Policy) {
    for line in log.lines() {
        for word in line.split(|c: char| !c.is_alphanumeric()) {
            let named = family.contacts.iter().any(|contact| contact.name == word);
            let called = family.zones.iter().any(|zone| zone.name == word);
            assert!(!named && !called, "the log has a name: {line}");
        }
        // Longer than any time, count or process that is logged.
        let longest = line.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default();
        assert!(longest < 9 && !line.contains('+'), "the log has a number: {line}");
        for zone in &family.zones {
            for degrees in [zone.latitude_e6, zone.longitude_e6] {
                let start = format!("{}.{:02}", degrees / 1_000_000, degrees % 1_000_000 / 10_000);
                assert!(!line.contains(&start), "the log has a place: {line}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family() -> Policy {
        serde_json::from_str(include_str!("../../../tests/family.json")).unwrap()
    }

    #[test]
    fn what_a_daemon_may_say_passes() {
        assert_says_nothing_of(
            " INFO nestling_telephonyd: rules read revision=3\n WARN turned away …66",
            &family(),
        );
    }

    #[test]
    #[should_panic(expected = "a name")]
    fn a_name_is_found() {
        assert_says_nothing_of("INFO ringing contact=Auntie", &family());
    }

    #[test]
    #[should_panic(expected = "a number")]
    fn a_strangers_number_is_found() {
        assert_says_nothing_of("INFO refused number=358409990999", &family());
    }

    #[test]
    #[should_panic(expected = "a place")]
    fn a_place_is_found() {
        assert_says_nothing_of("INFO fix 60.17103 24.94102", &family());
    }
}
