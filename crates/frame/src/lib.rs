//! Pixels in memory: what Slint draws, and what of it goes to a screen or to a compositor.
//!
//! Slint 1.18 clips rectangles, text and images to the damaged region, but not paths: a path that
//! touches the damage is blended again over its whole extent, so its soft edges grow harder with every
//! frame and it covers what lies above it. Hence two buffers in cached memory: Slint draws into `work`,
//! only the damage is taken over into `shown`, and `work` is put back to `shown` before the next frame.
//!
//! Where a window's background is transparent the picture has holes, and [`Frame::compose`] shows another
//! picture through them: an app under what the watch itself draws.
//!
//! **Invariants:** a pixel outside the damage never changes; what lies under never covers what lies above.

use slint::platform::software_renderer::{PremultipliedRgbaColor, SoftwareRenderer, TargetPixel};

/// A pixel as `DRM_FORMAT_ARGB8888` and `wl_shm`'s have it: `0xAARRGGBB`, colours multiplied by alpha, little
/// endian in memory. With alpha ignored it is the same pixel above black.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Pixel(pub u32);

impl Pixel {
    /// Opaque black.
    pub const BLACK: Self = Self(0xff00_0000);

    /// Red, green, blue, above black.
    pub fn rgb(self) -> (u8, u8, u8) {
        ((self.0 >> 16) as u8, (self.0 >> 8) as u8, self.0 as u8)
    }

    /// 255 covers what lies under it.
    pub fn alpha(self) -> u8 {
        (self.0 >> 24) as u8
    }

    /// The colours of `self` and of what is left of `under`.
    fn mixed(self, under: Self, keep: u8) -> u32 {
        let ((r, g, b), (under_r, under_g, under_b)) = (self.rgb(), under.rgb());
        mix(under_r, keep, r) << 16 | mix(under_g, keep, g) << 8 | mix(under_b, keep, b)
    }

    /// This pixel above an opaque one.
    #[must_use]
    pub fn above(self, under: Self) -> Self {
        match self.alpha() {
            255 => self,
            0 => under,
            alpha => Self(0xff00_0000 | self.mixed(under, 255 - alpha)),
        }
    }
}

fn mix(old: u8, keep: u8, new: u8) -> u32 {
    (u32::from(old) * u32::from(keep) / 255 + u32::from(new)).min(255)
}

impl TargetPixel for Pixel {
    fn blend(&mut self, color: PremultipliedRgbaColor) {
        let PremultipliedRgbaColor { red, green, blue, alpha } = color;
        let new = Self(u32::from(red) << 16 | u32::from(green) << 8 | u32::from(blue));
        let keep = 255 - alpha;
        *self = Self(mix(self.alpha(), keep, alpha) << 24 | new.mixed(*self, keep));
    }

    fn from_rgb(red: u8, green: u8, blue: u8) -> Self {
        Self(0xff00_0000 | u32::from(red) << 16 | u32::from(green) << 8 | u32::from(blue))
    }

    /// A hole: a window that paints its ground has none.
    fn background() -> Self {
        Self(0)
    }
}

/// A rectangle in pixels; the far edges are not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub x1: usize,
    /// Upper edge.
    pub y1: usize,
    /// First column to the right of it.
    pub x2: usize,
    /// First row below it.
    pub y2: usize,
}

impl Rect {
    /// What of it lies inside a picture.
    #[must_use]
    pub fn clipped(self, width: usize, height: usize) -> Self {
        let x2 = self.x2.min(width);
        let y2 = self.y2.min(height);
        Self { x1: self.x1.min(x2), y1: self.y1.min(y2), x2, y2 }
    }

    /// Nothing of it is left.
    pub fn is_empty(self) -> bool {
        self.x1 >= self.x2 || self.y1 >= self.y2
    }
}

/// The picture in memory.
pub struct Frame {
    width: usize,
    height: usize,
    work: Vec<Pixel>,
    shown: Vec<Pixel>,
    /// Of each row, the columns outside of which it is one hole.
    covered: Vec<(usize, usize)>,
}

impl Frame {
    /// A black picture.
    pub fn new(width: usize, height: usize) -> Self {
        let black = vec![Pixel::BLACK; width * height];
        Self { width, height, work: black.clone(), shown: black, covered: vec![(0, width); height] }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The finished picture, row by row.
    pub fn pixels(&self) -> &[Pixel] {
        &self.shown
    }

    /// Lets Slint draw what changed; returns the rectangles that are new.
    pub fn draw(&mut self, renderer: &SoftwareRenderer) -> Vec<Rect> {
        let region = renderer.render(&mut self.work, self.width);
        let damage = region
            .iter()
            .map(|(origin, size)| {
                let (x1, y1) = (origin.x.max(0) as usize, origin.y.max(0) as usize);
                Rect { x1, y1, x2: x1 + size.width as usize, y2: y1 + size.height as usize }
            })
            .map(|rect| rect.clipped(self.width, self.height))
            .filter(|rect| !rect.is_empty())
            .collect::<Vec<_>>();
        self.adopt(&damage);
        damage
    }

    fn adopt(&mut self, damage: &[Rect]) {
        for rect in damage {
            let rows = self.work.chunks_exact(self.width).zip(self.shown.chunks_exact_mut(self.width));
            for (from, to) in rows.take(rect.y2).skip(rect.y1) {
                if let (Some(from), Some(to)) = (from.get(rect.x1..rect.x2), to.get_mut(rect.x1..rect.x2)) {
                    to.copy_from_slice(from);
                }
            }
        }
        self.work.copy_from_slice(&self.shown);
        for rect in damage {
            let rows = self.shown.chunks_exact(self.width).zip(&mut self.covered);
            for (row, covered) in rows.take(rect.y2).skip(rect.y1) {
                let drawn = |pixel: &Pixel| pixel.alpha() != 0;
                let first = row.iter().position(drawn).unwrap_or(self.width);
                *covered = (first, row.iter().rposition(drawn).map_or(first, |last| last + 1));
            }
        }
    }

    /// Copies rectangles into a mapped framebuffer whose rows are `pitch` bytes apart, above `under`: a
    /// picture of the same size, row by row, or nothing, which is black.
    pub fn compose(&self, damage: &[Rect], under: Option<&[u32]>, target: &mut [u8], pitch: usize) {
        if pitch == 0 || self.width == 0 {
            return;
        }
        // As long as the picture, or it is not one.
        let under = under.filter(|pixels| pixels.len() == self.shown.len());
        for rect in damage {
            let rect = rect.clipped(self.width, self.height);
            let rows = self.shown.chunks_exact(self.width).zip(target.chunks_mut(pitch)).enumerate();
            for (y, (above, to)) in rows.take(rect.y2).skip(rect.y1) {
                let (Some(above), Some(to)) =
                    (above.get(rect.x1..rect.x2), to.get_mut(rect.x1 * 4..rect.x2 * 4))
                else {
                    continue;
                };
                let start = y * self.width + rect.x1;
                match under.and_then(|pixels| pixels.get(start..start + above.len())) {
                    None => put(above.iter().copied(), to),
                    Some(under) => {
                        let (first, last) = self.covered.get(y).copied().unwrap_or((0, self.width));
                        let first = first.clamp(rect.x1, rect.x2) - rect.x1;
                        let last = (last.clamp(rect.x1, rect.x2) - rect.x1).max(first);
                        let (left, other) = to.split_at_mut(first * 4);
                        let (middle, right) = other.split_at_mut((last - first) * 4);
                        copy(under.get(..first).unwrap_or_default(), left);
                        put(mixed(above, under, first, last), middle);
                        copy(under.get(last..).unwrap_or_default(), right);
                    }
                }
            }
        }
    }
}

fn mixed<'a>(
    above: &'a [Pixel],
    under: &'a [u32],
    first: usize,
    last: usize,
) -> impl Iterator<Item = Pixel> + 'a {
    above.iter().zip(under).take(last).skip(first).map(|(above, under)| above.above(Pixel(*under)))
}

fn put(pixels: impl Iterator<Item = Pixel>, to: &mut [u8]) {
    for (pixel, bytes) in pixels.zip(to.as_chunks_mut().0) {
        *bytes = pixel.0.to_le_bytes();
    }
}

/// Whole spans at once: most of an app's picture. Written so that it becomes one copy of memory.
fn copy(pixels: &[u32], to: &mut [u8]) {
    for (pixel, bytes) in pixels.iter().zip(to.as_chunks_mut().0) {
        *bytes = pixel.to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        let mut frame = Frame::new(4, 3);
        frame.work.fill(Pixel(0x0011_2233));
        frame
    }

    #[test]
    fn only_the_damage_is_taken_over() {
        let mut frame = frame();
        frame.adopt(&[Rect { x1: 1, y1: 1, x2: 3, y2: 2 }]);
        let new = frame.pixels().iter().map(|p| u8::from(*p != Pixel::BLACK)).collect::<Vec<_>>();
        assert_eq!(new, [0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn what_slint_drew_beside_the_damage_is_forgotten() {
        let mut frame = frame();
        frame.adopt(&[]);
        frame.adopt(&[Rect { x1: 0, y1: 0, x2: 4, y2: 3 }]);
        assert!(frame.pixels().iter().all(|p| *p == Pixel::BLACK));
    }

    #[test]
    fn rows_of_the_framebuffer_are_a_pitch_apart_and_xrgb_little_endian() {
        let mut frame = frame();
        frame.adopt(&[Rect { x1: 0, y1: 0, x2: 4, y2: 3 }]);
        let mut target = vec![0xff; 20 * 3];
        frame.compose(&[Rect { x1: 3, y1: 2, x2: 4, y2: 3 }], None, &mut target, 20);
        assert_eq!(&target[20 * 2 + 12..20 * 2 + 16], [0x33, 0x22, 0x11, 0]);
        target.drain(20 * 2 + 12..20 * 2 + 16);
        assert!(target.iter().all(|b| *b == 0xff), "nothing else is touched");
    }

    #[test]
    fn a_rectangle_larger_than_the_screen_or_the_map_is_cut() {
        let mut frame = frame();
        let all = Rect { x1: 0, y1: 0, x2: 99, y2: 99 }.clipped(4, 3);
        assert_eq!(all, Rect { x1: 0, y1: 0, x2: 4, y2: 3 });
        assert!(Rect { x1: 9, y1: 0, x2: 12, y2: 1 }.clipped(4, 3).is_empty());
        frame.adopt(&[all]);
        let mut short = vec![0xff; 18];
        frame.compose(&[all], None, &mut short, 16);
        assert_eq!(short[16..], [0xff, 0xff]);
    }

    #[test]
    fn an_app_shows_through_the_holes_and_never_above_what_the_watch_draws() {
        let mut frame = Frame::new(4, 1);
        frame.work.copy_from_slice(&[Pixel(0), Pixel(0xff12_3456), Pixel(0x8040_0000), Pixel(0)]);
        frame.adopt(&[Rect { x1: 0, y1: 0, x2: 4, y2: 1 }]);
        let all = [Rect { x1: 0, y1: 0, x2: 4, y2: 1 }];
        let shown = |under: Option<&[u32]>| {
            let mut target = vec![0; 16];
            frame.compose(&all, under, &mut target, 16);
            target.chunks(4).map(|p| (p[2], p[1], p[0])).collect::<Vec<_>>()
        };
        let app = [0xffff_ffff; 4];
        let white = (255, 255, 255);
        assert_eq!(shown(Some(&app)), [white, (0x12, 0x34, 0x56), (64 + 127, 127, 127), white]);
        assert_eq!(shown(None), [(0, 0, 0), (0x12, 0x34, 0x56), (64, 0, 0), (0, 0, 0)]);
        assert_eq!(shown(Some(&app[..3])), shown(None), "a picture of another size is none");
    }

    #[test]
    fn blending_keeps_the_rest_of_the_old_colour() {
        let mut pixel = Pixel::from_rgb(200, 100, 0);
        pixel.blend(PremultipliedRgbaColor { red: 0, green: 0, blue: 127, alpha: 127 });
        assert_eq!(pixel.rgb(), (100, 50, 127));
        pixel.blend(PremultipliedRgbaColor { red: 1, green: 2, blue: 3, alpha: 255 });
        assert_eq!(pixel.rgb(), (1, 2, 3));
    }
}
