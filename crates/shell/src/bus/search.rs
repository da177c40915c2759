//! Who looks for the watch, as policyd says.

use futures_util::StreamExt as _;
use ipc::{Search, Search1Proxy};

use super::BusError;
use crate::model::Event;

pub(super) async fn watch(
    searches: &Search1Proxy<'_>,
    emit: &impl Fn(Event),
) -> Result<std::convert::Infallible, BusError> {
    let mut owner = searches.inner().receive_owner_changed().await?;
    let mut changed = searches.receive_search_changed().await?;
    let read = async || match searches.search().await {
        Ok(search) => emit(Event::Search(search)),
        Err(error) => tracing::debug!(%error, "policyd does not tell who searches"),
    };
    read().await;
    loop {
        tokio::select! {
            biased;
            new = owner.next() => {
                // Nothing rings without policyd.
                emit(Event::Search(Search::none()));
                if new.ok_or(BusError::Gone)?.is_some() {
                    read().await;
                }
            }
            signal = changed.next() => {
                if let Ok(arguments) = signal.ok_or(BusError::Gone)?.args() {
                    emit(Event::Search(arguments.search));
                }
            }
        }
    }
}
