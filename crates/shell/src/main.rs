//! shell: what the child sees. Arguments, configuration, and the three parts put together.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use nestling_shell::display::Display;
use nestling_shell::{app, bus};
use panel::Panel;
use serde::Deserialize;

/// `/etc/nestling/shell.toml`; every value has a default.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    bus: daemon::bus::BusConfig,
    /// The graphics card.
    card: PathBuf,
    /// The folder with the touch surface.
    inputs: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bus: daemon::bus::BusConfig::default(),
            card: "/dev/dri/card0".into(),
            inputs: "/dev/input".into(),
        }
    }
}

fn main() -> anyhow::Result<()> {
    daemon::start_tracing();
    let config: Config = daemon::config::from_arguments("shell")?;
    let panel = Panel::open(&config.card, &config.inputs).context("the panel")?;
    let display = Display::start(panel.size(), app::post, app::post_frame).context("the display server")?;
    let stage = app::Stage { under: panel.under(), seat: Rc::new(display.clone()) };
    panel.on_first_frame(|_| daemon::notify::ready()).install().context("the panel")?;

    let failed = Arc::new(Mutex::new(None));
    let failure = failed.clone();
    let commands = bus::start(config.bus, display, app::post, move |error| {
        *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        let _ = slint::quit_event_loop();
    })?;
    let app = app::App::new(app::ThisDevice, stage, move |command| commands.send(command))?;
    app.receive_posts();

    let watchdog = slint::Timer::default();
    if let Some(time) = sd_notify::watchdog_enabled() {
        watchdog.start(slint::TimerMode::Repeated, (time / 2).max(Duration::from_millis(100)), || {
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        });
    }
    slint::run_event_loop_until_quit()?;
    match failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(error) => Err(error).context("the bus"),
        None => Ok(()),
    }
}
