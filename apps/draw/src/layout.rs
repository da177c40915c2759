//! Where the paints and tools lie: around the page, along the rim.
//!
//! Paints on the upper arc; brushes to the right of the watch's SOS button, undo and the new page to its left.
//! The middle is the child's.
//!
//! **Invariants:** on every screen all of it lies where [`app::Screen::holds`] allows, and nothing touches
//! anything else.

use app::{Circle, Screen};

/// Radius of what a finger may press, as `Theme.target` has it.
pub const TARGET: f32 = 27.0;
/// The lowest button may be so many degrees below the horizontal through the lower centre, where SOS leaves room.
const LOWEST: u8 = 64;
/// Between a button and SOS, at least.
const GAP: f32 = 12.0;

/// Everything that can be pressed.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Paints from left to right.
    pub paints: Vec<Circle>,
    /// Brushes from below upwards, in the theme's order.
    pub brushes: Vec<Circle>,
    /// One step back.
    pub undo: Circle,
    /// The new page.
    pub new_page: Circle,
}

impl Layout {
    /// For a screen, and as many paints and brushes.
    pub fn new(screen: Screen, paints: usize, brushes: usize) -> Self {
        // Half a pixel to spare: sines are not exact.
        let ring = screen.radius() - Screen::MARGIN - TARGET - 0.5;
        let (upper, lower) = screen.centres();
        let at = |centre: (f32, f32), degrees: f32| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            Circle { x: centre.0 + ring * cos, y: centre.1 + ring * sin, radius: TARGET }
        };
        let beside = |degrees: &f32| at(lower, *degrees).gap(screen.sos()) >= GAP;
        let lowest = (0..=LOWEST).rev().map(f32::from).find(beside).unwrap_or_default();
        // From centre to centre of two neighbours: roomy where there is room.
        let chord = (ring * 0.36).clamp(60.0, 68.0);
        let step = 2.0 * (chord / 2.0 / ring).min(1.0).asin().to_degrees();
        let first = -90.0 - step * paints.saturating_sub(1) as f32 / 2.0;
        Self {
            paints: (0..paints).map(|n| at(upper, first + step * n as f32)).collect(),
            brushes: (0..brushes).map(|n| at(lower, lowest - step * n as f32)).collect(),
            undo: at(lower, 180.0 - lowest + step),
            new_page: at(lower, 180.0 - lowest),
        }
    }

    /// All of it.
    pub fn all(&self) -> impl Iterator<Item = Circle> + '_ {
        self.paints.iter().chain(&self.brushes).chain([&self.undo, &self.new_page]).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_every_screen_all_targets_are_large_free_and_apart() {
        for screen in Screen::ALL {
            let layout = Layout::new(screen, 6, 3);
            let all = layout.all().collect::<Vec<_>>();
            assert_eq!(all.len(), 11);
            for (n, spot) in all.iter().enumerate() {
                assert!(screen.holds(*spot), "{screen:?}: {n} {spot:?}");
                assert!(spot.radius * 2.0 >= Screen::TOUCH);
                assert!(spot.gap(screen.sos()) >= 6.0, "{screen:?}: {n} is near SOS");
                for other in all.iter().skip(n + 1) {
                    assert!(spot.gap(*other) >= 5.0, "{screen:?}: {spot:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn the_middle_belongs_to_the_child() {
        for screen in Screen::ALL {
            let centre = screen.centre();
            let page = Circle { x: centre.0, y: centre.1, radius: screen.radius() * 0.54 };
            assert!(Layout::new(screen, 6, 3).all().all(|spot| spot.gap(page) >= 0.0), "{screen:?}");
        }
    }
}
