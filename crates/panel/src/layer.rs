//! A picture under Slint's own: where the window paints nothing, it is seen.
//!
//! The shell draws what is above an app with Slint, and only when that changes; the app's frames go past Slint
//! straight into the framebuffer.
//!
//! **Invariants:** a layer never covers what Slint drew; without a layer the holes are black.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use frame::{Frame, Rect};

/// Gets the pixels of a layer, as large as the screen, row by row as [`frame::Pixel`] has them, and what of them changed.
pub type Show<'a> = &'a mut dyn FnMut(&[u32], &[Rect]);

/// Gets the picture of the layer, if there is one, and what is to be put on the screen.
pub(crate) type Put<'a> = &'a mut dyn FnMut(Option<&[u32]>, &[Rect]);

/// Something that has a picture.
pub trait Layer {
    /// Hands over the newest picture, and what changed in it since the last time.
    fn picture(&self, show: Show<'_>);
    /// That picture is on the screen.
    fn shown(&self);
}

/// The place under the window. Clones are the same place.
#[derive(Clone, Default)]
pub struct Under(Rc<Slot>);

#[derive(Default)]
struct Slot {
    layer: RefCell<Option<Rc<dyn Layer>>>,
    /// Another layer, or none, since the last frame.
    swapped: Cell<bool>,
    /// The layer says that it has a new picture.
    news: Cell<bool>,
}

impl Under {
    /// Puts a layer there, or takes it away.
    pub fn set(&self, layer: Option<Rc<dyn Layer>>) {
        *self.0.layer.borrow_mut() = layer;
        self.0.swapped.set(true);
    }

    /// The layer has a new picture, to be shown when the event loop draws next.
    pub fn has_news(&self) {
        self.0.news.set(true);
    }

    /// Whether the screen has to be composed again although Slint drew nothing.
    pub(crate) fn is_due(&self) -> bool {
        self.0.swapped.get() || (self.0.news.get() && self.0.layer.borrow().is_some())
    }

    /// Calls `put` once with all that is to be put on the screen, if there is anything: `drawn` is what Slint drew.
    pub(crate) fn compose(&self, frame: &Frame, drawn: Vec<Rect>, put: Put<'_>) {
        let mut damage = drawn;
        let swapped = self.0.swapped.replace(false);
        if swapped {
            let (x2, y2) = frame.size();
            damage = vec![Rect { x1: 0, y1: 0, x2, y2 }];
        }
        // The borrow ends before `shown` may lead to another layer.
        let layer = self.0.layer.borrow().clone();
        let Some(layer) = layer else {
            self.0.news.set(false);
            return put(None, &damage);
        };
        let news = self.0.news.replace(false);
        layer.picture(&mut |pixels, changed| {
            if !swapped {
                damage.extend_from_slice(changed);
            }
            put(Some(pixels), &damage);
        });
        if news || swapped {
            layer.shown();
        }
    }
}
