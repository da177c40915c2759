//! The code a watch shows to prove that a guardian holds it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// 64 random bits, shown as 20 digits in five groups, so that no letter can be misread in any language.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EnrolmentCode(u64);

impl EnrolmentCode {
    /// A code from the kernel's random numbers.
    pub fn from_random(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
    }

    /// Reads 20 digits, with or without spaces between them.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| *c != ' ').collect();
        let fine = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse().ok().filter(|_| fine).map(Self)
    }

    /// The 20 digits an order carries.
    pub fn digits(self) -> String {
        format!("{:020}", self.0)
    }

    /// The digits as the screen shows them, in groups of four.
    pub fn groups(self) -> String {
        let digits = self.digits();
        let groups: Vec<&str> = (0..5).filter_map(|group| digits.get(group * 4..group * 4 + 4)).collect();
        groups.join(" ")
    }

    /// Compares by hashes, so that the time taken tells nothing about how many digits were right.
    pub fn matches(self, other: Self) -> bool {
        Sha256::digest(self.digits()) == Sha256::digest(other.digits())
    }
}

/// It is a secret while it is on the screen.
impl std::fmt::Debug for EnrolmentCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnrolmentCode(…)")
    }
}

impl Serialize for EnrolmentCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.digits())
    }
}

impl<'de> Deserialize<'de> for EnrolmentCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let code = Self::parse(&text).filter(|code| code.digits() == text);
        code.ok_or_else(|| serde::de::Error::custom("a code is 20 digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_twenty_digits_in_five_groups() {
        let code = EnrolmentCode::from_random([0xff; 8]);
        assert_eq!(code.digits(), "18446744073709551615");
        assert_eq!(code.groups(), "1844 6744 0737 0955 1615");
        assert_eq!(EnrolmentCode::from_random([0; 8]).digits(), "0".repeat(20));
        assert_eq!(format!("{code:?}"), "EnrolmentCode(…)");
    }

    #[test]
    fn what_the_screen_shows_reads_as_the_code_and_an_order_has_one_spelling_of_it() {
        let code = EnrolmentCode::from_random([7; 8]);
        assert_eq!(EnrolmentCode::parse(&code.groups()), Some(code));
        assert_eq!(EnrolmentCode::parse(&code.digits()), Some(code));
        let other = EnrolmentCode::from_random([8; 8]);
        assert!(code.matches(code) && !code.matches(other));
        for wrong in ["", "1", "18446744073709551616", "+8446744073709551615", "184467440737095516150"] {
            assert_eq!(EnrolmentCode::parse(wrong), None, "{wrong}");
        }
        let json = serde_json::to_string(&code).unwrap();
        assert_eq!(serde_json::from_str::<EnrolmentCode>(&json).unwrap(), code);
        assert!(serde_json::from_str::<EnrolmentCode>(&format!("\"{}\"", code.groups())).is_err());
    }
}
