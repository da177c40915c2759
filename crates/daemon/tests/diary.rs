//! Lines of the diary on a private bus, with a policyd that comes and goes.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::time::Duration;

use daemon::diary::{Diary, OVERFLOW, QUEUE};
use ipc::{DiaryRecord, Refusal, names, paths};
use testkit::PrivateBus;
use tokio::sync::watch;
use zbus::Connection;

/// Takes lines, but the first `busy` times it has no time, and `nonsense` never.
struct Policyd {
    lines: watch::Sender<Vec<DiaryRecord>>,
    busy: u32,
}

#[zbus::interface(name = "org.nestling.Diary1")]
impl Policyd {
    fn record(&mut self, record: DiaryRecord) -> Result<u64, Refusal> {
        if record.kind == "nonsense" {
            return Err(Refusal::Malformed("no such kind".into()));
        }
        if self.busy > 0 {
            self.busy -= 1;
            return Err(Refusal::Busy("later".into()));
        }
        self.lines.send_modify(|lines| lines.push(record));
        Ok(self.lines.borrow().len() as u64)
    }
}

/// Exports the object; the name is the test's to request.
async fn policyd(bus: &PrivateBus, busy: u32) -> (Connection, watch::Receiver<Vec<DiaryRecord>>) {
    let connection = bus.connect().await.unwrap();
    let (lines, seen) = watch::channel(Vec::new());
    connection.object_server().at(paths::DIARY, Policyd { lines, busy }).await.unwrap();
    (connection, seen)
}

fn kinds(lines: &[DiaryRecord]) -> Vec<&str> {
    lines.iter().map(|line| line.kind.as_str()).collect()
}

#[tokio::test]
async fn lines_left_before_policyd_is_there_come_in_their_order() {
    let bus = PrivateBus::start().await.unwrap();
    let diary = Diary::start(&bus.connect().await.unwrap()).await.unwrap();
    for kind in ["one", "nonsense", "two"] {
        diary.record(kind, [("detail", kind.to_owned())]);
    }
    assert!(!diary.flush(Duration::from_millis(300)).await, "nobody has taken them");
    let (policyd, seen) = policyd(&bus, 1).await;
    policyd.request_name(names::POLICY).await.unwrap();
    assert!(diary.flush(Duration::from_secs(20)).await);
    assert_eq!(kinds(&seen.borrow()), ["one", "two"]);
    assert_eq!(seen.borrow()[1].details["detail"], "two");
}

#[tokio::test]
async fn a_line_waits_through_a_restart_of_policyd() {
    let bus = PrivateBus::start().await.unwrap();
    let diary = Diary::start(&bus.connect().await.unwrap()).await.unwrap();
    let (first, seen) = policyd(&bus, 0).await;
    first.request_name(names::POLICY).await.unwrap();
    diary.record("before", []);
    assert!(diary.flush(Duration::from_secs(20)).await);
    assert_eq!(kinds(&seen.borrow()), ["before"]);
    first.close().await.unwrap();
    diary.record("meanwhile", []);
    let (second, seen) = policyd(&bus, 0).await;
    second.request_name(names::POLICY).await.unwrap();
    assert!(diary.flush(Duration::from_secs(20)).await);
    assert_eq!(kinds(&seen.borrow()), ["meanwhile"]);
}

#[tokio::test]
async fn what_does_not_fit_is_one_line_with_a_count() {
    let bus = PrivateBus::start().await.unwrap();
    let diary = Diary::start(&bus.connect().await.unwrap()).await.unwrap();
    for _ in 0..QUEUE + 100 {
        diary.record("flood", []);
    }
    let (policyd, seen) = policyd(&bus, 0).await;
    policyd.request_name(names::POLICY).await.unwrap();
    assert!(diary.flush(Duration::from_secs(20)).await);
    let lines = seen.borrow();
    let overflow = lines.iter().find(|line| line.kind == OVERFLOW).unwrap();
    let lost: usize = overflow.details["count"].parse().unwrap();
    assert_eq!(lines.iter().filter(|line| line.kind == "flood").count() + lost, QUEUE + 100);
    assert!((99..=100).contains(&lost), "{lost}");
}
