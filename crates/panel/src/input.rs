//! Finds touch surfaces under `/dev/input` and reads them, also those that appear later.
//!
//! **Invariant:** a device that is missing, refused or pulled out costs a line in the journal, no more.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use evdev::{AbsoluteAxisCode, Device, KeyCode};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tracing::{debug, info, warn};

use crate::touch::{Axis, Pointer, Touch};

struct Surface {
    device: Device,
    touch: Touch,
}

/// Every touch surface of the device.
pub(crate) struct Inputs {
    folder: PathBuf,
    screen: (u32, u32),
    watch: Option<Inotify>,
    surfaces: BTreeMap<PathBuf, Surface>,
}

impl Inputs {
    /// Opens what is there and watches the folder for what comes.
    pub(crate) fn open(folder: &Path, screen: (u32, u32)) -> Self {
        let watch = watch(folder)
            .inspect_err(|e| warn!("cannot watch {}, late touch surfaces stay unseen: {e}", folder.display()))
            .ok();
        let mut inputs = Self { folder: folder.into(), screen, watch, surfaces: BTreeMap::new() };
        inputs.scan();
        if inputs.surfaces.is_empty() {
            warn!("no touch surface yet");
        }
        inputs
    }

    /// What to poll for reading.
    pub(crate) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let watch = self.watch.iter().map(AsFd::as_fd);
        watch.chain(self.surfaces.values().map(|surface| surface.device.as_fd()))
    }

    /// Reads all there is without blocking.
    pub(crate) fn read(&mut self, emit: &mut impl FnMut(Pointer)) {
        if self.watch.as_ref().is_some_and(|watch| watch.read_events().is_ok()) {
            self.scan();
        }
        self.surfaces.retain(|path, surface| match surface.device.fetch_events() {
            Ok(events) => {
                events.for_each(|event| surface.touch.event(event, emit));
                true
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => true,
            Err(e) => {
                warn!("lost {}: {e}", path.display());
                false
            }
        });
    }

    fn scan(&mut self) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let is_event = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("event"));
            if !is_event || self.surfaces.contains_key(&path) {
                continue;
            }
            match surface(&path, self.screen) {
                Ok(Some(surface)) => {
                    info!(
                        "touch surface {} ({})",
                        path.display(),
                        surface.device.name().unwrap_or("unnamed")
                    );
                    self.surfaces.insert(path, surface);
                }
                Ok(None) => {}
                // Not ours to read, or udev has not set its permissions yet: then IN_ATTRIB follows.
                Err(e) => debug!("{}: {e}", path.display()),
            }
        }
    }
}

fn watch(folder: &Path) -> nix::Result<Inotify> {
    let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
    inotify.add_watch(folder, AddWatchFlags::IN_CREATE | AddWatchFlags::IN_ATTRIB)?;
    Ok(inotify)
}

/// The device, if it is something to touch the screen with.
fn surface(path: &Path, screen: (u32, u32)) -> io::Result<Option<Surface>> {
    let device = Device::open(path)?;
    let axes = device.supported_absolute_axes();
    let has = |axis| axes.is_some_and(|axes| axes.contains(axis));
    let keys = device.supported_keys();
    let presses =
        keys.is_some_and(|keys| keys.contains(KeyCode::BTN_TOUCH) || keys.contains(KeyCode::BTN_LEFT));
    let multi = has(AbsoluteAxisCode::ABS_MT_SLOT) && has(AbsoluteAxisCode::ABS_MT_POSITION_X);
    let single = has(AbsoluteAxisCode::ABS_X) && presses;
    if !multi && !single {
        return Ok(None);
    }
    let (x, y) = if multi {
        (AbsoluteAxisCode::ABS_MT_POSITION_X, AbsoluteAxisCode::ABS_MT_POSITION_Y)
    } else {
        (AbsoluteAxisCode::ABS_X, AbsoluteAxisCode::ABS_Y)
    };
    let mut range = [Axis { min: 0, max: 0 }; 2];
    for (axis, info) in device.get_absinfo()? {
        let [rx, ry] = &mut range;
        if axis == x {
            *rx = Axis { min: info.minimum(), max: info.maximum() };
        } else if axis == y {
            *ry = Axis { min: info.minimum(), max: info.maximum() };
        }
    }
    device.set_nonblocking(true)?;
    let [x, y] = range;
    Ok(Some(Surface { device, touch: Touch::new(x, y, screen, multi) }))
}
