//! The two ioctls of fs-verity (`linux/fsverity.h`). The only module with `unsafe`.
//!
//! **Invariant:** the kernel reads and writes inside the structures given, which outlive each call.
#![allow(unsafe_code, reason = "the ioctls of fs-verity have no safe interface")]

use std::os::fd::BorrowedFd;

use rustix::io::{Errno, Result};
use rustix::ioctl::{Opcode, Setter, Updater, ioctl, opcode};

use super::{BLOCK, Digest};

/// `FS_VERITY_HASH_ALG_SHA256`.
const SHA256: u16 = 1;
/// `_IOW('f', 133, struct fsverity_enable_arg)`.
const ENABLE: Opcode = opcode::write::<EnableArgument>(b'f', 133);
/// `_IOWR('f', 134, struct fsverity_digest)`: the size is that of the head, without the digest that follows.
const MEASURE: Opcode = opcode::read_write::<[u16; 2]>(b'f', 134);

/// `struct fsverity_enable_arg`.
#[repr(C)]
struct EnableArgument {
    version: u32,
    hash_algorithm: u32,
    block_size: u32,
    salt_size: u32,
    salt: u64,
    signature_size: u32,
    reserved_1: u32,
    signature: u64,
    reserved_2: [u64; 11],
}

/// `struct fsverity_digest` and room for one digest.
#[repr(C)]
struct Measured {
    algorithm: u16,
    size: u16,
    digest: Digest,
}

const _: () = assert!(size_of::<EnableArgument>() == 128 && size_of::<Measured>() == 36);

/// `FS_IOC_ENABLE_VERITY`.
pub(super) fn enable(file: BorrowedFd<'_>) -> Result<()> {
    let argument = EnableArgument {
        version: 1,
        hash_algorithm: SHA256.into(),
        block_size: BLOCK as u32,
        salt_size: 0,
        salt: 0,
        signature_size: 0,
        reserved_1: 0,
        signature: 0,
        reserved_2: [0; 11],
    };
    // SAFETY: the structure is the one of this opcode; its two pointers are null and their sizes zero, so the kernel
    // reads nothing but the structure itself, and writes nothing.
    unsafe { ioctl(file, Setter::<ENABLE, EnableArgument>::new(argument)) }
}

/// `FS_IOC_MEASURE_VERITY`; `None` for another kind of digest than ours.
pub(super) fn measure(file: BorrowedFd<'_>) -> Result<Option<Digest>> {
    let mut measured = Measured { algorithm: 0, size: size_of::<Digest>() as u16, digest: [0; 32] };
    // SAFETY: the structure is the one of this opcode; the kernel writes at most `size` bytes behind its head, and
    // that many follow it. Every bit pattern is a value of each field.
    unsafe { ioctl(file, Updater::<MEASURE, Measured>::new(&mut measured))? };
    if usize::from(measured.size) > size_of::<Digest>() {
        return Err(Errno::OVERFLOW);
    }
    let ours = measured.algorithm == SHA256 && usize::from(measured.size) == size_of::<Digest>();
    Ok(ours.then_some(measured.digest))
}
