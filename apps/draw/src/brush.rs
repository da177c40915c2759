//! A round brush with a soft edge, and the curve that a finger's places are joined by.
//!
//! **Invariants:** a curve passes through every place it is given and its pieces follow one another without a gap; the
//! brush writes only inside the area it is given.

use slint::Rgb8Pixel;

use crate::canvas::{TILE, Tile};

/// A place on the page, or near it.
pub type Point = (f32, f32);
/// A straight way from one place to another.
pub type Piece = (Point, Point);

/// Longest straight piece of a curve, in pixels: with a brush this thick nobody sees that it is straight.
const LONGEST: f32 = 6.0;
/// Shorter moves than this carry no direction.
const STILL: f32 = 0.01;
/// Cosines of a turn: up to the first it is a corner and stays one, from the second on it is a bend.
const CORNER: f32 = 0.2;
const BEND: f32 = 0.7;

/// What is painted with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Brush {
    /// Its colour.
    pub colour: Rgb8Pixel,
    /// Its radius in pixels.
    pub radius: f32,
}

/// Pixels of the page; the far edges are not part of it.
#[derive(Debug, Clone, Copy)]
pub struct Area {
    /// Left edge.
    pub x1: usize,
    /// Upper edge.
    pub y1: usize,
    /// First column to the right of it.
    pub x2: usize,
    /// First row below it.
    pub y2: usize,
}

impl Brush {
    /// What a straight piece can touch, cut to the page.
    pub fn area(self, from: Point, to: Point, size: (usize, usize)) -> Area {
        let reach = self.radius + 1.0;
        // Casts of floats saturate: nothing is below zero.
        let span = |a: f32, b: f32, size: usize| {
            let end = ((a.max(b) + reach).ceil() as usize).min(size);
            (((a.min(b) - reach).floor() as usize).min(end), end)
        };
        let ((x1, x2), (y1, y2)) = (span(from.0, to.0, size.0), span(from.1, to.1, size.1));
        Area { x1, y1, x2, y2 }
    }

    /// Sweeps along a straight piece over one tile, whose upper left pixel is `origin`; true when a pixel changed.
    pub fn sweep(
        self,
        (from, to): Piece,
        area: Area,
        origin: (usize, usize),
        covered: &mut [u8],
        before: &[Rgb8Pixel],
        tile: &mut Tile,
    ) -> bool {
        let columns = (area.x1.max(origin.0), area.x2.min(origin.0 + TILE));
        let rows = (area.y1.max(origin.1), area.y2.min(origin.1 + TILE));
        let along = (to.0 - from.0, to.1 - from.1);
        let square = along.0 * along.0 + along.1 * along.1;
        let inverse = if square > 0.0 { square.recip() } else { 0.0 };
        // Taken when the first pixel changes: a tile that nothing changes is not copied.
        let (mut tile, mut pixels) = (Some(tile), None);
        for y in rows.0..rows.1 {
            let dy = y as f32 + 0.5 - from.1;
            for x in columns.0..columns.1 {
                let dx = x as f32 + 0.5 - from.0;
                // The nearest place on the piece.
                let part = ((dx * along.0 + dy * along.1) * inverse).clamp(0.0, 1.0);
                let (ox, oy) = (dx - part * along.0, dy - part * along.1);
                let inside = self.radius + 0.5 - (ox * ox + oy * oy).sqrt();
                if inside <= 0.0 {
                    continue;
                }
                let cover = (inside.min(1.0) * 255.0).round() as u8;
                let n = (y - origin.1) * TILE + x - origin.0;
                let (Some(was), Some(old)) = (covered.get_mut(n), before.get(n)) else { continue };
                if cover <= *was {
                    continue;
                }
                *was = cover;
                if let Some(tile) = tile.take() {
                    pixels = Some(tile.make_mut_slice());
                }
                if let Some(pixel) = pixels.as_deref_mut().and_then(|pixels| pixels.get_mut(n)) {
                    *pixel = mix(*old, self.colour, cover);
                }
            }
        }
        pixels.is_some()
    }
}

fn mix(old: Rgb8Pixel, new: Rgb8Pixel, cover: u8) -> Rgb8Pixel {
    let channel = |old: u8, new: u8| {
        let (cover, keep) = (u32::from(cover), u32::from(255 - cover));
        ((u32::from(old) * keep + u32::from(new) * cover + 127) / 255) as u8
    };
    Rgb8Pixel { r: channel(old.r, new.r), g: channel(old.g, new.g), b: channel(old.b, new.b) }
}

/// The way of a finger. Bends become a centripetal Catmull-Rom spline, corners stay sharp; the newest
/// piece ends without curvature because nobody knows yet where it will turn. So it is drawn at once, and does not lag behind the finger.
#[derive(Debug)]
pub struct Curve {
    before: Option<Point>,
    last: Point,
}

impl Curve {
    /// Begins somewhere.
    pub fn new(at: Point) -> Self {
        Self { before: None, last: at }
    }

    /// Straight pieces from the last place to the next.
    pub fn to(&mut self, next: Point) -> Vec<Piece> {
        let chord = minus(next, self.last);
        let length = chord.0.hypot(chord.1);
        if length < STILL {
            return Vec::new();
        }
        let leave = self.before.map_or(chord, |before| tangent(before, self.last, next));
        let arrive = minus(times(chord, 1.5), times(leave, 0.5));
        let from = self.last;
        let count = (length / LONGEST).ceil().max(1.0) as u16;
        let mut pieces = Vec::with_capacity(usize::from(count));
        let mut start = from;
        for n in 1..=count {
            let end = if n == count {
                next
            } else {
                hermite(from, leave, arrive, chord, f32::from(n) / f32::from(count))
            };
            pieces.push((start, end));
            start = end;
        }
        self.before = Some(from);
        self.last = next;
        pieces
    }
}

fn minus(a: Point, b: Point) -> Point {
    (a.0 - b.0, a.1 - b.1)
}

fn times(a: Point, by: f32) -> Point {
    (a.0 * by, a.1 * by)
}

/// The direction at `b` on the way from `a` to `c`, as fast as the piece from `b` to `c` needs it.
fn tangent(a: Point, b: Point, c: Point) -> Point {
    let time = |p: Point| p.0.hypot(p.1).sqrt();
    let (ab, bc, ac) = (minus(b, a), minus(c, b), minus(c, a));
    let (t1, t2) = (time(ab), time(bc));
    if t1 * t1 < STILL || t2 * t2 < STILL {
        return bc;
    }
    let turn = (ab.0 * bc.0 + ab.1 * bc.1) / (t1 * t1 * t2 * t2);
    let round = ((turn - CORNER) / (BEND - CORNER)).clamp(0.0, 1.0);
    let part = |of: fn(Point) -> f32| {
        let smooth = t2 * (of(ab) / t1 - of(ac) / (t1 + t2) + of(bc) / t2);
        of(bc) + (smooth - of(bc)) * round
    };
    (part(|p| p.0), part(|p| p.1))
}

/// The place at part `t` of a piece that begins at `from`, in direction `leave`, and reaches `chord` further.
fn hermite(from: Point, leave: Point, arrive: Point, chord: Point, t: f32) -> Point {
    let (t2, t3) = (t * t, t * t * t);
    let (out, end, into) = (t3 - 2.0 * t2 + t, 3.0 * t2 - 2.0 * t3, t3 - t2);
    let axis = |of: fn(Point) -> f32| of(from) + of(leave) * out + of(chord) * end + of(arrive) * into;
    (axis(|p| p.0), axis(|p| p.1))
}
