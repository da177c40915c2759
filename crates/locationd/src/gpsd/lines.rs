//! Cuts a stream of bytes into lines.
//!
//! **Invariant:** never holds more than [`LIMIT`] bytes; a longer line is skipped to its end and counted.

/// Longest line, bytes. gpsd's own limit for a report is 10 KiB (`GPS_JSON_RESPONSE_MAX`).
pub const LIMIT: usize = 16 * 1024;

/// The part of a line that has come so far.
#[derive(Debug, Default)]
pub struct Lines {
    partial: Vec<u8>,
    skipping: bool,
    skipped: u64,
}

impl Lines {
    /// Takes the next bytes and gives every line that ends in them, without its newline.
    pub fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (content, ended) = match piece.split_last() {
                Some((b'\n', content)) => (content, true),
                _ => (piece, false),
            };
            if !self.skipping && self.partial.len() + content.len() > LIMIT {
                self.skipping = true;
                self.skipped += 1;
                self.partial = Vec::new();
            }
            if !self.skipping {
                self.partial.extend_from_slice(content);
            }
            if ended {
                if !self.skipping {
                    each(self.partial.trim_ascii());
                }
                self.partial.clear();
                self.skipping = false;
            }
        }
    }

    /// Lines that were too long, so far.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, u64) {
        let mut lines = Lines::default();
        let mut all = Vec::new();
        for piece in pieces {
            lines.feed(piece, |line| all.push(line.to_vec()));
            assert!(lines.partial.len() <= LIMIT);
        }
        (all, lines.skipped())
    }

    #[test]
    fn lines_come_whole_however_they_are_sent() {
        let (lines, skipped) = cut(&[b"one\r\ntw", b"o", b"\n\nthree"]);
        assert_eq!(lines, [b"one".to_vec(), b"two".to_vec(), b"".to_vec()]);
        assert_eq!(skipped, 0);
    }

    #[test]
    fn a51_a_line_of_a_megabyte_is_skipped_and_the_next_one_read() {
        let long = vec![b'x'; 1024 * 1024];
        assert_eq!(cut(&[b"a\n", &long, &long, b"\nb\n"]), (vec![b"a".to_vec(), b"b".to_vec()], 1));
        let longest = vec![b'x'; LIMIT];
        assert_eq!(cut(&[&longest, b"\n"]), (vec![longest.clone()], 0));
        assert_eq!(cut(&[&longest, b"x\nb\n"]), (vec![b"b".to_vec()], 1));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(bytes in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..500), size in 1_usize..50) {
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            prop_assert_eq!(cut(&pieces), cut(&[&bytes]));
        }
    }
}
