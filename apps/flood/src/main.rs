//! flood: an app that shows one picture, so that it is taken for an app, and then commits as fast as it can.
//!
//! It is signed and granted in the development image, because what is shown is what happens to an app the reviewers
//! were wrong about.

use std::error::Error;
use std::io::{ErrorKind, Write as _};
use std::os::fd::AsFd as _;

use rustix::fs::{MemfdFlags, memfd_create};
use wayland_client::backend::WaylandError;
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::{wl_buffer, wl_compositor, wl_registry, wl_shm, wl_shm_pool, wl_surface};
use wayland_client::{Connection, Dispatch, Proxy as _, QueueHandle, delegate_noop};
use wayland_protocols::xdg::shell::client::{xdg_surface, xdg_toplevel, xdg_wm_base};

const SIDE: i32 = 466;

#[derive(Default)]
struct Flood {
    configured: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let connection = Connection::connect_to_env()?;
    let (globals, mut queue) = registry_queue_init::<Flood>(&connection)?;
    let handle = queue.handle();
    let compositor: wl_compositor::WlCompositor = globals.bind(&handle, 1..=4, ())?;
    let shm: wl_shm::WlShm = globals.bind(&handle, 1..=1, ())?;
    let shell: xdg_wm_base::XdgWmBase = globals.bind(&handle, 1..=1, ())?;
    let surface = compositor.create_surface(&handle, ());
    let role = shell.get_xdg_surface(&surface, &handle, ());
    let _toplevel = role.get_toplevel(&handle, ());
    surface.commit();
    let mut flood = Flood::default();
    while !flood.configured {
        queue.blocking_dispatch(&mut flood)?;
    }
    let buffer = picture(&shm, &handle)?;
    surface.attach(Some(&buffer), 0, 0);
    loop {
        surface.damage(0, 0, SIDE, SIDE);
        surface.commit();
        match queue.flush() {
            // The watch takes no more for now. It is not this app's way to wait.
            Err(WaylandError::Io(error)) if error.kind() == ErrorKind::WouldBlock => {}
            other => other?,
        }
        queue.dispatch_pending(&mut flood)?;
    }
}

/// A whole screen of one colour.
fn picture(shm: &wl_shm::WlShm, handle: &QueueHandle<Flood>) -> Result<wl_buffer::WlBuffer, Box<dyn Error>> {
    let memory = memfd_create("flood", MemfdFlags::CLOEXEC)?;
    let size = SIDE * SIDE * 4;
    std::fs::File::from(memory.try_clone()?)
        .write_all(&[0x40, 0xb0, 0x20, 0xff].repeat(usize::try_from(size / 4)?))?;
    let pool = shm.create_pool(memory.as_fd(), size, handle, ());
    Ok(pool.create_buffer(0, SIDE, SIDE, SIDE * 4, wl_shm::Format::Xrgb8888, handle, ()))
}

impl Dispatch<wl_registry::WlRegistry, GlobalListContents> for Flood {
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

impl Dispatch<xdg_surface::XdgSurface, ()> for Flood {
    fn event(
        flood: &mut Self,
        surface: &xdg_surface::XdgSurface,
        event: xdg_surface::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_surface::Event::Configure { serial } = event
            && surface.is_alive()
        {
            surface.ack_configure(serial);
            flood.configured = true;
        }
    }
}

delegate_noop!(Flood: ignore wl_compositor::WlCompositor);
delegate_noop!(Flood: ignore wl_surface::WlSurface);
delegate_noop!(Flood: ignore wl_shm::WlShm);
delegate_noop!(Flood: ignore wl_shm_pool::WlShmPool);
delegate_noop!(Flood: ignore wl_buffer::WlBuffer);
delegate_noop!(Flood: ignore xdg_wm_base::XdgWmBase);
delegate_noop!(Flood: ignore xdg_toplevel::XdgToplevel);
