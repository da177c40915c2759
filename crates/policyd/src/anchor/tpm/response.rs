//! Reads what a TPM answers: every length is checked against what is there, and nothing is believed.
//!
//! A response is a header (tag, size, response code), for commands with an authorization the size of the parameters,
//! the parameters, and the authorization's own answer (TPM 2.0 Library, Part 1, clause 18; Part 2, clause 6).

use std::fmt;

/// Longest response taken, bytes. The longest of ours, an index's public area, is under 200.
pub const LONGEST: usize = 1024;
/// Length of the header.
pub const HEADER: usize = 10;
/// `TPM_ST_NO_SESSIONS`
pub(super) const NO_SESSIONS: u16 = 0x8001;
/// `TPM_ST_SESSIONS`
pub(super) const SESSIONS: u16 = 0x8002;
/// `TPM_ALG_SHA256`
pub(super) const SHA256: u16 = 0x000b;

/// Why a response is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It ends too early.
    #[error("it is too short")]
    Short,
    /// There is more than was said.
    #[error("it is too long")]
    Long,
    /// A tag that does not belong to the command.
    #[error("its tag is {0:#06x}")]
    Tag(u16),
    /// A buffer of another length than was asked for.
    #[error("it holds {0} bytes where others were asked for")]
    Length(usize),
}

/// A response code other than success (Part 2, clause 6.6).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code(pub u32);

impl Code {
    /// The handle names nothing: for an index, there is none.
    pub const HANDLE: u32 = 0x08b;

    /// The code without the number of the handle, parameter or session it is about.
    pub fn kind(self) -> u32 {
        // Bit 7 says that the code has such a number: in bits 8 to 11, and bit 6 where it is a parameter.
        if self.0 & 0x80 == 0 { self.0 } else { self.0 & 0xbf }
    }

    /// The TPM is busy with itself and wants the command once more.
    pub fn is_passing(self) -> bool {
        matches!(self.0, 0x908 | 0x90a | 0x920 | 0x922)
    }

    fn name(self) -> &'static str {
        match self.kind() {
            0x082 => "TPM_RC_ATTRIBUTES",
            0x084 => "TPM_RC_VALUE",
            Self::HANDLE => "TPM_RC_HANDLE",
            0x08e => "TPM_RC_AUTH_FAIL",
            0x0a2 => "TPM_RC_BAD_AUTH",
            0x100 => "TPM_RC_INITIALIZE",
            0x101 => "TPM_RC_FAILURE",
            0x120 => "TPM_RC_DISABLED",
            0x143 => "TPM_RC_COMMAND_CODE",
            0x146 => "TPM_RC_NV_RANGE",
            0x147 => "TPM_RC_NV_SIZE",
            0x148 => "TPM_RC_NV_LOCKED",
            0x149 => "TPM_RC_NV_AUTHORIZATION",
            0x14a => "TPM_RC_NV_UNINITIALIZED",
            0x14b => "TPM_RC_NV_SPACE",
            0x14c => "TPM_RC_NV_DEFINED",
            0x908 => "TPM_RC_YIELDED",
            0x90a => "TPM_RC_TESTING",
            0x920 => "TPM_RC_NV_RATE",
            0x921 => "TPM_RC_LOCKOUT",
            0x922 => "TPM_RC_RETRY",
            0x923 => "TPM_RC_NV_UNAVAILABLE",
            _ => "TPM_RC",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:#05x})", self.name(), self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How many bytes a response has, as far as the first bytes of it tell: the header's length until that is there.
///
/// # Errors
/// More than [`LONGEST`], or less than a header.
pub fn length(start: &[u8]) -> Result<usize, Malformed> {
    if start.len() < HEADER {
        return Ok(HEADER);
    }
    let mut reader = Reader(start);
    reader.u16()?;
    match usize::try_from(reader.u32()?) {
        Ok(size) if size < HEADER => Err(Malformed::Short),
        Ok(size) if size <= LONGEST => Ok(size),
        _ => Err(Malformed::Long),
    }
}

/// The parameters of a whole response, or the code of its failure.
///
/// # Errors
/// It is not the answer to a command, with an authorization or without.
pub fn parameters(response: &[u8], authorized: bool) -> Result<Result<&[u8], Code>, Malformed> {
    let mut reader = Reader(response);
    let tag = reader.u16()?;
    let size = usize::try_from(reader.u32()?).map_err(|_| Malformed::Long)?;
    let code = reader.u32()?;
    if response.len() != size {
        return Err(if response.len() < size { Malformed::Short } else { Malformed::Long });
    }
    // A failure has neither parameters nor authorization.
    let expected = if authorized && code == 0 { SESSIONS } else { NO_SESSIONS };
    if tag != expected {
        return Err(Malformed::Tag(tag));
    }
    if code != 0 {
        return reader.end().map(|()| Err(Code(code)));
    }
    if !authorized {
        return Ok(Ok(reader.0));
    }
    let size = usize::try_from(reader.u32()?).map_err(|_| Malformed::Long)?;
    let parameters = reader.take(size)?;
    // A password has no nonce and no proof of its own.
    let (nonce, _attributes, proof) = (reader.sized()?, reader.u8()?, reader.sized()?);
    if !nonce.is_empty() || !proof.is_empty() {
        return Err(Malformed::Length(nonce.len() + proof.len()));
    }
    reader.end().map(|()| Ok(parameters))
}

/// The public area of an NV index (`TPMS_NV_PUBLIC`, Part 2, clause 13.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Public {
    /// Its handle.
    pub handle: u32,
    /// What its name is hashed with.
    pub name_hash: u16,
    /// `TPMA_NV`.
    pub attributes: u32,
    /// Whether a policy guards it.
    pub has_policy: bool,
    /// Bytes it holds.
    pub size: u16,
}

impl Public {
    /// Reads the parameters of `TPM2_NV_ReadPublic`: the public area and the name.
    ///
    /// # Errors
    /// They are others.
    pub fn read(parameters: &[u8]) -> Result<Self, Malformed> {
        let mut outer = Reader(parameters);
        let mut reader = Reader(outer.sized()?);
        outer.sized()?;
        outer.end()?;
        let public = Self {
            handle: reader.u32()?,
            name_hash: reader.u16()?,
            attributes: reader.u32()?,
            has_policy: !reader.sized()?.is_empty(),
            size: reader.u16()?,
        };
        reader.end().map(|()| public)
    }
}

/// The one buffer in the parameters of `TPM2_NV_Read`.
///
/// # Errors
/// It is not exactly `N` bytes.
pub fn buffer<const N: usize>(parameters: &[u8]) -> Result<[u8; N], Malformed> {
    let mut reader = Reader(parameters);
    let buffer = reader.sized()?;
    reader.end()?;
    buffer.try_into().map_err(|_| Malformed::Length(buffer.len()))
}

/// No parameters at all.
///
/// # Errors
/// There are some.
pub(super) fn nothing(parameters: &[u8]) -> Result<(), Malformed> {
    Reader(parameters).end()
}

/// What is left of a response; numbers are big-endian.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    /// A `TPM2B`: 16 bits of length, and so many bytes.
    fn sized(&mut self) -> Result<&'a [u8], Malformed> {
        let size = self.u16()?;
        self.take(size.into())
    }

    fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed::Long) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8]) {
        let _ = length(bytes);
        for authorized in [false, true] {
            let _ = parameters(bytes, authorized);
        }
        let _ = Public::read(bytes);
        let _ = buffer::<8>(bytes);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            all(&bytes);
        }

        #[test]
        fn a_response_changed_or_cut_anywhere_gives_no_other_bytes(at in 0_usize..29, to in any::<u8>(), cut in any::<bool>()) {
            // A counter's value, 7, as a TPM answers.
            let good = *b"\x80\x02\0\0\0\x1d\0\0\0\0\0\0\0\x0a\0\x08\0\0\0\0\0\0\0\x07\0\0\x01\0\0";
            let read = |bytes: &[u8]| parameters(bytes, true).ok()?.ok().and_then(|p| buffer::<8>(p).ok());
            prop_assert_eq!(read(&good), Some([0, 0, 0, 0, 0, 0, 0, 7]));
            let mut bad = good.to_vec();
            if cut { bad.truncate(at) } else { bad[at] = to }
            all(&bad);
            // Neither the value itself nor what a password's answer says of the session is told apart.
            let harmless = !cut && (good[at] == to || (16..24).contains(&at) || at == 26);
            prop_assert_eq!(read(&bad).is_some(), harmless);
        }
    }

    #[test]
    fn a_failure_is_known_by_its_name_whatever_it_is_about() {
        let failure = *b"\x80\x01\0\0\0\x0a\0\0\x01\x8b";
        let Ok(Err(code)) = parameters(&failure, true) else { panic!("no code") };
        assert_eq!((code.kind(), code.to_string().as_str()), (Code::HANDLE, "TPM_RC_HANDLE (0x18b)"));
        assert_eq!(Code(0x14a).to_string(), "TPM_RC_NV_UNINITIALIZED (0x14a)");
        assert!(Code(0x922).is_passing() && !Code(0x921).is_passing());
        // A TPM 1.2 answers with tag 0xc4.
        assert_eq!(parameters(b"\0\xc4\0\0\0\x0a\0\0\0\x1e", false), Err(Malformed::Tag(0xc4)));
    }
}
