//! `wl_data_device_manager` for toolkits that do not start without it: there is no clipboard and no drag.
//!
//! **Invariants:** nothing an app offers is kept or passed on; no `wl_data_offer` is ever made.

use smithay::reexports::wayland_server::protocol::wl_data_device::{self, WlDataDevice};
use smithay::reexports::wayland_server::protocol::wl_data_device_manager::{self, WlDataDeviceManager};
use smithay::reexports::wayland_server::protocol::wl_data_source::{self, WlDataSource};
use smithay::reexports::wayland_server::{Client, DataInit, Dispatch, DisplayHandle, GlobalDispatch, New};

use crate::state::State;

/// Offers it.
pub(crate) fn offer(display: &DisplayHandle) {
    display.create_global::<State, WlDataDeviceManager, ()>(3, ());
}

impl GlobalDispatch<WlDataDeviceManager, ()> for State {
    fn bind(
        _: &mut Self,
        _: &DisplayHandle,
        _: &Client,
        manager: New<WlDataDeviceManager>,
        (): &(),
        init: &mut DataInit<'_, Self>,
    ) {
        init.init(manager, ());
    }
}

impl Dispatch<WlDataDeviceManager, ()> for State {
    fn request(
        _: &mut Self,
        _: &Client,
        _: &WlDataDeviceManager,
        request: wl_data_device_manager::Request,
        (): &(),
        _: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        match request {
            wl_data_device_manager::Request::CreateDataSource { id } => {
                init.init(id, ());
            }
            wl_data_device_manager::Request::GetDataDevice { id, .. } => {
                init.init(id, ());
            }
            _ => {}
        }
    }
}

impl Dispatch<WlDataDevice, ()> for State {
    fn request(
        _: &mut Self,
        _: &Client,
        _: &WlDataDevice,
        _: wl_data_device::Request,
        (): &(),
        _: &DisplayHandle,
        _: &mut DataInit<'_, Self>,
    ) {
    }
}

impl Dispatch<WlDataSource, ()> for State {
    fn request(
        _: &mut Self,
        _: &Client,
        _: &WlDataSource,
        _: wl_data_source::Request,
        (): &(),
        _: &DisplayHandle,
        _: &mut DataInit<'_, Self>,
    ) {
    }
}
