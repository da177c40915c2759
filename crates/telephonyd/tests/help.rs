//! What happens beside an emergency call, and never in its way.

#![allow(clippy::unwrap_used, clippy::panic, dead_code, reason = "a test ends where it is surprised")]

mod house;

use std::future::pending;

use house::{House, PATIENCE};
use ipc::{names, paths};
use sim::Event;
use tokio::sync::watch;

/// A locationd that hangs when it is told.
struct Location(watch::Sender<u32>);

#[zbus::interface(name = "org.nestling.Location1")]
impl Location {
    async fn help_called(&self) {
        self.0.send_modify(|told| *told += 1);
        pending::<()>().await;
    }
}

#[tokio::test]
async fn t8_locationd_is_told_that_help_is_called_and_one_that_hangs_is_in_nobodys_way() {
    let (house, _policyd) = House::start().await;
    let locationd = house.bus.connect().await.unwrap();
    let told = watch::Sender::new(0);
    locationd.object_server().at(paths::LOCATION, Location(told.clone())).await.unwrap();
    locationd.request_name(names::LOCATION).await.unwrap();
    let mark = house.world.mark();
    house.shell.telephony.dial("aunt").await.unwrap();
    house.seen(mark, |event| matches!(event, Event::Dialled { .. })).await;
    house.shell.telephony.dial_emergency("112").await.unwrap();
    house.seen(mark, |event| matches!(event, Event::Dialled { number } if number == "112")).await;
    let mut told = told.subscribe();
    tokio::time::timeout(PATIENCE, told.wait_for(|told| *told > 0)).await.unwrap().unwrap();
    // It is asked again before it has answered, and the call still goes on.
    tokio::time::timeout(PATIENCE, told.wait_for(|told| *told > 1)).await.unwrap().unwrap();
    assert_eq!(house.world.status().calls.len(), 1);
}

#[tokio::test]
async fn t8_a_locationd_that_comes_back_is_told() {
    let (house, _policyd) = House::start().await;
    house.shell.telephony.dial_emergency("112").await.unwrap();
    let locationd = house.bus.connect().await.unwrap();
    let told = watch::Sender::new(0);
    locationd.object_server().at(paths::LOCATION, Location(told.clone())).await.unwrap();
    locationd.request_name(names::LOCATION).await.unwrap();
    let mut told = told.subscribe();
    tokio::time::timeout(PATIENCE, told.wait_for(|told| *told > 0)).await.unwrap().unwrap();
}
