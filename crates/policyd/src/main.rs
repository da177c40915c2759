//! policyd: the order log, the policy store, the diary.

use anyhow::Context;
use nestling_policyd::{config::Config, service};

fn main() -> anyhow::Result<()> {
    daemon::start_tracing();
    let config: Config = daemon::config::from_arguments("policyd")?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(service::run(config))
}
