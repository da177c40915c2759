//! `wl_shm`: the app's pixels, read with `pread` from the file it handed over.
//!
//! Reading instead of mapping costs a few tens of microseconds for a whole screen, and takes four threats
//! away: a truncated file is a short read and no SIGBUS, a hole is read as zeros without memory being charged
//! to the shell, no pointer leads into memory that the app changes, and a pool of any size costs nothing.
//!
//! **Invariants:** only files in memory are taken (`F_GET_SEALS` answers), so a read never waits for a file
//! system of the app's making. A buffer's size is judged before anything of it is read. Open files are counted
//! as long as a pool or a buffer holds them.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use smithay::reexports::wayland_server::backend::ClientId;
use smithay::reexports::wayland_server::protocol::wl_buffer::{self, WlBuffer};
use smithay::reexports::wayland_server::protocol::wl_shm::{self, Format, WlShm};
use smithay::reexports::wayland_server::protocol::wl_shm_pool::{self, WlShmPool};
use smithay::reexports::wayland_server::{
    Client, DataInit, Dispatch, DisplayHandle, GlobalDispatch, New, Resource, WEnum,
};

use crate::Reason;
use crate::state::State;

/// Bytes of a pixel, in both formats.
pub(crate) const PIXEL: u32 = 4;

/// An open file of the app.
#[derive(Debug)]
pub(crate) struct File {
    descriptor: OwnedFd,
    open: Arc<AtomicUsize>,
}

impl Drop for File {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A pool: a file, and how much of it may be used.
#[derive(Debug)]
pub(crate) struct Pool {
    file: Arc<File>,
    size: Mutex<u32>,
}

/// A picture in a pool. Its geometry was judged when it was made.
#[derive(Debug, Clone)]
pub(crate) struct Buffer {
    file: Arc<File>,
    offset: u64,
    /// Pixels across.
    pub(crate) width: u32,
    /// Pixels down.
    pub(crate) height: u32,
    /// Bytes between two rows.
    pub(crate) stride: u32,
    /// ARGB8888, premultiplied; otherwise XRGB8888.
    pub(crate) alpha: bool,
}

/// The file ends before the buffer does, or cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Truncated;

impl Buffer {
    /// Fills `bytes` from row `y`, beginning at pixel `x`; goes on into further rows, padding included.
    pub(crate) fn read(&self, x: u32, y: u32, bytes: &mut [u8]) -> Result<(), Truncated> {
        let row = u64::from(y) * u64::from(self.stride);
        let mut at = self.offset + row + u64::from(x) * u64::from(PIXEL);
        let mut rest = bytes;
        while !rest.is_empty() {
            match rustix::io::pread(&self.file.descriptor, &mut *rest, at) {
                Ok(count) if count > 0 => {
                    rest = rest.get_mut(count..).unwrap_or_default();
                    at += count as u64;
                }
                Err(rustix::io::Errno::INTR) => {}
                _ => return Err(Truncated),
            }
        }
        Ok(())
    }
}

/// Offers `wl_shm` with the two formats every client knows.
pub(crate) fn offer(display: &DisplayHandle) {
    display.create_global::<State, WlShm, ()>(1, ());
}

impl GlobalDispatch<WlShm, ()> for State {
    fn bind(
        _: &mut Self,
        _: &DisplayHandle,
        _: &Client,
        shm: New<WlShm>,
        (): &(),
        init: &mut DataInit<'_, Self>,
    ) {
        let shm = init.init(shm, ());
        shm.format(Format::Argb8888);
        shm.format(Format::Xrgb8888);
    }
}

impl Dispatch<WlShm, ()> for State {
    fn request(
        state: &mut Self,
        _: &Client,
        shm: &WlShm,
        request: wl_shm::Request,
        (): &(),
        _: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        let wl_shm::Request::CreatePool { id, fd, size } = request else { return };
        state.guard.descriptors_taken += 1;
        let open = Arc::clone(&state.guard.files);
        let before = open.fetch_add(1, Ordering::Relaxed);
        let file = Arc::new(File { descriptor: fd, open });
        let size = u32::try_from(size).unwrap_or(0);
        let in_memory = rustix::fs::fcntl_get_seals(&file.descriptor).is_ok();
        let pool = Pool { file, size: Mutex::new(size) };
        init.init(id, pool);
        if before >= state.limits.pools {
            state.guard.end(Reason::Flood);
        } else if size == 0 {
            shm.post_error(wl_shm::Error::InvalidStride, "a pool has a size");
        } else if !in_memory {
            shm.post_error(wl_shm::Error::InvalidFd, "a pool is a file in memory");
        }
    }
}

impl Dispatch<WlShmPool, Pool> for State {
    fn request(
        state: &mut Self,
        _: &Client,
        pool: &WlShmPool,
        request: wl_shm_pool::Request,
        data: &Pool,
        _: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        let mut size = data.size.lock().unwrap_or_else(PoisonError::into_inner);
        match request {
            wl_shm_pool::Request::CreateBuffer { id, offset, width, height, stride, format } => {
                let geometry = [offset, width, height, stride].map(|value| u32::try_from(value).ok());
                let [Some(offset), Some(width), Some(height), Some(stride)] = geometry else {
                    pool.post_error(wl_shm::Error::InvalidStride, "a negative size");
                    return;
                };
                let alpha = match format {
                    WEnum::Value(Format::Argb8888) => true,
                    WEnum::Value(Format::Xrgb8888) => false,
                    _ => {
                        pool.post_error(wl_shm::Error::InvalidFormat, "not argb8888 or xrgb8888");
                        return;
                    }
                };
                let bytes = u64::from(stride) * u64::from(height) + u64::from(offset);
                let fits = width > 0
                    && height > 0
                    && u64::from(width) * u64::from(PIXEL) <= u64::from(stride)
                    && bytes <= u64::from(*size);
                if !fits {
                    pool.post_error(wl_shm::Error::InvalidStride, "the buffer does not fit into its pool");
                    return;
                }
                let scale = u64::from(state.limits.buffer_scale);
                let too_large = u64::from(width) > u64::from(state.screen.0) * scale
                    || u64::from(height) > u64::from(state.screen.1) * scale
                    || stride > state.limits.stride;
                let file = Arc::clone(&data.file);
                let offset = u64::from(offset);
                init.init(id, Buffer { file, offset, width, height, stride, alpha });
                if too_large {
                    state.guard.end(Reason::TooLarge);
                    pool.post_error(wl_shm::Error::InvalidStride, "the buffer is too large for this screen");
                }
            }
            wl_shm_pool::Request::Resize { size: new } => match u32::try_from(new) {
                Ok(new) if new >= *size => *size = new,
                _ => pool.post_error(wl_shm::Error::InvalidStride, "a pool cannot shrink"),
            },
            _ => {}
        }
    }
}

impl Dispatch<WlBuffer, Buffer> for State {
    fn request(
        _: &mut Self,
        _: &Client,
        _: &WlBuffer,
        _: wl_buffer::Request,
        _: &Buffer,
        _: &DisplayHandle,
        _: &mut DataInit<'_, Self>,
    ) {
    }

    fn destroyed(state: &mut Self, _: ClientId, buffer: &WlBuffer, _: &Buffer) {
        state.scene.forget_buffer(buffer);
    }
}
