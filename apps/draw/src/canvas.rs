//! The page: strokes become pixels, and can be taken back. No I/O, no Slint window.
//!
//! The page is cut into square tiles, so that a stroke hands only the tiles it touched to the screen. A tile is shared,
//! not copied, until one side changes it: what undo keeps costs memory only where something was painted over.
//!
//! A stroke remembers how much of each pixel its brush has covered, and paints colour over what was there before
//! it: however often it crosses itself, its edge stays as soft as the brush's.
//!
//! **Invariants:** nothing is written outside the page; undo brings back exactly what was there; a stroke passes
//! through every place the finger was and has no gap; the memory of undo is bounded.

use std::collections::{BTreeMap, VecDeque};

use slint::{Rgb8Pixel, SharedPixelBuffer};

use crate::brush::{Brush, Curve, Piece, Point};

/// Edge of a tile in pixels.
pub const TILE: usize = 64;
/// Tiles that undo may keep: 3 MB, four whole pages.
const KEPT: usize = 256;
/// The paper.
pub const PAPER: Rgb8Pixel = Rgb8Pixel { r: 0xff, g: 0xf6, b: 0xe0 };

/// Pixels of a tile. A tile at the right or lower edge may reach beyond the page.
pub type Tile = SharedPixelBuffer<Rgb8Pixel>;

/// A tile under a stroke.
struct Under {
    before: Tile,
    /// How much of each pixel the brush has covered.
    covered: Vec<u8>,
}

struct Stroke {
    brush: Brush,
    curve: Curve,
    under: BTreeMap<usize, Under>,
}

/// A page and its past.
pub struct Canvas {
    width: usize,
    height: usize,
    columns: usize,
    tiles: Vec<Tile>,
    stroke: Option<Stroke>,
    past: VecDeque<Vec<(usize, Tile)>>,
}

fn blank() -> Tile {
    let mut tile = Tile::new(TILE as u32, TILE as u32);
    tile.make_mut_slice().fill(PAPER);
    tile
}

impl Canvas {
    /// An empty page.
    pub fn new(width: usize, height: usize) -> Self {
        let (columns, rows) = (width.div_ceil(TILE), height.div_ceil(TILE));
        let tiles = vec![blank(); columns * rows];
        Self { width, height, columns, tiles, stroke: None, past: VecDeque::new() }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Tiles in a row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All tiles, row by row.
    pub fn tiles(&self) -> &[Tile] {
        &self.tiles
    }

    /// Something can be taken back.
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// The page as rows of red, green, blue.
    pub fn picture(&self) -> Vec<u8> {
        let mut picture = Vec::with_capacity(self.width * self.height * 3);
        for y in 0..self.height {
            let row = self.tiles.iter().skip(y / TILE * self.columns).take(self.columns);
            let pixels = row.flat_map(|tile| tile.as_slice().iter().skip(y % TILE * TILE).take(TILE));
            picture.extend(pixels.take(self.width).flat_map(|p| [p.r, p.g, p.b]));
        }
        picture
    }

    /// Puts a kept picture on the page, with nothing to take back; false, and no change, when it is of another size.
    pub fn restore(&mut self, picture: &[u8]) -> bool {
        if picture.len() != self.width * self.height * 3 {
            return false;
        }
        (self.stroke, self.past) = (None, VecDeque::new());
        for (n, tile) in self.tiles.iter_mut().enumerate() {
            let (left, top) = (n % self.columns * TILE, n / self.columns * TILE);
            let rows = picture.chunks_exact(self.width * 3).skip(top);
            for (row, to) in rows.zip(tile.make_mut_slice().chunks_exact_mut(TILE)) {
                let pixels = row.get(left * 3..).unwrap_or_default().as_chunks::<3>().0;
                for (&[r, g, b], to) in pixels.iter().zip(to) {
                    *to = Rgb8Pixel { r, g, b };
                }
            }
        }
        true
    }

    /// The finger comes down: a dot. Returns the tiles that changed, as all of these do.
    pub fn press(&mut self, brush: Brush, x: f32, y: f32) -> Vec<usize> {
        self.lift();
        let at = self.near((x, y));
        self.stroke = Some(Stroke { brush, curve: Curve::new(at), under: BTreeMap::new() });
        self.paint(&[(at, at)])
    }

    /// The finger moves.
    pub fn drag(&mut self, x: f32, y: f32) -> Vec<usize> {
        let at = self.near((x, y));
        let Some(stroke) = &mut self.stroke else { return Vec::new() };
        let pieces = stroke.curve.to(at);
        self.paint(&pieces)
    }

    /// The finger is lifted: the stroke can be taken back now.
    pub fn lift(&mut self) {
        if let Some(stroke) = self.stroke.take().filter(|stroke| !stroke.under.is_empty()) {
            let before = stroke.under.into_iter().map(|(n, under)| (n, under.before));
            self.remember(before.collect());
        }
    }

    /// The finger was no stroke after all: it leaves no trace.
    pub fn cancel(&mut self) -> Vec<usize> {
        let under = self.stroke.take().map(|stroke| stroke.under).unwrap_or_default();
        self.put_back(under.into_iter().map(|(n, under)| (n, under.before)).collect())
    }

    /// Takes the last stroke or new page back.
    pub fn undo(&mut self) -> Vec<usize> {
        self.lift();
        let last = self.past.pop_back().unwrap_or_default();
        self.put_back(last)
    }

    /// An empty page; undo brings the old one back. A page that is empty already stays, and costs no undo.
    pub fn new_page(&mut self) -> Vec<usize> {
        self.lift();
        let empty = blank();
        let used = |tile: &Tile| tile.as_slice() != empty.as_slice();
        let full = self.tiles.iter_mut().enumerate().filter(|(_, tile)| used(tile));
        let before = full.map(|(n, tile)| (n, std::mem::replace(tile, empty.clone()))).collect::<Vec<_>>();
        let changed = before.iter().map(|(n, _)| *n).collect();
        if !before.is_empty() {
            self.remember(before);
        }
        changed
    }

    fn remember(&mut self, step: Vec<(usize, Tile)>) {
        self.past.push_back(step);
        // The newest step can always be taken back, whatever it needs.
        while self.past.len() > 1 && self.past.iter().map(Vec::len).sum::<usize>() > KEPT {
            self.past.pop_front();
        }
    }

    fn put_back(&mut self, step: Vec<(usize, Tile)>) -> Vec<usize> {
        let mut changed = Vec::with_capacity(step.len());
        for (n, before) in step {
            if let Some(tile) = self.tiles.get_mut(n) {
                *tile = before;
                changed.push(n);
            }
        }
        changed
    }

    /// A finger may slide off the glass; nobody draws further than a page away.
    fn near(&self, (x, y): Point) -> Point {
        let limit = |v: f32, size: usize| {
            if v.is_finite() { v.clamp(-(size as f32), 2.0 * size as f32) } else { 0.0 }
        };
        (limit(x, self.width), limit(y, self.height))
    }

    fn paint(&mut self, pieces: &[Piece]) -> Vec<usize> {
        let Some(stroke) = &mut self.stroke else { return Vec::new() };
        let mut changed = Vec::new();
        for &(from, to) in pieces {
            let area = stroke.brush.area(from, to, (self.width, self.height));
            for row in area.y1 / TILE..area.y2.div_ceil(TILE) {
                for column in area.x1 / TILE..area.x2.div_ceil(TILE) {
                    let n = row * self.columns + column;
                    let Some(tile) = self.tiles.get_mut(n) else { continue };
                    let under = stroke
                        .under
                        .entry(n)
                        .or_insert_with(|| Under { before: tile.clone(), covered: vec![0; TILE * TILE] });
                    let origin = (column * TILE, row * TILE);
                    let cover = &mut under.covered;
                    if stroke.brush.sweep((from, to), area, origin, cover, under.before.as_slice(), tile)
                        && !changed.contains(&n)
                    {
                        changed.push(n);
                    }
                }
            }
        }
        changed
    }
}
