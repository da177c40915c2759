//! What the client asks for.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use wayland_protocols::xdg::shell::server::xdg_surface::{self, XdgSurface};
use wayland_protocols::xdg::shell::server::xdg_toplevel::{self, XdgToplevel};
use wayland_protocols::xdg::shell::server::xdg_wm_base::{self, XdgWmBase};
use wayland_server::protocol::wl_buffer::{self, WlBuffer};
use wayland_server::protocol::wl_callback::{self, WlCallback};
use wayland_server::protocol::wl_compositor::{self, WlCompositor};
use wayland_server::protocol::wl_region::{self, WlRegion};
use wayland_server::protocol::wl_seat::{self, Capability, WlSeat};
use wayland_server::protocol::wl_shm::{self, Format, WlShm};
use wayland_server::protocol::wl_shm_pool::{self, WlShmPool};
use wayland_server::protocol::wl_surface::{self, WlSurface};
use wayland_server::protocol::wl_touch::{self, WlTouch};
use wayland_server::{Client, DataInit, Dispatch, DisplayHandle, GlobalDispatch, New, Resource, WEnum};

use super::{Shot, State};

/// Where a buffer lies in its pool.
pub struct Picture {
    pool: Arc<OwnedFd>,
    offset: usize,
    size: (usize, usize),
    stride: usize,
    format: Format,
}

impl Picture {
    fn shot(&self, damage: Vec<super::Area>) -> Shot {
        let mut bytes = vec![0; self.stride * self.size.1];
        let read = rustix::io::pread(&*self.pool, &mut bytes, self.offset as u64).unwrap();
        assert_eq!(read, bytes.len(), "the pool is shorter than its buffer");
        let rows = bytes.chunks(self.stride).flat_map(|row| row[..self.size.0 * 4].chunks(4));
        let pixels = rows.map(|p| u32::from_le_bytes([p[0], p[1], p[2], 0])).collect();
        Shot { damage, format: self.format, size: self.size, pixels }
    }
}

macro_rules! global {
    ($interface:ty, |$state:ident, $object:ident| $then:expr) => {
        impl GlobalDispatch<$interface, ()> for State {
            fn bind(
                $state: &mut Self,
                _: &DisplayHandle,
                _: &Client,
                new: New<$interface>,
                (): &(),
                init: &mut DataInit<'_, Self>,
            ) {
                let $object = init.init(new, ());
                $then
            }
        }
    };
}

macro_rules! requests {
    ($interface:ty, $data:ty, $request:ty, |$state:ident, $object:ident, $asked:ident, $with:ident, $init:ident| $then:expr) => {
        impl Dispatch<$interface, $data> for State {
            fn request(
                $state: &mut Self,
                _: &Client,
                $object: &$interface,
                $asked: $request,
                $with: &$data,
                _: &DisplayHandle,
                $init: &mut DataInit<'_, Self>,
            ) {
                $then
            }
        }
    };
}

global!(WlCompositor, |_state, _object| {});
global!(WlShm, |_state, shm| {
    shm.format(Format::Argb8888);
    shm.format(Format::Xrgb8888);
});
global!(XdgWmBase, |state, windows| state.windows = Some(windows));
global!(WlSeat, |_state, seat| seat.capabilities(Capability::Touch));

requests!(WlRegion, (), wl_region::Request, |_state, _object, _asked, _with, _init| {});
requests!(WlTouch, (), wl_touch::Request, |_state, _object, _asked, _with, _init| {});
requests!(XdgToplevel, (), xdg_toplevel::Request, |_state, _object, _asked, _with, _init| {});
requests!(WlCallback, (), wl_callback::Request, |_state, _object, _asked, _with, _init| {});
requests!(WlBuffer, Picture, wl_buffer::Request, |_state, _object, _asked, _with, _init| {});

requests!(WlCompositor, (), wl_compositor::Request, |state, _object, asked, _with, init| match asked {
    wl_compositor::Request::CreateSurface { id } => state.surface = Some(init.init(id, ())),
    wl_compositor::Request::CreateRegion { id } => {
        init.init(id, ());
    }
    _ => {}
});

requests!(WlShm, (), wl_shm::Request, |_state, _object, asked, _with, init| {
    if let wl_shm::Request::CreatePool { id, fd, size } = asked {
        let length = rustix::fs::fstat(&fd).unwrap().st_size;
        assert!(i64::from(size) <= length, "a pool of {size} in {length} bytes");
        init.init(id, Arc::new(fd));
    }
});

requests!(WlShmPool, Arc<OwnedFd>, wl_shm_pool::Request, |_state, _object, asked, pool, init| {
    if let wl_shm_pool::Request::CreateBuffer { id, offset, width, height, stride, format } = asked {
        let WEnum::Value(format) = format else { panic!("an unknown format") };
        let size = (width as usize, height as usize);
        init.init(
            id,
            Picture { pool: pool.clone(), offset: offset as usize, size, stride: stride as usize, format },
        );
    }
});

requests!(WlSurface, (), wl_surface::Request, |state, _object, asked, _with, init| match asked {
    wl_surface::Request::Attach { buffer, .. } => state.attached = buffer,
    wl_surface::Request::DamageBuffer { x, y, width, height } => state.damage.push((x, y, width, height)),
    wl_surface::Request::Damage { .. } => panic!("damage in surface coordinates"),
    wl_surface::Request::Frame { callback } => {
        let callback = init.init(callback, ());
        state.asked.push(callback);
    }
    wl_surface::Request::Commit => state.commit(),
    _ => {}
});

requests!(XdgWmBase, (), xdg_wm_base::Request, |state, _object, asked, _with, init| match asked {
    xdg_wm_base::Request::GetXdgSurface { id, .. } => state.xdg = Some(init.init(id, ())),
    xdg_wm_base::Request::Pong { serial } => state.pongs.push(serial),
    _ => {}
});

requests!(XdgSurface, (), xdg_surface::Request, |state, _object, asked, _with, init| match asked {
    xdg_surface::Request::GetToplevel { id } => state.toplevel = Some(init.init(id, ())),
    xdg_surface::Request::AckConfigure { serial } => state.acked.push(serial),
    _ => {}
});

requests!(WlSeat, (), wl_seat::Request, |state, _object, asked, _with, init| {
    if let wl_seat::Request::GetTouch { id } = asked {
        state.touch = Some(init.init(id, ()));
    }
});

impl State {
    fn commit(&mut self) {
        match self.attached.take() {
            Some(buffer) => {
                assert!(!self.acked.is_empty(), "a picture before the size was acknowledged");
                assert!(self.callbacks.is_empty(), "a picture before the frame was given");
                let picture = buffer.data::<Picture>().unwrap();
                self.shots.push(picture.shot(std::mem::take(&mut self.damage)));
                if self.keeps {
                    if let Some(old) = self.shown.replace(buffer) {
                        old.release();
                    }
                } else {
                    buffer.release();
                }
            }
            None if self.acked.is_empty() => {
                let serial = self.next();
                let (width, height) = self.size;
                let fullscreen = (xdg_toplevel::State::Fullscreen as u32).to_ne_bytes().to_vec();
                self.toplevel.as_ref().unwrap().configure(width, height, fullscreen);
                self.xdg.as_ref().unwrap().configure(serial);
            }
            None => {}
        }
        for callback in self.asked.drain(..) {
            if self.generous {
                callback.done(0);
            } else {
                self.callbacks.push(callback);
            }
        }
    }
}
