//! The device mapper: one read-only dm-verity device, made with three ioctls (`linux/dm-ioctl.h`,
//! Documentation/admin-guide/device-mapper/verity.rst). The only module with `unsafe`.
#![allow(unsafe_code, reason = "the ioctls of the device mapper have no safe interface")]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;

use crate::cmdline::Verity;

/// The device the root is mounted from: the first device-mapper device there is.
pub(crate) const ROOT_DEVICE: &str = "/dev/dm-0";

const CONTROL: &str = "/dev/mapper/control";
const NAME: &[u8] = b"root";
/// `sizeof(struct dm_ioctl)`, the same on every 64-bit architecture.
const HEADER: usize = 312;
/// `sizeof(struct dm_target_spec)`.
const TARGET: usize = 40;
/// Header, target and the longest parameters we can write.
const BUFFER: usize = 1024;
const READONLY: u32 = 1;
const SECTORS_PER_BLOCK: u64 = 8;

type Buffer = [u8; BUFFER];
/// The size in the ioctl's number is the header's; the kernel reads as much as `data_size` says.
type Header = [u8; HEADER];

nix::ioctl_readwrite!(dm_dev_create, 0xfd, 3, Header);
nix::ioctl_readwrite!(dm_dev_suspend, 0xfd, 6, Header);
nix::ioctl_readwrite!(dm_table_load, 0xfd, 9, Header);

/// What failed while opening the verified device.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot open {CONTROL}")]
    Control(#[source] io::Error),
    #[error("the table is too long")]
    TooLong,
    #[error("the device mapper refused to {step}")]
    Ioctl { step: &'static str, source: nix::Error },
}

/// Makes [`ROOT_DEVICE`]: reads of a block that does not hash to the root hash restart the machine.
pub(crate) fn open_verity(verity: &Verity) -> Result<(), Error> {
    let control = OpenOptions::new().read(true).write(true).open(CONTROL).map_err(Error::Control)?;
    let device = format!("/dev/{}", verity.device);
    let Verity { blocks, root_hash, salt, .. } = verity;
    // The hash tree begins right after the data, on the same device.
    let parameters = format!(
        "1 {device} {device} 4096 4096 {blocks} {blocks} sha256 {root_hash} {salt} 1 restart_on_corruption"
    );
    call(&control, &Step::Create, &mut header(0)?)?;
    call(&control, &Step::Load, &mut table(verity.blocks * SECTORS_PER_BLOCK, &parameters)?)?;
    call(&control, &Step::Resume, &mut header(0)?)
}

enum Step {
    Create,
    Load,
    Resume,
}

fn call(control: &File, step: &Step, buffer: &mut Buffer) -> Result<(), Error> {
    let fd = control.as_raw_fd();
    let data = buffer.as_mut_ptr().cast::<Header>();
    let (name, result) = match step {
        // SAFETY: `data` points to BUFFER writable bytes that outlive the call; the header in them says
        // `data_size` = BUFFER, and the kernel neither reads nor writes beyond that.
        Step::Create => ("create the device", unsafe { dm_dev_create(fd, data) }),
        // SAFETY: as above; the target and its zero-terminated parameters lie within BUFFER.
        Step::Load => ("load the table", unsafe { dm_table_load(fd, data) }),
        // SAFETY: as above.
        Step::Resume => ("start the device", unsafe { dm_dev_suspend(fd, data) }),
    };
    result.map(drop).map_err(|source| Error::Ioctl { step: name, source })
}

/// `struct dm_ioctl`: version 4.0.0, sizes, flags and the name of the device.
fn header(targets: u32) -> Result<Buffer, Error> {
    let mut buffer = [0; BUFFER];
    let words: [(usize, u32); 5] =
        [(0, 4), (12, BUFFER as u32), (16, HEADER as u32), (20, targets), (28, READONLY)];
    for (at, word) in words {
        put(&mut buffer, at, &word.to_ne_bytes())?;
    }
    put(&mut buffer, 48, NAME)?;
    Ok(buffer)
}

/// The header followed by one `struct dm_target_spec` over all sectors and its parameters.
fn table(sectors: u64, parameters: &str) -> Result<Buffer, Error> {
    let mut buffer = header(1)?;
    put(&mut buffer, HEADER + 8, &sectors.to_ne_bytes())?;
    put(&mut buffer, HEADER + 24, b"verity")?;
    // One byte less than there is: the parameters end with a zero.
    if parameters.len() >= BUFFER - HEADER - TARGET {
        return Err(Error::TooLong);
    }
    put(&mut buffer, HEADER + TARGET, parameters.as_bytes())?;
    Ok(buffer)
}

fn put(buffer: &mut Buffer, at: usize, bytes: &[u8]) -> Result<(), Error> {
    buffer.get_mut(at..at + bytes.len()).ok_or(Error::TooLong)?.copy_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_laid_out_as_the_kernel_reads_it() {
        let buffer = table(80, "1 /dev/vda").unwrap();
        assert_eq!(buffer[0..4], 4u32.to_ne_bytes());
        assert_eq!(buffer[20..24], 1u32.to_ne_bytes());
        assert_eq!(&buffer[48..53], b"root\0");
        assert_eq!(buffer[320..328], 80u64.to_ne_bytes());
        assert_eq!(&buffer[336..343], b"verity\0");
        assert_eq!(&buffer[352..363], b"1 /dev/vda\0");
    }

    #[test]
    fn parameters_that_do_not_fit_are_refused() {
        assert!(table(8, &"x".repeat(BUFFER - HEADER - TARGET)).is_err());
        assert!(table(8, &"x".repeat(BUFFER - HEADER - TARGET - 1)).is_ok());
    }
}
