//! A policyd that only takes lines, and all of them. It has a thread of its own: a daemon that ends waits half a second for
//! its last lines to be taken, whatever the soak does meanwhile.

use std::sync::{Arc, Mutex};

use ipc::{DiaryRecord, names, paths};
use testkit::PrivateBus;
use tokio::sync::oneshot;

use crate::ledger::Told;

/// The lines so far. It is on the bus for as long as this lives.
#[derive(Debug)]
pub(crate) struct Diary {
    lines: Lines,
    _alive: oneshot::Sender<()>,
}

#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<Vec<DiaryRecord>>>);

#[zbus::interface(name = "org.nestling.Diary1")]
impl Lines {
    fn record(&self, record: DiaryRecord) -> u64 {
        let mut lines = self.0.lock().unwrap();
        lines.push(record);
        lines.len() as u64
    }
}

impl Diary {
    pub(crate) async fn start(bus: &PrivateBus) -> Self {
        let (alive, gone) = oneshot::channel::<()>();
        let (ready, there) = oneshot::channel();
        let (lines, address) = (Lines::default(), bus.address().to_owned());
        let kept = lines.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let builder = zbus::connection::Builder::address(address.as_str());
                let connection = builder.build().await.unwrap();
                connection.object_server().at(paths::DIARY, kept).await.unwrap();
                connection.request_name(names::POLICY).await.unwrap();
                ready.send(()).unwrap();
                // Ends with the diary.
                let _ = gone.await;
            });
        });
        there.await.unwrap();
        Self { lines, _alive: alive }
    }

    /// What it says, and forgets.
    pub(crate) fn take(&self) -> Told {
        let mut told = Told::default();
        for line in self.lines.0.lock().unwrap().drain(..) {
            told.line(&line.kind, |name| line.details.get(name).map(String::as_str));
        }
        told
    }
}
