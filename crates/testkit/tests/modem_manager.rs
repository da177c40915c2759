//! The real ModemManager sees what the simulated network does, and the network what ModemManager does.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests are tests")]

use std::collections::HashMap;
use std::time::Duration;

use sim::{Event, ModemConfig, World, WorldConfig};
use testkit::{FixtureError, ModemManager, PrivateBus};
use zbus::fdo::PropertiesProxy;
use zbus::{Connection, OwnedObjectPath};

const SERVICE: &str = "org.freedesktop.ModemManager1";
const VOICE: &str = "org.freedesktop.ModemManager1.Modem.Voice";
const CALL: &str = "org.freedesktop.ModemManager1.Call";
const MESSAGING: &str = "org.freedesktop.ModemManager1.Modem.Messaging";
const SMS: &str = "org.freedesktop.ModemManager1.Sms";
const MUM: &str = "+358405550001";
const PATIENCE: Duration = Duration::from_secs(30);

/// `MMCallState`
const RINGING_IN: i32 = 3;
const ACTIVE: i32 = 4;
const TERMINATED: i32 = 7;
/// `MMSmsState`: all parts are there.
const RECEIVED: u32 = 3;

struct Watch {
    world: World,
    manager: ModemManager,
    connection: Connection,
    // Dropped last: the others run on it.
    _bus: PrivateBus,
}

impl Watch {
    async fn start() -> Result<Self, FixtureError> {
        Self::with(WorldConfig::default()).await
    }

    async fn with(config: WorldConfig) -> Result<Self, FixtureError> {
        let bus = PrivateBus::start().await?;
        let world = World::start(config);
        let manager = ModemManager::start(&bus, &world).await?;
        let connection = bus.connect().await?;
        Ok(Self { world, manager, connection, _bus: bus })
    }

    async fn paths(&self, interface: &str, property: &str) -> Vec<OwnedObjectPath> {
        get(&self.connection, self.manager.modem(), interface, property).await.unwrap()
    }

    async fn one_call(&self) -> OwnedObjectPath {
        eventually("one call on the bus", || async {
            let calls = self.paths(VOICE, "Calls").await;
            if calls.len() == 1 { calls.into_iter().next() } else { None }
        })
        .await
    }

    async fn call_state(&self, call: &OwnedObjectPath, wanted: i32) {
        eventually("a call in the wanted state", || async {
            let state: i32 = get(&self.connection, call, CALL, "State").await.unwrap();
            (state == wanted).then_some(())
        })
        .await;
    }

    async fn number(&self, call: &OwnedObjectPath) -> String {
        get(&self.connection, call, CALL, "Number").await.unwrap()
    }

    async fn tell(&self, object: &OwnedObjectPath, interface: &str, method: &str) {
        self.connection.call_method(Some(SERVICE), object, Some(interface), method, &()).await.unwrap();
    }

    async fn dial(&self, number: &str) -> OwnedObjectPath {
        let properties = HashMap::from([("number", zbus::Variant::from(number))]);
        let modem = self.manager.modem();
        let made =
            self.connection.call_method(Some(SERVICE), modem, Some(VOICE), "CreateCall", &properties).await;
        let call: OwnedObjectPath = made.unwrap().body().deserialize().unwrap();
        self.tell(&call, CALL, "Start").await;
        call
    }

    async fn seen(&self, since: u64, wanted: impl Fn(&Event) -> bool) -> sim::Stamped {
        self.world.wait_for(since, PATIENCE, wanted).await.unwrap()
    }
}

async fn get<T: TryFrom<zbus::OwnedVariant>>(
    connection: &Connection,
    path: &OwnedObjectPath,
    interface: &str,
    property: &str,
) -> Option<T> {
    let properties = PropertiesProxy::new(connection, SERVICE, path).await.ok()?;
    let interface = zbus::names::InterfaceName::try_from(interface).ok()?;
    T::try_from(properties.get(interface, property).await.ok()?).ok()
}

async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let search = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("never: {what}"))
}

#[tokio::test]
async fn an_incoming_call_is_on_the_bus_with_its_number_until_it_is_hung_up() {
    let watch = Watch::start().await.unwrap();
    watch.world.call(Some(MUM)).unwrap();
    let call = watch.one_call().await;
    watch.call_state(&call, RINGING_IN).await;
    eventually("the number", || async { (watch.number(&call).await == MUM).then_some(()) }).await;
    // ModemManager asks for +CLCC every two seconds: what is not listed there is gone from the bus.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    watch.call_state(&call, RINGING_IN).await;
    let mark = watch.world.mark();
    watch.tell(&call, CALL, "Hangup").await;
    let number = Some(MUM.to_owned());
    let ended = |event: &Event| matches!(event, Event::HungUpByWatch { number: who, answered: false, .. } if *who == number);
    watch.seen(mark, ended).await;
    watch.call_state(&call, TERMINATED).await;
}

#[tokio::test]
async fn a_withheld_caller_has_no_number_on_the_bus() {
    let watch = Watch::start().await.unwrap();
    watch.world.call(None).unwrap();
    let call = watch.one_call().await;
    watch.call_state(&call, RINGING_IN).await;
    assert_eq!(watch.number(&call).await, "");
    watch.tell(&call, CALL, "Hangup").await;
    watch.seen(0, |event| matches!(event, Event::HungUpByWatch { number: None, .. })).await;
}

#[tokio::test]
async fn an_answered_call_is_active_until_the_other_end_hangs_up() {
    let watch = Watch::start().await.unwrap();
    watch.world.call(Some(MUM)).unwrap();
    let call = watch.one_call().await;
    watch.tell(&call, CALL, "Accept").await;
    watch.seen(0, |event| matches!(event, Event::Answered { .. })).await;
    watch.call_state(&call, ACTIVE).await;
    // NO CARRIER within milliseconds of the answer, or while any command is under way, is taken for that
    // command's result: the call stays active then until it is hung up here.
    tokio::time::sleep(Duration::from_millis(500)).await;
    watch.world.hang_up().unwrap();
    watch.call_state(&call, TERMINATED).await;
}

#[tokio::test]
async fn a_caller_who_gives_up_is_gone_from_the_bus() {
    let watch = Watch::start().await.unwrap();
    watch.world.call(Some(MUM)).unwrap();
    let call = watch.one_call().await;
    watch.call_state(&call, RINGING_IN).await;
    watch.world.hang_up().unwrap();
    watch.call_state(&call, TERMINATED).await;
}

#[tokio::test]
async fn a_dialled_call_is_active_when_the_other_end_answers() {
    let watch = Watch::start().await.unwrap();
    let call = watch.dial(MUM).await;
    watch.seen(0, |event| matches!(event, Event::RemoteRinging { number } if number == MUM)).await;
    watch.world.answer().unwrap();
    watch.call_state(&call, ACTIVE).await;
    watch.tell(&call, CALL, "Hangup").await;
    watch.seen(0, |event| matches!(event, Event::HungUpByWatch { answered: true, .. })).await;
}

#[tokio::test]
async fn without_a_sim_the_emergency_number_is_dialled() {
    let modem = ModemConfig { sim: None, ..ModemConfig::default() };
    let watch = Watch::with(WorldConfig { modem, ..WorldConfig::default() }).await.unwrap();
    let only: bool = get(&watch.connection, watch.manager.modem(), VOICE, "EmergencyOnly").await.unwrap();
    assert!(only);
    watch.dial("112").await;
    watch.seen(0, |event| matches!(event, Event::RemoteRinging { number } if number == "112")).await;
}

#[tokio::test]
async fn the_emergency_numbers_of_the_sim_are_on_the_bus() {
    let watch = Watch::start().await.unwrap();
    let modem = "org.freedesktop.ModemManager1.Modem";
    let sim: OwnedObjectPath = get(&watch.connection, watch.manager.modem(), modem, "Sim").await.unwrap();
    let interface = "org.freedesktop.ModemManager1.Sim";
    let numbers: Vec<String> = get(&watch.connection, &sim, interface, "EmergencyNumbers").await.unwrap();
    assert_eq!(numbers, ["112", "911"]);
    let imsi: String = get(&watch.connection, &sim, interface, "Imsi").await.unwrap();
    assert_eq!(imsi, "244990000000042");
}

#[tokio::test]
async fn a_text_arrives_whole_in_any_alphabet_and_length() {
    let watch = Watch::start().await.unwrap();
    let long = "Hei kulta! Ärsyttävä ж 🎉 ".repeat(8);
    for text in ["Hi kid, dinner at six!", "Péché à l'œuvre €5 {ok}", long.as_str()] {
        watch.world.sms(MUM, text).unwrap();
        let read = eventually("the text on the bus", || async {
            for sms in watch.paths(MESSAGING, "Messages").await {
                let state: u32 = get(&watch.connection, &sms, SMS, "State").await?;
                let received: String = get(&watch.connection, &sms, SMS, "Text").await?;
                if state == RECEIVED && received == text {
                    return get::<String>(&watch.connection, &sms, SMS, "Number").await;
                }
            }
            None
        });
        assert_eq!(read.await, MUM);
    }
}

#[tokio::test]
async fn a_text_from_the_watch_reaches_the_network() {
    let watch = Watch::start().await.unwrap();
    let text = "on my way 😀 ok";
    let properties =
        HashMap::from([("number", zbus::Variant::from(MUM)), ("text", zbus::Variant::from(text))]);
    let modem = watch.manager.modem();
    let made =
        watch.connection.call_method(Some(SERVICE), modem, Some(MESSAGING), "Create", &properties).await;
    let sms: OwnedObjectPath = made.unwrap().body().deserialize().unwrap();
    watch.tell(&sms, SMS, "Send").await;
    let sent = Event::SmsSent { number: MUM.into(), text: text.into(), part: None };
    watch.seen(0, |event| *event == sent).await;
}

#[tokio::test]
async fn a_restarted_modem_manager_sees_the_next_call() {
    let mut watch = Watch::start().await.unwrap();
    watch.manager.restart().await.unwrap();
    watch.world.call(Some(MUM)).unwrap();
    let call = watch.one_call().await;
    eventually("the number", || async { (watch.number(&call).await == MUM).then_some(()) }).await;
}
