//! A guardian's last key, written on paper.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::signer::Signer;

/// The symbols a person reads and types: no I, L, O or U, which look like others (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Groups on the paper. Each has four symbols and a fifth that checks them.
const GROUPS: usize = 13;

/// Why a typed text is not a recovery key. Groups are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryError {
    /// A symbol no paper has.
    #[error("group {group} has a symbol that no recovery key has")]
    Symbol {
        /// In which group.
        group: usize,
    },
    /// Symbols were mistyped, left out, or the group stands in another's place.
    #[error("group {group} is not as it was written")]
    Group {
        /// Which group.
        group: usize,
    },
    /// The groups are right, and there are too few or too many.
    #[error("a recovery key has {GROUPS} groups of 5, this one has {symbols} symbols")]
    Length {
        /// How many symbols there are.
        symbols: usize,
    },
    /// Each group could be right, and together they are not.
    #[error("the groups do not belong together")]
    Whole,
}

/// 32 secret bytes, and how they stand on paper.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryKey([u8; 32]);

impl RecoveryKey {
    /// A key from 32 bytes of a random source of the caller's.
    pub fn from_random(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// What signs with it.
    pub fn signer(&self) -> Signer {
        Signer::from_secret(&self.0)
    }

    /// The key in 13 groups of five symbols: 256 bits, and four of their hash.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (index, group) in self.symbols().chunks(4).enumerate() {
            let separator = if index == 0 { "" } else { "-" };
            let _ = write!(text, "{separator}");
            for symbol in group.iter().copied().chain([check(index, group)]) {
                text.extend(ALPHABET.get(usize::from(symbol)).map(|letter| char::from(*letter)));
            }
        }
        text
    }

    /// Reads what somebody typed: in upper or lower case, with spaces and hyphens anywhere; O is read as 0, I and L
    /// as 1.
    ///
    /// # Errors
    /// See [`RecoveryError`]. One wrong symbol is always noticed, and its group named.
    pub fn parse(text: &str) -> Result<Self, RecoveryError> {
        let typed = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let symbols = typed
            .enumerate()
            .map(|(place, c)| symbol(c).ok_or(RecoveryError::Symbol { group: place / 5 + 1 }))
            .collect::<Result<Vec<_>, _>>()?;
        let mut data: Vec<u8> = Vec::new();
        for (index, group) in symbols.chunks(5).take(GROUPS).enumerate() {
            match group {
                [values @ .., sum] if values.len() == 4 && check(index, values) == *sum => {
                    data.extend(values);
                }
                _ => return Err(RecoveryError::Group { group: index + 1 }),
            }
        }
        if symbols.len() != GROUPS * 5 {
            return Err(RecoveryError::Length { symbols: symbols.len() });
        }
        let bits: Vec<u8> =
            data.iter().flat_map(|symbol| (0..5).rev().map(move |bit| symbol >> bit & 1)).collect();
        let mut secret = [0; 32];
        for (byte, bits) in secret.iter_mut().zip(bits.chunks(8)) {
            *byte = bits.iter().fold(0, |byte, bit| byte << 1 | bit);
        }
        let key = Self(secret);
        if key.symbols() == data { Ok(key) } else { Err(RecoveryError::Whole) }
    }

    /// 52 values of five bits: the secret, then the first four bits of its hash.
    fn symbols(&self) -> Vec<u8> {
        let hash = Sha256::new().chain_update(b"nestling recovery 1\n").chain_update(self.0).finalize();
        let bytes = self.0.iter().chain(hash.iter().take(1));
        let bits: Vec<u8> = bytes.flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
        bits.chunks(5)
            .take(GROUPS * 4)
            .map(|bits| bits.iter().fold(0, |value, bit| value << 1 | bit))
            .collect()
    }
}

/// The key never stands in a log.
impl std::fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryKey(…)")
    }
}

fn symbol(typed: char) -> Option<u8> {
    let letter = match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = ALPHABET.iter().position(|symbol| char::from(*symbol) == letter)?;
    u8::try_from(place).ok()
}

/// The fifth symbol of a group: a sum over the group's place and its symbols, each times another power of 2 in the
/// field of 32 elements (x^5 + x^2 + 1). A wrong symbol, two that changed places, or two groups that did, change it.
fn check(index: usize, values: &[u8]) -> u8 {
    let place = u8::try_from(index).unwrap_or_default();
    values.iter().chain([&place]).fold(0, |sum, value| double(sum) ^ double(*value))
}

fn double(value: u8) -> u8 {
    let doubled = value << 1;
    if doubled & 32 == 0 { doubled } else { doubled ^ 0b10_0101 }
}
