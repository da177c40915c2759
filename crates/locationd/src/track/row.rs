//! The bytes of the track: two heads, then rows of one size.
//!
//! Nothing in it crosses a sector (512 bytes), which a disk writes whole or not at all; what was written by half even so does
//! not fit its check and is no row. Numbers are little-endian.
//!
//! **Invariants:** any bytes are read or refused by name; a slot is empty only when every bit of it is zero.

use jiff::Timestamp;
use policy::Place;

use super::age::INTERVAL;

/// What a disk writes whole.
const SECTOR: usize = 512;
/// Bytes of a row.
pub(super) const ROW: usize = 32;
/// Rows that fit: at one every 20 seconds, as thinned, two days without a pause; a child's day makes a few hundred.
pub(super) const SLOTS: usize = 8192;
/// Bytes of the file, always.
pub const SIZE: usize = 2 * SECTOR + SLOTS * ROW;

const MAGIC: [u8; 8] = *b"nstrack\n";
const VERSION: u32 = 1;
/// Bytes of a head that say something.
const HEAD: usize = 44;

/// Why a file is no track of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Not the one length it has.
    #[error("it has {found} bytes, not {SIZE}")]
    Size {
        /// Its length.
        found: u64,
    },
    /// Neither of its heads is whole.
    #[error("it has no head")]
    Head,
    /// Written by another version of locationd.
    #[error("it is of version {found}, not {VERSION}")]
    Version {
        /// The version it names.
        found: u32,
    },
}

/// A place the watch was at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// When it was written, in seconds of the track's own age: see `Ages`.
    pub(super) at: u64,
    /// When the watch was there, by the receiver's clock, seconds since 1970.
    pub unix_time: i64,
    /// Degrees north, times a million.
    pub latitude_e6: i32,
    /// Degrees east, times a million.
    pub longitude_e6: i32,
    /// Estimated horizontal error, metres.
    pub accuracy_m: u16,
}

impl std::fmt::Debug for Row {
    /// No coordinate reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Row {
    pub(super) fn bytes(&self) -> [u8; ROW] {
        let mut bytes = [0; ROW];
        let mut put = Put(&mut bytes);
        put.next(&self.at.to_le_bytes());
        put.next(&self.unix_time.to_le_bytes());
        put.next(&self.latitude_e6.to_le_bytes());
        put.next(&self.longitude_e6.to_le_bytes());
        put.next(&self.accuracy_m.to_le_bytes());
        seal(&mut bytes);
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut take = Take(sealed(bytes)?);
        let row = Self {
            at: u64::from_le_bytes(take.next()?),
            unix_time: i64::from_le_bytes(take.next()?),
            latitude_e6: i32::from_le_bytes(take.next()?),
            longitude_e6: i32::from_le_bytes(take.next()?),
            accuracy_m: u16::from_le_bytes(take.next()?),
        };
        (row.place().is_some() && Timestamp::from_second(row.unix_time).is_ok()).then_some(row)
    }

    /// Where the watch was.
    pub fn place(&self) -> Option<Place> {
        Place::new(f64::from(self.latitude_e6) / 1e6, f64::from(self.longitude_e6) / 1e6).ok()
    }
}

/// What the track knows besides its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// How often a head was written: of two the newer counts.
    pub(super) count: u64,
    /// Hours a row is kept, as the family said last.
    pub(super) retention_h: u16,
    /// The track's age when it was written, seconds.
    pub(super) age: u64,
    /// The boot-time clock then, seconds.
    pub(super) boot: u64,
}

impl Head {
    /// A sector, and where in the file it belongs.
    pub(super) fn bytes(&self) -> ([u8; SECTOR], u64) {
        let mut bytes = [0; SECTOR];
        if let Some(head) = bytes.get_mut(..HEAD) {
            let mut put = Put(head);
            put.next(&MAGIC);
            put.next(&VERSION.to_le_bytes());
            put.next(&self.count.to_le_bytes());
            put.next(&self.age.to_le_bytes());
            put.next(&self.boot.to_le_bytes());
            put.next(&self.retention_h.to_le_bytes());
            seal(head);
        }
        (bytes, self.count % 2 * SECTOR as u64)
    }

    fn read(bytes: &[u8]) -> Result<Self, FileError> {
        let mut take = Take(bytes.get(..HEAD).and_then(sealed).ok_or(FileError::Head)?);
        let mut head = || {
            let (magic, version) = (take.next::<8>()?, u32::from_le_bytes(take.next()?));
            let count = u64::from_le_bytes(take.next()?);
            let age = u64::from_le_bytes(take.next()?);
            let boot = u64::from_le_bytes(take.next()?);
            let retention_h = u16::from_le_bytes(take.next()?);
            Some((magic, version, Self { count, retention_h, age, boot }))
        };
        match head() {
            Some((MAGIC, VERSION, head)) => Ok(head),
            Some((MAGIC, found, _)) => Err(FileError::Version { found }),
            _ => Err(FileError::Head),
        }
    }
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    pub(super) head: Head,
    /// Rows and their slots, the oldest first.
    pub(super) rows: Vec<(usize, Row)>,
    /// Slots that hold something that is no row: it may be half a place.
    pub(super) stray: Vec<usize>,
}

impl Contents {
    /// The places, the oldest first; some of them may be expired.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().map(|(_, row)| row)
    }
}

/// Reads the bytes of a track.
///
/// # Errors
/// See [`FileError`].
pub fn parse(bytes: &[u8]) -> Result<Contents, FileError> {
    if bytes.len() != SIZE {
        return Err(FileError::Size { found: bytes.len() as u64 });
    }
    let (heads, slots) = bytes.split_at_checked(2 * SECTOR).ok_or(FileError::Head)?;
    let (first, second) = heads.split_at_checked(SECTOR).ok_or(FileError::Head)?;
    let head = match (Head::read(first), Head::read(second)) {
        (Ok(first), Ok(second)) => [first, second].into_iter().max_by_key(|head| head.count).unwrap_or(first),
        (Ok(head), Err(_)) | (Err(_), Ok(head)) => head,
        (Err(error @ FileError::Version { .. }), _) | (_, Err(error)) => return Err(error),
    };
    // Each row is written before the next head is due: one from later is not ours, and would never be old.
    let latest = head.age.saturating_add(INTERVAL.as_secs());
    let mut contents = Contents { head, rows: Vec::new(), stray: Vec::new() };
    for (slot, bytes) in slots.chunks_exact(ROW).enumerate() {
        match Row::read(bytes) {
            Some(row) if row.at < latest => contents.rows.push((slot, row)),
            _ if bytes.iter().all(|byte| *byte == 0) => {}
            _ => contents.stray.push(slot),
        }
    }
    contents.rows.sort_by_key(|(_, row)| (row.at, row.unix_time));
    Ok(contents)
}

/// Where a slot begins in the file.
pub(super) fn offset(slot: usize) -> u64 {
    (2 * SECTOR + slot * ROW) as u64
}

struct Put<'a>(&'a mut [u8]);

impl Put<'_> {
    fn next(&mut self, bytes: &[u8]) {
        if let Some((place, rest)) = std::mem::take(&mut self.0).split_at_mut_checked(bytes.len()) {
            place.copy_from_slice(bytes);
            self.0 = rest;
        }
    }
}

struct Take<'a>(&'a [u8]);

impl Take<'_> {
    fn next<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*bytes)
    }
}

/// Writes the check into the last four bytes.
fn seal(bytes: &mut [u8]) {
    if let Some((content, check)) = bytes.split_last_chunk_mut::<4>() {
        *check = check_of(content).to_le_bytes();
    }
}

/// The bytes before the check, if they fit it.
fn sealed(bytes: &[u8]) -> Option<&[u8]> {
    let (content, check) = bytes.split_last_chunk::<4>()?;
    (check_of(content).to_le_bytes() == *check).then_some(content)
}

/// CRC-32 (ISO 3309): finds what a disk did, not what somebody wanted.
fn check_of(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |check, byte| {
        (0..8).fold(check ^ u32::from(*byte), |check, _| {
            if check & 1 == 1 { check >> 1 ^ 0xedb8_8320 } else { check >> 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_check_is_that_of_the_standard() {
        assert_eq!(check_of(b"123456789"), 0xcbf4_3926);
        assert!(Row::read(&[0; ROW]).is_none(), "an empty slot is no row");
    }

    fn row() -> impl Strategy<Value = Row> {
        (0_u64..1 << 40, 0_i64..1 << 33, -90_000_000..=90_000_000, -180_000_000..=180_000_000, any::<u16>())
            .prop_map(|(at, unix_time, latitude_e6, longitude_e6, accuracy_m)| Row {
                at,
                unix_time,
                latitude_e6,
                longitude_e6,
                accuracy_m,
            })
    }

    proptest! {
        #[test]
        fn a_row_and_a_head_are_what_was_written(row in row(), count: u64, retention_h: u16, age: u64, boot: u64) {
            prop_assert_eq!(Row::read(&row.bytes()), Some(row));
            let head = Head { count, retention_h, age, boot };
            prop_assert_eq!(Head::read(&head.bytes().0), Ok(head));
        }

        #[test]
        fn a_row_written_by_half_is_no_row(row in row(), old in row(), at in 1..ROW) {
            let mut torn = old.bytes();
            torn[..at].copy_from_slice(&row.bytes()[..at]);
            let read = Row::read(&torn);
            prop_assert!(read.is_none() || torn == row.bytes() || torn == old.bytes());
        }

        #[test]
        fn no_bytes_panic_and_none_become_a_place_off_the_earth(
            start in prop::collection::vec(any::<u8>(), 0..2000), rows in prop::collection::vec(row(), 0..5),
        ) {
            let mut bytes = vec![0; SIZE];
            bytes[..start.len()].copy_from_slice(&start);
            let _ = parse(&bytes);
            let _ = parse(&start);
            let head = Head { count: 3, retention_h: 1, age: 1 << 40, boot: 1 };
            let (sector, place) = head.bytes();
            bytes[place as usize..][..SECTOR].copy_from_slice(&sector);
            for (slot, row) in rows.iter().enumerate() {
                bytes[offset(100 + slot) as usize..][..ROW].copy_from_slice(&row.bytes());
            }
            let contents = parse(&bytes).unwrap();
            prop_assert_eq!(contents.head, head);
            prop_assert_eq!(contents.rows.len(), rows.len());
        }
    }

    #[test]
    fn another_version_and_another_length_are_named() {
        let mut bytes = vec![0; SIZE];
        assert_eq!(parse(&bytes), Err(FileError::Head));
        assert_eq!(parse(&bytes[1..]), Err(FileError::Size { found: SIZE as u64 - 1 }));
        let (mut sector, _) = Head { count: 0, retention_h: 1, age: 2, boot: 1 }.bytes();
        sector[8] = 2;
        seal(&mut sector[..HEAD]);
        bytes[..SECTOR].copy_from_slice(&sector);
        assert_eq!(parse(&bytes), Err(FileError::Version { found: 2 }));
        bytes.swap_with_slice(&mut vec![7; SIZE]);
        assert_eq!(parse(&bytes), Err(FileError::Head));
    }
}
