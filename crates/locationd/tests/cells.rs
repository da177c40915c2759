//! Where the watch is by its cell: the real locationd and gpsd, and a telephonyd that says what it is told to.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

#[allow(dead_code, reason = "other tests use more of it")]
mod world;

use std::time::Duration;

use ipc::{Cell, Location1Proxy, Position, names, paths};
use tokio::sync::watch;

use world::{Watch, school_zone};

const PATIENCE: Duration = Duration::from_mins(1);

struct Telephony(watch::Receiver<Cell>);

#[zbus::interface(name = "org.nestling.Telephony1")]
impl Telephony {
    fn cell(&self) -> Cell {
        self.0.borrow().clone()
    }
}

fn cell(known: bool, cell: u64) -> Cell {
    Cell { known, network: "24499".into(), area: 200, cell }
}

async fn until(location: &Location1Proxy<'_>, what: &str, wanted: impl Fn(&Position) -> bool) -> Position {
    let search = async {
        loop {
            let position = location.position().await.unwrap();
            if wanted(&position) {
                return position;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("never: {what}"))
}

#[tokio::test]
async fn a_cell_the_watch_was_seen_in_says_where_it_is_and_how_wrong_that_may_be() {
    let watch = Watch::configured(&[school_zone()], true, "cell_after = 0\n").await;
    let location = Location1Proxy::new(&watch.agent).await.unwrap();
    let by_fix = until(&location, "known without a telephonyd", |position| position.known).await;
    assert_eq!(by_fix.source, "satellites");
    assert!(by_fix.took_ms > 0 && by_fix.boot_ms > by_fix.took_ms, "{by_fix:?}");

    let (told, tells) = watch::channel(cell(true, 1));
    let telephony = watch.bus.connect().await.unwrap();
    telephony.object_server().at(paths::TELEPHONY, Telephony(tells)).await.unwrap();
    telephony.request_name(names::TELEPHONY).await.unwrap();
    let by_cell = until(&location, "known by the cell", |position| position.source == "cell").await;
    assert!(by_cell.accuracy_m > 7000.0 && by_cell.took_ms == 0 && by_cell.zone.is_empty(), "{by_cell:?}");
    assert!((by_cell.latitude - by_fix.latitude).abs() < 0.001);

    told.send_replace(cell(false, 0));
    until(&location, "known by satellites, where there is no cell", |position| {
        position.source == "satellites"
    })
    .await;
    watch.log_holds_no_coordinate();
}
