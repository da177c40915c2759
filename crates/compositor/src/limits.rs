//! What an app may ask of the server before it is ended, in one place.
//!
//! **Invariants:** every limit has a [`Reason`](crate::Reason) that names it in the diary. A limit bounds the
//! memory, the descriptors or the processor time that one app can take from the shell's process.

use std::time::Duration;

/// What an app may take. [`Limits::default`] is what the watch runs with; tests shorten the times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// A buffer may be this many times as wide and as high as the screen. `TooLarge`.
    pub buffer_scale: u32,
    /// Bytes between two rows of a buffer, at most. `TooLarge`.
    pub stride: u32,
    /// `wl_surface.commit`. `Flood`.
    pub commits: Rate,
    /// Requests of any kind, counted before they are parsed. `Flood`.
    pub requests: Rate,
    /// Bytes of requests. `Flood`.
    pub bytes: Rate,
    /// Living `wl_surface`s; also bounds how deep subsurfaces nest. `Flood`.
    pub surfaces: usize,
    /// Living `wl_shm_pool`s: each holds one descriptor. `Flood`.
    pub pools: usize,
    /// Descriptors received that no request has taken yet: libraries send them ahead of the requests, so more
    /// than [`Limits::pools`]. `Flood`.
    pub descriptors: usize,
    /// Living objects of any kind; looked at every [`Limits::object_check`] requests. `Flood`.
    pub objects: usize,
    /// Requests between two counts of the living objects.
    pub object_check: u32,
    /// Rectangles in one `wl_region`, damage rectangles and frame callbacks in one commit. `Flood`.
    pub list: usize,
    /// All of what [`Limits::list`] bounds for one object, together. `Flood`.
    pub lists: usize,
    /// Configures that one window has not acknowledged. `Flood`.
    pub configures: usize,
    /// Pixels drawn, in whole screens; every surface counts, visible or not. `Flood`.
    pub screens: Rate,
    /// Frame callbacks of commits that the shell has not shown; the oldest beyond them are answered unshown.
    pub callbacks: usize,
    /// Bytes that the app has not read. `Silent`.
    pub unread: usize,
    /// From becoming visible to the first frame. `Silent`.
    pub first_frame: Duration,
    /// Pings are at least this far apart; one goes out only when something was sent to the app.
    pub ping_every: Duration,
    /// A visible app answers a ping, and reads what it was sent, within this time. `Silent`.
    pub pong: Duration,
    /// Processor time of the server's thread in one turn: not wall time, as a loaded machine is no reason. `Flood`.
    pub work: Duration,
    /// The server's thread may be busy with one turn for this long before the app is cut off. `Flood`.
    pub busy: Duration,
    /// Frame callbacks are at least this far apart.
    pub frame: Duration,
}

/// So many per second over time, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Average, per second.
    pub per_second: u32,
    /// At once, after a rest.
    pub burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            buffer_scale: 2,
            stride: 64 * 1024,
            commits: Rate { per_second: 240, burst: 480 },
            requests: Rate { per_second: 5_000, burst: 20_000 },
            bytes: Rate { per_second: 512 * 1024, burst: 1024 * 1024 },
            surfaces: 16,
            pools: 64,
            descriptors: 96,
            objects: 2_048,
            object_check: 1_024,
            list: 1_024,
            lists: 8_192,
            configures: 32,
            screens: Rate { per_second: 240, burst: 480 },
            callbacks: 64,
            unread: 256 * 1024,
            first_frame: Duration::from_secs(10),
            ping_every: Duration::from_secs(2),
            pong: Duration::from_secs(4),
            work: Duration::from_millis(150),
            busy: Duration::from_millis(500),
            frame: Duration::from_millis(16),
        }
    }
}
