//! The D-Bus interfaces: each owns a channel to the core loop, checks its caller, and nothing else.

mod diary1;
mod guardian1;
mod looks1;
mod policy1;
mod search1;

pub use diary1::Diary1;
pub use guardian1::Guardian1;
pub use looks1::Looks1;
pub use policy1::Policy1;
pub use search1::Search1;

use ipc::Refusal;
use tokio::sync::{mpsc, oneshot};

use crate::service::{Reply, Request};

/// Asks the core loop and waits for its answer.
async fn ask<T>(
    queue: &mpsc::Sender<Request>,
    request: impl FnOnce(Reply<T>) -> Request,
) -> Result<T, Refusal> {
    let (reply, answer) = oneshot::channel();
    queue.try_send(request(reply)).map_err(|_| Refusal::Busy("too many requests at once".into()))?;
    answer.await.map_err(|_| Refusal::Failed("policyd is ending".into()))?
}
