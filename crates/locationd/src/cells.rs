//! Asks telephonyd which cell of the mobile network the modem is in.

use std::sync::Arc;
use std::time::Duration;

use ipc::Telephony1Proxy;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use zbus::Connection;
use zbus::proxy::CacheProperties;

use crate::core::CellId;

/// The modem knows its cell without asking the network.
const WAITS: Duration = Duration::from_secs(5);

/// Asks each time it is told to by `asks`, and says what the cell is, or that nobody knows.
pub(crate) async fn follow(bus: Connection, asks: Arc<Notify>, told: mpsc::Sender<Option<CellId>>) {
    loop {
        asks.notified().await;
        let cell = timeout(WAITS, ask(&bus)).await.ok().flatten();
        if told.send(cell).await.is_err() {
            return;
        }
    }
}

async fn ask(bus: &Connection) -> Option<CellId> {
    let telephony = Telephony1Proxy::builder(bus).cache_properties(CacheProperties::No).build().await.ok()?;
    let ipc::Cell { known, network, area, cell } = telephony.cell().await.ok()?;
    known.then_some(CellId { network, area, cell })
}
