//! The real telephonyd with the real ModemManager, called by the simulated network.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it is surprised")]

mod house;
mod instruments;
mod later;
mod search;

use std::time::Duration;

use house::{AUNT, House, MUM, PATIENCE, Policyd, STRANGER, family, telephony, without};
use ipc::{CallState, ModemState, PolicyState, Refusal};
use sim::{Event, ModemConfig, WorldConfig};
use tokio::time::{Instant, sleep};

/// A call rings this long before a touch counts.
const RINGS_FIRST: Duration = Duration::from_millis(2050);

async fn touch_green(house: &mut House, rings: usize) {
    let (since, _) = house.shell.told(rings, CallState::Ringing).await;
    tokio::time::sleep_until(since + RINGS_FIRST).await;
    house.shell.accept().await.unwrap();
}

#[tokio::test]
async fn a04_stranger_is_ended_before_anything_rings() {
    let (house, policyd) = House::start().await;
    house.is_turned_away(Some(STRANGER)).await;
    let line = policyd.line("call-refused").await;
    assert_eq!((line["caller"].as_str(), line["reason"].as_str()), ("…66", "unknown-number"));
    house.is_turned_away(None).await;
    house.is_turned_away(Some("+358405550")).await;
    assert_eq!(house.shell.states(), [], "the screen does not learn of any of them");
    assert!(!house.log().contains("5550666"), "no number in the log");
}

#[tokio::test]
async fn mum_rings_and_a_touch_answers() {
    let (mut house, policyd) = House::start().await;
    let mark = house.world.mark();
    house.world.call(Some(MUM)).unwrap();
    let (_, call) = house.shell.told(0, CallState::Ringing).await;
    assert_eq!(
        (call.contact.as_str(), call.name.as_str(), call.picture.as_str()),
        ("mum", "Mum", "face:mum")
    );
    assert_eq!(house.shell.telephony.call().await.unwrap(), call);
    touch_green(&mut house, 0).await;
    house.seen(mark, |event| matches!(event, Event::Answered { .. })).await;
    house.shell.told(0, CallState::Active).await;
    house.shell.telephony.tone(call.id, "5").await.unwrap();
    house.seen(mark, |event| matches!(event, Event::Tone { tone: '5' })).await;
    // They talk. ModemManager loses a `NO CARRIER` that comes between its command and the answer to it.
    tokio::time::sleep(Duration::from_secs(1)).await;
    house.world.hang_up().unwrap();
    house.shell.told(0, CallState::None).await;
    assert_eq!(policyd.line("call-answered").await["contact"], "mum");
    assert_eq!(house.shell.states(), [CallState::Ringing, CallState::Active, CallState::None]);
}

#[tokio::test]
async fn a_call_nobody_answers_is_missed_and_one_the_child_turns_away_is_ended() {
    let (mut house, policyd) = House::start().await;
    house.world.call(Some(AUNT)).unwrap();
    house.shell.told(0, CallState::Ringing).await;
    house.world.hang_up().unwrap();
    house.shell.told(0, CallState::None).await;
    assert_eq!(policyd.line("call-missed").await["contact"], "aunt");
    let mark = house.world.mark();
    house.world.call(Some(AUNT)).unwrap();
    house.shell.told(2, CallState::Ringing).await;
    house.shell.hang_up().await.unwrap();
    house.seen(mark, |event| matches!(event, Event::HungUpByWatch { answered: false, .. })).await;
    house.shell.told(2, CallState::None).await;
    policyd.line("call-declined").await;
}

/// ModemManager takes a caller for the one who hung up up to two seconds before him.
#[tokio::test]
async fn a04_who_calls_in_mums_wake_is_not_spoken_to_and_turned_away() {
    let (mut house, policyd) = House::start().await;
    for touched in [true, false] {
        let (mark, told) = (house.world.mark(), house.shell.states().len());
        house.world.call(Some(MUM)).unwrap();
        let (since, call) = house.shell.told(told, CallState::Ringing).await;
        house.world.hang_up().unwrap();
        house.world.call(Some(STRANGER)).unwrap();
        if touched {
            tokio::time::sleep_until(since + RINGS_FIRST).await;
            let accepted = house.shell.telephony.accept(call.id).await;
            assert!(matches!(accepted, Err(Refusal::NotFound(_))), "{accepted:?}");
        }
        house.seen(mark, |event| {
            matches!(event, Event::HungUpByWatch { number, answered: false, .. } if number.as_deref() == Some(STRANGER))
        })
        .await;
        assert_eq!(house.shell.states()[told..], [CallState::Ringing, CallState::None]);
        assert_eq!(policyd.line("call-missed").await["contact"], "mum");
        house
            .eventually("no call is left", async |house| house.world.status().calls.is_empty().then_some(()))
            .await;
    }
}

#[tokio::test]
async fn a06_accept_in_the_first_two_seconds_is_refused() {
    let (mut house, _policyd) = House::start().await;
    let nobody = house.shell.accept().await;
    assert!(matches!(nobody, Err(Refusal::NotFound(_))), "{nobody:?}");
    house.world.call(Some(MUM)).unwrap();
    let (since, _) = house.shell.told(0, CallState::Ringing).await;
    while since.elapsed() < Duration::from_millis(1500) {
        let early = house.shell.accept().await;
        // The shell hears of the ring a moment after it began.
        assert!(matches!(early, Err(Refusal::Denied(ref why)) if why == "too-early"), "{early:?}");
        sleep(Duration::from_millis(100)).await;
    }
    assert!(house.world.events(0).iter().all(|stamped| !matches!(stamped.event, Event::Answered { .. })));
    touch_green(&mut house, 0).await;
    house.seen(0, |event| matches!(event, Event::Answered { .. })).await;
}

#[tokio::test]
async fn an_aunt_removed_by_a_new_store_is_turned_away() {
    let (mut house, policyd) = House::start().await;
    house.world.call(Some(AUNT)).unwrap();
    house.shell.told(0, CallState::Ringing).await;
    house.world.hang_up().unwrap();
    house.shell.told(0, CallState::None).await;
    // Nobody says that the store changed: the next call finds out.
    house.publish(&without("aunt"));
    house.is_turned_away(Some(AUNT)).await;
    assert_eq!(policyd.line("call-refused").await["caller"], "…04");
    assert_eq!(house.shell.states(), [CallState::Ringing, CallState::None]);
    house.publish(&without("gran"));
    policyd.say_changed(3, PolicyState::Bound).await;
    house
        .eventually("the contacts on the screen follow", async |house| {
            let contacts = house.shell.telephony.contacts().await.ok()?;
            let ids: Vec<_> = contacts.iter().map(|contact| contact.id.as_str()).collect();
            (ids == ["mum", "dad", "aunt", "bo"]).then_some(())
        })
        .await;
}

#[tokio::test]
async fn sealed_a_guardian_of_the_last_good_list_rings_a_stranger_does_not_and_112_dials() {
    let (mut house, policyd) = House::start().await;
    let list = house.root.join("state/guardians.json");
    house.eventually("the list is kept", async |_| list.exists().then_some(())).await;
    drop(policyd);
    house.withdraw();
    house.kill_daemon();
    house.start_daemon().await;
    house.modem_is(ModemState::Registered).await;
    let contacts = house.shell.telephony.contacts().await.unwrap();
    assert_eq!(contacts.iter().map(|contact| contact.id.as_str()).collect::<Vec<_>>(), ["mum", "dad"]);
    house.is_turned_away(Some(STRANGER)).await;
    house.is_turned_away(Some(AUNT)).await;
    assert_eq!(house.shell.states(), []);
    house.world.call(Some(MUM)).unwrap();
    house.shell.told(0, CallState::Ringing).await;
    house.world.hang_up().unwrap();
    house.shell.told(0, CallState::None).await;
    let mark = house.world.mark();
    house.shell.telephony.dial_emergency("112").await.unwrap();
    house.seen(mark, |event| matches!(event, Event::Dialled { number } if number == "112")).await;
    let stranger = house.shell.telephony.dial_emergency(STRANGER).await;
    assert!(matches!(stranger, Err(Refusal::Denied(_))), "{stranger:?}");
}

#[tokio::test]
async fn a45_sigkill_during_a_ring_and_the_restarted_daemon_rings_again_within_two_seconds() {
    let (mut house, policyd) = House::start().await;
    house.world.call(Some(MUM)).unwrap();
    house.shell.told(0, CallState::Ringing).await;
    house.kill_daemon();
    let killed = Instant::now();
    house.start_daemon().await;
    let (again, call) = house.shell.told(1, CallState::Ringing).await;
    assert!(again - killed < Duration::from_secs(2), "{:?}", again - killed);
    assert_eq!(call.contact, "mum");
    touch_green(&mut house, 1).await;
    house.shell.told(1, CallState::Active).await;
    house.shell.hang_up().await.unwrap();
    house.shell.told(1, CallState::None).await;
    assert_eq!(policyd.line("call-answered").await["contact"], "mum");
}

#[tokio::test]
async fn a45_sigkill_does_not_let_a_stranger_in() {
    let (mut house, _policyd) = House::start().await;
    house.kill_daemon();
    let mark = house.world.mark();
    house.world.call(Some(STRANGER)).unwrap();
    sleep(Duration::from_millis(300)).await;
    house.start_daemon().await;
    house.seen(mark, |event| matches!(event, Event::HungUpByWatch { .. })).await;
    assert_eq!(house.shell.states(), []);
}

#[tokio::test]
async fn an_unknown_second_call_never_disturbs_the_first() {
    let (mut house, policyd) = House::start().await;
    house.world.call(Some(MUM)).unwrap();
    touch_green(&mut house, 0).await;
    house.shell.told(0, CallState::Active).await;
    let mark = house.world.mark();
    house.world.call(Some(STRANGER)).unwrap();
    let ended = house.seen(mark, |event| matches!(event, Event::HungUpByWatch { .. })).await;
    let stranger = |event: &Event| matches!(event, Event::HungUpByWatch { number, .. } if number.as_deref() == Some(STRANGER));
    assert!(stranger(&ended.event), "{ended:?}");
    policyd.line("call-refused").await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(house.world.status().calls.len(), 1, "Mum is still there");
    assert_eq!(house.shell.states(), [CallState::Ringing, CallState::Active]);
}

#[tokio::test]
async fn the_child_calls_an_aunt_and_nobody_else_than_the_family() {
    let (mut house, policyd) = House::start().await;
    let stranger = house.shell.telephony.dial("stranger").await;
    assert!(matches!(stranger, Err(Refusal::NotFound(_))), "{stranger:?}");
    let mark = house.world.mark();
    house.shell.telephony.dial("aunt").await.unwrap();
    house.shell.told(0, CallState::Dialling).await;
    house.seen(mark, |event| matches!(event, Event::Dialled { number } if number == AUNT)).await;
    let busy = house.shell.telephony.dial("mum").await;
    assert!(matches!(busy, Err(Refusal::Busy(_))), "{busy:?}");
    house.seen(mark, |event| matches!(event, Event::RemoteRinging { .. })).await;
    house.world.answer().unwrap();
    house.shell.told(0, CallState::Active).await;
    house.shell.hang_up().await.unwrap();
    house.seen(mark, |event| matches!(event, Event::HungUpByWatch { answered: true, .. })).await;
    house.shell.told(0, CallState::None).await;
    assert_eq!(policyd.line("call-dialled").await["answered"], "yes");
}

#[tokio::test]
async fn t8_112_dials_without_a_sim_without_rules_and_without_policyd() {
    let config =
        WorldConfig { modem: ModemConfig { sim: None, ..ModemConfig::default() }, ..WorldConfig::default() };
    let mut house = House::quiet(config, true).await;
    house.start_daemon().await;
    house.modem_is(ModemState::Emergency).await;
    let mark = house.world.mark();
    house.shell.telephony.dial_emergency("112").await.unwrap();
    house.seen(mark, |event| matches!(event, Event::Dialled { number } if number == "112")).await;
    house.shell.told(0, CallState::Dialling).await;
}

#[tokio::test]
async fn an_emergency_call_takes_the_place_of_another() {
    let (mut house, policyd) = House::start().await;
    house.world.call(Some(MUM)).unwrap();
    touch_green(&mut house, 0).await;
    house.shell.told(0, CallState::Active).await;
    let mark = house.world.mark();
    house.shell.telephony.dial_emergency("112").await.unwrap();
    house.seen(mark, |event| matches!(event, Event::HungUpByWatch { .. })).await;
    house.seen(mark, |event| matches!(event, Event::Dialled { number } if number == "112")).await;
    assert_eq!(policyd.line("emergency-call").await["number"], "112");
}

#[tokio::test]
async fn a_modem_that_is_switched_off_is_switched_on() {
    let mut house = House::quiet(WorldConfig::default(), false).await;
    house.publish(&family());
    house.start_daemon().await;
    house.modem_is(ModemState::Registered).await;
    house.world.call(Some(MUM)).unwrap();
    house.shell.told(0, CallState::Ringing).await;
}

#[tokio::test]
async fn a_modem_manager_that_comes_back_is_followed_again() {
    let (mut house, _policyd) = House::start().await;
    house.manager.kill();
    house.modem_is(ModemState::Absent).await;
    house.manager.restart().await.unwrap();
    house.modem_is(ModemState::Registered).await;
    house.is_turned_away(Some(STRANGER)).await;
    house.world.call(Some(MUM)).unwrap();
    house.shell.told(0, CallState::Ringing).await;
}

#[tokio::test]
async fn lines_of_the_diary_wait_for_policyd() {
    let mut house = House::quiet(WorldConfig::default(), true).await;
    house.publish(&family());
    house.start_daemon().await;
    house.modem_is(ModemState::Registered).await;
    house.is_turned_away(Some(STRANGER)).await;
    let policyd = Policyd::start(&house.bus).await;
    assert_eq!(policyd.line("call-refused").await["caller"], "…66");
    for _ in 0..5 {
        house.is_turned_away(Some(STRANGER)).await;
    }
    house.is_turned_away(None).await;
    house
        .eventually("the withheld caller's line", async |_| (policyd.kinds().len() == 2).then_some(()))
        .await;
}

#[tokio::test]
async fn a06_only_the_shell_touches_and_others_may_at_most_look() {
    let (mut house, _policyd) = House::start().await;
    house.world.call(Some(MUM)).unwrap();
    house.shell.told(0, CallState::Ringing).await;
    sleep(RINGS_FIRST).await;
    let call = house.shell.telephony.call().await.unwrap().id;
    let agent = telephony(&house.bus.connect().await.unwrap()).await;
    let named = house.bus.connect().await.unwrap();
    named.request_name(ipc::names::LOCATION).await.unwrap();
    let location = telephony(&named).await;
    for peer in [&agent, &location] {
        for refused in [
            peer.accept(call).await,
            peer.hang_up(call).await,
            peer.mute(call).await,
            peer.tone(call, "1").await,
            peer.dial("mum").await,
        ] {
            assert!(matches!(refused, Err(Refusal::NotAllowed(_))), "{refused:?}");
        }
    }
    // A developer's agent may call for help, and is in no product.
    let refused = location.dial_emergency("112").await;
    assert!(matches!(refused, Err(Refusal::NotAllowed(_))), "{refused:?}");
    assert_eq!(agent.call().await.unwrap().state, CallState::Ringing);
    assert!(location.call().await.is_err() && location.contacts().await.is_err());
    assert_eq!(house.shell.states(), [CallState::Ringing]);
}

#[tokio::test]
async fn the_interface_is_the_golden_one() {
    let (house, _policyd) = House::start().await;
    let xml = house.shell.telephony.inner().introspect().await.unwrap();
    testkit::golden::interface(&xml, "org.nestling.Telephony1");
}

#[tokio::test]
async fn a_stop_is_quick_and_leaves_the_ring_to_the_next_start() {
    let (mut house, _policyd) = House::start().await;
    house.world.call(Some(MUM)).unwrap();
    house.shell.told(0, CallState::Ringing).await;
    let stopped = Instant::now();
    house.stop_daemon(PATIENCE);
    assert!(stopped.elapsed() < Duration::from_secs(2), "{:?}", stopped.elapsed());
    assert_eq!(house.world.status().calls.len(), 1);
}

#[tokio::test]
async fn a04_a_name_the_network_sends_with_a_strangers_number_changes_nothing() {
    let (house, policyd) = House::start().await;
    let mark = house.world.mark();
    house.world.call(None).unwrap();
    // As `+CLIP` brings a name of the caller's choice (3GPP TS 27.007, 7.6, CNAP).
    house.world.raw(&format!("+CLIP: \"{STRANGER}\",145,\"\",0,\"Mum\",0"));
    house.seen(mark, |event| matches!(event, Event::HungUpByWatch { answered: false, .. })).await;
    let line = policyd.line("call-refused").await;
    assert!(["unknown-number", "withheld"].contains(&line["reason"].as_str()), "{line:?}");
    assert_eq!(house.shell.states(), []);
}

#[tokio::test]
async fn a_guardian_waits_behind_a_call_and_rings_when_it_ends() {
    let (mut house, _policyd) = House::start().await;
    house.world.call(Some(AUNT)).unwrap();
    touch_green(&mut house, 0).await;
    house.shell.told(0, CallState::Active).await;
    house.world.call(Some(MUM)).unwrap();
    sleep(Duration::from_secs(3)).await;
    assert_eq!(house.world.status().calls.len(), 2, "neither is turned away");
    let (_, call) = house.shell.told(2, CallState::Active).await;
    assert_eq!((call.contact.as_str(), call.waiting.as_str()), ("aunt", "Mum"));
    house.shell.hang_up().await.unwrap();
    let (_, call) = house.shell.told(3, CallState::Ringing).await;
    assert_eq!(call.contact, "mum");
    // ModemManager learns by its next `+CLCC` that it does not wait any more.
    sleep(Duration::from_secs(3)).await;
    house.shell.accept().await.unwrap();
    let (_, call) = house.shell.told(4, CallState::Active).await;
    assert_eq!(call.contact, "mum");
}

#[tokio::test]
async fn t8_after_112_a_stranger_rings_also_when_telephonyd_was_killed_between() {
    let (mut house, policyd) = House::start().await;
    let mark = house.world.mark();
    house.shell.telephony.dial_emergency("112").await.unwrap();
    house.seen(mark, |event| matches!(event, Event::RemoteRinging { .. })).await;
    house.world.answer().unwrap();
    house.shell.told(0, CallState::Active).await;
    sleep(Duration::from_secs(1)).await;
    house.world.hang_up().unwrap();
    house.shell.told(1, CallState::None).await;
    let line = policyd.line("emergency-window").await;
    assert_eq!((line["number"].as_str(), line["minutes"].as_str()), ("112", "30"));
    house.kill_daemon();
    house.start_daemon().await;
    house.modem_is(ModemState::Registered).await;
    house.world.call(Some(STRANGER)).unwrap();
    let (_, call) = house.shell.told(1, CallState::Ringing).await;
    assert_eq!((call.contact.as_str(), call.name.as_str()), ("", "112"));
    house.world.hang_up().unwrap();
    let line = policyd.line("call-missed").await;
    assert_eq!((line["caller"].as_str(), line["reason"].as_str()), ("…66", "emergency-window"));
    assert!(!house.log().contains("5550666"), "no number in the log");
}
