//! The client: a full-screen window of `wl_shm`, a whole new picture every 20 ms for [`MOVES`], then none.
//!
//! **Invariants:** its own clock drives it, not the compositor's; a picture is drawn only into a buffer that the
//! compositor has given back, so a compositor that is late makes fewer pictures, which the meter shows; when it
//! stands still it wakes up only for what the compositor says.

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use wayland_client::backend::WaylandError;
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::{wl_buffer, wl_compositor, wl_registry, wl_shm, wl_shm_pool, wl_surface};
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, delegate_noop};
use wayland_protocols::xdg::shell::client::{xdg_surface, xdg_toplevel, xdg_wm_base};

use crate::picture::{BUFFERS, Picture, SIDE, SIZE, STRIDE};

/// Fifty a second.
const PERIOD: Duration = Duration::from_millis(20);
/// How long the picture moves before it stands still.
const MOVES: Duration = Duration::from_secs(45);

/// What the compositor told.
#[derive(Default)]
struct State {
    configured: bool,
    closed: bool,
    busy: [bool; BUFFERS],
}

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let connection = Connection::connect_to_env()?;
    let (globals, mut queue) = registry_queue_init::<State>(&connection)?;
    let handle = queue.handle();
    let compositor: wl_compositor::WlCompositor = globals.bind(&handle, 1..=4, ())?;
    let shm: wl_shm::WlShm = globals.bind(&handle, 1..=1, ())?;
    let shell: xdg_wm_base::XdgWmBase = globals.bind(&handle, 1..=1, ())?;
    let surface = compositor.create_surface(&handle, ());
    let role = shell.get_xdg_surface(&surface, &handle, ());
    let toplevel = role.get_toplevel(&handle, ());
    toplevel.set_fullscreen(None);
    surface.commit();
    let mut state = State::default();
    while !state.configured {
        queue.blocking_dispatch(&mut state)?;
    }
    let mut picture = Picture::new()?;
    let buffers = buffers(&shm, &picture, &handle)?;
    let started = Instant::now();
    let mut next = started;
    while !state.closed {
        let now = Instant::now();
        let moves = now.duration_since(started) < MOVES;
        if moves && now >= next {
            show(&surface, &buffers, &mut picture, &mut state)?;
            // A picture that came too late is left out, not made up for.
            while next <= now {
                next += PERIOD;
            }
        }
        wait(&mut queue, &mut state, moves.then(|| next.saturating_duration_since(now)))?;
    }
    Ok(())
}

fn buffers(
    shm: &wl_shm::WlShm,
    picture: &Picture,
    handle: &QueueHandle<State>,
) -> Result<Vec<wl_buffer::WlBuffer>, Box<dyn Error>> {
    let pool = shm.create_pool(picture.memory(), i32::try_from(SIZE * BUFFERS)?, handle, ());
    let (side, stride) = (i32::try_from(SIDE)?, i32::try_from(STRIDE)?);
    (0..BUFFERS)
        .map(|number| {
            let offset = i32::try_from(number * SIZE)?;
            Ok(pool.create_buffer(offset, side, side, stride, wl_shm::Format::Xrgb8888, handle, number))
        })
        .collect()
}

/// Draws and commits, if there is a buffer to draw into.
fn show(
    surface: &wl_surface::WlSurface,
    buffers: &[wl_buffer::WlBuffer],
    picture: &mut Picture,
    state: &mut State,
) -> io::Result<()> {
    let free = buffers.iter().zip(&mut state.busy).enumerate().find(|(_, (_, busy))| !**busy);
    let Some((number, (buffer, busy))) = free else { return Ok(()) };
    picture.draw(number)?;
    surface.attach(Some(buffer), 0, 0);
    surface.damage(0, 0, i32::MAX, i32::MAX);
    surface.commit();
    *busy = true;
    Ok(())
}

/// Waits for the compositor, for at most `patience`, and takes in what it says.
fn wait(
    queue: &mut EventQueue<State>,
    state: &mut State,
    patience: Option<Duration>,
) -> Result<(), Box<dyn Error>> {
    queue.flush()?;
    let Some(reading) = queue.prepare_read() else {
        queue.dispatch_pending(state)?;
        return Ok(());
    };
    let timeout = patience.map(Timespec::try_from).transpose()?;
    let ready =
        poll(&mut [PollFd::from_borrowed_fd(reading.connection_fd(), PollFlags::IN)], timeout.as_ref())?;
    if ready > 0 {
        match reading.read() {
            Err(WaylandError::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
            other => drop(other?),
        }
        queue.dispatch_pending(state)?;
    }
    Ok(())
}

impl Dispatch<wl_buffer::WlBuffer, usize> for State {
    fn event(
        state: &mut Self,
        _: &wl_buffer::WlBuffer,
        event: wl_buffer::Event,
        number: &usize,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wl_buffer::Event::Release = event
            && let Some(busy) = state.busy.get_mut(*number)
        {
            *busy = false;
        }
    }
}

impl Dispatch<xdg_wm_base::XdgWmBase, ()> for State {
    fn event(
        _: &mut Self,
        shell: &xdg_wm_base::XdgWmBase,
        event: xdg_wm_base::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_wm_base::Event::Ping { serial } = event {
            shell.pong(serial);
        }
    }
}

impl Dispatch<xdg_surface::XdgSurface, ()> for State {
    fn event(
        state: &mut Self,
        surface: &xdg_surface::XdgSurface,
        event: xdg_surface::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_surface::Event::Configure { serial } = event {
            surface.ack_configure(serial);
            state.configured = true;
        }
    }
}

impl Dispatch<xdg_toplevel::XdgToplevel, ()> for State {
    fn event(
        state: &mut Self,
        _: &xdg_toplevel::XdgToplevel,
        event: xdg_toplevel::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        state.closed |= matches!(event, xdg_toplevel::Event::Close);
    }
}

impl Dispatch<wl_registry::WlRegistry, GlobalListContents> for State {
    fn event(
        _: &mut Self,
        _: &wl_registry::WlRegistry,
        _: wl_registry::Event,
        _: &GlobalListContents,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

delegate_noop!(State: ignore wl_compositor::WlCompositor);
delegate_noop!(State: ignore wl_surface::WlSurface);
delegate_noop!(State: ignore wl_shm::WlShm);
delegate_noop!(State: ignore wl_shm_pool::WlShmPool);
