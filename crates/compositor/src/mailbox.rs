//! The newest picture of the app, and what changed in it since it was last looked at.
//!
//! **Invariants:** one picture, never a queue. The server's thread draws into a picture of its own and holds the
//! lock only to copy what changed, at most one screen, however long it drew. A frame is announced once until it
//! is looked at.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Session;
use crate::damage::{Damage, DamageRect};

/// A look at the newest picture.
#[derive(Debug)]
pub struct Picture<'a> {
    /// The app that drew it; `None` before the first one.
    pub session: Option<Session>,
    /// `width * height` of `0xFFRRGGBB`, row after row: black behind, the app centred and clipped.
    pub pixels: &'a [u32],
    /// What changed since the last look. Empty when nothing did.
    pub damage: &'a [DamageRect],
}

/// The picture behind its lock.
#[derive(Debug)]
pub(crate) struct Mailbox {
    inner: Mutex<Content>,
    /// Pixels across.
    width: usize,
}

/// What the lock guards.
#[derive(Debug)]
struct Content {
    session: Option<Session>,
    pixels: Vec<u32>,
    damage: Damage,
    /// The shell was told, and has not looked since.
    announced: bool,
}

/// Opaque black.
pub(crate) const BLACK: u32 = 0xff00_0000;

impl Mailbox {
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let pixels = vec![BLACK; width as usize * height as usize];
        Self {
            inner: Mutex::new(Content { session: None, pixels, damage: Damage::default(), announced: false }),
            width: width as usize,
        }
    }

    /// A panic while looking leaves damage that is told again, which does no harm.
    fn lock(&self) -> MutexGuard<'_, Content> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session with a black screen.
    pub(crate) fn begin(&self, session: Session, width: u32, height: u32) {
        let mut content = self.lock();
        content.session = Some(session);
        content.pixels.fill(BLACK);
        content.damage.clear();
        content.damage.add(DamageRect { x: 0, y: 0, width, height });
        content.announced = false;
    }

    /// Copies the damaged parts of `pixels`, which is as large as the screen. True when the shell must be told.
    pub(crate) fn publish(&self, pixels: &[u32], damage: &[DamageRect]) -> bool {
        let mut content = self.lock();
        for rect in damage {
            for y in rect.y as usize..rect.bottom() as usize {
                let row = y * self.width + rect.x as usize..y * self.width + rect.right() as usize;
                if let (Some(to), Some(from)) = (content.pixels.get_mut(row.clone()), pixels.get(row)) {
                    to.copy_from_slice(from);
                }
            }
            content.damage.add(*rect);
        }
        !damage.is_empty() && !std::mem::replace(&mut content.announced, true)
    }

    pub(crate) fn look(&self, look: impl FnOnce(&Picture<'_>)) {
        let mut content = self.lock();
        content.announced = false;
        let content = &mut *content;
        look(&Picture { session: content.session, pixels: &content.pixels, damage: content.damage.rects() });
        content.damage.clear();
    }
}
