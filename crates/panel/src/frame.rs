//! Pixels in memory: what Slint draws into, and what of it goes to the screen.
//!
//! Slint 1.18 clips rectangles, text and images to the damaged region, but not paths: a path that
//! touches the damage is blended again over its whole extent, so its soft edges grow harder with every
//! frame and it covers what lies above it. Hence two buffers in cached memory: Slint draws into `work`,
//! only the damage is taken over into `shown`, and `work` is put back to `shown` before the next frame.
//!
//! **Invariant:** a pixel outside the damage never changes.

use slint::platform::software_renderer::{PremultipliedRgbaColor, SoftwareRenderer, TargetPixel};

/// A pixel as `DRM_FORMAT_XRGB8888` has it: `0x00RRGGBB`, little endian in memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Xrgb(pub u32);

impl Xrgb {
    /// Red, green, blue.
    pub fn rgb(self) -> (u8, u8, u8) {
        ((self.0 >> 16) as u8, (self.0 >> 8) as u8, self.0 as u8)
    }
}

impl TargetPixel for Xrgb {
    fn blend(&mut self, color: PremultipliedRgbaColor) {
        let keep = u32::from(255 - color.alpha);
        let (r, g, b) = self.rgb();
        let mix = |old: u8, new: u8| (u32::from(old) * keep / 255 + u32::from(new)).min(255);
        self.0 = mix(r, color.red) << 16 | mix(g, color.green) << 8 | mix(b, color.blue);
    }

    fn from_rgb(red: u8, green: u8, blue: u8) -> Self {
        Self(u32::from(red) << 16 | u32::from(green) << 8 | u32::from(blue))
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
    fn clipped(self, width: usize, height: usize) -> Self {
        let x2 = self.x2.min(width);
        let y2 = self.y2.min(height);
        Self { x1: self.x1.min(x2), y1: self.y1.min(y2), x2, y2 }
    }

    fn is_empty(self) -> bool {
        self.x1 >= self.x2 || self.y1 >= self.y2
    }
}

/// The picture in memory.
pub struct Frame {
    width: usize,
    height: usize,
    work: Vec<Xrgb>,
    shown: Vec<Xrgb>,
}

impl Frame {
    /// A black picture.
    pub fn new(width: usize, height: usize) -> Self {
        let black = vec![Xrgb::default(); width * height];
        Self { width, height, work: black.clone(), shown: black }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The finished picture, row by row.
    pub fn pixels(&self) -> &[Xrgb] {
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
    }

    /// Copies rectangles into a mapped framebuffer whose rows are `pitch` bytes apart.
    pub fn copy(&self, damage: &[Rect], target: &mut [u8], pitch: usize) {
        if pitch == 0 {
            return;
        }
        for rect in damage {
            let rows = self.shown.chunks_exact(self.width).zip(target.chunks_mut(pitch));
            for (from, to) in rows.take(rect.y2).skip(rect.y1) {
                let (Some(from), Some(to)) =
                    (from.get(rect.x1..rect.x2), to.get_mut(rect.x1 * 4..rect.x2 * 4))
                else {
                    continue;
                };
                for (pixel, bytes) in from.iter().zip(to.chunks_exact_mut(4)) {
                    bytes.copy_from_slice(&pixel.0.to_le_bytes());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        let mut frame = Frame::new(4, 3);
        frame.work.fill(Xrgb(0x0011_2233));
        frame
    }

    #[test]
    fn only_the_damage_is_taken_over() {
        let mut frame = frame();
        frame.adopt(&[Rect { x1: 1, y1: 1, x2: 3, y2: 2 }]);
        let new = frame.pixels().iter().map(|p| u8::from(p.0 != 0)).collect::<Vec<_>>();
        assert_eq!(new, [0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn what_slint_drew_beside_the_damage_is_forgotten() {
        let mut frame = frame();
        frame.adopt(&[]);
        frame.adopt(&[Rect { x1: 0, y1: 0, x2: 4, y2: 3 }]);
        assert!(frame.pixels().iter().all(|p| p.0 == 0));
    }

    #[test]
    fn rows_of_the_framebuffer_are_a_pitch_apart_and_xrgb_little_endian() {
        let mut frame = frame();
        frame.adopt(&[Rect { x1: 0, y1: 0, x2: 4, y2: 3 }]);
        let mut target = vec![0xff; 20 * 3];
        frame.copy(&[Rect { x1: 3, y1: 2, x2: 4, y2: 3 }], &mut target, 20);
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
        frame.copy(&[all], &mut short, 16);
        assert_eq!(short[16..], [0xff, 0xff]);
    }

    #[test]
    fn blending_keeps_the_rest_of_the_old_colour() {
        let mut pixel = Xrgb::from_rgb(200, 100, 0);
        pixel.blend(PremultipliedRgbaColor { red: 0, green: 0, blue: 127, alpha: 127 });
        assert_eq!(pixel.rgb(), (100, 50, 127));
        pixel.blend(PremultipliedRgbaColor { red: 1, green: 2, blue: 3, alpha: 255 });
        assert_eq!(pixel.rgb(), (1, 2, 3));
    }
}
