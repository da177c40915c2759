//! Keeps a small file up to date without making a call wait for the disk.

use tokio::sync::watch;

/// Of two values the newer is written.
#[derive(Debug)]
pub(crate) struct Keeper<T>(watch::Sender<T>);

impl<T: Clone + PartialEq + Send + Sync + 'static> Keeper<T> {
    /// Starts with what is on the disk; `lost` is said when a value cannot be written.
    pub(crate) fn start<E: std::error::Error + Send + 'static>(
        on_disk: T,
        lost: &'static str,
        save: impl Fn(&T) -> Result<(), E> + Clone + Send + 'static,
    ) -> Self {
        let (newest, mut changes) = watch::channel(on_disk);
        tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                let (save, value) = (save.clone(), changes.borrow_and_update().clone());
                let saved = tokio::task::spawn_blocking(move || save(&value)).await;
                if let Ok(Err(error)) = saved {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(%error, cause, "{lost}");
                }
            }
        });
        Self(newest)
    }

    /// Takes the value of now.
    pub(crate) fn keep(&self, value: T) {
        self.0.send_if_modified(|kept| {
            let differs = *kept != value;
            *kept = value;
            differs
        });
    }

    /// The newest one.
    pub(crate) fn value(&self) -> T {
        self.0.borrow().clone()
    }
}
