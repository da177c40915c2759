//! Translates `wl_touch` to one finger on the screen.
//!
//! **Invariants:** presses and ends (lifted or cancelled) alternate; the first finger down is the only one that
//! counts until it is lifted; every position is a finite number. No I/O.

/// What the finger did, in pixels from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Touch {
    /// It touched.
    Pressed(f32, f32),
    /// It moved while touching.
    Moved(f32, f32),
    /// It was lifted.
    Released(f32, f32),
    /// The watch took the touch for itself: nothing that it began may be finished.
    Cancelled,
}

/// The finger that counts.
#[derive(Debug, Default)]
pub(crate) struct Finger {
    owner: Option<i32>,
    at: (f32, f32),
}

impl Finger {
    pub(crate) fn down(&mut self, id: i32, x: f64, y: f64) -> Option<Touch> {
        if self.owner.is_some() {
            return None;
        }
        self.owner = Some(id);
        self.at = position(x, y);
        Some(Touch::Pressed(self.at.0, self.at.1))
    }

    pub(crate) fn moved(&mut self, id: i32, x: f64, y: f64) -> Option<Touch> {
        if self.owner != Some(id) {
            return None;
        }
        self.at = position(x, y);
        Some(Touch::Moved(self.at.0, self.at.1))
    }

    pub(crate) fn up(&mut self, id: i32) -> Option<Touch> {
        self.owner.take_if(|owner| *owner == id).map(|_| Touch::Released(self.at.0, self.at.1))
    }

    pub(crate) fn cancel(&mut self) -> Option<Touch> {
        self.owner.take().map(|_| Touch::Cancelled)
    }
}

/// `wl_fixed` is always finite; a compositor that is not on this machine's side is no reason to trust that.
fn position(x: f64, y: f64) -> (f32, f32) {
    let sane = |v: f64| if v.is_finite() { v.clamp(-32_768.0, 32_767.0) as f32 } else { 0.0 };
    (sane(x), sane(y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_finger_does_not_move_or_lift_the_first() {
        let mut finger = Finger::default();
        assert_eq!(finger.down(3, 10.0, 20.0), Some(Touch::Pressed(10.0, 20.0)));
        assert_eq!(finger.down(4, 50.0, 60.0), None);
        assert_eq!(finger.moved(4, 51.0, 60.0), None);
        assert_eq!(finger.up(4), None);
        assert_eq!(finger.moved(3, 11.0, 20.0), Some(Touch::Moved(11.0, 20.0)));
        assert_eq!(finger.up(3), Some(Touch::Released(11.0, 20.0)));
        assert_eq!(finger.up(3), None);
    }

    #[test]
    fn a_cancelled_touch_ends_once_and_is_not_lifted() {
        let mut finger = Finger::default();
        assert_eq!(finger.cancel(), None);
        finger.down(0, 1.0, 1.0);
        assert_eq!(finger.cancel(), Some(Touch::Cancelled));
        assert_eq!(finger.up(0), None);
        assert_eq!(finger.moved(0, 2.0, 2.0), None);
    }

    #[test]
    fn a_position_is_always_a_number() {
        let mut finger = Finger::default();
        assert_eq!(finger.down(0, f64::NAN, 1e30), Some(Touch::Pressed(0.0, 32_767.0)));
    }
}
