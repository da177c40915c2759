//! locationd: where the watch is, from gpsd.

use anyhow::Context;
use nestling_locationd::{config::Config, service};

fn main() -> anyhow::Result<()> {
    daemon::start_tracing();
    let config: Config = daemon::config::from_arguments("locationd")?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(service::run(config))
}
