//! Looks at requests before smithay does: what would pile up is counted, what would panic is refused.
//!
//! **Invariants:** every request goes on to smithay unchanged, or is answered with a protocol error here.

use smithay::reexports::wayland_server::backend::ClientId;
use smithay::reexports::wayland_server::protocol::wl_region::{self, WlRegion};
use smithay::reexports::wayland_server::protocol::wl_subsurface::{self, WlSubsurface};
use smithay::reexports::wayland_server::protocol::wl_surface::{self, WlSurface};
use smithay::reexports::wayland_server::{Client, DataInit, Dispatch, DisplayHandle, Resource};
use smithay::wayland::compositor::{CompositorState, RegionUserData, SubsurfaceUserData, SurfaceUserData};

use crate::state::State;

impl Dispatch<WlSurface, SurfaceUserData> for State {
    fn request(
        state: &mut Self,
        client: &Client,
        surface: &WlSurface,
        request: wl_surface::Request,
        data: &SurfaceUserData,
        display: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        match &request {
            wl_surface::Request::Damage { .. }
            | wl_surface::Request::DamageBuffer { .. }
            | wl_surface::Request::Frame { .. } => state.guard.keep(surface.id()),
            wl_surface::Request::Commit => state.guard.commit(state.now),
            _ => {}
        }
        <CompositorState as Dispatch<WlSurface, SurfaceUserData, Self>>::request(
            state, client, surface, request, data, display, init,
        );
    }

    fn destroyed(state: &mut Self, client: ClientId, surface: &WlSurface, data: &SurfaceUserData) {
        <CompositorState as Dispatch<WlSurface, SurfaceUserData, Self>>::destroyed(
            state, client, surface, data,
        );
    }
}

impl Dispatch<WlRegion, RegionUserData> for State {
    fn request(
        state: &mut Self,
        client: &Client,
        region: &WlRegion,
        request: wl_region::Request,
        data: &RegionUserData,
        display: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        state.guard.keep(region.id());
        <CompositorState as Dispatch<WlRegion, RegionUserData, Self>>::request(
            state, client, region, request, data, display, init,
        );
    }

    fn destroyed(state: &mut Self, _: ClientId, region: &WlRegion, _: &RegionUserData) {
        state.guard.forget(&region.id());
    }
}

impl Dispatch<WlSubsurface, SubsurfaceUserData> for State {
    fn request(
        state: &mut Self,
        client: &Client,
        subsurface: &WlSubsurface,
        request: wl_subsurface::Request,
        data: &SubsurfaceUserData,
        display: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        // smithay 0.7 panics when a subsurface is put above or below itself.
        if let wl_subsurface::Request::PlaceAbove { sibling } | wl_subsurface::Request::PlaceBelow { sibling } =
            &request
            && sibling == data.surface()
        {
            subsurface.post_error(wl_subsurface::Error::BadSurface, "a subsurface is not its own sibling");
            return;
        }
        <CompositorState as Dispatch<WlSubsurface, SubsurfaceUserData, Self>>::request(
            state, client, subsurface, request, data, display, init,
        );
    }

    fn destroyed(state: &mut Self, client: ClientId, subsurface: &WlSubsurface, data: &SubsurfaceUserData) {
        state.dirty = true;
        <CompositorState as Dispatch<WlSubsurface, SubsurfaceUserData, Self>>::destroyed(
            state, client, subsurface, data,
        );
    }
}
