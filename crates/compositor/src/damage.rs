//! Which parts of the picture changed: a few rectangles, or the box around them.
//!
//! **Invariants:** every rectangle lies on the screen and is not empty; at most [`RECTS`] of them; what was
//! added is covered by them. Overlapping or not, together they are no larger than the box around them, so never
//! larger than the screen.

/// More rectangles than this become the box around them.
const RECTS: usize = 8;

/// A part of the picture, in pixels from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DamageRect {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Never 0.
    pub width: u32,
    /// Never 0.
    pub height: u32,
}

impl DamageRect {
    /// The part of `x, y, width, height` that lies on a screen of `screen` pixels, if any.
    pub(crate) fn clipped(x: i64, y: i64, width: i64, height: i64, screen: (u32, u32)) -> Option<Self> {
        let (right, bottom) = (x.saturating_add(width), y.saturating_add(height));
        let (x, y) = (x.max(0), y.max(0));
        let (right, bottom) = (right.min(i64::from(screen.0)), bottom.min(i64::from(screen.1)));
        (right > x && bottom > y).then(|| Self {
            x: x as u32,
            y: y as u32,
            width: (right - x) as u32,
            height: (bottom - y) as u32,
        })
    }

    pub(crate) fn right(self) -> u32 {
        self.x + self.width
    }

    pub(crate) fn bottom(self) -> u32 {
        self.y + self.height
    }

    fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// The smallest rectangle around both.
    fn around(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let (right, bottom) = (self.right().max(other.right()), self.bottom().max(other.bottom()));
        Self { x, y, width: right - x, height: bottom - y }
    }

    /// What both cover.
    pub(crate) fn common(self, other: Self) -> Option<Self> {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let (right, bottom) = (self.right().min(other.right()), self.bottom().min(other.bottom()));
        (right > x && bottom > y).then(|| Self { x, y, width: right - x, height: bottom - y })
    }
}

/// The changed parts.
#[derive(Debug, Default, Clone)]
pub(crate) struct Damage {
    rects: Vec<DamageRect>,
}

impl Damage {
    /// Adds a rectangle; merges it with others where the box around two is no larger than both.
    pub(crate) fn add(&mut self, rect: DamageRect) {
        let mut rect = rect;
        while let Some(at) = self.rects.iter().position(|old| {
            let both = old.around(rect);
            both.area() <= old.area() + rect.area()
        }) {
            rect = self.rects.swap_remove(at).around(rect);
        }
        self.rects.push(rect);
        let sum: u64 = self.rects.iter().map(|rect| rect.area()).sum();
        let Some(all) = self.rects.iter().copied().reduce(DamageRect::around) else { return };
        if self.rects.len() > RECTS || sum >= all.area() {
            self.rects = vec![all];
        }
    }

    pub(crate) fn rects(&self) -> &[DamageRect] {
        &self.rects
    }

    pub(crate) fn clear(&mut self) {
        self.rects.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SCREEN: (u32, u32) = (100, 80);

    #[test]
    fn rows_that_touch_become_one_rectangle() {
        let mut damage = Damage::default();
        for y in 0..40 {
            damage.add(DamageRect { x: 0, y, width: 100, height: 1 });
        }
        assert_eq!(damage.rects(), [DamageRect { x: 0, y: 0, width: 100, height: 40 }]);
    }

    proptest! {
        #[test]
        fn whatever_was_added_is_covered(
            parts in prop::collection::vec((-50i64..150, -50i64..150, -10i64..120, -10i64..120), 0..60)
        ) {
            let mut damage = Damage::default();
            let mut added = Vec::new();
            for (x, y, width, height) in parts {
                if let Some(rect) = DamageRect::clipped(x, y, width, height, SCREEN) {
                    added.push(rect);
                    damage.add(rect);
                }
            }
            prop_assert!(damage.rects().len() <= RECTS);
            let area: u32 = damage.rects().iter().map(|rect| rect.width * rect.height).sum();
            prop_assert!(area <= SCREEN.0 * SCREEN.1);
            for rect in damage.rects() {
                prop_assert!(rect.width > 0 && rect.height > 0);
                prop_assert!(rect.right() <= SCREEN.0 && rect.bottom() <= SCREEN.1);
            }
            let covered = |x, y| damage.rects().iter().any(|r| {
                (r.x..r.right()).contains(&x) && (r.y..r.bottom()).contains(&y)
            });
            for rect in added {
                for x in rect.x..rect.right() {
                    for y in rect.y..rect.bottom() {
                        prop_assert!(covered(x, y));
                    }
                }
            }
        }
    }
}
