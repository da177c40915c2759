//! The screen: kernel mode setting on the first card, one dumb buffer, dirty rectangles.
//!
//! Opening the card makes this process DRM master, and the console's own drawing stops when the CRTC is
//! set. One front buffer is enough: damage is small, and a watch panel with its own memory is told what
//! changed by `DIRTYFB`.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use drm::Device;
use drm::buffer::{Buffer, DrmFourcc};
use drm::control::dumbbuffer::{DumbBuffer, DumbMapping};
use drm::control::{ClipRect, Device as ControlDevice, Mode, ModeTypeFlags, connector, crtc, framebuffer};

use frame::{Frame, Rect};

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// The card cannot be opened.
    #[error("cannot open {path}")]
    Open {
        /// The device node.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// No connector has a screen with a mode and a CRTC to drive it.
    #[error("no connected screen on {0}")]
    NotConnected(PathBuf),
    /// A mode-setting call failed.
    #[error("{action} failed")]
    Kms {
        /// The call.
        action: &'static str,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

fn kms(action: &'static str) -> impl FnOnce(io::Error) -> ScreenError {
    move |source| ScreenError::Kms { action, source }
}

struct Card(File);

impl AsFd for Card {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
impl Device for Card {}
impl ControlDevice for Card {}

/// A connected screen and the mode it likes best.
pub(crate) struct Screen {
    card: Card,
    connector: connector::Handle,
    crtc: crtc::Handle,
    mode: Mode,
}

impl Screen {
    /// Takes the first connected connector of the card.
    pub(crate) fn open(path: &Path) -> Result<Self, ScreenError> {
        let card = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map(Card)
            .map_err(|source| ScreenError::Open { path: path.into(), source })?;
        let resources = card.resource_handles().map_err(kms("reading the card's resources"))?;
        for handle in resources.connectors() {
            let info = card.get_connector(*handle, true).map_err(kms("probing a connector"))?;
            if info.state() != connector::State::Connected {
                continue;
            }
            let preferred = info.modes().iter().find(|m| m.mode_type().contains(ModeTypeFlags::PREFERRED));
            let Some(mode) = preferred.or_else(|| info.modes().first()).copied() else { continue };
            let crtc = info
                .encoders()
                .iter()
                .filter_map(|encoder| card.get_encoder(*encoder).ok())
                .find_map(|encoder| resources.filter_crtcs(encoder.possible_crtcs()).first().copied());
            if let Some(crtc) = crtc {
                return Ok(Self { card, connector: *handle, crtc, mode });
            }
        }
        Err(ScreenError::NotConnected(path.into()))
    }

    /// Width and height in pixels.
    pub(crate) fn size(&self) -> (u32, u32) {
        let (width, height) = self.mode.size();
        (width.into(), height.into())
    }

    /// Makes the buffer that [`Screen::scan_out`] shows.
    pub(crate) fn buffer(&self) -> Result<DumbBuffer, ScreenError> {
        self.card
            .create_dumb_buffer(self.size(), DrmFourcc::Xrgb8888, 32)
            .map_err(kms("creating a dumb buffer"))
    }

    /// Maps the buffer for as long as it is shown; the screen is switched to it with the first frame.
    pub(crate) fn scan_out<'a>(&'a self, buffer: &'a mut DumbBuffer) -> Result<Scanout<'a>, ScreenError> {
        let pitch = buffer.pitch() as usize;
        let framebuffer = self.card.add_framebuffer(buffer, 24, 32).map_err(kms("adding a framebuffer"))?;
        let map = self.card.map_dumb_buffer(buffer).map_err(kms("mapping the buffer"))?;
        Ok(Scanout { screen: self, framebuffer, map, pitch, lit: false, dirty: true })
    }
}

/// The mapped front buffer.
pub(crate) struct Scanout<'a> {
    screen: &'a Screen,
    framebuffer: framebuffer::Handle,
    map: DumbMapping<'a>,
    pitch: usize,
    lit: bool,
    /// Whether the driver wants to be told what changed.
    dirty: bool,
}

impl Scanout<'_> {
    /// Copies the damage, above what lies under it, and tells the driver about it.
    pub(crate) fn show(
        &mut self,
        frame: &Frame,
        under: Option<&[u32]>,
        damage: &[Rect],
    ) -> Result<(), ScreenError> {
        frame.compose(damage, under, &mut self.map, self.pitch);
        if !self.lit {
            let Screen { card, connector, crtc, mode } = self.screen;
            card.set_crtc(*crtc, Some(self.framebuffer), (0, 0), &[*connector], Some(*mode))
                .map_err(kms("setting the mode"))?;
            self.lit = true;
        }
        if !self.dirty || damage.is_empty() {
            return Ok(());
        }
        let edge = |v: usize| u16::try_from(v).unwrap_or(u16::MAX);
        let clips = damage
            .iter()
            .map(|r| ClipRect::new(edge(r.x1), edge(r.y1), edge(r.x2), edge(r.y2)))
            .collect::<Vec<_>>();
        match self.screen.card.dirty_framebuffer(self.framebuffer, &clips) {
            // Scanned out all the time: nothing to tell.
            Err(e) if e.raw_os_error() == Some(nix::errno::Errno::ENOSYS as i32) => {
                self.dirty = false;
                Ok(())
            }
            other => other.map_err(kms("flushing the damage")),
        }
    }
}
