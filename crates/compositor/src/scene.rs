//! Which surfaces are on the screen, where, and with what in them.
//!
//! A lone surface is copied and its buffer given back at once. Where subsurfaces lie on one another the buffers
//! are kept, as the protocol allows, until new ones come: a change in one redraws the others from their memory.
//!
//! **Invariants:** the toplevel that was shown last is on top; the one below comes back when it goes. Drawing
//! happens once a turn, from the newest state: commits that were overtaken are never read. Every buffer is
//! released exactly once for each time it was attached.

use std::collections::HashMap;

use smithay::reexports::wayland_server::Resource;
use smithay::reexports::wayland_server::backend::ObjectId;
use smithay::reexports::wayland_server::protocol::wl_buffer::WlBuffer;
use smithay::reexports::wayland_server::protocol::wl_callback::WlCallback;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::wayland::compositor::{
    BufferAssignment, Damage as Damaged, SubsurfaceCachedState, SurfaceAttributes, SurfaceData,
    TraversalAction, with_states, with_surface_tree_upward,
};
use smithay::wayland::shell::xdg::SurfaceCachedState;
use smithay::wayland::viewporter::ViewportCachedState;

use crate::damage::DamageRect;
use crate::draw::{Canvas, Place};
use crate::mailbox::BLACK;
use crate::shm::{Buffer, Truncated};

/// What a surface shows.
#[derive(Debug)]
struct Surface {
    handle: WlSurface,
    buffer: Option<Buffer>,
    /// Attached, and not given back.
    held: Option<WlBuffer>,
    /// On the screen: width, height, and the part of the buffer when it is not all of it.
    shape: (u32, u32, Option<[f64; 4]>),
    /// Changed since it was drawn: x, y, width, height on the surface.
    damage: Vec<[i64; 4]>,
}

/// A surface on the screen, from bottom to top.
#[derive(Debug, Clone, PartialEq)]
struct Node {
    surface: ObjectId,
    place: Place,
}

/// All surfaces of the app.
#[derive(Debug)]
pub(crate) struct Scene {
    screen: (u32, u32),
    surfaces: HashMap<ObjectId, Surface>,
    /// Surfaces of toplevels; the last one that has a buffer is shown.
    toplevels: Vec<WlSurface>,
    nodes: Vec<Node>,
    /// The picture, which only this thread sees.
    pixels: Vec<u32>,
    scratch: Vec<u8>,
}

/// What a turn brought.
#[derive(Debug, Default)]
pub(crate) struct Update {
    /// What must be drawn, in pixels of the screen.
    pub(crate) damage: Vec<DamageRect>,
    /// How much work drawing it is, in pixels.
    pub(crate) cost: usize,
    /// The app shows something.
    pub(crate) mapped: bool,
    /// The app waits for these.
    pub(crate) callbacks: Vec<WlCallback>,
    /// Per surface: requests that were kept until now.
    pub(crate) consumed: Vec<(ObjectId, usize)>,
}

impl Scene {
    pub(crate) fn new(screen: (u32, u32)) -> Self {
        let (surfaces, toplevels) = (HashMap::new(), Vec::new());
        let pixels = vec![BLACK; screen.0 as usize * screen.1 as usize];
        Self { screen, surfaces, toplevels, nodes: Vec::new(), pixels, scratch: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.surfaces.len()
    }

    pub(crate) fn add(&mut self, handle: WlSurface) {
        let id = handle.id();
        let surface = Surface { handle, buffer: None, held: None, shape: (0, 0, None), damage: Vec::new() };
        self.surfaces.insert(id, surface);
    }

    pub(crate) fn remove(&mut self, surface: &WlSurface) {
        self.remove_toplevel(surface);
        if let Some(buffer) = self.surfaces.remove(&surface.id()).and_then(|surface| surface.held) {
            buffer.release();
        }
    }

    pub(crate) fn add_toplevel(&mut self, surface: WlSurface) {
        self.toplevels.push(surface);
    }

    pub(crate) fn remove_toplevel(&mut self, surface: &WlSurface) {
        self.toplevels.retain(|toplevel| toplevel != surface);
    }

    /// A destroyed buffer cannot be given back.
    pub(crate) fn forget_buffer(&mut self, buffer: &WlBuffer) {
        for surface in self.surfaces.values_mut() {
            if surface.held.as_ref() == Some(buffer) {
                surface.held = None;
            }
        }
    }

    /// The surface under a point of the screen, and where its origin lies.
    pub(crate) fn at(&self, x: f64, y: f64) -> Option<(WlSurface, (i32, i32))> {
        self.nodes.iter().rev().find_map(|node| {
            let place = &node.place;
            let (left, top) = (f64::from(place.x), f64::from(place.y));
            let inside = x >= left
                && y >= top
                && x < left + f64::from(place.width)
                && y < top + f64::from(place.height);
            let surface = self.surfaces.get(&node.surface).filter(|_| inside)?;
            let wanted = with_states(&surface.handle, |states| {
                let mut attributes = states.cached_state.get::<SurfaceAttributes>();
                let region = attributes.current().input_region.as_ref();
                region.is_none_or(|region| region.contains(((x - left) as i32, (y - top) as i32)))
            });
            wanted.then(|| (surface.handle.clone(), (place.x, place.y)))
        })
    }

    /// The picture as it was drawn last: `0xFFRRGGBB`.
    pub(crate) fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// Takes what was committed, and finds out what must be drawn.
    pub(crate) fn update(&mut self) -> Update {
        let mut update = Update::default();
        for (id, surface) in &mut self.surfaces {
            let taken = surface.take(&mut update.callbacks);
            if taken > 0 {
                update.consumed.push((id.clone(), taken));
            }
        }
        let nodes = self.layout();
        update.mapped = !nodes.is_empty();
        let moved = nodes != self.nodes;
        self.nodes = nodes;
        update.damage = self.damage(moved);
        let buffers = || self.nodes.iter().filter_map(|node| Some((node, self.buffer(node)?)));
        let costs = buffers().flat_map(|(node, buffer)| {
            update.damage.iter().map(|rect| node.place.cost(buffer, *rect, self.screen))
        });
        update.cost = costs.sum();
        update
    }

    /// Draws what must be drawn, and gives buffers back.
    pub(crate) fn draw(&mut self, damage: &[DamageRect]) -> Result<(), Truncated> {
        let drawn = damage.iter().try_for_each(|rect| self.draw_part(*rect));
        self.give_back();
        drawn
    }

    fn buffer(&self, node: &Node) -> Option<&Buffer> {
        self.surfaces.get(&node.surface).and_then(|surface| surface.buffer.as_ref())
    }

    fn layout(&self) -> Vec<Node> {
        let shown = |surface: &&WlSurface| {
            self.surfaces.get(&surface.id()).is_some_and(|surface| surface.buffer.is_some())
        };
        let Some(root) = self.toplevels.iter().rev().find(shown) else { return Vec::new() };
        let mut nodes = Vec::new();
        let place = |surface: &WlSurface, states: &SurfaceData, origin: &(i32, i32)| {
            let surface = self.surfaces.get(&surface.id()).filter(|surface| surface.buffer.is_some())?;
            let location = match states.role {
                Some("subsurface") => states.cached_state.get::<SubsurfaceCachedState>().current().location,
                _ => (0, 0).into(),
            };
            let (width, height, part) = surface.shape;
            let (x, y) = (origin.0.saturating_add(location.x), origin.1.saturating_add(location.y));
            Some(Place { x, y, width, height, part })
        };
        with_surface_tree_upward(
            root,
            self.origin(root),
            |surface, states, origin| match place(surface, states, origin) {
                Some(place) => TraversalAction::DoChildren((place.x, place.y)),
                None => TraversalAction::SkipChildren,
            },
            |surface, states, origin| {
                if let Some(place) = place(surface, states, origin) {
                    nodes.push(Node { surface: surface.id(), place });
                }
            },
            |_, _, _| true,
        );
        nodes
    }

    /// Where the toplevel's surface begins, so that its window is in the middle.
    fn origin(&self, root: &WlSurface) -> (i32, i32) {
        let geometry =
            with_states(root, |states| states.cached_state.get::<SurfaceCachedState>().current().geometry);
        let (width, height) =
            self.surfaces.get(&root.id()).map_or((0, 0), |surface| (surface.shape.0, surface.shape.1));
        let window = geometry.filter(|window| window.size.w > 0 && window.size.h > 0).map_or(
            (0, 0, i64::from(width), i64::from(height)),
            |window| {
                let (x, y) = (i64::from(window.loc.x), i64::from(window.loc.y));
                (x, y, i64::from(window.size.w), i64::from(window.size.h))
            },
        );
        let middle = |screen: u32, size: i64, from: i64| {
            let at = (i64::from(screen) - size).div_euclid(2) - from;
            at.clamp(i64::from(i32::MIN / 2), i64::from(i32::MAX / 2)) as i32
        };
        (middle(self.screen.0, window.2, window.0), middle(self.screen.1, window.3, window.1))
    }

    /// What must be drawn, in pixels of the screen.
    fn damage(&mut self, moved: bool) -> Vec<DamageRect> {
        let mut all = crate::damage::Damage::default();
        if moved {
            let (width, height) = self.screen;
            all.add(DamageRect { x: 0, y: 0, width, height });
        }
        for node in &self.nodes {
            let Some(surface) = self.surfaces.get_mut(&node.surface) else { continue };
            let Some(visible) = node.place.rect(self.screen) else { continue };
            let (left, top) = (i64::from(node.place.x), i64::from(node.place.y));
            for [x, y, width, height] in surface.damage.drain(..) {
                let rect = DamageRect::clipped(x + left, y + top, width, height, self.screen);
                if let Some(rect) = rect.and_then(|rect| rect.common(visible)) {
                    all.add(rect);
                }
            }
        }
        for surface in self.surfaces.values_mut() {
            surface.damage.clear();
        }
        all.rects().to_vec()
    }

    fn draw_part(&mut self, rect: DamageRect) -> Result<(), Truncated> {
        let mut canvas = Canvas { pixels: &mut self.pixels, screen: self.screen, scratch: &mut self.scratch };
        let bottom = self.nodes.first().and_then(|node| node.place.rect(self.screen));
        if bottom.and_then(|bottom| bottom.common(rect)) != Some(rect) {
            canvas.clear(rect);
        }
        for (above, node) in self.nodes.iter().enumerate() {
            let buffer = self.surfaces.get(&node.surface).and_then(|surface| surface.buffer.as_ref());
            if let Some(buffer) = buffer {
                canvas.draw(buffer, &node.place, rect, above > 0)?;
            }
        }
        Ok(())
    }

    /// Gives buffers back that need not be read again.
    fn give_back(&mut self) {
        let together = self.nodes.len() > 1;
        for (id, surface) in &mut self.surfaces {
            let kept = together && self.nodes.iter().any(|node| node.surface == *id);
            if !kept && let Some(buffer) = surface.held.take() {
                buffer.release();
            }
        }
    }
}

impl Surface {
    /// Takes over the committed state. Returns how many damage rectangles and callbacks it held.
    fn take(&mut self, callbacks: &mut Vec<WlCallback>) -> usize {
        let handle = self.handle.clone();
        with_states(&handle, |states| {
            let (assignment, damage, scale, consumed) = {
                let mut attributes = states.cached_state.get::<SurfaceAttributes>();
                let current = attributes.current();
                let consumed = current.damage.len() + current.frame_callbacks.len();
                callbacks.append(&mut current.frame_callbacks);
                let damage = std::mem::take(&mut current.damage);
                (current.buffer.take(), damage, current.buffer_scale, consumed)
            };
            match assignment {
                Some(BufferAssignment::NewBuffer(new)) => self.attach(new),
                Some(BufferAssignment::Removed) => self.detach(),
                None => {}
            }
            let viewport = *states.cached_state.get::<ViewportCachedState>().current();
            self.shape(scale.max(1), &viewport);
            let plain = self.shape.2.is_none();
            self.damage.extend(damage.into_iter().map(|damage| match damage {
                Damaged::Buffer(rect) if plain => {
                    [rect.loc.x, rect.loc.y, rect.size.w, rect.size.h].map(i64::from)
                }
                Damaged::Surface(rect) => [rect.loc.x, rect.loc.y, rect.size.w, rect.size.h].map(i64::from),
                Damaged::Buffer(_) => [0, 0, i64::from(self.shape.0), i64::from(self.shape.1)],
            }));
            consumed
        })
    }

    fn attach(&mut self, new: WlBuffer) {
        self.buffer = new.data::<Buffer>().cloned();
        if let Some(old) = self.held.replace(new)
            && self.held.as_ref() != Some(&old)
        {
            old.release();
        }
    }

    fn detach(&mut self) {
        self.buffer = None;
        if let Some(old) = self.held.take() {
            old.release();
        }
    }

    /// Works out the size on the screen: `wl_surface.set_buffer_scale`, then `wp_viewport`.
    fn shape(&mut self, scale: i32, viewport: &ViewportCachedState) {
        let Some(buffer) = &self.buffer else {
            self.shape = (0, 0, None);
            return;
        };
        let scale = f64::from(scale);
        let (width, height) = (f64::from(buffer.width), f64::from(buffer.height));
        let part = viewport.src.map_or([0.0, 0.0, width, height], |src| {
            [src.loc.x, src.loc.y, src.size.w, src.size.h].map(|v| v * scale)
        });
        let size = viewport
            .dst
            .map_or((part[2] / scale, part[3] / scale), |dst| (f64::from(dst.w), f64::from(dst.h)));
        let size = (size.0.max(1.0) as u32, size.1.max(1.0) as u32);
        let plain = size == (buffer.width, buffer.height) && viewport.src.is_none();
        self.shape = (size.0, size.1, (!plain).then_some(part));
    }
}
