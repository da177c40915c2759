//! Strings from outside, made fit for the screen.

/// Longest name a screen has room for, in characters.
pub(crate) const NAME: usize = 24;

/// At most `limit` characters, without control characters and without the invisible ones that turn
/// the direction of the text or hide parts of it.
pub(crate) fn shown(text: &str, limit: usize) -> String {
    let invisible = |c: char| matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}');
    text.chars().filter(|c| !c.is_control() && !invisible(*c)).take(limit).collect::<String>().trim().into()
}

/// A name of at most `limit` characters; one that is cut says so.
pub(crate) fn short(name: &str, limit: usize) -> String {
    let name = shown(name, NAME);
    if name.chars().count() <= limit { name } else { shown(&name, limit.saturating_sub(1)) + "…" }
}

/// The digits of a code in groups of four, two groups on a line.
pub(crate) fn code_lines(code: &str) -> Vec<String> {
    let digits = code.chars().filter(char::is_ascii_alphanumeric).take(24).collect::<Vec<_>>();
    let groups = digits.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>();
    groups.chunks(2).map(|pair| pair.join(" ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_twenty_digits_stands_on_three_lines() {
        assert_eq!(code_lines("0123 4567-8901 2345 6789"), ["0123 4567", "8901 2345", "6789"]);
    }

    #[test]
    fn a_long_name_is_cut_and_says_so() {
        let names = ["Mum", "Grandpa", "Grandmother"].map(|name| short(name, 7));
        assert_eq!(names, ["Mum", "Grandpa", "Grandm…"]);
    }

    #[test]
    fn a26_a_name_cannot_turn_the_line_or_fill_the_screen() {
        assert_eq!(shown("\u{202E}muM\n\u{0007}", NAME), "muM");
        assert_eq!(shown(&"x".repeat(1_000_000), NAME).len(), NAME);
    }

    proptest::proptest! {
        #[test]
        fn any_string_becomes_short_and_visible(text: String) {
            let out = shown(&text, NAME);
            assert!(out.chars().count() <= NAME && !out.chars().any(char::is_control));
            assert!(short(&text, 7).chars().count() <= 7);
            assert!(code_lines(&text).len() <= 3);
        }
    }
}
