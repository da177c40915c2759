//! What smithay calls: the globals, and what is done with an app's requests.
//!
//! **Invariants:** every object an app can make without end is counted in [`Guard`]. Every toplevel is
//! configured full-screen and activated with the screen's size; popups are dismissed. A violation ends the
//! session after the turn and never answers with a panic.

use std::collections::HashSet;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use smithay::input::{SeatHandler, SeatState};
use smithay::output::{Mode, Output, PhysicalProperties, Scale, Subpixel};
use smithay::reexports::wayland_protocols::xdg::decoration::zv1::server::zxdg_toplevel_decoration_v1::Mode as Decoration;
use smithay::reexports::wayland_server::backend::{ClientData, ClientId, DisconnectReason, ObjectId};
use smithay::reexports::wayland_server::protocol::wl_callback::WlCallback;
use smithay::reexports::wayland_server::protocol::wl_compositor::WlCompositor;
use smithay::reexports::wayland_server::protocol::wl_output::WlOutput;
use smithay::reexports::wayland_server::protocol::wl_seat::WlSeat;
use smithay::reexports::wayland_server::protocol::wl_subcompositor::WlSubcompositor;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::reexports::wayland_server::{
    Client, DisplayHandle, Resource, delegate_dispatch, delegate_global_dispatch,
};
use smithay::utils::{Serial, Transform};
use smithay::wayland::compositor::{
    BufferAssignment, CompositorClientState, CompositorHandler, CompositorState, SurfaceAttributes,
    with_states,
};
use smithay::wayland::output::OutputHandler;
use smithay::wayland::shell::xdg::decoration::{XdgDecorationHandler, XdgDecorationState};
use smithay::wayland::shell::xdg::{
    Configure, PopupSurface, PositionerState, ShellClient, ToplevelSurface, XdgShellHandler, XdgShellState,
};
use smithay::wayland::viewporter::ViewporterState;

use crate::guard::Guard;
use crate::scene::Scene;
use crate::touch::Fingers;
use crate::{Limits, Reason, inert, shm, touch};

/// Everything of one session.
pub(crate) struct State {
    pub(crate) screen: (u32, u32),
    pub(crate) limits: Limits,
    pub(crate) start: Instant,
    /// The turn's time.
    pub(crate) now: Instant,
    pub(crate) scene: Scene,
    pub(crate) guard: Guard,
    /// Windows that asked for another state and were not answered yet.
    pub(crate) wishes: HashSet<ObjectId>,
    pub(crate) fingers: Fingers,
    /// Something was committed or destroyed in this turn.
    pub(crate) dirty: bool,
    /// The app answered a ping.
    pub(crate) ponged: bool,
    pub(crate) shells: Vec<ShellClient>,
    compositor: CompositorState,
    pub(crate) xdg: XdgShellState,
    /// Empty: smithay's popups ask for it.
    seats: SeatState<State>,
    output: Output,
}

/// What the library keeps of a client.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    compositor: CompositorClientState,
    gone: AtomicBool,
}

impl Peer {
    /// The library gave the client up.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }
}

impl ClientData for Peer {
    fn disconnected(&self, _: ClientId, reason: DisconnectReason) {
        tracing::info!(?reason, "an app's display connection ended");
        self.gone.store(true, Ordering::Relaxed);
    }
}

impl State {
    pub(crate) fn new(display: &DisplayHandle, screen: (u32, u32), limits: Limits, now: Instant) -> Self {
        let compositor = CompositorState::new::<Self>(display);
        let xdg = XdgShellState::new_with_capabilities::<Self>(display, []);
        ViewporterState::new::<Self>(display);
        XdgDecorationState::new::<Self>(display);
        shm::offer(display);
        inert::offer(display);
        touch::offer(display);
        Self {
            screen,
            limits,
            start: now,
            now,
            scene: Scene::new(screen),
            guard: Guard::new(&limits, screen, now),
            wishes: HashSet::new(),
            fingers: Fingers::default(),
            dirty: false,
            ponged: false,
            shells: Vec::new(),
            compositor,
            xdg,
            seats: SeatState::new(),
            output: output(display, screen),
        }
    }

    /// Asks every window to close.
    pub(crate) fn close(&self) {
        for toplevel in self.xdg.toplevel_surfaces() {
            toplevel.send_close();
        }
    }
}

/// The surface was committed without a buffer.
fn unmapped(surface: &WlSurface) -> bool {
    with_states(surface, |states| {
        let mut attributes = states.cached_state.get::<SurfaceAttributes>();
        matches!(attributes.current().buffer, Some(BufferAssignment::Removed))
    })
}

fn output(display: &DisplayHandle, screen: (u32, u32)) -> Output {
    let size = (screen.0 as i32, screen.1 as i32);
    let physical = PhysicalProperties {
        // About 0.08 mm a pixel, as on a watch.
        size: (size.0 * 8 / 100, size.1 * 8 / 100).into(),
        subpixel: Subpixel::Unknown,
        make: "Nestling".into(),
        model: "watch".into(),
    };
    let output = Output::new("watch".into(), physical);
    let mode = Mode { size: size.into(), refresh: 60_000 };
    output.change_current_state(
        Some(mode),
        Some(Transform::Normal),
        Some(Scale::Integer(1)),
        Some((0, 0).into()),
    );
    output.set_preferred(mode);
    output.create_global::<State>(display);
    output
}

impl CompositorHandler for State {
    fn compositor_state(&mut self) -> &mut CompositorState {
        &mut self.compositor
    }

    fn client_compositor_state<'a>(&self, client: &'a Client) -> &'a CompositorClientState {
        /// Every client was inserted with a [`Peer`], so this is never used.
        static NONE: LazyLock<CompositorClientState> = LazyLock::new(CompositorClientState::default);
        client.get_data::<Peer>().map_or(&*NONE, |peer| &peer.compositor)
    }

    fn new_surface(&mut self, surface: &WlSurface) {
        self.scene.add(surface.clone());
        if self.scene.len() > self.limits.surfaces {
            self.guard.end(Reason::Flood);
        }
    }

    fn commit(&mut self, surface: &WlSurface) {
        self.dirty = true;
        let toplevel = self.xdg.toplevel_surfaces().iter().find(|top| top.wl_surface() == surface).cloned();
        let Some(toplevel) = toplevel else { return };
        if !toplevel.is_initial_configure_sent() {
            self.configure(&toplevel);
            self.output.enter(surface);
        } else if unmapped(surface) {
            // xdg_surface: an unmapped window begins anew, with a first commit and a configure.
            toplevel.reset_initial_configure_sent();
        }
    }

    fn destroyed(&mut self, surface: &WlSurface) {
        self.scene.remove(surface);
        self.let_go(surface);
        self.guard.forget(&surface.id());
        self.wishes.remove(&surface.id());
        self.dirty = true;
    }
}

impl XdgShellHandler for State {
    fn xdg_shell_state(&mut self) -> &mut XdgShellState {
        &mut self.xdg
    }

    fn new_client(&mut self, client: ShellClient) {
        self.shells.push(client);
    }

    fn client_pong(&mut self, _: ShellClient) {
        self.ponged = true;
    }

    fn client_destroyed(&mut self, client: ShellClient) {
        self.shells.retain(|shell| *shell != client);
    }

    fn new_toplevel(&mut self, toplevel: ToplevelSurface) {
        self.scene.add_toplevel(toplevel.wl_surface().clone());
    }

    fn toplevel_destroyed(&mut self, toplevel: ToplevelSurface) {
        self.scene.remove_toplevel(toplevel.wl_surface());
        self.wishes.remove(&toplevel.wl_surface().id());
        self.dirty = true;
    }

    fn new_popup(&mut self, popup: PopupSurface, _: PositionerState) {
        popup.send_popup_done();
    }

    fn grab(&mut self, popup: PopupSurface, _: WlSeat, _: Serial) {
        popup.send_popup_done();
    }

    fn reposition_request(&mut self, _: PopupSurface, _: PositionerState, _: u32) {}

    fn ack_configure(&mut self, surface: WlSurface, _: Configure) {
        self.acknowledged(&surface);
    }

    fn maximize_request(&mut self, toplevel: ToplevelSurface) {
        self.answer(&toplevel);
    }

    fn unmaximize_request(&mut self, toplevel: ToplevelSurface) {
        self.answer(&toplevel);
    }

    fn fullscreen_request(&mut self, toplevel: ToplevelSurface, _: Option<WlOutput>) {
        self.answer(&toplevel);
    }

    fn unfullscreen_request(&mut self, toplevel: ToplevelSurface) {
        self.answer(&toplevel);
    }
}

impl XdgDecorationHandler for State {
    fn new_decoration(&mut self, toplevel: ToplevelSurface) {
        toplevel.with_pending_state(|state| state.decoration_mode = Some(Decoration::ServerSide));
    }

    fn request_mode(&mut self, toplevel: ToplevelSurface, _: Decoration) {
        self.answer(&toplevel);
    }

    fn unset_mode(&mut self, toplevel: ToplevelSurface) {
        self.answer(&toplevel);
    }
}

impl SeatHandler for State {
    type KeyboardFocus = WlSurface;
    type PointerFocus = WlSurface;
    type TouchFocus = WlSurface;

    fn seat_state(&mut self) -> &mut SeatState<Self> {
        &mut self.seats
    }
}

impl OutputHandler for State {}

delegate_global_dispatch!(State: [WlCompositor: ()] => CompositorState);
delegate_global_dispatch!(State: [WlSubcompositor: ()] => CompositorState);
delegate_dispatch!(State: [WlCompositor: ()] => CompositorState);
delegate_dispatch!(State: [WlCallback: ()] => CompositorState);
delegate_dispatch!(State: [WlSubcompositor: ()] => CompositorState);
smithay::delegate_xdg_shell!(State);
smithay::delegate_xdg_decoration!(State);
smithay::delegate_output!(State);
smithay::delegate_viewporter!(State);
