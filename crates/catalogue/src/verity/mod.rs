//! fs-verity: a file whose content the kernel will not give out changed (Documentation/filesystems/fsverity.rst).
//!
//! One kind is used: SHA-256, blocks of 4096 bytes, no salt. [`digest`] computes the digest of any bytes, for whoever
//! signs; [`KernelVerity`] asks the kernel, which takes no time that depends on the size of the file.
//!
//! **Invariants:** what measures is chosen by type, never by configuration; another hash or a salt is no digest.

mod ioctl;

use std::io::{self, Read};
use std::os::fd::BorrowedFd;

use sha2::{Digest as _, Sha256};

/// An fs-verity digest: SHA-256 of the file's descriptor.
pub type Digest = [u8; 32];

const BLOCK: usize = 4096;
const HASH: usize = 32;
/// `sizeof(struct fsverity_descriptor)`.
const DESCRIPTOR: usize = 256;

/// What seals files and measures them.
pub trait Verity {
    /// Seals a file that nobody has open for writing: from now on its content cannot change.
    fn seal(&self, file: BorrowedFd<'_>) -> io::Result<()>;

    /// The digest of a sealed file; `None` where it is not sealed, or not with our kind.
    fn measure(&self, file: BorrowedFd<'_>) -> io::Result<Option<Digest>>;
}

/// The kernel's fs-verity.
#[derive(Debug, Clone, Copy, Default)]
pub struct KernelVerity;

impl Verity for KernelVerity {
    fn seal(&self, file: BorrowedFd<'_>) -> io::Result<()> {
        Ok(ioctl::enable(file)?)
    }

    fn measure(&self, file: BorrowedFd<'_>) -> io::Result<Option<Digest>> {
        use rustix::io::Errno;
        match ioctl::measure(file) {
            Ok(digest) => Ok(digest),
            // Not sealed; or a file system that cannot seal; or a longer digest than ours.
            Err(Errno::NODATA | Errno::NOTTY | Errno::OPNOTSUPP | Errno::OVERFLOW) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The digest the kernel would measure for these bytes.
pub fn digest(mut content: impl Read) -> io::Result<Digest> {
    let mut size = 0u64;
    let mut hashes = Vec::new();
    let mut block = Vec::with_capacity(BLOCK);
    loop {
        block.clear();
        let length = content.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
        if length == 0 {
            break;
        }
        size += length as u64;
        block.resize(BLOCK, 0);
        hashes.extend_from_slice(&Sha256::digest(&block));
        if length < BLOCK {
            break;
        }
    }
    while hashes.len() > HASH {
        hashes.resize(hashes.len().next_multiple_of(BLOCK), 0);
        hashes = hashes.chunks(BLOCK).flat_map(Sha256::digest).collect();
    }
    Ok(descriptor_digest(size, &hashes))
}

/// `struct fsverity_descriptor`: version 1, SHA-256 (1), 2^12 bytes a block, no salt, the size, the root of the tree
/// (zeros for an empty file); the rest is zero.
fn descriptor_digest(size: u64, root: &[u8]) -> Digest {
    let head = [1, 1, 12, 0, 0, 0, 0, 0];
    let written = head.len() + size_of_val(&size) + root.len();
    Sha256::new()
        .chain_update(head)
        .chain_update(size.to_le_bytes())
        .chain_update(root)
        .chain_update(&[0; DESCRIPTOR][written..])
        .finalize()
        .into()
}

/// A digest in hexadecimal, as `fsverity digest` prints it.
pub fn to_hex(digest: &Digest) -> String {
    digest
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// Reads 64 digits of `0-9a-f`.
pub fn from_hex(text: &str) -> Option<Digest> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut digest = [0; 32];
    if text.len() != 2 * digest.len() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made once with `fsverity digest` of fsverity-utils 1.5, over bytes of [`pattern`].
    const KNOWN: [(usize, &str); 8] = [
        (0, "3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95"),
        (1, "b803429503d95915829b29fdbc8bbad142f3abfd11b1cadf5526582e685c0551"),
        (4095, "8f13f67ed43a2020003f2bafa8e87ca51023a628568b67aab402be6034c2dbdb"),
        (4096, "35bee561c5795a8044fe6cb352e9149fa1ab4445092438d6da1d9cf7dac6b653"),
        (4097, "a29d9620c80a98f4e8cc460e02a4f0fed4df09c5a85b61dd427b3bfd2f612bff"),
        (128 * 4096, "1965090465f4bd1fdd1669a94b57ccb19b4113154653d8563f32c8fc2e212a2d"),
        (128 * 4096 + 1, "151d35267d9d4e0508b9a9e9b76feecb7fb5c08434f1dfbbd93a1c6f051793b3"),
        (300 * 4096 + 77, "2ffea397e6b5ecff94eceb5c99bcaa8c6c35ca2140a4be012b651319dcd013de"),
    ];

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|at| ((at * 31 + at / 4096) % 251) as u8).collect()
    }

    #[test]
    fn the_digest_is_the_one_fsverity_utils_prints() {
        for (length, known) in KNOWN {
            assert_eq!(to_hex(&digest(pattern(length).as_slice()).unwrap()), known, "{length} bytes");
        }
    }

    #[test]
    fn only_sixty_four_small_digits_are_a_digest() {
        assert_eq!(from_hex(&"0f".repeat(32)), Some([15; 32]));
        for text in ["", "0f", &"0F".repeat(32), &"0g".repeat(32), &"0f".repeat(33), &"é".repeat(32)] {
            assert_eq!(from_hex(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_digest_reads_back(digest: [u8; 32]) {
            prop_assert_eq!(from_hex(&to_hex(&digest)), Some(digest));
        }

        #[test]
        fn every_byte_counts(length in 1usize..9000, at: prop::sample::Index) {
            let before = pattern(length);
            let mut after = before.clone();
            after[at.index(length)] ^= 1;
            prop_assert_ne!(digest(before.as_slice()).unwrap(), digest(after.as_slice()).unwrap());
        }
    }
}
