//! The Wayland side: the globals an app needs, its one window, and what the compositor says to it.
//!
//! **Invariants:** one frame is asked for with each picture, and no picture follows before that frame came; every
//! ping and every configure is answered; a size from outside is clamped before anything is computed from it.

use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering;

use frame::{Frame, Rect};
use wayland_client::backend::{ReadEventsGuard, WaylandError};
use wayland_client::globals::{BindError, GlobalListContents, registry_queue_init};
use wayland_client::protocol::wl_buffer::{self, WlBuffer};
use wayland_client::protocol::wl_callback::{self, WlCallback};
use wayland_client::protocol::wl_compositor::WlCompositor;
use wayland_client::protocol::wl_registry::WlRegistry;
use wayland_client::protocol::wl_seat::{self, Capability, WlSeat};
use wayland_client::protocol::wl_shm::WlShm;
use wayland_client::protocol::wl_shm_pool::WlShmPool;
use wayland_client::protocol::wl_surface::WlSurface;
use wayland_client::protocol::wl_touch::{self, WlTouch};
use wayland_client::{Connection, Dispatch, EventQueue, Proxy, QueueHandle, WEnum, delegate_noop};
use wayland_protocols::xdg::shell::client::xdg_surface::{self, XdgSurface};
use wayland_protocols::xdg::shell::client::xdg_toplevel::{self, XdgToplevel};
use wayland_protocols::xdg::shell::client::xdg_wm_base::{self, XdgWmBase};

use crate::Error;
use crate::buffers::{Buffers, Held};
use crate::finger::{Finger, Touch};
use crate::screen::Screen;

/// No screen of ours has a longer side, and both pictures of this size still fit the protocol's 32 bits.
const LONGEST: i32 = 4096;

/// What the compositor said since the last time.
#[derive(Debug, Default)]
struct State {
    /// The size it wants, once it has said so.
    size: Option<Screen>,
    advice: (i32, i32),
    frame_due: bool,
    closed: bool,
    finger: Finger,
    touches: Vec<Touch>,
    touch: Option<WlTouch>,
}

/// The connection and the window.
pub(crate) struct Display {
    connection: Connection,
    queue: EventQueue<State>,
    state: State,
    shm: WlShm,
    surface: WlSurface,
    /// Kept with the screen they were made for.
    buffers: Option<(Screen, Buffers)>,
}

impl Display {
    /// Connects, opens a full-screen window without a picture, and waits for its size.
    pub(crate) fn open() -> Result<Self, Error> {
        let connection = Connection::connect_to_env().map_err(Error::NoDisplay)?;
        let (globals, mut queue) = registry_queue_init::<State>(&connection).map_err(Error::Globals)?;
        let handle = queue.handle();
        let missing = |what: &'static str| move |e: BindError| Error::Missing(what, e);
        let compositor: WlCompositor =
            globals.bind(&handle, 4..=4, ()).map_err(missing("wl_compositor 4"))?;
        let shm = globals.bind(&handle, 1..=1, ()).map_err(missing("wl_shm"))?;
        let windows: XdgWmBase = globals.bind(&handle, 1..=1, ()).map_err(missing("xdg_wm_base"))?;
        // A screen without touch can still be looked at.
        let _: Option<WlSeat> = globals.bind(&handle, 1..=7, ()).ok();

        let surface = compositor.create_surface(&handle, ());
        let xdg = windows.get_xdg_surface(&surface, &handle, ());
        let toplevel = xdg.get_toplevel(&handle, ());
        toplevel.set_fullscreen(None);
        surface.commit();
        let mut state = State { frame_due: true, ..State::default() };
        while state.size.is_none() && !state.closed {
            queue.blocking_dispatch(&mut state)?;
        }
        Ok(Self { connection, queue, state, shm, surface, buffers: None })
    }

    /// The size of the window.
    pub(crate) fn screen(&self) -> Screen {
        self.state.size.unwrap_or(Screen::REFERENCE)
    }

    /// The watch wants the app to end.
    pub(crate) fn closed(&self) -> bool {
        self.state.closed
    }

    /// What the finger did since the last call.
    pub(crate) fn take_touches(&mut self) -> Vec<Touch> {
        std::mem::take(&mut self.state.touches)
    }

    /// The compositor wants a picture and has left a buffer to draw it in.
    pub(crate) fn ready(&self) -> bool {
        self.state.frame_due && self.buffers.as_ref().is_none_or(|(_, buffers)| buffers.any_free())
    }

    /// A picture is on its way and the compositor has not asked for the next.
    pub(crate) fn waits(&self) -> bool {
        !self.ready()
    }

    /// Hands over the newest frame.
    pub(crate) fn show(&mut self, frame: &Frame, damage: &[Rect]) -> Result<(), Error> {
        if damage.is_empty() {
            return Ok(());
        }
        let screen = self.screen();
        let handle = self.queue.handle();
        self.buffers.take_if(|(of, _)| *of != screen);
        let (_, buffers) = match &mut self.buffers {
            Some(buffers) => buffers,
            none => none.insert((screen, Buffers::new(&self.shm, frame.size(), &handle)?)),
        };
        let Some(buffer) = buffers.next(frame, damage)? else { return Ok(()) };
        self.surface.attach(Some(buffer), 0, 0);
        for rect in damage {
            let (width, height) = (rect.x2 - rect.x1, rect.y2 - rect.y1);
            self.surface.damage_buffer(rect.x1 as i32, rect.y1 as i32, width as i32, height as i32);
        }
        self.surface.frame(&handle, ());
        self.surface.commit();
        self.state.frame_due = false;
        Ok(())
    }

    /// Sends what is waiting; false when the socket is full and some is left.
    pub(crate) fn flush(&self) -> Result<bool, Error> {
        match self.connection.flush() {
            Ok(()) => Ok(true),
            Err(e) if would_block(&e) => Ok(false),
            Err(e) => Err(Error::Gone(e)),
        }
    }

    /// Handles what was read.
    pub(crate) fn dispatch(&mut self) -> Result<(), Error> {
        self.queue.dispatch_pending(&mut self.state)?;
        Ok(())
    }

    /// Begins to wait; nothing when something was read already and is to be dispatched first.
    pub(crate) fn prepare(&self) -> Option<Reading> {
        self.queue.prepare_read().map(Reading)
    }
}

fn would_block(error: &WaylandError) -> bool {
    matches!(error, WaylandError::Io(e) if e.kind() == std::io::ErrorKind::WouldBlock)
}

/// The right to read the socket.
pub(crate) struct Reading(ReadEventsGuard);

impl Reading {
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.connection_fd()
    }

    pub(crate) fn read(self) -> Result<(), Error> {
        match self.0.read() {
            Ok(_) => Ok(()),
            Err(e) if would_block(&e) => Ok(()),
            Err(e) => Err(Error::Gone(e)),
        }
    }
}

delegate_noop!(State: ignore WlCompositor);
delegate_noop!(State: ignore WlShm);
delegate_noop!(State: ignore WlShmPool);
delegate_noop!(State: ignore WlSurface);

impl Dispatch<WlRegistry, GlobalListContents> for State {
    fn event(
        _: &mut Self,
        _: &WlRegistry,
        _: <WlRegistry as Proxy>::Event,
        _: &GlobalListContents,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        // A watch neither gains nor loses a global while an app runs.
    }
}

impl Dispatch<XdgWmBase, ()> for State {
    fn event(
        _: &mut Self,
        windows: &XdgWmBase,
        event: xdg_wm_base::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_wm_base::Event::Ping { serial } = event {
            windows.pong(serial);
        }
    }
}

impl Dispatch<XdgToplevel, ()> for State {
    fn event(
        state: &mut Self,
        _: &XdgToplevel,
        event: xdg_toplevel::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            xdg_toplevel::Event::Configure { width, height, .. } => state.advice = (width, height),
            xdg_toplevel::Event::Close => state.closed = true,
            _ => {}
        }
    }
}

impl Dispatch<XdgSurface, ()> for State {
    fn event(
        state: &mut Self,
        window: &XdgSurface,
        event: xdg_surface::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_surface::Event::Configure { serial } = event {
            window.ack_configure(serial);
            // Zero means that the size is ours to choose.
            let side = |v: i32, otherwise| if v <= 0 { otherwise } else { v.min(LONGEST) as u32 };
            state.size = Some(Screen {
                width: side(state.advice.0, Screen::REFERENCE.width),
                height: side(state.advice.1, Screen::REFERENCE.height),
            });
        }
    }
}

impl Dispatch<WlCallback, ()> for State {
    fn event(
        state: &mut Self,
        _: &WlCallback,
        event: wl_callback::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wl_callback::Event::Done { .. } = event {
            state.frame_due = true;
        }
    }
}

impl Dispatch<WlBuffer, Held> for State {
    fn event(
        _: &mut Self,
        _: &WlBuffer,
        event: wl_buffer::Event,
        held: &Held,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wl_buffer::Event::Release = event {
            held.store(false, Ordering::Release);
        }
    }
}

impl Dispatch<WlSeat, ()> for State {
    fn event(
        state: &mut Self,
        seat: &WlSeat,
        event: wl_seat::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        let wl_seat::Event::Capabilities { capabilities: WEnum::Value(has) } = event else { return };
        if !has.contains(Capability::Touch) {
            state.touch = None;
            state.touches.extend(state.finger.cancel());
        } else if state.touch.is_none() {
            state.touch = Some(seat.get_touch(handle, ()));
        }
    }
}

impl Dispatch<WlTouch, ()> for State {
    fn event(
        state: &mut Self,
        _: &WlTouch,
        event: wl_touch::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let touch = match event {
            wl_touch::Event::Down { id, x, y, .. } => state.finger.down(id, x, y),
            wl_touch::Event::Motion { id, x, y, .. } => state.finger.moved(id, x, y),
            wl_touch::Event::Up { id, .. } => state.finger.up(id),
            wl_touch::Event::Cancel => state.finger.cancel(),
            _ => None,
        };
        state.touches.extend(touch);
    }
}
