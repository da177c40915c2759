//! What the launcher does to a process so that it becomes an app: namespaces, a root of its own, a cgroup, no rights,
//! Landlock, seccomp, `execve`.
//!
//! [`Sandbox::new`] denies everything; each of its other methods is one named relaxation. [`Sandbox::prepare`] does all
//! that can fail for an ordinary reason; [`Prepared::spawn`] clones, and the child makes a fixed row of system calls
//! ([`Step`]), each of which must succeed.
//!
//! **Invariants:** there is no weaker sandbox: a step that fails ends the child before the app's first instruction, and
//! the error names the step. The child allocates nothing between `clone3` and `execve`. `unsafe` is in [`raw`] alone.

pub mod cgroup;
mod child;
mod fence;
mod mount;
mod program;
mod raw;
mod sandbox;
pub mod seccomp;

pub use child::Step;
pub use mount::{Attached, MountError, Tree};
pub use program::ProgramError;
pub use sandbox::{App, AppUser, Exit, PrepareError, Prepared, Sandbox, SpawnError};

/// The only program of a bundle, and the only file an app may execute.
pub const PROGRAM: &str = "app";
/// The empty folder of a bundle where the app's own files are.
pub const DATA: &str = "data";
/// The descriptor of the display, as the app finds it.
pub const DISPLAY_FD: i32 = 3;
