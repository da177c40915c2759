//! Random clients: whatever they do, in whatever order, the next app works.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod world;

use std::time::Duration;

use compositor::Touch;
use proptest::prelude::*;
use wayland_client::protocol::wl_buffer::WlBuffer;
use wayland_client::protocol::wl_output::Transform;
use wayland_client::protocol::wl_subsurface::WlSubsurface;
use wayland_client::protocol::wl_surface::WlSurface;
use wayland_protocols::wp::viewporter::client::wp_viewport::WpViewport;
use world::{Client, Paper, Shell};

#[derive(Debug, Clone)]
enum Act {
    Window,
    Subsurface(usize),
    Position(usize, i32, i32),
    Sync(usize, bool),
    Restack(usize, usize),
    Buffer(u32, u32, bool),
    Attach(usize, Option<usize>),
    Damage(usize, [i32; 4]),
    Frame(usize),
    Scale(usize, i32, u32),
    Viewport(usize),
    Destination(usize, i32, i32),
    Source(usize, f64, f64, f64, f64),
    Geometry([i32; 4]),
    Commit(usize),
    DestroySurface(usize),
    DestroyBuffer(usize),
    DestroyToplevel,
    Touch(u8, f64, f64),
    Show(bool),
    Shown,
    Look,
    Close,
    Round,
}

fn act() -> impl Strategy<Value = Act> {
    let small = -3i32..70;
    let edge = prop_oneof![4 => small.clone(), 1 => Just(i32::MIN), 1 => Just(i32::MAX)];
    let four = [edge.clone(), edge.clone(), edge.clone(), edge.clone()];
    let index = 0usize..8;
    prop_oneof![
        2 => Just(Act::Window),
        3 => index.clone().prop_map(Act::Subsurface),
        2 => (index.clone(), edge.clone(), edge.clone()).prop_map(|(a, x, y)| Act::Position(a, x, y)),
        1 => (index.clone(), any::<bool>()).prop_map(|(a, sync)| Act::Sync(a, sync)),
        1 => (index.clone(), index.clone()).prop_map(|(a, b)| Act::Restack(a, b)),
        4 => (1u32..130, 1u32..97, any::<bool>()).prop_map(|(w, h, alpha)| Act::Buffer(w, h, alpha)),

        6 => (index.clone(), prop::option::weighted(0.9, index.clone())).prop_map(|(a, b)| Act::Attach(a, b)),
        4 => (index.clone(), four.clone()).prop_map(|(a, r)| Act::Damage(a, r)),
        2 => index.clone().prop_map(Act::Frame),
        1 => (index.clone(), 1..4i32, 0..8u32).prop_map(|(a, s, t)| Act::Scale(a, s, t)),
        1 => index.clone().prop_map(Act::Viewport),
        1 => (index.clone(), 1..200i32, 1..200i32).prop_map(|(a, w, h)| Act::Destination(a, w, h)),
        1 => (index.clone(), 0.0..9.0, 0.0..9.0, 0.1..90.0, 0.1..90.0)
            .prop_map(|(a, x, y, w, h)| Act::Source(a, x, y, w, h)),
        1 => four.prop_map(Act::Geometry),
        8 => index.clone().prop_map(Act::Commit),
        1 => index.clone().prop_map(Act::DestroySurface),
        1 => index.prop_map(Act::DestroyBuffer),
        1 => Just(Act::DestroyToplevel),
        3 => (0u8..4, -10.0..80.0, -10.0..80.0).prop_map(|(t, x, y)| Act::Touch(t, x, y)),
        1 => any::<bool>().prop_map(Act::Show),
        2 => Just(Act::Shown),
        2 => Just(Act::Look),
        1 => Just(Act::Close),
        3 => Just(Act::Round),
    ]
}

#[derive(Default)]
struct Made {
    surfaces: Vec<WlSurface>,
    roles: Vec<WlSubsurface>,
    buffers: Vec<WlBuffer>,
    viewports: Vec<WpViewport>,
}

fn pick<T: Clone>(list: &[T], index: usize) -> Option<T> {
    list.get(index % list.len().max(1)).cloned()
}

/// A library that names a destroyed object skips an id, which the server takes for an error: forget it.
fn remove<T>(list: &mut Vec<T>, index: usize) -> Option<T> {
    (!list.is_empty()).then(|| list.swap_remove(index % list.len().max(1)))
}

/// `None` when what it needs is not there, or when the server ended the app.
fn perform(
    shell: &Shell,
    session: compositor::Session,
    client: &mut Client,
    made: &mut Made,
    act: &Act,
) -> Option<()> {
    let handle = client.handle();
    match act.clone() {
        Act::Window => {
            let surface = client.new_surface();
            let xdg = client.told.wm_base.as_ref()?.get_xdg_surface(&surface, &handle, ());
            let toplevel = xdg.get_toplevel(&handle, ());
            surface.commit();
            client.xdg = Some((xdg, toplevel));
            made.surfaces.push(surface);
        }
        Act::Subsurface(parent) => {
            let (child, parent) = (client.new_surface(), pick(&made.surfaces, parent)?);
            made.surfaces.push(child.clone());
            let subcompositor = client.told.subcompositor.clone()?;
            made.roles.push(subcompositor.get_subsurface(&child, &parent, &handle, ()));
        }
        Act::Position(role, x, y) => pick(&made.roles, role)?.set_position(x, y),
        Act::Sync(role, true) => pick(&made.roles, role)?.set_sync(),
        Act::Sync(role, false) => pick(&made.roles, role)?.set_desync(),
        Act::Restack(role, sibling) => pick(&made.roles, role)?.place_above(&pick(&made.surfaces, sibling)?),
        Act::Buffer(width, height, alpha) => {
            let paper = Paper::new(width, height, 0x8040_2010);
            made.buffers.push(client.buffer(&if alpha { paper.argb() } else { paper }));
        }
        Act::Attach(surface, buffer) => {
            let buffer = buffer.and_then(|buffer| pick(&made.buffers, buffer));
            pick(&made.surfaces, surface)?.attach(buffer.as_ref(), 0, 0);
        }
        Act::Damage(surface, [x, y, width, height]) => {
            pick(&made.surfaces, surface)?.damage(x, y, width, height);
            pick(&made.surfaces, surface)?.damage_buffer(x, y, width, height);
        }
        Act::Frame(surface) => drop(pick(&made.surfaces, surface)?.frame(&handle, ())),
        Act::Scale(surface, scale, transform) => {
            pick(&made.surfaces, surface)?.set_buffer_scale(scale);
            pick(&made.surfaces, surface)?.set_buffer_transform(Transform::try_from(transform).ok()?);
        }
        Act::Viewport(surface) => {
            let viewporter = client.told.viewporter.clone()?;
            made.viewports.push(viewporter.get_viewport(&pick(&made.surfaces, surface)?, &handle, ()));
        }
        Act::Destination(viewport, width, height) => {
            pick(&made.viewports, viewport)?.set_destination(width, height);
        }
        Act::Source(viewport, x, y, width, height) => {
            pick(&made.viewports, viewport)?.set_source(x, y, width, height);
        }
        Act::Geometry([x, y, width, height]) => {
            client.xdg.as_ref()?.0.set_window_geometry(x, y, width, height);
        }
        Act::Commit(surface) => pick(&made.surfaces, surface)?.commit(),
        Act::DestroySurface(surface) => remove(&mut made.surfaces, surface)?.destroy(),
        Act::DestroyBuffer(buffer) => remove(&mut made.buffers, buffer)?.destroy(),
        Act::DestroyToplevel => client.xdg.take()?.1.destroy(),
        Act::Touch(kind, x, y) => shell.compositor.touch(
            session,
            [Touch::Down(x, y), Touch::Move(x, y), Touch::Up, Touch::Cancel][usize::from(kind)],
        ),
        Act::Show(visible) => shell.compositor.show(session, visible),
        Act::Shown => shell.compositor.shown(session),
        Act::Look => drop(shell.look()),
        Act::Close => shell.compositor.close(session),
        Act::Round => drop(client.until(Duration::from_millis(1), |_| false)),
    }
    Some(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a43_random_clients_leave_a_server_that_works(acts in prop::collection::vec(act(), 1..120)) {
        let shell = Shell::start();
        let (session, mut client) = shell.client();
        client.told.keeps = true;
        let mut made = Made::default();
        for act in &acts {
            perform(&shell, session, &mut client, &mut made, act);
        }
        client.try_round();
        shell.compositor.end(session);
        prop_assert_ne!(shell.ended(session), compositor::Reason::Panicked);
        shell.still_works();
    }
}
