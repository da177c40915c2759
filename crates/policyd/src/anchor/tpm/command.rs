//! Writes the six commands the anchor needs (TPM 2.0 Library, Part 3, clause 31), each authorized, where it must be, by
//! an empty password.

use zeroize::Zeroizing;

use super::nv::Index;
use super::response::{NO_SESSIONS, SESSIONS, SHA256};

/// `TPM_RH_OWNER`
const OWNER: u32 = 0x4000_0001;
/// `TPM_RS_PW`
const PASSWORD: u32 = 0x4000_0009;

/// A command, ready to be sent.
pub(super) struct Command {
    /// Its name in the specification.
    pub(super) name: &'static str,
    /// Whether its answer has an authorization.
    pub(super) authorized: bool,
    /// Wiped at the end: one of them carries a key.
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl Command {
    /// Makes an index, in the name of the owner.
    pub(super) fn define<const N: usize>(index: &Index<N>) -> Self {
        let mut public = Vec::new();
        public.extend(index.handle.to_be_bytes());
        public.extend(SHA256.to_be_bytes());
        public.extend(index.attributes.to_be_bytes());
        public.extend(0_u16.to_be_bytes()); // no policy
        public.extend(length::<N>().to_be_bytes());
        Self::authorized("TPM2_NV_DefineSpace", 0x12a, &[OWNER]).sized(&[]).sized(&public).finish()
    }

    /// Asks what an index is.
    pub(super) fn read_public<const N: usize>(index: &Index<N>) -> Self {
        let name = "TPM2_NV_ReadPublic";
        Self { name, authorized: false, bytes: start(NO_SESSIONS, 0x169, &[index.handle]) }.finish()
    }

    /// Reads all of an index.
    pub(super) fn read<const N: usize>(index: &Index<N>) -> Self {
        let command = Self::on("TPM2_NV_Read", 0x14e, index);
        command.number(length::<N>()).number(0).finish()
    }

    /// Writes all of an index.
    pub(super) fn write<const N: usize>(index: &Index<N>, data: &[u8; N]) -> Self {
        Self::on("TPM2_NV_Write", 0x137, index).sized(data).number(0).finish()
    }

    /// Adds one to a counter.
    pub(super) fn increment<const N: usize>(index: &Index<N>) -> Self {
        Self::on("TPM2_NV_Increment", 0x134, index).finish()
    }

    /// Forbids writing for as long as the index exists.
    pub(super) fn lock<const N: usize>(index: &Index<N>) -> Self {
        Self::on("TPM2_NV_WriteLock", 0x138, index).finish()
    }

    /// A command on an index, authorized by the index itself.
    fn on<const N: usize>(name: &'static str, code: u32, index: &Index<N>) -> Self {
        Self::authorized(name, code, &[index.handle, index.handle])
    }

    fn authorized(name: &'static str, code: u32, handles: &[u32]) -> Self {
        let mut bytes = start(SESSIONS, code, handles);
        bytes.extend(9_u32.to_be_bytes()); // what follows: the password's handle, no nonce, no attributes, no password
        bytes.extend(PASSWORD.to_be_bytes());
        bytes.extend([0; 5]);
        Self { name, authorized: true, bytes }
    }

    fn number(mut self, number: u16) -> Self {
        self.bytes.extend(number.to_be_bytes());
        self
    }

    fn sized(self, bytes: &[u8]) -> Self {
        // Ours are under 100 bytes.
        let mut command = self.number(u16::try_from(bytes.len()).unwrap_or(u16::MAX));
        command.bytes.extend(bytes);
        command
    }

    /// Puts the size where it belongs.
    fn finish(mut self) -> Self {
        let size = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
        if let Some(place) = self.bytes.get_mut(2..6) {
            place.copy_from_slice(&size);
        }
        self
    }
}

fn start(tag: u16, code: u32, handles: &[u32]) -> Zeroizing<Vec<u8>> {
    // Room for the longest: a buffer that grows would leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(128));
    bytes.extend(tag.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(code.to_be_bytes());
    bytes.extend(handles.iter().flat_map(|handle| handle.to_be_bytes()));
    bytes
}

/// The size of an index as the TPM counts it.
pub(super) const fn length<const N: usize>() -> u16 {
    const { assert!(N <= 64) };
    N as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_as_the_specification_lays_them_out() {
        let index = Index::<2> { handle: 0x0150_4e01, attributes: 0x0204_0004 };
        let rows: [(Command, &[u8]); 4] = [
            (
                Command::define(&index),
                b"\x80\x02\0\0\0\x2d\0\0\x01\x2a\x40\0\0\x01\0\0\0\x09\x40\0\0\x09\0\0\0\0\0\
                  \0\0\0\x0e\x01\x50\x4e\x01\0\x0b\x02\x04\0\x04\0\0\0\x02",
            ),
            (Command::read_public(&index), b"\x80\x01\0\0\0\x0e\0\0\x01\x69\x01\x50\x4e\x01"),
            (
                Command::read(&index),
                b"\x80\x02\0\0\0\x23\0\0\x01\x4e\x01\x50\x4e\x01\x01\x50\x4e\x01\
                  \0\0\0\x09\x40\0\0\x09\0\0\0\0\0\0\x02\0\0",
            ),
            (
                Command::write(&index, b"ab"),
                b"\x80\x02\0\0\0\x25\0\0\x01\x37\x01\x50\x4e\x01\x01\x50\x4e\x01\
                  \0\0\0\x09\x40\0\0\x09\0\0\0\0\0\0\x02ab\0\0",
            ),
        ];
        for (command, expected) in rows {
            assert_eq!(*command.bytes, expected, "{}", command.name);
        }
    }
}
