//! launcher: verifies an app and starts it in its sandbox.

use std::os::fd::{FromRawFd, OwnedFd};

fn main() {}
