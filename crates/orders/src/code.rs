//! The code a watch shows to prove that a guardian holds it.

use sha2::{Digest, Sha256};

/// 64 random bits, shown as 20 digits in five groups, so that no letter can be misread in any language.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EnrolmentCode(u64);

impl EnrolmentCode {
    /// A code from the kernel's random numbers.
    pub fn from_random(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
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
    pub fn matches(self, digits: &str) -> bool {
        Sha256::digest(self.digits()) == Sha256::digest(digits)
    }
}

impl std::fmt::Debug for EnrolmentCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnrolmentCode(…)")
    }
}
