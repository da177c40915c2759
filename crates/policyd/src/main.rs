//! policyd: the order log, the policy store, the diary.

use std::process::ExitCode;

use anyhow::Context;
use nestling_policyd::config::Config;
use nestling_policyd::service::{self, Ended};

/// Its unit has the watch start again on this code, and on no other.
const ERASED: u8 = 75;

fn main() -> anyhow::Result<ExitCode> {
    daemon::start_tracing();
    let config: Config = daemon::config::from_arguments("policyd")?;
    let ended = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(service::run(config))?;
    Ok(match ended {
        Ended::Told => ExitCode::SUCCESS,
        Ended::Erased => ExitCode::from(ERASED),
    })
}
