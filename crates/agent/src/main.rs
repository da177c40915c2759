//! agent: the developer's hand inside the development image, never in a product.

use anyhow::{Context, Result};
use nestling_agent::hand;
use nestling_agent::protocol::{MAX_LINE, Reply, Request};
use tokio::fs::OpenOptions;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

const PORT: &str = "/dev/virtio-ports/nestling.agent0";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    daemon::start_tracing();
    let bus = daemon::bus::connect(&daemon::bus::BusConfig::default()).await?;
    let port = OpenOptions::new().read(true).write(true).open(PORT).await.context(PORT)?;
    let mut writer = port.try_clone().await?;
    let mut reader = BufReader::new(port);
    loop {
        let mut line = Vec::new();
        let limit = u64::try_from(MAX_LINE)?;
        if (&mut reader).take(limit).read_until(b'\n', &mut line).await? == 0 {
            // Nobody is at the other end yet.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            continue;
        }
        let reply = match serde_json::from_slice::<Request>(&line) {
            Ok(request) => hand::answer(&bus, request).await,
            Err(error) => Reply::Refused { name: "Malformed".into(), text: error.to_string() },
        };
        let mut bytes = serde_json::to_vec(&reply)?;
        bytes.push(b'\n');
        writer.write_all(&bytes).await?;
        writer.flush().await?;
    }
}
