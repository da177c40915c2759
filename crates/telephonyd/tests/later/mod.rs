//! What the screen can ask later: missed calls, and what happened while it was away.

use ipc::CallState;

use super::touch_green;
use crate::house::{AUNT, House, MUM, STRANGER, telephony};

#[tokio::test]
async fn a_screen_that_starts_in_the_middle_of_a_call_is_told_what_happened() {
    let (mut house, _policyd) = House::start().await;
    house.world.call(Some(MUM)).unwrap();
    touch_green(&mut house, 0).await;
    house.shell.told(0, CallState::Active).await;
    let (all, happened) = house.shell.telephony.events(0).await.unwrap();
    assert!(!all, "a screen that knows nothing reads everything");
    let calls = |happened: &[ipc::Happening]| -> Vec<_> {
        let call = |it: &&ipc::Happening| it.what == ipc::News::Call;
        happened.iter().filter(call).map(|it| it.call.state).collect()
    };
    assert_eq!(calls(&happened), [CallState::Ringing, CallState::Active]);
    let ring = happened.iter().find(|it| it.call.state == CallState::Ringing).unwrap().seq;
    let (all, happened) = house.shell.telephony.events(ring).await.unwrap();
    assert_eq!((all, calls(&happened)), (true, vec![CallState::Active]));
    assert_eq!(house.shell.telephony.call().await.unwrap(), happened.last().unwrap().call);
    let newest = happened.last().unwrap().seq;
    house.kill_daemon();
    house.start_daemon().await;
    house.shell.told(2, CallState::Active).await;
    let (all, happened) = house.shell.telephony.events(newest).await.unwrap();
    assert!(!all && happened.iter().all(|it| it.seq > newest), "another run, and its numbers are higher");
    let nobody = telephony(&house.bus.connect().await.unwrap()).await;
    assert!(nobody.events(0).await.is_err());
}

#[tokio::test]
async fn a_missed_call_is_told_kept_over_a_kill_and_cleared_by_a_look() {
    let (mut house, _policyd) = House::start().await;
    house.is_turned_away(Some(STRANGER)).await;
    house.world.call(Some(AUNT)).unwrap();
    house.shell.told(0, CallState::Ringing).await;
    house.world.hang_up().unwrap();
    let missed = house.eventually("the missed call is told", async |house| {
        house.shell.telephony.missed().await.ok().filter(|missed| !missed.is_empty())
    });
    let missed = missed.await;
    assert_eq!((missed[0].contact.as_str(), missed[0].name.as_str(), missed[0].count), ("aunt", "Auntie", 1));
    let kept = house.root.join("state/calls.json");
    house.eventually("the list is kept", async |_| kept.exists().then_some(())).await;
    house.kill_daemon();
    house.start_daemon().await;
    assert_eq!(house.shell.telephony.missed().await.unwrap(), missed);
    let calls = house.shell.telephony.calls().await.unwrap();
    assert_eq!(calls.iter().map(|call| call.outcome.as_str()).collect::<Vec<_>>(), ["missed"], "no stranger");
    house.shell.telephony.saw_missed(missed[0].newest).await.unwrap();
    assert_eq!(house.shell.telephony.missed().await.unwrap(), []);
    assert!(!std::fs::read_to_string(&kept).unwrap().contains("405550"), "no number");
    let nobody = telephony(&house.bus.connect().await.unwrap()).await;
    assert!(nobody.calls().await.is_err() && nobody.saw_missed(9).await.is_err());
}
