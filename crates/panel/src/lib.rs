//! A Slint platform for the device: DRM dumb buffers, evdev touch, damage, screen off.
