//! What a program must be to become an app: a static-PIE ELF file that asks for no executable memory it could write.
//!
//! seccomp cannot see the mappings that `execve` itself makes, so they are looked at here (elf(5)).
//!
//! **Invariants:** no interpreter, no segment both writable and executable, a stack that is not executable.

use std::os::fd::BorrowedFd;

use rustix::io::Errno;

/// Why a program is not started.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It cannot be read.
    #[error("the program cannot be read")]
    Read(#[source] Errno),
    /// No ELF file of this machine's kind, or not position-independent.
    #[error("the program is not a position-independent 64-bit ELF file")]
    NotPie,
    /// It has too many headers, or they are not where they should be.
    #[error("the program's headers are not in its first {LOOKED_AT} bytes")]
    Headers,
    /// It wants a dynamic linker.
    #[error("the program is not static")]
    NotStatic,
    /// It wants memory both writable and executable.
    #[error("the program asks for memory it could both write and execute")]
    WriteExecute,
}

/// Linkers put the headers right after the file header: 64 bytes, then 56 for each segment.
const LOOKED_AT: usize = 4096;
const HEADER_SIZE: usize = 64;
const SEGMENT_SIZE: usize = 56;
const ET_DYN: u16 = 3;
const PT_LOAD: u32 = 1;
const PT_INTERP: u32 = 3;
const PT_GNU_STACK: u32 = 0x6474_e551;
const EXECUTE: u32 = 1;
const WRITE: u32 = 2;

/// Looks at the first page of the program.
pub(crate) fn check(program: BorrowedFd<'_>) -> Result<(), ProgramError> {
    let mut page = vec![0; LOOKED_AT];
    let mut filled = 0;
    while let Some(rest) = page.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match rustix::io::pread(program, rest, filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(ProgramError::Read(errno)),
        }
    }
    page.truncate(filled);
    check_page(&page)
}

fn check_page(page: &[u8]) -> Result<(), ProgramError> {
    // 64-bit, little-endian, version 1: both architectures we build for.
    if !page.starts_with(b"\x7fELF\x02\x01\x01") || word(page, 16) != Some(ET_DYN) {
        return Err(ProgramError::NotPie);
    }
    let count = word(page, 56).map_or(0, usize::from);
    let starts_right = page.get(32..40) == Some(&(HEADER_SIZE as u64).to_le_bytes());
    if !starts_right || word(page, 54).map(usize::from) != Some(SEGMENT_SIZE) {
        return Err(ProgramError::Headers);
    }
    let segments = page.get(HEADER_SIZE..HEADER_SIZE + count * SEGMENT_SIZE).ok_or(ProgramError::Headers)?;
    let mut stack_is_named = false;
    for segment in segments.chunks_exact(SEGMENT_SIZE) {
        let kind = long(segment, 0).ok_or(ProgramError::Headers)?;
        let flags = long(segment, 4).ok_or(ProgramError::Headers)?;
        match kind {
            PT_INTERP => return Err(ProgramError::NotStatic),
            PT_LOAD if flags & (WRITE | EXECUTE) == WRITE | EXECUTE => {
                return Err(ProgramError::WriteExecute);
            }
            PT_GNU_STACK if flags & EXECUTE != 0 => return Err(ProgramError::WriteExecute),
            PT_GNU_STACK => stack_is_named = true,
            _ => {}
        }
    }
    if stack_is_named { Ok(()) } else { Err(ProgramError::WriteExecute) }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(segments: &[(u32, u32)]) -> Vec<u8> {
        let mut page = vec![0; HEADER_SIZE];
        page[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        page[16] = ET_DYN as u8;
        page[32] = HEADER_SIZE as u8;
        page[54] = SEGMENT_SIZE as u8;
        page[56] = segments.len() as u8;
        for (kind, flags) in segments {
            let at = page.len();
            page.resize(at + SEGMENT_SIZE, 0);
            page[at..at + 4].copy_from_slice(&kind.to_le_bytes());
            page[at + 4..at + 8].copy_from_slice(&flags.to_le_bytes());
        }
        page
    }

    #[test]
    fn a36_a_program_that_could_write_what_it_executes_is_no_app() {
        assert!(check_page(&elf(&[(PT_LOAD, 5), (PT_LOAD, 6), (PT_GNU_STACK, 6)])).is_ok());
        for bad in [
            elf(&[(PT_LOAD, 7), (PT_GNU_STACK, 6)]),
            elf(&[(PT_LOAD, 5), (PT_GNU_STACK, 7)]),
            elf(&[(PT_LOAD, 5)]),
        ] {
            assert!(matches!(check_page(&bad), Err(ProgramError::WriteExecute)));
        }
    }

    #[test]
    fn a36_an_interpreter_or_a_script_is_no_app() {
        let dynamic = elf(&[(PT_INTERP, 4), (PT_LOAD, 5), (PT_GNU_STACK, 6)]);
        assert!(matches!(check_page(&dynamic), Err(ProgramError::NotStatic)));
        for text in [&b"#!/app\n"[..], b"", b"\x7fELF\x02\x01\x01"] {
            assert!(matches!(check_page(text), Err(ProgramError::NotPie)));
        }
        let mut cut = elf(&[(PT_LOAD, 5), (PT_GNU_STACK, 6)]);
        cut.truncate(100);
        assert!(matches!(check_page(&cut), Err(ProgramError::Headers)));
    }
}
