//! The watch stays reachable: modem and ModemManager go, hang and come back, SIMs are pulled, networks refuse, and each
//! daemon is killed in every moment of a call.

#![allow(clippy::unwrap_used, clippy::panic, dead_code, reason = "a test ends where it is surprised")]

mod house;

use std::sync::mpsc;
use std::time::Duration;

use house::{AUNT, House, MUM, STRANGER, family};
use ipc::{CallState, ModemState, Refusal};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sim::{Event, ModemConfig, Registration, SimCard, World, WorldConfig};
use testkit::ModemManager;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

/// What the design gives from a loss to a watch that can be called.
const RECOVERS: Duration = Duration::from_secs(30);

/// A world whose modem can be made to hang: it has a thread of its own.
struct Freezer(Handle);

impl Freezer {
    fn world() -> (World, Self) {
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let world = runtime.block_on(async { World::start(WorldConfig::default()) });
            tell.send((world, runtime.handle().clone())).unwrap();
            runtime.block_on(std::future::pending::<()>());
        });
        let (world, handle) = told.recv().unwrap();
        (world, Self(handle))
    }

    /// The port stays open and nothing comes out of it, until what is returned is dropped.
    fn freeze(&self) -> mpsc::Sender<()> {
        let (thaw, thawed) = mpsc::channel();
        self.0.spawn(async move {
            let _ = thawed.recv();
        });
        thaw
    }
}

/// Waits for telephonyd's wish and does what systemd does for it (services/units/nestling-modem-again.path).
async fn restart_as_wished(house: &mut House, since: Instant, meanwhile: impl FnOnce()) -> Duration {
    let file = house.root.join("runtime/modem-manager-again");
    house.within(2 * RECOVERS, "the wish for a restart", async |_| file.exists().then_some(())).await;
    let noticed = since.elapsed();
    std::fs::remove_file(&file).unwrap();
    meanwhile();
    house.manager.restart().await.unwrap();
    house.modem_is(ModemState::Registered).await;
    println!("noticed after {noticed:?}, back after {:?}", since.elapsed());
    noticed
}

async fn mum_rings(house: &mut House) {
    let told = house.shell.states().len();
    house.world.call(Some(MUM)).unwrap();
    house.shell.told(told, CallState::Ringing).await;
    house.world.hang_up().unwrap();
    house.shell.told(told, CallState::None).await;
}

#[tokio::test]
async fn a13_a_modem_that_hangs_is_noticed_and_the_watch_can_be_called_again() {
    let (world, freezer) = Freezer::world();
    let mut house = House::around(world, true).await;
    house.publish(&family());
    house.start_daemon().await;
    house.modem_is(ModemState::Registered).await;
    let (since, thaw) = (Instant::now(), freezer.freeze());
    let noticed = restart_as_wished(&mut house, since, || drop(thaw)).await;
    assert!(noticed < RECOVERS, "{noticed:?}");
    mum_rings(&mut house).await;
}

#[tokio::test]
async fn a13_a_modem_manager_that_hangs_is_noticed_and_the_watch_can_be_called_again() {
    let (mut house, _policyd) = House::start().await;
    let since = Instant::now();
    kill(Pid::from_raw(house.manager.pid() as i32), Signal::SIGSTOP).unwrap();
    let noticed = restart_as_wished(&mut house, since, || ()).await;
    assert!(noticed < RECOVERS, "{noticed:?}");
    mum_rings(&mut house).await;
}

#[tokio::test]
async fn a13_a_modem_that_hangs_in_a_call_is_noticed_when_the_child_hangs_up() {
    let (world, freezer) = Freezer::world();
    let mut house = House::around(world, true).await;
    house.publish(&family());
    house.start_daemon().await;
    house.modem_is(ModemState::Registered).await;
    reach(&mut house, Moment::Answered).await;
    let thaw = freezer.freeze();
    let (since, told) = (Instant::now(), house.shell.states().len());
    house.shell.hang_up().await.unwrap();
    let noticed = restart_as_wished(&mut house, since, || drop(thaw)).await;
    assert!(noticed < RECOVERS, "{noticed:?}");
    house.shell.told(told, CallState::None).await;
    clear(&house).await;
    mum_rings(&mut house).await;
}

#[tokio::test]
async fn a13_a_port_that_is_closed_while_it_rings_is_noticed() {
    let (mut house, _policyd) = House::start().await;
    house.world.call(Some(MUM)).unwrap();
    house.shell.told(0, CallState::Ringing).await;
    // Another terminal takes the port: ModemManager's is closed, and nobody tells it of a new one.
    let (other, port) = tokio::io::duplex(64);
    let world = house.world.clone();
    let thief = tokio::spawn(async move { world.serve_modem(port).await });
    let noticed = restart_as_wished(&mut house, Instant::now(), || {
        thief.abort();
        drop(other);
    })
    .await;
    assert!(noticed < RECOVERS, "{noticed:?}");
    house.shell.told(0, CallState::None).await;
    clear(&house).await;
    mum_rings(&mut house).await;
}

#[tokio::test]
async fn what_the_network_says_of_the_time_is_handed_on() {
    let (house, _policyd) = House::start().await;
    // Without a name: as the agent, for the screen is not told.
    let agent = house.bus.connect().await.unwrap();
    let telephony = ipc::Telephony1Proxy::new(&agent).await.unwrap();
    assert!(house.shell.telephony.network_time().await.is_err());
    let told = house
        .eventually("the modem tells the time", async |_| {
            telephony.network_time().await.ok().filter(|time| time.known)
        })
        .await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(told.unix_time.abs_diff(now.cast_signed()) < 60, "{told:?} is not {now}");
    assert!(u128::from(told.boot_ms) <= daemon::clock::boot_time().as_millis());
}

#[tokio::test]
async fn the_cell_is_told_to_locationd_alone_and_as_the_network_changes_it() {
    let (house, _policyd) = House::start().await;
    let locationd = house.bus.connect().await.unwrap();
    let telephony = ipc::Telephony1Proxy::new(&locationd).await.unwrap();
    let refused = telephony.cell().await;
    assert!(matches!(refused, Err(Refusal::NotAllowed(_))), "{refused:?}");
    locationd.request_name(ipc::names::LOCATION).await.unwrap();
    let told = async |wanted: u64| {
        let cell = async |_: &House| telephony.cell().await.ok().filter(|told| told.cell == wanted);
        house.eventually("the modem is in this cell", cell).await
    };
    let first = told(123_456).await;
    assert_eq!((first.network.as_str(), first.area), ("24499", 200));
    house.world.set_mast(sim::Mast { area: 201, cell: 77 });
    assert_eq!(told(77).await.area, 201);
    house.world.set_registration(sim::Registration::Denied);
    assert!(!told(0).await.known);
}

#[tokio::test]
async fn a34_a_modem_somebody_switched_off_is_switched_on_again() {
    let (mut house, _policyd) = House::start().await;
    let somebody = house.bus.connect().await.unwrap();
    let modem = house.manager.modem().clone();
    for _ in 0..2 {
        let off = "org.freedesktop.ModemManager1.Modem";
        let done =
            somebody.call_method(Some("org.freedesktop.ModemManager1"), &modem, Some(off), "Enable", &false);
        done.await.unwrap();
        house.modem_is(ModemState::Registered).await;
    }
    house.is_turned_away(Some(STRANGER)).await;
    mum_rings(&mut house).await;
}

#[tokio::test]
async fn a34_a_network_that_refuses_or_is_foreign_changes_no_rule_and_112_still_goes_out() {
    let (mut house, _policyd) = House::start().await;
    house.world.set_registration(Registration::Denied);
    house.modem_is(ModemState::Emergency).await;
    let refused = house.shell.telephony.dial("aunt").await;
    assert!(matches!(refused, Err(Refusal::Failed(_))), "{refused:?}");
    house.world.set_registration(Registration::Roaming);
    house.modem_is(ModemState::Registered).await;
    house.is_turned_away(Some(STRANGER)).await;
    mum_rings(&mut house).await;
    // Last: afterwards anybody may be help that calls back.
    house.world.set_registration(Registration::Denied);
    house.modem_is(ModemState::Emergency).await;
    let mark = house.world.mark();
    house.shell.telephony.dial_emergency("112").await.unwrap();
    house.seen(mark, |event| matches!(event, Event::RemoteRinging { number } if number == "112")).await;
}

async fn other_tray(house: &mut House, sim: Option<SimCard>) {
    house.manager.kill();
    house.modem_is(ModemState::Absent).await;
    let modem = ModemConfig { sim, ..ModemConfig::default() };
    house.world = World::start(WorldConfig { modem, ..WorldConfig::default() });
    house.manager = ModemManager::start(&house.bus, &house.world).await.unwrap();
}

#[tokio::test]
async fn a34_a_sim_that_is_pulled_or_swapped_is_in_the_diary_and_the_rules_stay() {
    let (mut house, policyd) = House::start().await;
    let file = house.root.join("state/sim");
    house.eventually("the SIM is remembered", async |_| file.exists().then_some(())).await;
    // Seen again it is no news, also to another process.
    house.kill_daemon();
    house.start_daemon().await;
    other_tray(&mut house, None).await;
    house.modem_is(ModemState::Emergency).await;
    assert_eq!(policyd.line("sim-removed").await["sim"], "…0420");
    let mark = house.world.mark();
    house.shell.telephony.dial_emergency("112").await.unwrap();
    house.seen(mark, |event| matches!(event, Event::Dialled { number } if number == "112")).await;
    house.shell.hang_up().await.unwrap();
    // The battery is out while the other one is put in.
    house.kill_daemon();
    let other =
        SimCard { imsi: "310260000000042".into(), iccid: "8901260000000001234".into(), ..SimCard::default() };
    other_tray_while_off(&mut house, other).await;
    house.start_daemon().await;
    house.modem_is(ModemState::Registered).await;
    assert_eq!(policyd.line("sim-changed").await["sim"], "…1234");
    house.is_turned_away(Some(STRANGER)).await;
    let aunt = house.shell.telephony.contacts().await.unwrap();
    assert!(aunt.iter().any(|contact| contact.id == "aunt"));
    mum_rings(&mut house).await;
    let lines = policyd.kinds();
    assert_eq!(lines.iter().filter(|kind| kind.starts_with("sim-")).count(), 2, "{lines:?}");
    assert!(!house.log().contains("0000001234") && !house.log().contains("31026"), "no SIM in the log");
}

async fn other_tray_while_off(house: &mut House, sim: SimCard) {
    house.manager.kill();
    // What is in memory is gone with the battery.
    let memory = house.root.join("runtime");
    std::fs::remove_dir_all(&memory).unwrap();
    std::fs::create_dir(&memory).unwrap();
    let modem = ModemConfig { sim: Some(sim), ..ModemConfig::default() };
    house.world = World::start(WorldConfig { modem, ..WorldConfig::default() });
    house.manager = ModemManager::start(&house.bus, &house.world).await.unwrap();
}

/// A moment of a call.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Rings,
    Answered,
    Dialling,
    Talking,
    Emergency,
}

const MOMENTS: [Moment; 5] =
    [Moment::Rings, Moment::Answered, Moment::Dialling, Moment::Talking, Moment::Emergency];

/// Brings a call there. Returns what the screen shows then, and of whom.
async fn reach(house: &mut House, moment: Moment) -> (CallState, &'static str) {
    let told = house.shell.states().len();
    let mark = house.world.mark();
    let (state, contact) = match moment {
        Moment::Rings | Moment::Answered => {
            house.world.call(Some(MUM)).unwrap();
            let (since, _) = house.shell.told(told, CallState::Ringing).await;
            if matches!(moment, Moment::Answered) {
                tokio::time::sleep_until(since + Duration::from_millis(2050)).await;
                house.shell.accept().await.unwrap();
                (CallState::Active, "mum")
            } else {
                (CallState::Ringing, "mum")
            }
        }
        Moment::Dialling | Moment::Talking => {
            house.shell.telephony.dial("aunt").await.unwrap();
            house
                .seen(mark, |event| matches!(event, Event::RemoteRinging { number } if number == AUNT))
                .await;
            if matches!(moment, Moment::Talking) {
                house.world.answer().unwrap();
                (CallState::Active, "aunt")
            } else {
                (CallState::Dialling, "aunt")
            }
        }
        Moment::Emergency => {
            house.shell.telephony.dial_emergency("112").await.unwrap();
            house
                .seen(mark, |event| matches!(event, Event::RemoteRinging { number } if number == "112"))
                .await;
            (CallState::Dialling, "")
        }
    };
    house.shell.told(told, state).await;
    (state, contact)
}

/// Hangs up, wherever the call still is.
async fn clear(house: &House) {
    house.world.hang_up().ok();
    house
        .eventually("no call is left", async |house| {
            let none = house.shell.telephony.call().await.ok()?.state == CallState::None;
            (none && house.world.status().calls.is_empty()).then_some(())
        })
        .await;
}

#[tokio::test]
async fn t15_a13_telephonyd_killed_in_any_moment_of_a_call_shows_it_again_and_ends_it_when_told() {
    let (mut house, _policyd) = House::start().await;
    for moment in MOMENTS {
        let (state, contact) = reach(&mut house, moment).await;
        let told = house.shell.states().len();
        house.kill_daemon();
        house.start_daemon().await;
        let (_, call) = house.shell.told(told, state).await;
        assert_eq!(call.contact, contact, "{moment:?}");
        let mark = house.world.mark();
        house.shell.hang_up().await.unwrap();
        house.seen(mark, |event| matches!(event, Event::HungUpByWatch { .. })).await;
        clear(&house).await;
    }
    mum_rings(&mut house).await;
}

#[tokio::test]
async fn t15_a13_modem_manager_killed_in_any_moment_of_a_call_leaves_no_call_that_is_not_on_the_screen() {
    let (mut house, _policyd) = House::start().await;
    for moment in MOMENTS {
        reach(&mut house, moment).await;
        let told = house.shell.states().len();
        house.manager.kill();
        let killed = Instant::now();
        house.shell.told(told, CallState::None).await;
        house.manager.restart().await.unwrap();
        house.modem_is(ModemState::Registered).await;
        assert!(killed.elapsed() < RECOVERS, "{moment:?}: {:?}", killed.elapsed());
        house
            .eventually("nobody listens in", async |house| {
                let shown = house.shell.telephony.call().await.ok()?.state != CallState::None;
                (shown || house.world.status().calls.is_empty()).then_some(())
            })
            .await;
        clear(&house).await;
        mum_rings(&mut house).await;
    }
}

#[tokio::test]
async fn a06_whatever_comes_back_nothing_is_answered_by_itself() {
    let (mut house, _policyd) = House::start().await;
    let mark = house.world.mark();
    house.world.call(Some(MUM)).unwrap();
    house.shell.told(0, CallState::Ringing).await;
    house.kill_daemon();
    house.manager.restart().await.unwrap();
    house.start_daemon().await;
    house.modem_is(ModemState::Registered).await;
    house.world.hang_up().ok();
    mum_rings(&mut house).await;
    sleep(Duration::from_millis(200)).await;
    let answered = |stamped: &sim::Stamped| matches!(stamped.event, Event::Answered { .. });
    assert!(!house.world.events(mark).iter().any(answered));
}

/// ModemManager reads the `0` after the `1` when both come in one piece: then the modem is where it was and nobody knows.
#[tokio::test]
async fn a13_a_network_that_came_back_unnoticed_is_noticed_and_mum_can_be_called() {
    let (house, _policyd) = House::start().await;
    let (since, told) = (Instant::now(), house.shell.states().len());
    let all =
        |value: &str| ["+CREG", "+CGREG", "+CEREG"].map(|name| format!("{name}: {value}")).join("\r\n\r\n");
    house.world.raw(&format!("{}\r\n\r\n{}", all("0"), all("1,\"00C8\",\"0001E240\",7")));
    house
        .within(RECOVERS, "ModemManager without a network", async |house| {
            (house.shell.telephony.modem().await.ok()? != ModemState::Registered).then_some(())
        })
        .await;
    house
        .within(RECOVERS, "the network", async |house| {
            (house.shell.telephony.modem().await.ok()? == ModemState::Registered).then_some(())
        })
        .await;
    println!("back after {:?}", since.elapsed());
    assert!(since.elapsed() < RECOVERS, "{:?}", since.elapsed());
    house.shell.telephony.dial("mum").await.unwrap();
    let mut house = house;
    house.shell.told(told, CallState::Dialling).await;
}

/// A modem that says half of what it should dials, and ModemManager gives the call up: nobody must be left on the line.
#[tokio::test]
async fn a07_a_call_that_modem_manager_lost_leaves_nobody_on_the_line() {
    let (mut house, _policyd) = House::start().await;
    let mark = house.world.mark();
    house.shell.telephony.dial("mum").await.unwrap();
    house.shell.told(0, CallState::Dialling).await;
    house.seen(mark, |event| matches!(event, Event::RemoteRinging { .. })).await;
    house.world.begin(sim::Fault::Truncated { keep: 14 }).unwrap();
    house.shell.told(1, CallState::None).await;
    house.seen(mark, |event| matches!(event, Event::HungUpByWatch { .. })).await;
    assert_eq!(house.world.status().calls.len(), 0);
}
