//! Translates evdev events of a touch surface to one finger on the screen.
//!
//! Knows multi-touch protocol B (slots) and single pointers (`ABS_X`, `ABS_Y` with `BTN_TOUCH` or
//! `BTN_LEFT`, as QEMU's tablet has them): Linux `Documentation/input/multi-touch-protocol.rst`.
//!
//! **Invariants:** presses and releases alternate; the first finger down is the only one that counts until
//! it is lifted; every position lies on the screen. No I/O.

use evdev::{AbsoluteAxisCode, EventSummary, InputEvent, KeyCode, SynchronizationCode};

/// More fingers than a child has; higher slots are ignored.
const SLOTS: usize = 16;

/// The range an axis reports.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    /// Smallest value.
    pub min: i32,
    /// Largest value.
    pub max: i32,
}

impl Axis {
    fn to_pixel(self, value: i32, size: u32) -> f32 {
        let range = (f64::from(self.max) - f64::from(self.min)).max(1.0);
        let part = (f64::from(value) - f64::from(self.min)) / range;
        (part.clamp(0.0, 1.0) * f64::from(size)).min(f64::from(size.saturating_sub(1))) as f32
    }
}

/// What the finger did, in pixels from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pointer {
    /// It touched.
    Pressed(f32, f32),
    /// It moved while touching.
    Moved(f32, f32),
    /// It was lifted.
    Released(f32, f32),
}

#[derive(Debug, Clone, Copy, Default)]
struct Contact {
    down: bool,
    x: i32,
    y: i32,
}

/// One touch surface.
#[derive(Debug)]
pub struct Touch {
    x: Axis,
    y: Axis,
    screen: (u32, u32),
    multi: bool,
    slot: usize,
    contacts: [Contact; SLOTS],
    /// The slot whose finger counts.
    owner: Option<usize>,
    /// Set when the owner's slot got a new contact without the old one being lifted in between.
    restart: bool,
    at: (f32, f32),
}

impl Touch {
    /// A surface that covers the whole screen. `multi` for protocol B.
    pub fn new(x: Axis, y: Axis, screen: (u32, u32), multi: bool) -> Self {
        let contacts = [Contact { down: false, x: x.min, y: y.min }; SLOTS];
        Self { x, y, screen, multi, slot: 0, contacts, owner: None, restart: false, at: (0.0, 0.0) }
    }

    /// Takes one event; a `SYN_REPORT` may bring pointer events, which `emit` gets in order.
    pub fn event(&mut self, event: InputEvent, emit: &mut impl FnMut(Pointer)) {
        match event.destructure() {
            EventSummary::AbsoluteAxis(_, axis, value) => self.axis(axis, value),
            EventSummary::Key(_, KeyCode::BTN_TOUCH | KeyCode::BTN_LEFT, value) if !self.multi => {
                if let Some(contact) = self.contacts.first_mut() {
                    contact.down = value != 0;
                }
            }
            EventSummary::Synchronization(_, SynchronizationCode::SYN_REPORT, _) => self.report(emit),
            _ => {}
        }
    }

    fn axis(&mut self, axis: AbsoluteAxisCode, value: i32) {
        if self.multi && axis == AbsoluteAxisCode::ABS_MT_SLOT {
            self.slot = usize::try_from(value).unwrap_or(usize::MAX);
            return;
        }
        let Some(contact) = self.contacts.get_mut(self.slot) else { return };
        match (self.multi, axis) {
            (true, AbsoluteAxisCode::ABS_MT_TRACKING_ID) => {
                self.restart |= value >= 0 && contact.down && self.owner == Some(self.slot);
                contact.down = value >= 0;
            }
            (true, AbsoluteAxisCode::ABS_MT_POSITION_X) | (false, AbsoluteAxisCode::ABS_X) => {
                contact.x = value;
            }
            (true, AbsoluteAxisCode::ABS_MT_POSITION_Y) | (false, AbsoluteAxisCode::ABS_Y) => {
                contact.y = value;
            }
            _ => {}
        }
    }

    fn report(&mut self, emit: &mut impl FnMut(Pointer)) {
        if let Some(contact) = self.owner.and_then(|slot| self.contacts.get(slot)) {
            if !contact.down || self.restart {
                self.owner = None;
                emit(Pointer::Released(self.at.0, self.at.1));
            } else {
                let at = self.pixel(*contact);
                // Same bits, same pixel: nothing is computed between two reports that do not move.
                if at.0.to_bits() != self.at.0.to_bits() || at.1.to_bits() != self.at.1.to_bits() {
                    self.at = at;
                    emit(Pointer::Moved(at.0, at.1));
                }
                return;
            }
        }
        self.restart = false;
        let down = self.contacts.iter().enumerate().find(|(_, contact)| contact.down);
        if let Some((slot, contact)) = down {
            self.at = self.pixel(*contact);
            self.owner = Some(slot);
            emit(Pointer::Pressed(self.at.0, self.at.1));
        }
    }

    fn pixel(&self, contact: Contact) -> (f32, f32) {
        (self.x.to_pixel(contact.x, self.screen.0), self.y.to_pixel(contact.y, self.screen.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evdev::EventType;

    const RANGE: Axis = Axis { min: 0, max: 0x7fff };

    fn surface(multi: bool) -> Touch {
        Touch::new(RANGE, RANGE, (466, 466), multi)
    }

    fn run(touch: &mut Touch, events: &[(EventType, u16, i32)]) -> Vec<Pointer> {
        let mut out = Vec::new();
        for (kind, code, value) in events {
            touch.event(InputEvent::new(kind.0, *code, *value), &mut |p| out.push(p));
        }
        out
    }

    fn abs(axis: AbsoluteAxisCode, value: i32) -> (EventType, u16, i32) {
        (EventType::ABSOLUTE, axis.0, value)
    }

    fn slot(n: i32, id: i32, at: Option<(i32, i32)>) -> Vec<(EventType, u16, i32)> {
        let mut v =
            vec![abs(AbsoluteAxisCode::ABS_MT_SLOT, n), abs(AbsoluteAxisCode::ABS_MT_TRACKING_ID, id)];
        if let Some((x, y)) = at {
            v.push(abs(AbsoluteAxisCode::ABS_MT_POSITION_X, x));
            v.push(abs(AbsoluteAxisCode::ABS_MT_POSITION_Y, y));
        }
        v
    }

    const SYN: (EventType, u16, i32) = (EventType::SYNCHRONIZATION, 0, 0);

    fn value(pixel: i32) -> i32 {
        pixel * 0x7fff / 466
    }

    fn near(pointer: Pointer, x: f32, y: f32) -> bool {
        let (Pointer::Pressed(a, b) | Pointer::Moved(a, b) | Pointer::Released(a, b)) = pointer;
        (a - x).abs() < 0.1 && (b - y).abs() < 0.1
    }

    #[test]
    fn a_tap_on_a_multitouch_panel_presses_and_releases_at_its_pixel() {
        let mut touch = surface(true);
        let mut events = slot(0, 7, Some((value(333), value(356))));
        events.push((EventType::KEY, KeyCode::BTN_TOUCH.0, 1));
        events.push(SYN);
        events.extend(slot(0, -1, None));
        events.push(SYN);
        let out = run(&mut touch, &events);
        assert_eq!(out.len(), 2);
        assert!(matches!(out[0], Pointer::Pressed(..)) && near(out[0], 333.0, 356.0));
        assert!(matches!(out[1], Pointer::Released(..)) && near(out[1], 333.0, 356.0));
    }

    #[test]
    fn the_tablet_of_qemu_presses_with_its_left_button() {
        let mut touch = surface(false);
        let x = abs(AbsoluteAxisCode::ABS_X, value(100));
        let y = abs(AbsoluteAxisCode::ABS_Y, value(50));
        assert!(run(&mut touch, &[x, y, SYN]).is_empty(), "hovering is no touch");
        let out = run(&mut touch, &[(EventType::KEY, KeyCode::BTN_LEFT.0, 1), SYN]);
        assert!(near(out[0], 100.0, 50.0));
        let out = run(&mut touch, &[abs(AbsoluteAxisCode::ABS_X, value(120)), SYN]);
        assert!(matches!(out[..], [Pointer::Moved(..)]));
        let out = run(&mut touch, &[(EventType::KEY, KeyCode::BTN_LEFT.0, 0), SYN]);
        assert!(matches!(out[..], [Pointer::Released(..)]));
    }

    #[test]
    fn a_second_finger_does_not_move_the_first() {
        let mut touch = surface(true);
        let mut events = slot(0, 1, Some((value(100), value(100))));
        events.push(SYN);
        events.extend(slot(1, 2, Some((value(400), value(400)))));
        events.push(SYN);
        let out = run(&mut touch, &events);
        assert!(matches!(out[..], [Pointer::Pressed(..)]));
        let mut events = slot(1, -1, None);
        events.push(SYN);
        assert!(run(&mut touch, &events).is_empty());
    }

    #[test]
    fn a_lost_release_is_made_up_when_the_slot_is_used_again() {
        let mut touch = surface(true);
        let mut events = slot(0, 1, Some((value(100), value(100))));
        events.push(SYN);
        events.extend(slot(0, 2, Some((value(300), value(300)))));
        events.push(SYN);
        let out = run(&mut touch, &events);
        assert!(matches!(out[..], [Pointer::Pressed(..), Pointer::Released(..), Pointer::Pressed(..)]));
        assert!(near(out[1], 100.0, 100.0) && near(out[2], 300.0, 300.0));
    }

    #[test]
    fn a_slot_remembers_the_coordinate_the_kernel_does_not_repeat() {
        let mut touch = surface(true);
        let mut events = slot(0, 1, Some((value(200), value(210))));
        events.push(SYN);
        events.extend(slot(0, -1, None));
        events.push(SYN);
        events.extend(slot(0, 2, None));
        events.push(SYN);
        let out = run(&mut touch, &events);
        assert!(near(out[2], 200.0, 210.0));
    }

    proptest::proptest! {
        #[test]
        fn any_events_give_alternating_presses_on_the_screen(
            multi: bool,
            events in proptest::collection::vec((0u16..4, 0u16..70, -3i32..40_000), 0..200),
        ) {
            let mut touch = surface(multi);
            let mut down = false;
            for (kind, code, value) in events {
                touch.event(InputEvent::new(kind, code, value), &mut |pointer| {
                    let (Pointer::Pressed(x, y) | Pointer::Moved(x, y) | Pointer::Released(x, y)) = pointer;
                    assert!((0.0..466.0).contains(&x) && (0.0..466.0).contains(&y));
                    assert_eq!(down, !matches!(pointer, Pointer::Pressed(..)));
                    down = !matches!(pointer, Pointer::Released(..));
                });
            }
        }
    }
}
