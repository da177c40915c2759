//! Has locationd look where the watch is while help is called for.
//!
//! **Invariant:** nobody waits for it: it is asked from a task of its own, and what becomes of that changes nothing here.

use std::time::Duration;

use ipc::Location1Proxy;
use tokio::time::{sleep, timeout};
use zbus::Connection;
use zbus::proxy::CacheProperties;

/// A locationd that died is back by then.
const TRIES: u32 = 3;
const AGAIN: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(5);

/// Tells locationd.
pub(crate) fn is_called(connection: &Connection) {
    let connection = connection.clone();
    tokio::spawn(async move {
        for _ in 0..TRIES {
            match timeout(PATIENCE, tell(&connection)).await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => tracing::warn!(%error, "locationd is not told that help is called"),
                Err(_) => tracing::warn!("locationd does not answer that help is called"),
            }
            sleep(AGAIN).await;
        }
    });
}

async fn tell(connection: &Connection) -> ipc::Result<()> {
    let location = Location1Proxy::builder(connection).cache_properties(CacheProperties::No).build().await;
    location.map_err(ipc::Refusal::from)?.help_called().await
}
