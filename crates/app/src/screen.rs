//! The screen's geometry: where an app may put things.
//!
//! The reference is a round panel of 466 x 466. All places are measured from the centre or the rim, so that
//! another size only moves the rim. A tall panel is a round one pulled apart: two half circles and what lies
//! between them.
//!
//! **Invariant:** what [`Screen::holds`] allows lies on the glass and under nothing of the watch's own.

/// A circle, in pixels from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circle {
    /// Its centre.
    pub x: f32,
    /// Its centre.
    pub y: f32,
    /// Its radius.
    pub radius: f32,
}

impl Circle {
    /// Pixels between two rims; negative when they overlap.
    pub fn gap(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y) - self.radius - other.radius
    }
}

/// The size of the screen and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Screen {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Screen {
    /// The round screen that apps are drawn for.
    pub const REFERENCE: Self = Self { width: 466, height: 466 };
    /// Every screen an app has to look right on.
    pub const ALL: [Self; 3] =
        [Self::REFERENCE, Self { width: 368, height: 448 }, Self { width: 480, height: 480 }];
    /// Texts and targets keep this far from the rim: on the reference they lie inside a radius of 205.
    pub const MARGIN: f32 = 28.0;
    /// A finger that lands within this many pixels of the left edge and moves inwards is on its way home: it
    /// belongs to the watch, and the app hears that the touch was cancelled.
    pub const HOME: f32 = 36.0;
    /// The smallest edge of anything to touch.
    pub const TOUCH: f32 = 50.0;

    /// Half the shorter side.
    pub fn radius(self) -> f32 {
        self.width.min(self.height) as f32 / 2.0
    }

    /// The middle.
    pub fn centre(self) -> (f32, f32) {
        (self.width as f32 / 2.0, self.height as f32 / 2.0)
    }

    /// The centre of the upper half circle, and of the lower one; on a round screen both are its middle.
    pub fn centres(self) -> ((f32, f32), (f32, f32)) {
        let x = self.width as f32 / 2.0;
        ((x, self.radius()), (x, self.height as f32 - self.radius()))
    }

    /// The watch's SOS button with its ring, above every app. Its centre is (233, 405) on the reference.
    pub fn sos(self) -> Circle {
        let (x, y) = self.centre();
        Circle { x, y: y + 172.0, radius: 34.0 }
    }

    /// Texts and targets may lie here: on the glass, clear of the rim, the SOS button and the way home.
    pub fn holds(self, circle: Circle) -> bool {
        let ((x, upper), (_, lower)) = self.centres();
        let from_rim = self.radius() - (circle.x - x).hypot(circle.y - circle.y.clamp(upper, lower));
        from_rim - circle.radius >= Self::MARGIN
            && circle.x - circle.radius >= Self::HOME
            && circle.gap(self.sos()) >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_the_reference_targets_lie_inside_a_radius_of_205_and_beside_sos() {
        let screen = Screen::REFERENCE;
        let at = |x, y| screen.holds(Circle { x, y, radius: 25.0 });
        assert!(at(233.0, 233.0) && at(233.0, 53.0) && at(413.0, 233.0) && at(61.0, 233.0));
        assert!(!at(233.0, 52.0), "the rim");
        assert!(!at(414.0, 233.0), "the rim");
        assert!(!at(60.0, 233.0), "the way home");
        assert!(!at(233.0, 347.0) && at(233.0, 346.0), "SOS is a button of the watch");
        assert_eq!(screen.sos(), Circle { x: 233.0, y: 405.0, radius: 34.0 });
    }

    #[test]
    fn a_tall_screen_is_a_round_one_pulled_apart() {
        let screen = Screen { width: 368, height: 448 };
        let at = |x, y| screen.holds(Circle { x, y, radius: 25.0 });
        assert!(at(184.0, 53.0) && at(315.0, 184.0) && at(315.0, 264.0));
        assert!(!at(315.0, 150.0) && !at(315.0, 298.0) && !at(60.0, 60.0));
    }
}
