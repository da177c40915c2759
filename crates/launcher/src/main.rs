//! launcher: verifies an app and starts it in its sandbox.

use std::os::fd::AsFd;
use std::time::Duration;

use anyhow::Context;
use nestling_launcher::{config::Config, server::Server, setup};
use sd_notify::NotifyState;

fn main() -> anyhow::Result<()> {
    start_tracing();
    let config = Config::from_arguments()?;
    // The unit's `StandardInput=socket`: the one descriptor that needs no counting.
    let listener = std::io::stdin().as_fd().try_clone_to_owned().context("no standard input")?;
    let listens = rustix::net::sockopt::socket_acceptconn(&listener);
    anyhow::ensure!(listens.unwrap_or_default(), "standard input is no listening socket");
    rustix::io::ioctl_fionbio(&listener, true).context("the socket always waits")?;
    let mut server = Server::new(setup(&config)?, listener)?;

    // Half the time the unit's `WatchdogSec=` gives. Without one the loop waits for ever.
    let patience = sd_notify::watchdog_enabled().map(|time| (time / 2).max(Duration::from_millis(100)));
    notify(NotifyState::Ready);
    loop {
        server.turn(patience)?;
        if patience.is_some() {
            notify(NotifyState::Watchdog);
        }
    }
}

fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager does not hear us");
    }
}

/// To the journal: standard error, one line each, without time or colour, which the journal has itself.
fn start_tracing() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("NESTLING_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .without_time()
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .init();
}
