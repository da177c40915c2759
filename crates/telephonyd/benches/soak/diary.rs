//! A policyd that only takes lines, and all of them.

use std::sync::{Arc, Mutex};

use ipc::{DiaryRecord, names, paths};
use testkit::PrivateBus;
use zbus::Connection;

use crate::ledger::Told;

/// The lines so far. It is on the bus for as long as this lives.
#[derive(Debug)]
pub(crate) struct Diary {
    lines: Lines,
    _connection: Connection,
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
        let connection = bus.connect().await.unwrap();
        let lines = Lines::default();
        connection.object_server().at(paths::DIARY, lines.clone()).await.unwrap();
        connection.request_name(names::POLICY).await.unwrap();
        Self { lines, _connection: connection }
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
