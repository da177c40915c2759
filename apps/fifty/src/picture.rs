//! The moving picture: bars that travel down the screen, so that every pixel is another one in the next picture.
//!
//! **Invariants:** a picture costs its client one `pwrite` of [`SIZE`] bytes: whoever counts what this process wrote
//! counts its pictures.

use std::io;

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::io::pwrite;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Pixels a row, and rows: the reference screen.
pub(crate) const SIDE: usize = 466;
/// Bytes a row.
pub(crate) const STRIDE: usize = SIDE * 4;
/// Bytes of a picture.
pub(crate) const SIZE: usize = STRIDE * SIDE;
/// How many pictures the shared memory has room for: one is shown while the other is drawn.
pub(crate) const BUFFERS: usize = 2;
/// Rows after which the bars repeat.
const PERIOD: usize = 64;
/// Rows the bars travel from one picture to the next.
const SPEED: usize = 5;

/// The shared memory, and what is drawn into it.
pub(crate) struct Picture {
    memory: OwnedFd,
    bars: Vec<u8>,
    drawn: usize,
}

impl Picture {
    pub(crate) fn new() -> io::Result<Self> {
        let memory = memfd_create("fifty", MemfdFlags::CLOEXEC)?;
        ftruncate(&memory, (SIZE * BUFFERS) as u64)?;
        let bars = (0..SIDE + PERIOD).flat_map(|row| row_of(row % PERIOD)).collect();
        Ok(Self { memory, bars, drawn: 0 })
    }

    pub(crate) fn memory(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }

    /// Draws the next picture where the buffer of this number is.
    pub(crate) fn draw(&mut self, buffer: usize) -> io::Result<()> {
        let first = (self.drawn * SPEED % PERIOD) * STRIDE;
        let pixels = self.bars.get(first..first + SIZE).unwrap_or_default();
        let written = pwrite(&self.memory, pixels, (buffer * SIZE) as u64)?;
        if written != SIZE {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.drawn += 1;
        Ok(())
    }
}

/// A row of pixels in XRGB8888: blue to red from left to right, lighter from row to row.
fn row_of(row: usize) -> impl Iterator<Item = u8> {
    let light = (row * 4) as u8;
    (0..SIDE).flat_map(move |x| {
        let red = (x * 255 / SIDE) as u8;
        [255 - red, light, red, 0xff]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_changes_from_one_picture_to_the_next() {
        let mut picture = Picture::new().unwrap();
        let mut seen = [vec![0; SIZE], vec![0; SIZE]];
        for (buffer, pixels) in seen.iter_mut().enumerate() {
            picture.draw(buffer).unwrap();
            assert_eq!(rustix::io::pread(&picture.memory, pixels, (buffer * SIZE) as u64).unwrap(), SIZE);
        }
        let same = seen[0].chunks(4).zip(seen[1].chunks(4)).filter(|(a, b)| a == b).count();
        assert_eq!(same, 0);
    }

    #[test]
    fn the_bars_never_run_out() {
        let mut picture = Picture::new().unwrap();
        for _ in 0..2 * PERIOD {
            picture.draw(0).unwrap();
        }
    }
}
