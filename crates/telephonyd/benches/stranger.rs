//! A stranger calls: from the modem's first `+CRING` to the command that ends the call at the modem, through the real
//! ModemManager. Ours is the real telephonyd; the peer is a client that asks nothing and hangs up on every call. Each
//! has a modem, a ModemManager and a bus of its own; calls alternate. Prints JSON for `./nestling bench telephony`,
//! microseconds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench ends where it is surprised")]

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/house/mod.rs"]
mod house;

use futures_util::StreamExt;
use house::{House, STRANGER};
use sim::{Event, WorldConfig};
use zbus::{MatchRule, MessageStream, OwnedObjectPath, message};

const CALLS: usize = 200;
const NAME: &str = "org.freedesktop.ModemManager1";

/// Hangs up on every call ModemManager tells of.
async fn hang_up_on_everybody(house: &House) {
    let connection = house.bus.connect().await.unwrap();
    let added = MatchRule::builder()
        .msg_type(message::Type::Signal)
        .interface("org.freedesktop.ModemManager1.Modem.Voice")
        .member("CallAdded")
        .build()
        .unwrap();
    let mut calls = MessageStream::for_match_rule(added, &connection, None).await.unwrap();
    tokio::spawn(async move {
        while let Some(Ok(added)) = calls.next().await {
            let call: OwnedObjectPath = added.body().deserialize().unwrap();
            let interface = Some("org.freedesktop.ModemManager1.Call");
            connection.call_method(Some(NAME), &call, interface, "Hangup", &()).await.unwrap();
        }
    });
}

/// Has a stranger call; returns how long the call was there.
async fn microseconds(house: &House) -> f64 {
    let mark = house.world.mark();
    house.is_turned_away(Some(STRANGER)).await;
    let events = house.world.events(mark);
    let at = |wanted: fn(&Event) -> bool| events.iter().find(|stamped| wanted(&stamped.event)).unwrap().at_us;
    let rang = at(|event| matches!(event, Event::Ringing { .. }));
    (at(|event| matches!(event, Event::HungUpByWatch { .. })) - rang) as f64
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (ours, policyd) = House::start().await;
    let peer = House::quiet(WorldConfig::default(), true).await;
    hang_up_on_everybody(&peer).await;
    let mut samples = [Vec::new(), Vec::new()];
    for _ in 0..CALLS {
        samples[0].push(microseconds(&ours).await);
        samples[1].push(microseconds(&peer).await);
    }
    assert_eq!(policyd.kinds(), ["call-refused"], "a decision was made");
    println!(
        r#"{{"what":"stranger, +CRING to hang-up; peer hangs up on everybody: us","ours":{:?},"peer":{:?}}}"#,
        samples[0], samples[1]
    );
}
