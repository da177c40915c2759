//! Who looks where the child is, as policyd says.

use futures_util::StreamExt as _;
use ipc::Looks1Proxy;

use super::BusError;
use crate::model::Event;

pub(super) async fn watch(
    looks: &Looks1Proxy<'_>,
    emit: &impl Fn(Event),
) -> Result<std::convert::Infallible, BusError> {
    let mut owner = looks.inner().receive_owner_changed().await?;
    let mut changed = looks.receive_looks_changed().await?;
    let read = async || match (looks.looking().await, looks.today().await) {
        (Ok(looking), Ok(today)) => emit(Event::Looks(looking, today)),
        (Err(error), _) | (_, Err(error)) => tracing::debug!(%error, "policyd does not tell who looks"),
    };
    read().await;
    // Nobody waits for the list: a look is told of at once.
    let mut stale = true;
    loop {
        tokio::select! {
            biased;
            new = owner.next() => {
                // Without policyd a look that was told of goes on to its end.
                if new.ok_or(BusError::Gone)?.is_some() {
                    read().await;
                    stale = true;
                }
            }
            signal = changed.next() => {
                if let Ok(arguments) = signal.ok_or(BusError::Gone)?.args() {
                    emit(Event::Looks(arguments.looking, arguments.today));
                    stale = true;
                }
            }
            looked = looks.looked(), if stale => {
                stale = false;
                match looked {
                    Ok(looked) => emit(Event::Looked(looked)),
                    Err(error) => tracing::debug!(%error, "policyd does not tell who looked"),
                }
            }
        }
    }
}
