//! The hash tree of dm-verity, format 1, SHA-256, blocks of 4096 bytes, salt first
//! (Documentation/admin-guide/device-mapper/verity.rst). No superblock: what one would say is on the kernel
//! command line, where the boot loader's signature covers it.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Bytes of a data block and of a hash block.
pub(super) const BLOCK: usize = 4096;
const HASH: usize = 32;

/// What the kernel must be told to verify an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verity {
    /// Data blocks; the hash tree follows them.
    pub(super) blocks: usize,
    /// Hexadecimal.
    pub(super) salt: String,
    /// Hexadecimal.
    pub(super) root_hash: String,
}

/// Pads `image` to whole blocks and appends its hash tree. The salt is the image's own hash: the same image gives
/// the same bytes, two images share no hash block.
pub(super) fn append(image: &mut Vec<u8>) -> Verity {
    image.resize(image.len().next_multiple_of(BLOCK), 0);
    let salt = Sha256::digest(&*image);
    let blocks = image.len() / BLOCK;
    let mut levels = Vec::new();
    let mut hashes = level(image, &salt);
    while hashes.len() > HASH {
        hashes.resize(hashes.len().next_multiple_of(BLOCK), 0);
        let above = level(&hashes, &salt);
        levels.push(hashes);
        hashes = above;
    }
    // The kernel finds the top level first.
    for level in levels.iter().rev() {
        image.extend_from_slice(level);
    }
    Verity { blocks, salt: hex(&salt), root_hash: hex(&hashes) }
}

/// The hashes of all blocks, one after the other.
fn level(data: &[u8], salt: &[u8]) -> Vec<u8> {
    data.chunks(BLOCK)
        .flat_map(|block| Sha256::new().chain_update(salt).chain_update(block).finalize())
        .collect()
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_stand_top_first_and_every_block_counts() {
        // 130 blocks: two leaf blocks (128 hashes each), one block above, its hash is the root.
        let mut image = vec![7; 130 * BLOCK];
        let verity = append(&mut image);
        assert_eq!(verity.blocks, 130);
        assert_eq!(image.len(), (130 + 1 + 2) * BLOCK);
        let mut changed = vec![7; 130 * BLOCK];
        changed[129 * BLOCK] = 8;
        assert_ne!(append(&mut changed).root_hash, verity.root_hash);
    }

    #[test]
    fn a_part_of_a_block_is_padded() {
        let mut image = vec![1; BLOCK + 1];
        assert_eq!(append(&mut image).blocks, 2);
        assert_eq!(image.len(), 3 * BLOCK);
    }
}
