//! Ties the screen to the page, and the page to its file.
//!
//! **Invariant:** whatever was painted is handed to the disk at most half a second later.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use app::{Circle, Screen};
use slint::{
    Color, ComponentHandle, Image, Model, ModelRc, PlatformError, Rgb8Pixel, Timer, TimerMode, VecModel,
};

use crate::brush::Brush;
use crate::canvas::{Canvas, TILE};
use crate::layout::Layout;
use crate::store::{Picture, Saver, Store};
use crate::ui::{Draw, Spot, Theme};

/// A freeze or a kill loses no more than this.
const SAVED_AFTER: Duration = Duration::from_millis(500);

/// The drawing pad.
pub struct Pad {
    window: Draw,
    canvas: RefCell<Canvas>,
    tiles: Rc<VecModel<Image>>,
    paints: Vec<Rgb8Pixel>,
    brushes: Vec<f32>,
    brush: Cell<Brush>,
    /// Runs while something is not on the disk yet.
    unsaved: Timer,
    saver: RefCell<Option<Saver>>,
}

impl Pad {
    /// Builds the window and puts the kept drawing on its page.
    pub fn new(screen: Screen, store: Store) -> Result<Rc<Self>, PlatformError> {
        let window = Draw::new()?;
        let mut canvas = Canvas::new(screen.width as usize, screen.height as usize);
        if let Some(kept) = store.read((screen.width, screen.height)) {
            canvas.restore(&kept.pixels);
        }
        let theme = window.global::<Theme>();
        let paints = theme.get_paints().iter().map(|paint| rgb(paint.colour)).collect::<Vec<_>>();
        let brushes = theme.get_brushes().iter().map(|brush| brush.radius).collect::<Vec<_>>();
        place(&window, &Layout::new(screen, paints.len(), brushes.len()));
        let chosen = brushes.len() / 2;
        window.set_brush(chosen as i32);
        let brush = Brush {
            colour: paints.first().copied().unwrap_or_default(),
            radius: brushes.get(chosen).copied().unwrap_or(1.0),
        };
        let tiles = canvas.tiles().iter().cloned().map(Image::from_rgb8).collect::<Vec<_>>();
        let tiles = Rc::new(VecModel::from(tiles));
        window.set_columns(canvas.columns() as i32);
        window.set_tile(TILE as f32);
        window.set_tiles(tiles.clone().into());
        let pad = Rc::new(Self {
            window,
            canvas: RefCell::new(canvas),
            tiles,
            paints,
            brushes,
            brush: Cell::new(brush),
            unsaved: Timer::default(),
            saver: RefCell::new(Some(Saver::start(store))),
        });
        pad.listen();
        Ok(pad)
    }

    /// Its window.
    pub fn window(&self) -> Draw {
        self.window.clone_strong()
    }

    /// The end: what is not on the disk yet goes there now.
    pub fn finish(&self) {
        let saver = self.saver.borrow_mut().take();
        if let Some(saver) = saver {
            if self.unsaved.running() {
                self.unsaved.stop();
                saver.save(self.picture());
            }
            saver.finish();
        }
    }

    fn listen(self: &Rc<Self>) {
        let window = &self.window;
        // The window is kept by the pad: its callbacks must not keep the pad.
        let weak = Rc::downgrade(self);
        let call = move |run: &dyn Fn(&Rc<Self>)| {
            if let Some(pad) = weak.upgrade() {
                run(&pad);
            }
        };
        let with = call.clone();
        window.on_press(move |x, y| with(&|pad| pad.change(|page| page.press(pad.brush.get(), x, y))));
        let with = call.clone();
        window.on_drag(move |x, y| with(&|pad| pad.change(|page| page.drag(x, y))));
        let with = call.clone();
        window.on_lift(move || {
            with(&|pad| {
                pad.change(|page| {
                    page.lift();
                    Vec::new()
                });
            });
        });
        let with = call.clone();
        window.on_cancel(move || with(&|pad| pad.change(Canvas::cancel)));
        let with = call.clone();
        window.on_undo(move || with(&|pad| pad.change(Canvas::undo)));
        let with = call.clone();
        window.on_new_page(move || with(&|pad| pad.change(Canvas::new_page)));
        let with = call.clone();
        window.on_choose_paint(move |n| with(&|pad| pad.choose_paint(n)));
        window.on_choose_brush(move |n| call(&|pad| pad.choose_brush(n)));
    }

    /// Changes the page, and with it what of the window shows it.
    fn change(self: &Rc<Self>, change: impl FnOnce(&mut Canvas) -> Vec<usize>) {
        let mut canvas = self.canvas.borrow_mut();
        let changed = change(&mut canvas);
        for &n in &changed {
            if let Some(tile) = canvas.tiles().get(n) {
                self.tiles.set_row_data(n, Image::from_rgb8(tile.clone()));
            }
        }
        self.window.set_can_undo(canvas.can_undo());
        if !changed.is_empty() && !self.unsaved.running() {
            let weak = Rc::downgrade(self);
            self.unsaved.start(TimerMode::SingleShot, SAVED_AFTER, move || {
                if let Some(pad) = weak.upgrade() {
                    pad.save();
                }
            });
        }
    }

    fn save(&self) {
        if let Some(saver) = &*self.saver.borrow() {
            saver.save(self.picture());
        }
    }

    fn picture(&self) -> Picture {
        let canvas = self.canvas.borrow();
        let (width, height) = canvas.size();
        Picture { size: (width as u32, height as u32), pixels: canvas.picture() }
    }

    fn choose_paint(&self, n: i32) {
        if let Some(colour) = usize::try_from(n).ok().and_then(|n| self.paints.get(n)) {
            self.brush.set(Brush { colour: *colour, ..self.brush.get() });
            self.window.set_paint(n);
        }
    }

    fn choose_brush(&self, n: i32) {
        if let Some(radius) = usize::try_from(n).ok().and_then(|n| self.brushes.get(n)) {
            self.brush.set(Brush { radius: *radius, ..self.brush.get() });
            self.window.set_brush(n);
        }
    }
}

fn rgb(colour: Color) -> Rgb8Pixel {
    Rgb8Pixel { r: colour.red(), g: colour.green(), b: colour.blue() }
}

fn place(window: &Draw, layout: &Layout) {
    let spot = |circle: &Circle| Spot { x: circle.x, y: circle.y };
    let spots = |circles: &[Circle]| ModelRc::new(circles.iter().map(spot).collect::<VecModel<_>>());
    window.set_paint_spots(spots(&layout.paints));
    window.set_brush_spots(spots(&layout.brushes));
    window.set_undo_spot(spot(&layout.undo));
    window.set_new_page_spot(spot(&layout.new_page));
}
