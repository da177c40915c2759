//! `nestling.verity=DEVICE:BLOCKS:SALT:ROOTHASH` of the kernel command line: the block device, its length in
//! data blocks of 4096 bytes (the hash tree follows them), salt and root hash in hexadecimal.
//!
//! Whoever writes the command line decides what boots; the boot loader's signature covers it. Here it is only
//! made sure that a damaged or doubled value stops the boot instead of weakening it.

/// Longer lines than any kernel accepts.
const MAX_LINE: usize = 4096;
const KEY: &[u8] = b"nestling.verity=";
/// SHA-256 in hexadecimal.
const HASH_DIGITS: usize = 64;
/// 16 TiB: keeps sector counts within 64 bits.
const MAX_BLOCKS: u64 = 1 << 32;

/// The root device and what it must hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verity {
    /// Kernel name below `/dev`.
    pub(crate) device: String,
    /// Data blocks of 4096 bytes.
    pub(crate) blocks: u64,
    /// Hexadecimal.
    pub(crate) salt: String,
    /// Hexadecimal, 64 digits.
    pub(crate) root_hash: String,
}

/// What is wrong with the command line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("longer than {MAX_LINE} bytes")]
    TooLong,
    #[error("nestling.verity is missing")]
    Missing,
    #[error("nestling.verity is given twice")]
    Twice,
    #[error("nestling.verity has not four fields")]
    Fields,
    #[error("the device is not a plain name")]
    Device,
    #[error("the number of blocks is not between 1 and {MAX_BLOCKS}")]
    Blocks,
    #[error("the salt is not 64 hexadecimal digits")]
    Salt,
    #[error("the root hash is not 64 hexadecimal digits")]
    RootHash,
}

pub(crate) fn parse(line: &[u8]) -> Result<Verity, Error> {
    if line.len() > MAX_LINE {
        return Err(Error::TooLong);
    }
    let mut values = line.split(u8::is_ascii_whitespace).filter_map(|word| word.strip_prefix(KEY));
    let value = values.next().ok_or(Error::Missing)?;
    if values.next().is_some() {
        return Err(Error::Twice);
    }
    let text = std::str::from_utf8(value).map_err(|_| Error::Fields)?;
    let mut fields = text.split(':');
    let (Some(device), Some(blocks), Some(salt), Some(root_hash), None) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(Error::Fields);
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if device.is_empty() || device.len() > 32 || !device.bytes().all(plain) {
        return Err(Error::Device);
    }
    let blocks = blocks.parse().ok().filter(|n| (1..=MAX_BLOCKS).contains(n)).ok_or(Error::Blocks)?;
    if !is_hash(salt) {
        return Err(Error::Salt);
    }
    if !is_hash(root_hash) {
        return Err(Error::RootHash);
    }
    Ok(Verity { device: device.to_owned(), blocks, salt: salt.to_owned(), root_hash: root_hash.to_owned() })
}

fn is_hash(text: &str) -> bool {
    text.len() == HASH_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(device: &str, blocks: &str, salt: &str, hash: &str) -> Vec<u8> {
        format!("quiet nestling.verity={device}:{blocks}:{salt}:{hash} panic=1\n").into_bytes()
    }

    fn digits(digit: char) -> String {
        digit.to_string().repeat(HASH_DIGITS)
    }

    #[test]
    fn a_whole_line_is_understood() {
        let verity = parse(&value("vda", "12345", &digits('a'), &digits('7'))).unwrap();
        assert_eq!(verity.device, "vda");
        assert_eq!(verity.blocks, 12_345);
        assert_eq!(verity.salt, digits('a'));
        assert_eq!(verity.root_hash, digits('7'));
    }

    #[test]
    fn a30_a_line_without_a_root_hash_does_not_boot() {
        assert_eq!(parse(b"quiet root=/dev/vda init=/bin/sh"), Err(Error::Missing));
        assert_eq!(parse(&value("vda", "1", &digits('a'), "")), Err(Error::RootHash));
    }

    #[test]
    fn a30_a_second_root_hash_does_not_win() {
        let mut line = value("vda", "1", &digits('a'), &digits('b'));
        line.extend(value("vdb", "1", &digits('a'), &digits('c')));
        assert_eq!(parse(&line), Err(Error::Twice));
    }

    #[test]
    fn each_damaged_field_is_named() {
        let (a, b) = (digits('a'), digits('b'));
        assert_eq!(parse(&value("../vda", "1", &a, &b)), Err(Error::Device));
        assert_eq!(parse(&value("", "1", &a, &b)), Err(Error::Device));
        assert_eq!(parse(&value("vda", "0", &a, &b)), Err(Error::Blocks));
        assert_eq!(parse(&value("vda", "99999999999999999999", &a, &b)), Err(Error::Blocks));
        assert_eq!(parse(&value("vda", "1", "-", &b)), Err(Error::Salt));
        assert_eq!(parse(&value("vda", "1", &a, &digits('g'))), Err(Error::RootHash));
        assert_eq!(parse(&value("vda", "1", &a, &format!("{b}:x"))), Err(Error::Fields));
        assert_eq!(parse(&vec![b' '; MAX_LINE + 1]), Err(Error::TooLong));
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in proptest::collection::vec(any::<u8>(), 0..5000)) {
            let _ = parse(&line);
        }

        #[test]
        fn no_value_makes_it_panic(value in "[a-z0-9:/.-]{0,200}") {
            let _ = parse(format!("nestling.verity={value}").as_bytes());
        }
    }
}
