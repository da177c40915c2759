//! What every daemon does once: configuration, tracing, the bus, who is calling, readiness, shutdown,
//! lines for the [`diary`], the [`rules`] in force, the kernel's files.
//!
//! A daemon's `main` reads its [`config`], starts [`tracing`], connects with [`bus::connect`], exports its
//! objects, requests its name, calls [`notify::ready`], and then runs its core loop, which feeds
//! [`notify::Watchdog`] and ends at [`shutdown`].
//!
//! **Invariant:** holds no decision of any daemon.

pub mod access;
pub mod bus;
pub mod clock;
pub mod config;
pub mod diary;
pub mod files;
pub mod notify;
mod private;
pub mod rules;
pub mod sysfs;
pub mod wall;

pub use private::Private;

use tokio::signal::unix::{SignalKind, signal};

/// Sends events to the journal: standard error, one line each, without time or colour, which the journal
/// has itself. `NESTLING_LOG` holds a filter such as `debug`.
pub fn start_tracing() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("NESTLING_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .without_time()
        .with_ansi(false)
        .with_writer(std::io::stderr);
    // Already started: a test that runs two daemons in one process.
    let _ = subscriber.try_init();
}

/// Waits until the service manager (SIGTERM) or a developer (SIGINT) wants the daemon to end.
///
/// # Errors
/// The signal handlers cannot be installed.
pub async fn shutdown() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
