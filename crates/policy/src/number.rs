//! Telephone numbers: one number is one value, however a network or a person writes it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::numbering::Numbering;

/// An international number of ITU-T E.164: country code and national number, 7 to 15 digits.
///
/// `Debug` redacts it, so that a number reaches no log by accident; `Display` writes `+` and the digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct E164(u64);

/// Why a text is no number that could belong to a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Nothing there: the caller withheld it, or the network had none.
    #[error("the number is empty")]
    Empty,
    /// Longer than any network writes a number.
    #[error("the number is longer than {} characters", MAX_TEXT)]
    TooLong,
    /// Something else than digits, a leading `+` and the usual separators.
    #[error("the number has a character that no number has")]
    Character,
    /// Fewer than 7 or more than 15 digits, or a country code that begins with 0.
    #[error("an E.164 number has 7 to 15 digits and does not begin with 0")]
    Digits,
    /// Neither international nor national by the country's plan: short codes and the like.
    #[error("the number does not say its country and is not national here")]
    Ambiguous,
}

/// Longest text looked at: 15 digits, a prefix and a separator between any two.
const MAX_TEXT: usize = 40;

impl E164 {
    fn from_digits(digits: &[u8]) -> Result<Self, NumberError> {
        if !(7..=15).contains(&digits.len()) || digits.first() == Some(&b'0') {
            return Err(NumberError::Digits);
        }
        let mut value = 0_u64;
        for digit in digits {
            value = value * 10 + u64::from(digit - b'0');
        }
        Ok(Self(value))
    }

    /// The last two digits: enough for a family to recognise a number, too little to call it.
    pub fn tail(self) -> String {
        format!("…{:02}", self.0 % 100)
    }
}

/// Reads a number as a network or a person writes it. `+358 40 555 0001`, `00358405550001`,
/// `040 5550001` and `(040) 555-0001` are one number where the plan says so.
///
/// # Errors
/// See [`NumberError`]; whatever is refused here is nobody's number.
pub fn normalise(text: &str, plan: &Numbering) -> Result<E164, NumberError> {
    if text.len() > MAX_TEXT {
        return Err(NumberError::TooLong);
    }
    let mut digits = Vec::with_capacity(MAX_TEXT);
    let mut plus = false;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => digits.push(byte),
            b'+' if digits.is_empty() && !plus => plus = true,
            b' ' | b'-' | b'.' | b'(' | b')' | b'/' => {}
            _ => return Err(NumberError::Character),
        }
    }
    if digits.is_empty() {
        return Err(NumberError::Empty);
    }
    if plus {
        return E164::from_digits(&digits);
    }
    if let Some(rest) = strip(&digits, plan.international_prefix) {
        return E164::from_digits(rest);
    }
    national(&digits, plan)
}

fn national(digits: &[u8], plan: &Numbering) -> Result<E164, NumberError> {
    let significant = match plan.trunk_prefix {
        // Some networks send the international form without its `+`: of exactly that length, no national
        // number of these plans is.
        "" if digits.len() == plan.country_code.len() + plan.shortest_national
            && strip(digits, plan.country_code).is_some() =>
        {
            return E164::from_digits(digits);
        }
        "" => digits,
        trunk => match strip(digits, trunk) {
            Some(rest) => rest,
            // Some networks send the international form without its `+`.
            None if strip(digits, plan.country_code).is_some_and(|rest| rest.len() >= 7) => {
                return E164::from_digits(digits);
            }
            None if plan.trunk_optional => digits,
            None => return Err(NumberError::Ambiguous),
        },
    };
    if significant.len() < plan.shortest_national {
        return Err(NumberError::Ambiguous);
    }
    let mut full = plan.country_code.as_bytes().to_vec();
    full.extend_from_slice(significant);
    E164::from_digits(&full)
}

fn strip<'a>(digits: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    if prefix.is_empty() { None } else { digits.strip_prefix(prefix.as_bytes()) }
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E164({})", self.tail())
    }
}

impl FromStr for E164 {
    type Err = NumberError;

    /// Strict: `+` and digits, nothing else. This is the form in a policy.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let digits = text.strip_prefix('+').ok_or(NumberError::Ambiguous)?;
        if digits.len() > 15 {
            return Err(NumberError::TooLong);
        }
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NumberError::Character);
        }
        Self::from_digits(digits.as_bytes())
    }
}

impl Serialize for E164 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for E164 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbering::numbering_of_imsi;
    use proptest::prelude::*;

    fn finland() -> &'static Numbering {
        numbering_of_imsi("244990000000042")
    }

    #[test]
    fn a04_every_way_to_write_a_number_is_one_number() {
        let mum: E164 = "+358405550001".parse().unwrap();
        for text in [
            "+358405550001",
            "+358 40 555 0001",
            "00358405550001",
            "00 358 (40) 555-0001",
            "0405550001",
            "040 5550001",
            "358405550001",
        ] {
            assert_eq!(normalise(text, finland()), Ok(mum), "{text}");
        }
    }

    #[test]
    fn a04_what_is_no_number_stays_none() {
        for (text, why) in [
            ("", NumberError::Empty),
            ("+", NumberError::Empty),
            ("Mum", NumberError::Character),
            ("0405550001;ext=1", NumberError::Character),
            ("*#06#", NumberError::Character),
            ("++358405550001", NumberError::Character),
            ("٠٤٠٥٥٥٠٠٠١", NumberError::Character),
            ("112", NumberError::Ambiguous),
            ("18100", NumberError::Ambiguous),
            ("+0358405550001", NumberError::Digits),
            ("+35840555000112345", NumberError::Digits),
            ("+358405550001+358405550001+358405550001+358405550001", NumberError::TooLong),
        ] {
            assert_eq!(normalise(text, finland()), Err(why), "{text}");
        }
        let mum = "+358405550001".parse();
        let padded = |length| normalise(&format!("{:<length$}", "+358405550001"), finland());
        assert_eq!((padded(MAX_TEXT), padded(MAX_TEXT + 1)), (mum, Err(NumberError::TooLong)));
    }

    #[test]
    fn other_plans_read_their_own_national_form() {
        for (imsi, text, full) in [
            ("310260000000000", "(212) 555-0100", "+12125550100"),
            ("310260000000000", "1 212 555 0100", "+12125550100"),
            ("310260000000000", "011 358 40 5550001", "+358405550001"),
            ("242010000000000", "40 55 50 01", "+4740555001"),
            ("234150000000000", "07700 900123", "+447700900123"),
            ("460000000000000", "13800138000", "+8613800138000"),
            ("460000000000000", "010 1234 5678", "+861012345678"),
            ("222010000000000", "06 1234 5678", "+390612345678"),
            ("242010000000000", "4740555001", "+4740555001"),
            ("238010000000000", "4512345678", "+4512345678"),
            ("222010000000000", "391 234 5678", "+393912345678"),
        ] {
            assert_eq!(normalise(text, numbering_of_imsi(imsi)).unwrap().to_string(), full, "{text}");
        }
    }

    #[test]
    fn an_unknown_network_still_reads_international_numbers() {
        let plan = numbering_of_imsi("999990000000000");
        assert_eq!(normalise("+358405550001", plan).unwrap().to_string(), "+358405550001");
        assert_eq!(normalise("0405550001", plan), Err(NumberError::Ambiguous));
    }

    #[test]
    fn debug_shows_the_last_two_digits_alone() {
        let mum: E164 = "+358405550001".parse().unwrap();
        assert_eq!(format!("{mum:?}"), "E164(…01)");
    }

    proptest! {
        #[test]
        fn a26_no_text_panics(text in ".*") {
            let _ = normalise(&text, finland());
            let _ = text.parse::<E164>();
        }

        #[test]
        fn what_was_read_is_written_and_read_again(digits in "[1-9][0-9]{6,14}") {
            let number: E164 = format!("+{digits}").parse().unwrap();
            prop_assert_eq!(number.to_string().parse::<E164>(), Ok(number));
            prop_assert_eq!(normalise(&number.to_string(), finland()), Ok(number));
        }
    }
}
