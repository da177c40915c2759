//! Tells windows that they are full-screen, and answers what they ask with nothing else.
//!
//! smithay keeps every configure that is newer than the last acknowledged one, so an app that acknowledges only
//! the oldest would let the list grow.
//!
//! **Invariants:** an app that wishes for another state is answered with at most one configure that is not
//! acknowledged: nothing changes, so a second one would say the same; it follows when the first is acknowledged.
//! What is not acknowledged is counted in smithay's own list.

use smithay::reexports::wayland_protocols::xdg::decoration::zv1::server::zxdg_toplevel_decoration_v1::Mode as Decoration;
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_toplevel::State as WindowState;
use smithay::reexports::wayland_server::Resource;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::wayland::compositor::with_states;
use smithay::wayland::shell::xdg::{ToplevelSurface, XdgToplevelSurfaceData};

use crate::Reason;
use crate::state::State;

impl State {
    /// Configures a window, whatever it has acknowledged.
    pub(crate) fn configure(&mut self, toplevel: &ToplevelSurface) {
        if unacknowledged(toplevel) >= self.limits.configures {
            self.guard.end(Reason::Flood);
            return;
        }
        let size = (self.screen.0 as i32, self.screen.1 as i32).into();
        toplevel.with_pending_state(|state| {
            state.states.set(WindowState::Fullscreen);
            state.states.set(WindowState::Activated);
            state.size = Some(size);
            state.bounds = Some(size);
            state.decoration_mode = Some(Decoration::ServerSide);
        });
        toplevel.send_configure();
    }

    /// Answers a wish. Before its first commit a window is not configured: that commit brings the answer.
    pub(crate) fn answer(&mut self, toplevel: &ToplevelSurface) {
        if !toplevel.is_initial_configure_sent() {
            return;
        }
        if unacknowledged(toplevel) == 0 {
            self.configure(toplevel);
        } else {
            self.wishes.insert(toplevel.wl_surface().id());
        }
    }

    /// A configure was acknowledged: what was wished for meanwhile is answered.
    pub(crate) fn acknowledged(&mut self, surface: &WlSurface) {
        if !self.wishes.remove(&surface.id()) {
            return;
        }
        let toplevel = self.xdg.toplevel_surfaces().iter().find(|top| top.wl_surface() == surface).cloned();
        if let Some(toplevel) = toplevel {
            self.answer(&toplevel);
        }
    }
}

/// Configures that were sent and not acknowledged.
fn unacknowledged(toplevel: &ToplevelSurface) -> usize {
    with_states(toplevel.wl_surface(), |states| {
        let data = states.data_map.get::<XdgToplevelSurfaceData>();
        let attributes = data.and_then(|data| data.lock().ok());
        attributes.map_or(0, |attributes| attributes.pending_configures().len())
    })
}
