//! Copies damaged parts of the app's buffers into the picture.
//!
//! **Invariants:** only the rectangle that was asked for is written. Every pixel that is written is opaque:
//! premultiplied alpha over black is the pixel itself.

use crate::damage::DamageRect;
use crate::mailbox::BLACK;
use crate::shm::{Buffer, PIXEL, Truncated};

/// Bytes read at once.
const CHUNK: usize = 16 * 1024;
/// Reading a row costs as much as this many pixels.
const ROW: usize = 64;

/// Where a buffer lies on the screen, and which part of it is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    /// Left edge on the screen; may lie outside.
    pub(crate) x: i32,
    /// Upper edge on the screen; may lie outside.
    pub(crate) y: i32,
    /// Pixels across on the screen.
    pub(crate) width: u32,
    /// Pixels down on the screen.
    pub(crate) height: u32,
    /// The part of the buffer, in its pixels: x, y, width, height. `None` when pixel is pixel.
    pub(crate) part: Option<[f64; 4]>,
}

impl Place {
    /// The rectangle on the screen.
    pub(crate) fn rect(&self, screen: (u32, u32)) -> Option<DamageRect> {
        let (width, height) = (i64::from(self.width), i64::from(self.height));
        DamageRect::clipped(i64::from(self.x), i64::from(self.y), width, height, screen)
    }

    /// How much work drawing the part in `rect` is, in pixels: those that are written, or read if that is more.
    pub(crate) fn cost(&self, buffer: &Buffer, rect: DamageRect, screen: (u32, u32)) -> usize {
        let Some(rect) = self.rect(screen).and_then(|all| all.common(rect)) else { return 0 };
        let read = self.part.map_or(rect.width, |part| {
            let (first, last) = self.columns(part, buffer, rect);
            last - first + 1
        });
        (rect.width.max(read) as usize + ROW) * rect.height as usize
    }

    /// The first and the last column of the buffer that `rect` shows.
    fn columns(&self, [left, _, width, _]: [f64; 4], buffer: &Buffer, rect: DamageRect) -> (u32, u32) {
        let column = |x| nearest(offset(x, self.x), left, width, self.width, buffer.width);
        let first = column(rect.x);
        (first, column(rect.right() - 1).max(first))
    }
}

/// The pixel of a buffer, of `end` pixels, that lies nearest to the pixel `at` of `shown` on the screen.
fn nearest(at: u32, from: f64, size: f64, shown: u32, end: u32) -> u32 {
    let exact = from + (f64::from(at) + 0.5) * size / f64::from(shown.max(1));
    (exact.max(0.0) as u32).min(end.saturating_sub(1))
}

/// A picture being drawn.
#[derive(Debug)]
pub(crate) struct Canvas<'a> {
    /// `screen.0 * screen.1` pixels.
    pub(crate) pixels: &'a mut [u32],
    /// Its size.
    pub(crate) screen: (u32, u32),
    /// Room for what is read.
    pub(crate) scratch: &'a mut Vec<u8>,
}

impl Canvas<'_> {
    /// Paints a rectangle black.
    pub(crate) fn clear(&mut self, rect: DamageRect) {
        for y in rect.y..rect.bottom() {
            self.row(rect, y).fill(BLACK);
        }
    }

    /// Draws the part of `buffer` that lies in `rect`; blends it with what is below when `over`.
    pub(crate) fn draw(
        &mut self,
        buffer: &Buffer,
        place: &Place,
        rect: DamageRect,
        over: bool,
    ) -> Result<(), Truncated> {
        let Some(rect) = place.rect(self.screen).and_then(|all| all.common(rect)) else { return Ok(()) };
        let over = over && buffer.alpha;
        match place.part {
            None => self.copy(buffer, place, rect, over),
            Some(part) => self.scale(buffer, place, part, rect, over),
        }
    }

    /// Pixel for pixel. Reads several rows at once unless that would read mostly what is not needed.
    fn copy(
        &mut self,
        buffer: &Buffer,
        place: &Place,
        rect: DamageRect,
        over: bool,
    ) -> Result<(), Truncated> {
        let x = offset(rect.x, place.x);
        let width = rect.width.min(buffer.width.saturating_sub(x));
        let (stride, row) = (buffer.stride as usize, width as usize * PIXEL as usize);
        let dense = row * 2 >= stride;
        let rows = if dense { (CHUNK / stride).max(1) } else { 1 };
        let mut y = rect.y;
        while y < rect.bottom() {
            let count = rows.min((rect.bottom() - y) as usize);
            let length = (count - 1) * stride + row;
            self.read(buffer, x, offset(y, place.y), length)?;
            let scratch = std::mem::take(self.scratch);
            let lines = scratch.get(..length).unwrap_or_default().chunks(stride);
            for (line, y) in lines.zip(y..) {
                let (pixels, _) = line.get(..row).unwrap_or_default().as_chunks::<4>();
                let pixels = pixels.iter().map(|pixel| u32::from_ne_bytes(*pixel));
                put(self.row(rect, y), pixels, over);
            }
            *self.scratch = scratch;
            y += count as u32;
        }
        Ok(())
    }

    /// The nearest pixel of the buffer for each pixel of the screen.
    fn scale(
        &mut self,
        buffer: &Buffer,
        place: &Place,
        part: [f64; 4],
        rect: DamageRect,
        over: bool,
    ) -> Result<(), Truncated> {
        let [left, top, width, height] = part;
        let (first, last) = place.columns(part, buffer, rect);
        let row = (last - first + 1) as usize * PIXEL as usize;
        let mut before = None;
        for y in rect.y..rect.bottom() {
            let line = nearest(offset(y, place.y), top, height, place.height, buffer.height);
            // A picture that grows shows one line several times.
            if before.replace(line) != Some(line) {
                self.read(buffer, first, line, row)?;
            }
            let scratch = std::mem::take(self.scratch);
            let (source, _) = scratch.get(..row).unwrap_or_default().as_chunks::<4>();
            let pixels = (rect.x..rect.right()).map(|x| {
                let column =
                    nearest(offset(x, place.x), left, width, place.width, buffer.width).saturating_sub(first);
                source.get(column as usize).map_or(BLACK, |pixel| u32::from_ne_bytes(*pixel))
            });
            put(self.row(rect, y), pixels, over);
            *self.scratch = scratch;
        }
        Ok(())
    }

    fn read(&mut self, buffer: &Buffer, x: u32, y: u32, length: usize) -> Result<(), Truncated> {
        if self.scratch.len() < length {
            self.scratch.resize(length, 0);
        }
        buffer.read(x, y, self.scratch.get_mut(..length).unwrap_or_default())
    }

    fn row(&mut self, rect: DamageRect, y: u32) -> &mut [u32] {
        let start = y as usize * self.screen.0 as usize + rect.x as usize;
        self.pixels.get_mut(start..start + rect.width as usize).unwrap_or_default()
    }
}

/// A coordinate on the screen, seen from the buffer.
fn offset(at: u32, origin: i32) -> u32 {
    (i64::from(at) - i64::from(origin)).max(0) as u32
}

fn put(row: &mut [u32], pixels: impl Iterator<Item = u32>, over: bool) {
    if over {
        for (below, pixel) in row.iter_mut().zip(pixels) {
            *below = blend(*below, pixel);
        }
    } else {
        for (below, pixel) in row.iter_mut().zip(pixels) {
            *below = pixel | BLACK;
        }
    }
}

/// `pixel`, premultiplied, over an opaque one. A pixel brighter than its alpha saturates.
fn blend(below: u32, pixel: u32) -> u32 {
    let rest = 255 - (pixel >> 24);
    let channel = |shift: u32| {
        let sum = ((pixel >> shift) & 0xff) + ((below >> shift) & 0xff) * rest / 255;
        sum.min(255) << shift
    };
    BLACK | channel(16) | channel(8) | channel(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blending_keeps_opaque_pixels_and_leaves_clear_ones() {
        assert_eq!(blend(0xff12_3456, 0xffab_cdef), 0xffab_cdef);
        assert_eq!(blend(0xff12_3456, 0x0000_0000), 0xff12_3456);
        assert_eq!(blend(0xffff_ffff, 0x8000_0000), 0xff7f_7f7f);
        assert_eq!(blend(0xffff_ffff, 0x00ff_ffff), 0xffff_ffff, "brighter than its alpha");
    }
}
