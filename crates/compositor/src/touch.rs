//! `wl_seat` with touch alone: one finger, from pixels of the screen to the surface under it.
//!
//! smithay's own seat does not cancel a touch whose frame was sent, and brings keyboard and pointer along.
//!
//! **Invariants:** down, moves, then up or cancel; a finger that came down beside the app is not told to it. A
//! surface that took the finger keeps it until it is lifted. No keyboard and no pointer is ever offered.

use std::time::Instant;

use smithay::reexports::wayland_server::backend::ClientId;
use smithay::reexports::wayland_server::protocol::wl_keyboard::{self, WlKeyboard};
use smithay::reexports::wayland_server::protocol::wl_pointer::{self, WlPointer};
use smithay::reexports::wayland_server::protocol::wl_seat::{self, Capability, WlSeat};
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::reexports::wayland_server::protocol::wl_touch::{self, WlTouch};
use smithay::reexports::wayland_server::{
    Client, DataInit, Dispatch, DisplayHandle, GlobalDispatch, New, Resource,
};
use smithay::utils::SERIAL_COUNTER;

use crate::Reason;
use crate::state::State;

/// Touch objects that one app needs at most.
const OBJECTS: usize = 16;
/// The id of the one finger.
const FINGER: i32 = 0;

/// What the finger did, in pixels from the upper left corner of the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Touch {
    /// It touched.
    Down(f64, f64),
    /// It moved while touching.
    Move(f64, f64),
    /// It was lifted.
    Up,
    /// The gesture is none: something came between the finger and the app.
    Cancel,
}

/// The finger, and who hears of it.
#[derive(Debug, Default)]
pub(crate) struct Fingers {
    objects: Vec<WlTouch>,
    /// The surface that took the finger, and where it lay then.
    on: Option<(WlSurface, (i32, i32))>,
}

/// Offers the seat.
pub(crate) fn offer(display: &DisplayHandle) {
    display.create_global::<State, WlSeat, ()>(7, ());
}

impl State {
    /// Tells the app. True when it was told something that it should react to.
    pub(crate) fn touch(&mut self, touch: Touch, now: Instant) -> bool {
        let time = now.saturating_duration_since(self.start).as_millis() as u32;
        let serial = u32::from(SERIAL_COUNTER.next_serial());
        match touch {
            Touch::Down(x, y) if self.fingers.on.is_none() => {
                let Some((surface, origin)) = self.scene.at(x, y) else { return false };
                let (left, top) = (x - f64::from(origin.0), y - f64::from(origin.1));
                for object in &self.fingers.objects {
                    object.down(serial, time, &surface, FINGER, left, top);
                }
                self.fingers.on = Some((surface, origin));
            }
            Touch::Move(x, y) => {
                let Some((_, origin)) = &self.fingers.on else { return false };
                let (left, top) = (x - f64::from(origin.0), y - f64::from(origin.1));
                for object in &self.fingers.objects {
                    object.motion(time, FINGER, left, top);
                }
            }
            Touch::Up if self.fingers.on.take().is_some() => {
                for object in &self.fingers.objects {
                    object.up(serial, time, FINGER);
                }
            }
            Touch::Cancel if self.fingers.on.take().is_some() => {
                for object in &self.fingers.objects {
                    object.cancel();
                }
                return true;
            }
            _ => return false,
        }
        for object in &self.fingers.objects {
            object.frame();
        }
        true
    }

    /// A surface that is gone cannot hold the finger.
    pub(crate) fn let_go(&mut self, surface: &WlSurface) {
        if self.fingers.on.as_ref().is_some_and(|(on, _)| on == surface) {
            self.fingers.on = None;
            for object in &self.fingers.objects {
                object.cancel();
            }
        }
    }
}

impl GlobalDispatch<WlSeat, ()> for State {
    fn bind(
        _: &mut Self,
        _: &DisplayHandle,
        _: &Client,
        seat: New<WlSeat>,
        (): &(),
        init: &mut DataInit<'_, Self>,
    ) {
        let seat = init.init(seat, ());
        seat.capabilities(Capability::Touch);
        if seat.version() >= wl_seat::EVT_NAME_SINCE {
            seat.name("touch".into());
        }
    }
}

impl Dispatch<WlSeat, ()> for State {
    fn request(
        state: &mut Self,
        _: &Client,
        _: &WlSeat,
        request: wl_seat::Request,
        (): &(),
        _: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        match request {
            wl_seat::Request::GetTouch { id } => {
                state.fingers.objects.push(init.init(id, ()));
                if state.fingers.objects.len() > OBJECTS {
                    state.guard.end(Reason::Flood);
                }
            }
            // Never offered; an app that asks all the same gets one that stays still.
            wl_seat::Request::GetKeyboard { id } => {
                init.init(id, ());
            }
            wl_seat::Request::GetPointer { id } => {
                init.init(id, ());
            }
            _ => {}
        }
    }
}

impl Dispatch<WlTouch, ()> for State {
    fn request(
        _: &mut Self,
        _: &Client,
        _: &WlTouch,
        _: wl_touch::Request,
        (): &(),
        _: &DisplayHandle,
        _: &mut DataInit<'_, Self>,
    ) {
    }

    fn destroyed(state: &mut Self, _: ClientId, touch: &WlTouch, (): &()) {
        state.fingers.objects.retain(|object| object != touch);
    }
}

impl Dispatch<WlKeyboard, ()> for State {
    fn request(
        _: &mut Self,
        _: &Client,
        _: &WlKeyboard,
        _: wl_keyboard::Request,
        (): &(),
        _: &DisplayHandle,
        _: &mut DataInit<'_, Self>,
    ) {
    }
}

impl Dispatch<WlPointer, ()> for State {
    fn request(
        _: &mut Self,
        _: &Client,
        _: &WlPointer,
        _: wl_pointer::Request,
        (): &(),
        _: &DisplayHandle,
        _: &mut DataInit<'_, Self>,
    ) {
    }
}
