//! What authors of apps use: Slint on Wayland over one inherited descriptor.
//!
//! An app is one program and one window that fills the screen. Its sandbox has no `/proc`, `/dev` or `/sys`, no
//! network and no font files; what it has is this display and `/data`, its home. A whole `main`:
//!
//! ```no_run
//! slint::slint! {
//!     export component Hello inherits Window {
//!         background: #FFC93C;
//!         Rectangle { width: 100px; height: 100px; border-radius: 50px; background: white; }
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     app::run(|app| {
//!         let hello = Hello::new()?;
//!         app.on_close(|| { /* Keep what the child made: this is the last chance. */ });
//!         Ok(hello)
//!     })
//! }
//! ```
//!
//! The launcher hands the display over in `WAYLAND_SOCKET`, as `libwayland` defines it. On a laptop the same
//! program finds its compositor through `WAYLAND_DISPLAY`.
//!
//! # Cargo.toml
//!
//! ```toml
//! [dependencies]
//! app = "0.1"
//! slint = { version = "1.18", default-features = false, features = ["std", "compat-1-2", "renderer-software"] }
//!
//! [build-dependencies]
//! slint-build = "1.18"
//! ```
//!
//! # build.rs
//!
//! Screens in files of their own are compiled by `slint-build`. A screen that shows words also needs a typeface
//! inside the program: `import "Quicksand-Bold.ttf";` in the `.slint` file, and in `build.rs`
//!
//! ```ignore
//! fn main() -> Result<(), slint_build::CompileError> {
//!     let config = slint_build::CompilerConfiguration::new()
//!         .with_include_paths(vec!["/usr/share/fonts/truetype/quicksand".into()])
//!         .embed_resources(slint_build::EmbedResourcesKind::EmbedFiles);
//!     slint_build::compile_with_config("ui/main.slint", config)
//! }
//! ```
//!
//! # For the watch
//!
//! An app is one static, position-independent program: its sandbox maps nothing executable but the program itself.
//!
//! ```sh
//! RUSTFLAGS="-C target-feature=+crt-static -C relocation-model=pie" \
//!     cargo build --release --target aarch64-unknown-linux-gnu
//! ```
//!
//! # How it ends
//!
//! The watch asks the window to close, and then waits a moment: [`App::on_close`]'s hook runs and `main` returns.
//! A watch that is out of patience ends the process without asking, so an app keeps what matters as it goes along.
//!
//! **Invariants:** with nothing moving the app sleeps for ever, and only the display, a timer or
//! `invoke_from_event_loop` wakes it; nothing is drawn before the compositor has asked for a frame; a compositor
//! that goes away or misbehaves is an error and never a panic. No `unsafe`.

mod buffers;
mod display;
mod finger;
mod jobs;
mod platform;
mod screen;

use std::error::Error as StdError;
use std::process::ExitCode;

use slint::ComponentHandle;
use wayland_client::backend::WaylandError;
use wayland_client::globals::{BindError, GlobalError};
use wayland_client::{ConnectError, DispatchError};

pub use platform::App;
pub use screen::{Circle, Screen};

/// Why an app cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither `WAYLAND_SOCKET` nor `WAYLAND_DISPLAY` leads to a display.
    #[error("no display")]
    NoDisplay(#[source] ConnectError),
    /// The compositor's list of what it offers did not come.
    #[error("the compositor does not say what it offers")]
    Globals(#[source] GlobalError),
    /// The compositor lacks a protocol that every app needs.
    #[error("the compositor does not offer {0}")]
    Missing(&'static str, #[source] BindError),
    /// The compositor has closed the connection, or broken the protocol.
    #[error("the compositor is gone")]
    Gone(#[source] WaylandError),
    /// The compositor sent what nobody can read.
    #[error("the compositor sent a bad message")]
    BadMessage(#[source] DispatchError),
    /// There is no memory for a picture, or no descriptor to wake up by.
    #[error("cannot {0}")]
    System(&'static str, #[source] rustix::io::Errno),
    /// Slint already has a platform on this thread.
    #[error("Slint already has a platform: {0}")]
    Taken(slint::platform::SetPlatformError),
    /// Slint cannot go on.
    #[error("Slint stopped")]
    Slint(#[source] slint::PlatformError),
    /// The author's own function failed.
    #[error("cannot build the window")]
    Build(#[source] Box<dyn StdError>),
}

impl From<DispatchError> for Error {
    fn from(error: DispatchError) -> Self {
        match error {
            DispatchError::Backend(error) => Self::Gone(error),
            error @ DispatchError::BadMessage { .. } => Self::BadMessage(error),
        }
    }
}

/// A whole app: connects, lets `build` make the window, shows it until the watch closes it.
///
/// To be called once, from `main`, before other threads are started: it takes `WAYLAND_SOCKET` out of the
/// environment. What goes wrong is written to the standard error.
pub fn run<C, F>(build: F) -> ExitCode
where
    C: ComponentHandle + 'static,
    F: FnOnce(&App) -> Result<C, Box<dyn StdError>>,
{
    let ended = App::connect().and_then(|app| {
        let window = build(&app).map_err(Error::Build)?;
        app.show(&window)
    });
    let Err(error) = ended else { return ExitCode::SUCCESS };
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        told = format!("{told}: {error}");
        source = error.source();
    }
    eprintln!("{told}");
    ExitCode::FAILURE
}
