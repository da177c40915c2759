//! A picture of the screen, as QEMU dumps it: binary PPM, three bytes a pixel.

use std::collections::HashSet;

use anyhow::{Context, Result, ensure};

/// Red, green, blue.
pub type Pixel = [u8; 3];

/// What the screen showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// Pixels a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    pixels: Vec<Pixel>,
}

impl Screen {
    pub(super) fn parse(ppm: &[u8]) -> Result<Self> {
        let mut rest = ppm;
        let mut word = || {
            let end =
                rest.iter().position(u8::is_ascii_whitespace).context("the picture ends in its header")?;
            let (word, after) = rest.split_at(end);
            rest = &after[1..];
            Ok::<_, anyhow::Error>(String::from_utf8_lossy(word).into_owned())
        };
        ensure!(word()? == "P6", "the picture is no PPM");
        let (width, height): (usize, usize) = (word()?.parse()?, word()?.parse()?);
        ensure!(word()? == "255", "the picture has not 8 bits a colour");
        // QEMU pads rows to whole words, which the format does not know.
        let row = (width * 3).next_multiple_of(4);
        let row = if rest.len() == row * height { row } else { width * 3 };
        ensure!(row > 0 && rest.len() == row * height, "the picture is not whole");
        let pixels = rest.chunks(row).flat_map(|row| row.as_chunks::<3>().0.iter().take(width).copied());
        Ok(Self { width, height, pixels: pixels.collect() })
    }

    /// The colour at a place.
    pub fn pixel(&self, x: usize, y: usize) -> Option<Pixel> {
        (x < self.width).then(|| self.pixels.get(y * self.width + x).copied()).flatten()
    }

    /// How many colours there are: a drawn screen is smooth and has many, a text console or nothing has few.
    pub fn colours(&self) -> usize {
        self.pixels.iter().collect::<HashSet<_>>().len()
    }

    /// How many pixels differ; all of them, where the sizes do.
    pub fn difference(&self, other: &Self) -> usize {
        if (self.width, self.height) != (other.width, other.height) {
            return self.pixels.len();
        }
        self.pixels.iter().zip(&other.pixels).filter(|(ours, theirs)| ours != theirs).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_read_and_compared() {
        let screen = Screen::parse(b"P6\n2 1\n255\nabcABC").unwrap();
        assert_eq!((screen.width, screen.height, screen.colours()), (2, 1, 2));
        assert_eq!(screen.pixel(1, 0), Some(*b"ABC"));
        assert_eq!((screen.pixel(2, 0), screen.pixel(0, 1)), (None, None));
        assert_eq!(screen.difference(&Screen::parse(b"P6\n2 1\n255\nabcABD").unwrap()), 1);
        let padded = Screen::parse(b"P6\n1 2\n255\nabc.ABC.").unwrap();
        assert_eq!((padded.pixel(0, 0), padded.pixel(0, 1)), (Some(*b"abc"), Some(*b"ABC")));
    }

    #[test]
    fn a_broken_picture_is_refused() {
        for broken in [&b"P5\n1 1\n255\nabc"[..], b"P6\n2 1\n255\nabc", b"P6\n", b""] {
            assert!(Screen::parse(broken).is_err());
        }
    }
}
