//! Two pictures in shared memory, written with `pwrite`.
//!
//! The memory is a memfd that the compositor maps and this side never does: no `unsafe`, and no page of it in
//! this process. It is sealed, so that a compositor that maps it cannot be killed by shrinking it.
//!
//! The pixels are [`frame::Pixel`], whose colours are multiplied by alpha: with alpha ignored (`Xrgb8888`) they
//! are what stands above black, and an app has nothing but black under it. So a compositor may take every
//! app's picture as opaque.
//!
//! **Invariants:** a buffer the compositor holds is never written; a buffer that is handed over shows the whole
//! of the newest frame.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use frame::{Frame, Rect};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::io::{Errno, pwrite};
use wayland_client::protocol::wl_buffer::WlBuffer;
use wayland_client::protocol::wl_shm::{Format, WlShm};
use wayland_client::protocol::wl_shm_pool::WlShmPool;
use wayland_client::{Dispatch, QueueHandle};

use crate::Error;

/// Bytes of a pixel.
const PIXEL: usize = 4;
/// Pixels of one write: what fits a small cache.
const CHUNK: usize = 8 * 1024;
/// More rectangles than this are written as one.
const RECTS: usize = 16;

/// Set while the compositor may read a buffer.
pub(crate) type Held = Arc<AtomicBool>;

struct Buffer {
    object: WlBuffer,
    offset: usize,
    held: Held,
    /// What changed since it was last written.
    behind: Vec<Rect>,
}

/// A pair of buffers of one size.
pub(crate) struct Buffers {
    memory: OwnedFd,
    pair: [Buffer; 2],
    bytes: Vec<u8>,
}

impl Buffers {
    pub(crate) fn new<S>(shm: &WlShm, size: (usize, usize), queue: &QueueHandle<S>) -> Result<Self, Error>
    where
        S: Dispatch<WlShmPool, ()> + Dispatch<WlBuffer, Held> + 'static,
    {
        let (width, height) = size;
        let length = width * height * PIXEL;
        let memory = memory(length * 2).map_err(|e| Error::System("get memory for the picture", e))?;
        let pool = shm.create_pool(memory.as_fd(), (length * 2) as i32, queue, ());
        let buffer = |offset: usize| {
            let held = Held::default();
            let stride = (width * PIXEL) as i32;
            let (w, h) = (width as i32, height as i32);
            let object =
                pool.create_buffer(offset as i32, w, h, stride, Format::Xrgb8888, queue, held.clone());
            Buffer { object, offset, held, behind: vec![Rect { x1: 0, y1: 0, x2: width, y2: height }] }
        };
        let pair = [buffer(0), buffer(length)];
        // The buffers keep the memory.
        pool.destroy();
        Ok(Self { memory, pair, bytes: vec![0; CHUNK * PIXEL] })
    }

    /// The compositor has given one back.
    pub(crate) fn any_free(&self) -> bool {
        self.pair.iter().any(|buffer| !buffer.held.load(Ordering::Acquire))
    }

    /// Writes the newest frame to a free buffer and hands that over; nothing when none is free.
    pub(crate) fn next(&mut self, frame: &Frame, damage: &[Rect]) -> Result<Option<&WlBuffer>, Error> {
        for buffer in &mut self.pair {
            buffer.behind.extend_from_slice(damage);
            if buffer.behind.len() > RECTS {
                let all = buffer.behind.drain(..).reduce(around);
                buffer.behind.extend(all);
            }
        }
        let free = self.pair.iter_mut().find(|buffer| !buffer.held.load(Ordering::Acquire));
        let Some(free) = free else { return Ok(None) };
        for rect in std::mem::take(&mut free.behind) {
            write(&self.memory, free.offset, frame, rect, &mut self.bytes)
                .map_err(|e| Error::System("write the picture", e))?;
        }
        free.held.store(true, Ordering::Release);
        Ok(Some(&free.object))
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        for buffer in &self.pair {
            buffer.object.destroy();
        }
    }
}

fn memory(length: usize) -> Result<OwnedFd, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // A kernel before 6.3 does not know it; one with `vm.memfd_noexec=2` insists on it.
    let memory = memfd_create("picture", flags | MemfdFlags::NOEXEC_SEAL).or_else(|e| match e {
        Errno::INVAL => memfd_create("picture", flags),
        e => Err(e),
    })?;
    ftruncate(&memory, length as u64)?;
    fcntl_add_seals(&memory, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(memory)
}

fn around(a: Rect, b: Rect) -> Rect {
    Rect { x1: a.x1.min(b.x1), y1: a.y1.min(b.y1), x2: a.x2.max(b.x2), y2: a.y2.max(b.y2) }
}

/// Writes from a rectangle's first pixel to its last in one piece. What lies between two of its rows comes along:
/// it is right too, and one large write is cheaper than many small ones.
fn write(memory: &OwnedFd, offset: usize, frame: &Frame, rect: Rect, bytes: &mut [u8]) -> Result<(), Errno> {
    let (width, height) = frame.size();
    let rect = rect.clipped(width, height);
    if rect.is_empty() {
        return Ok(());
    }
    let first = rect.y1 * width + rect.x1;
    let last = (rect.y2 - 1) * width + rect.x2;
    let pixels = frame.pixels().get(first..last).unwrap_or_default();
    let mut at = (offset + first * PIXEL) as u64;
    for chunk in pixels.chunks(CHUNK) {
        for (pixel, to) in chunk.iter().zip(bytes.chunks_exact_mut(PIXEL)) {
            to.copy_from_slice(&pixel.0.to_le_bytes());
        }
        let mut left = bytes.get(..chunk.len() * PIXEL).unwrap_or_default();
        while !left.is_empty() {
            let written = match pwrite(memory, left, at) {
                Err(Errno::INTR) => 0,
                written => written?,
            };
            at += written as u64;
            left = left.get(written..).unwrap_or_default();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_cannot_be_shrunk_or_grown_and_is_not_executable() {
        let memory = memory(4096).unwrap();
        assert_eq!(ftruncate(&memory, 10), Err(Errno::PERM));
        assert_eq!(ftruncate(&memory, 10_000), Err(Errno::PERM));
        let mode = rustix::fs::fstat(&memory).unwrap().st_mode;
        assert!(mode & 0o111 == 0 || !rustix::fs::fcntl_get_seals(&memory).unwrap().is_empty());
    }

    #[test]
    fn a_rectangle_lands_where_it_belongs() {
        let memory = memory(2 * 300 * 300 * PIXEL).unwrap();
        let frame = Frame::new(300, 300);
        let offset = 300 * 300 * PIXEL;
        let mut bytes = vec![0; CHUNK * PIXEL];
        write(&memory, offset, &frame, Rect { x1: 10, y1: 5, x2: 20, y2: 200 }, &mut bytes).unwrap();
        let mut all = vec![0; 2 * offset];
        rustix::io::pread(&memory, &mut all, 0).unwrap();
        let written = all.iter().enumerate().filter(|(_, b)| **b == 0xff).map(|(n, _)| n / 4);
        let written = written.collect::<Vec<_>>();
        let first = 300 * 300 + 5 * 300 + 10;
        assert_eq!((written[0], *written.last().unwrap()), (first, first + 194 * 300 + 9));
        write(&memory, 0, &frame, Rect { x1: 400, y1: 0, x2: 500, y2: 9 }, &mut bytes).unwrap();
    }
}
