//! A key on paper, written and typed.

use orders::{RecoveryError, RecoveryKey};
use proptest::prelude::*;

fn text() -> String {
    RecoveryKey::from_random([11; 32]).to_text()
}

#[test]
fn the_paper_of_the_document_is_the_key() {
    let document =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/orders.md")).unwrap();
    assert!(document.contains(&format!("```text\n{}\n```", text())));
    let key = RecoveryKey::parse(&text()).unwrap();
    assert_eq!(key, RecoveryKey::from_random([11; 32]));
    assert_eq!(key.signer().public(), crate::family::signer(11).public());
    assert_eq!(format!("{key:?}"), "RecoveryKey(…)");
}

#[test]
fn it_may_be_typed_as_people_type() {
    let key = RecoveryKey::from_random([11; 32]);
    let text = text();
    assert!(text.contains('0') && text.contains('1'), "the test would show nothing");
    for typed in [
        text.to_lowercase(),
        text.replace('-', " "),
        text.replace('-', ""),
        format!("  {}\n", text.replace('-', "\n")),
        text.replace('0', "O").replace('1', "I"),
        text.replace('0', "o").replace('1', "l"),
    ] {
        assert_eq!(RecoveryKey::parse(&typed), Ok(key.clone()), "{typed}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let groups: Vec<String> = text().split('-').map(str::to_owned).collect();
    assert_eq!(RecoveryKey::parse(""), Err(RecoveryError::Length { symbols: 0 }));
    assert_eq!(RecoveryKey::parse(&groups[..12].join("-")), Err(RecoveryError::Length { symbols: 60 }));
    let longer = format!("{}-{}", text(), groups[0]);
    assert_eq!(RecoveryKey::parse(&longer), Err(RecoveryError::Length { symbols: 70 }));
    assert_eq!(RecoveryKey::parse(&text()[..76]), Err(RecoveryError::Group { group: 13 }));
    let mut swapped = groups.clone();
    swapped.swap(3, 8);
    assert_eq!(RecoveryKey::parse(&swapped.join("-")), Err(RecoveryError::Group { group: 4 }));
    for foreign in ["U", "ä", "!", "₁"] {
        let mut typed = groups.clone();
        typed[6].replace_range(2..3, foreign);
        assert_eq!(
            RecoveryKey::parse(&typed.join("-")),
            Err(RecoveryError::Symbol { group: 7 }),
            "{foreign}"
        );
    }
    // Two groups of another paper: each is right, and together they are of no key.
    let other = RecoveryKey::from_random([12; 32]).to_text();
    let mixed: Vec<&str> =
        other.split('-').take(1).chain(groups.iter().skip(1).map(String::as_str)).collect();
    assert_eq!(RecoveryKey::parse(&mixed.join("-")), Err(RecoveryError::Whole));
}

proptest! {
    #[test]
    fn every_key_reads_as_it_was_written(secret in any::<[u8; 32]>()) {
        let key = RecoveryKey::from_random(secret);
        prop_assert_eq!(RecoveryKey::parse(&key.to_text()), Ok(key));
    }

    #[test]
    fn one_wrong_symbol_or_two_that_changed_places_are_found_in_their_group(
        secret in any::<[u8; 32]>(), place in 0_usize..65, other in 0_usize..32
    ) {
        let text = RecoveryKey::from_random(secret).to_text().replace('-', "");
        let mut typed: Vec<char> = text.chars().collect();
        let wrong = RecoveryError::Group { group: place / 5 + 1 };
        let symbol = char::from(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[other]);
        if typed[place] != symbol {
            typed[place] = symbol;
            prop_assert_eq!(RecoveryKey::parse(&typed.iter().collect::<String>()), Err(wrong));
        }
        let mut typed: Vec<char> = text.chars().collect();
        if place % 5 < 4 && typed[place] != typed[place + 1] {
            typed.swap(place, place + 1);
            prop_assert_eq!(RecoveryKey::parse(&typed.iter().collect::<String>()), Err(wrong));
        }
    }

    #[test]
    fn a26_no_text_panics(text in "\\PC{0,80}") {
        let _ = RecoveryKey::parse(&text);
    }
}
