//! What can never reach the modem, whichever door it is tried at.

#![allow(clippy::unwrap_used, clippy::panic, dead_code, reason = "a test ends where it is surprised")]

mod house;

use house::{AUNT, House, family};
use ipc::{CallState, Refusal};
use policy::Policy;
use sim::{Event, ModemConfig, SimCard, WorldConfig};

/// Codes for the network and for the modem, dial modifiers, and commands behind a number.
const CODES: [&str; 16] = [
    "*#06#",
    "*21*+358405550666#",
    "**21*0405550666#",
    "##002#",
    "#31#+358405550001",
    "*100#",
    "*101*1#",
    "112#",
    "*112",
    "112;",
    "112;+358405550666",
    "112,+358405550666",
    "112p5",
    "+112",
    "112\r\nATD+358405550666;",
    "112 ",
];

/// All that was dialled or asked of the network since `mark`.
fn went_out(house: &House, mark: u64) -> Vec<Event> {
    let out =
        |event: &Event| matches!(event, Event::Dialled { .. } | Event::Ussd { .. } | Event::Tone { .. });
    house.world.events(mark).into_iter().map(|stamped| stamped.event).filter(out).collect()
}

#[tokio::test]
async fn a10_no_door_leads_a_service_code_to_the_modem() {
    let (mut house, _policyd) = House::start().await;
    let mark = house.world.mark();
    for code in CODES {
        let refused = house.shell.telephony.dial_emergency(code).await;
        assert!(matches!(refused, Err(Refusal::Denied(_))), "{code}: {refused:?}");
        let refused = house.shell.telephony.dial(code).await;
        assert!(matches!(refused, Err(Refusal::NotFound(_))), "{code}: {refused:?}");
        let text =
            serde_json::to_string(&family()).unwrap().replace(AUNT, &code.escape_default().to_string());
        assert!(serde_json::from_str::<Policy>(&text).is_err(), "a contact with {code}");
    }
    // Behind all that would have gone out.
    house.shell.telephony.dial("aunt").await.unwrap();
    house.shell.told(0, CallState::Dialling).await;
    house.seen(mark, |event| matches!(event, Event::RemoteRinging { .. })).await;
    assert_eq!(went_out(&house, mark), [Event::Dialled { number: AUNT.into() }]);
}

#[tokio::test]
async fn a10_a_sim_makes_no_service_code_an_emergency_number() {
    let codes = ["*21#", "##002#", "*#06#", "1", "116117"];
    let sim = SimCard { emergency_numbers: codes.map(String::from).to_vec(), ..SimCard::default() };
    let modem = ModemConfig { sim: Some(sim), ..ModemConfig::default() };
    let (house, policyd) = House::with(WorldConfig { modem, ..WorldConfig::default() }).await;
    let mark = house.world.mark();
    for code in ["*21#", "##002#", "*#06#", "21#", "1"] {
        let refused = house.shell.telephony.dial_emergency(code).await;
        assert!(matches!(refused, Err(Refusal::Denied(_))), "{code}: {refused:?}");
    }
    // The SIM was read: its one plain number counts.
    house.shell.telephony.dial_emergency("116117").await.unwrap();
    house.seen(mark, |event| matches!(event, Event::Dialled { .. })).await;
    assert_eq!(went_out(&house, mark), [Event::Dialled { number: "116117".into() }]);
    assert_eq!(policyd.line("emergency-call").await["number"], "116117");
}
