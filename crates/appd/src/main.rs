//! appd: which app may run, and until when.

use anyhow::Context;
use nestling_appd::{config::Config, service};

fn main() -> anyhow::Result<()> {
    daemon::start_tracing();
    let config: Config = daemon::config::from_arguments("appd")?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(service::run(config))
}
